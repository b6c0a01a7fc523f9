"""T02: the policy gradient theorem with a finite number of steps.

Let D be a derivation: additive, with the product rule. Every partial derivative is one. If the model does not move (D P = D r = D gamma = 0), then D passes
through the recursion V_{n+1}(s) = sum_a pi(a|s) Q_n(s, a) and splits it in two:

    D V_{n+1}(s) = sum_a D pi(a|s) Q_n(s, a)  +  gamma sum_x P_pi(s, x) D V_n(x).

The first term is what the policy gains here, the second what it gains later: a linear recursion, which the unrolling lemma (T01) solves.
Nothing asks pi or P to be a distribution: the theorem is algebra. Source: Sutton, McAllester, Singh, Mansour (1999), Theorem 1.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import D, Process, dot, dual, instances, moving, policy, tangent
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def derivative(case: Case) -> list:
    """D V_n in every state, by the product rule along the recursion: dual numbers."""
    return [D(v) for v in case.process.V(moving(case.pi, case.dpi), case.n)]


def formula(case: Case, weight=lambda process, k: process.gamma**k, later: int = 1) -> list:
    """sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a D pi(a|x) Q_{n-k-1}(x, a)."""
    p = plain(case.process)
    c = lambda m: [dot(d, q) for d, q in zip(case.dpi, p.Q(case.pi, m), strict=True)]
    term = lambda s, k: weight(p, k) * dot(p.reach(case.pi, k)[s], c(case.n - k - later))
    return [sum((term(s, k) for k in range(case.n + 1 - later)), Fraction(0)) for s in p.states]


def plain(process: Process) -> Process:
    """The model at the point, without its derivative."""
    value = lambda x: getattr(x, "value", x)
    return Process(
        [[[value(x) for x in row] for row in rows] for rows in process.P], [[value(x) for x in row] for row in process.r], value(process.gamma)
    )


def cases() -> Iterator[Case]:
    for label, rng, process, n in instances(2):
        S, A = len(process.r), len(process.r[0])
        yield Case(label, process=process, n=n, pi=policy(rng, S, A), dpi=tangent(rng, S, A))
    yield Case("rows of pi and P that sum to nothing in particular", process=loose(), n=2, pi=[[2, 3], [-1, 1]], dpi=[[1, 1], [0, 5]])


def loose(**changes) -> Process:
    """Two states, integers."""
    return replace(Process([[[1, 2], [0, 1]], [[3, 1], [1, -1]]], [[1, 0], [2, -1]], Fraction(1, 2)), **changes)


def without(**changes) -> Case:
    return Case("two states, two steps", process=loose(**changes), n=2, pi=[[2, 3], [-1, 1]], dpi=[[1, 1], [0, 5]])


def derivation() -> Iterator[Step]:
    m = TwoByTwo()
    p, pi, d = m.process, m.pi, m.D
    local = lambda n, s: sum(d(pi[s][a]) * p.Q(pi, n)[s][a] for a in (0, 1))
    later = lambda n, s: sum(p.kernel(pi)[s][x] * d(p.V(pi, n)[x]) for x in (0, 1))
    yield Step("the model does not move: D Q_n = gamma P D V_n", d(p.Q(pi, 1)[0][1]), p.gamma * sum(p.P[0][1][x] * d(p.V(pi, 1)[x]) for x in (0, 1)))
    yield Step(
        "product rule: D V_{n+1} = sum_a D pi Q_n + gamma P_pi D V_n",
        [d(v) for v in p.V(pi, 2)],
        [local(1, s) + p.gamma * later(1, s) for s in (0, 1)],
    )
    yield Step(
        "unrolled (T01): the sum over what is visited",
        [d(v) for v in p.V(pi, 2)],
        [p.unroll(pi, 2, lambda m: [local(m, x) for x in (0, 1)], s) for s in (0, 1)],
    )


PAGE = Page(
    title="Policy gradient theorem, finite horizon",
    words="The derivative of the value is the sum, over the steps, of the discounted chance to be in a state times the derivative of the policy there against its action values.",
    claim=Claim(
        id="T02", kind="identity", relation=Exact(), level="rational",
        statement="D V_n(s) = sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a D pi(a|x) Q_{n-k-1}(x, a)",
        left=derivative, right=formula, cases=cases,
        assumes={
            "P does not move": lambda: without(P=[[[dual(1, 1), 2], [0, 1]], [[3, 1], [1, -1]]]),
            "r does not move": lambda: without(r=[[dual(1, 1), 0], [2, -1]]),
            "gamma does not move": lambda: without(gamma=dual(Fraction(1, 2), 1)),
        },
        mutants={
            "without gamma^k": lambda case: formula(case, weight=lambda p, k: 1),
            "the action value of one step later": lambda case: formula(case, later=2),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1",
    ),
    free=("sum_a pi(a|s) = 1", "a stochastic P", "positive numbers", "limits or analysis: D is any derivation"),
    derivation=derivation,
    coq=("T02_policy_gradient_finite",),
    functions=("pgtheory.tabular.exact.rational:policy_gradient",),
)  # fmt: skip
