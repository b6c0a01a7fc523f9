"""T02: the policy gradient theorem with a finite number of steps.

Let D be a derivation: additive, with the product rule. Every partial derivative is one. If the model does not move (D P = D r = D gamma = 0), then D passes
through the recursion V_{n+1}(s) = sum_a pi(a|s) Q_n(s, a) and splits it in two:

    D V_{n+1}(s) = sum_a D pi(a|s) Q_n(s, a)  +  gamma sum_x P_pi(s, x) D V_n(x).

The first term is what the policy gains here, the second what it gains later: a linear recursion, which the unrolling lemma (T01) solves.
Nothing asks pi or P to be a distribution: the theorem is algebra. Source: Sutton, McAllester, Singh, Mansour (1999), Theorem 1.
"""

from collections.abc import Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, LOOSE_POLICY, MOVING, cases, dot, every_start, plain, small, steered, value_derivative
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def formula(case: Case, weight=lambda gamma, k: gamma**k, later: int = 1) -> list:
    """sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a D pi(a|x) Q_{n-k-1}(x, a)."""
    p = plain(case.process)
    local = lambda m: [dot(d, q) for d, q in zip(case.dpi, p.Q(case.pi, m), strict=True)]
    term = lambda s, k: weight(p.gamma, k) * dot(p.reach(case.pi, k)[s], local(case.n - k - later))
    return every_start(case, lambda s: sum((term(s, k) for k in range(case.n)), Fraction(0)))


def derivation() -> Iterator[Step]:
    m = TwoByTwo()
    p, pi, D = m.process, m.pi, m.D
    both = (0, 1)
    local = lambda n, s: sum(D(pi[s][a]) * p.Q(pi, n)[s][a] for a in both)
    later = lambda n, s: sum(p.kernel(pi)[s][x] * D(p.V(pi, n)[x]) for x in both)
    yield Step("the model does not move: D Q_n = gamma P D V_n", D(p.Q(pi, 1)[0][1]), p.gamma * sum(p.P[0][1][x] * D(p.V(pi, 1)[x]) for x in both))
    yield Step(
        "product rule: D V_{n+1} = sum_a D pi Q_n + gamma P_pi D V_n", [D(v) for v in p.V(pi, 2)], [local(1, s) + p.gamma * later(1, s) for s in both]
    )
    yield Step("unrolled (T01)", [D(v) for v in p.V(pi, 2)], [p.unroll(pi, 2, lambda n: [local(n, x) for x in both], s) for s in both])


PAGE = Page(
    title="Policy gradient theorem, finite horizon",
    words="The derivative of the value is the sum, over the steps, of the discounted chance to be in a state times the derivative of the policy there against its action values.",
    claim=Claim(
        id="T02", kind="identity", relation=Exact(), level="rational",
        statement="D V_n(s) = sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a D pi(a|x) Q_{n-k-1}(x, a)",
        left=value_derivative, right=formula,
        cases=lambda: [steered(), *cases(2), small("rows of pi and P that sum to two", P=LOOSE_MODEL, pi=LOOSE_POLICY, dpi=[[1, 1], [0, 5]])],
        assumes=MOVING,
        mutants={
            "without gamma^k": lambda case: formula(case, weight=lambda gamma, k: 1),
            "the action value with one step more to go": lambda case: formula(case, later=0),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1",
    ),
    free=("sum_a pi(a|s) = 1", "a stochastic P", "positive numbers", "limits: D is any derivation"),
    derivation=derivation,
    coq=("T02_policy_gradient_finite",),
    functions=("pgtheory.tabular.exact.rational:policy_gradient", "pgtheory.tabular.objectives.returns:Return"),
)  # fmt: skip
