"""T04: what one policy earns more than another, finite horizon.

The difference X_n = V'_n - V_n obeys X_{n+1} = sum_a pi' (Q_n - V_{n+1}) + gamma P_pi' X_n: pi' gains the advantage here, and the rest later. Unrolled (T01) it is
a sum of advantages of the OLD policy over what the NEW policy visits. Source: Kakade, Langford (2002), Lemma 6.1.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, LOOSE_POLICY, UNNORMALISED_POLICY, cases, dot, every_start, small, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def difference(case: Case) -> list:
    """V' - V, each by its own recursion."""
    return [new - old for new, old in zip(case.process.V(case.other, case.n), case.process.V(case.pi, case.n), strict=True)]


def formula(case: Case, visits=lambda case: case.other, acts=lambda case: case.other) -> list:
    """sum_{k<n} gamma^k sum_x Pr'_k(s -> x) sum_a pi'(a|x) (Q_{n-k-1}(x, a) - V_{n-k}(x))."""
    p = case.process
    advantage = lambda m: [[q - v for q in row] for row, v in zip(p.Q(case.pi, m), p.V(case.pi, m + 1), strict=True)]
    local = lambda m: [dot(row, A) for row, A in zip(acts(case), advantage(m), strict=True)]
    return every_start(case, lambda s: p.unroll(visits(case), case.n, local, s))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, more="y0,y1")
    p, old, both = m.process, m.pi, (0, 1)
    new = [[m.more[f"y{s}"], p.gamma**0 - m.more[f"y{s}"]] for s in both]
    X = lambda n: [a - b for a, b in zip(p.V(new, n), p.V(old, n), strict=True)]
    local = lambda n, s: dot(new[s], [q - p.V(old, n + 1)[s] for q in p.Q(old, n)[s]])
    yield Step("X_{n+1} = sum_a pi' (Q_n - V_{n+1}) + gamma P_pi' X_n", X(2), [local(1, s) + p.gamma * dot(p.kernel(new)[s], X(1)) for s in both])
    yield Step("unrolled (T01)", X(2), [p.unroll(new, 2, lambda n: [local(n, x) for x in both], s) for s in both])


PAGE = Page(
    title="Performance difference lemma, finite horizon",
    words="The new policy earns more than the old one by the old one's advantages, summed over what the new one does and visits.",
    claim=Claim(
        id="T04", kind="identity", relation=Exact(), level="rational",
        statement="V'_n(s) - V_n(s) = sum_{k<n} gamma^k sum_x Pr'_k(s -> x) sum_a pi'(a|x) (Q_{n-k-1}(x, a) - V_{n-k}(x))",
        left=difference, right=formula,
        cases=lambda: [steered(), *cases(4), small("rows of P and of the old policy that sum to two", P=LOOSE_MODEL, pi=LOOSE_POLICY)],
        assumes={"rows of the new policy sum to one": lambda: steered("rows that sum to 3/2", other=UNNORMALISED_POLICY)},
        mutants={
            "visits of the old policy": lambda case: formula(case, visits=lambda case: case.pi),
            "actions of the old policy": lambda case: formula(case, acts=lambda case: case.pi),
        },
        source="Kakade, Langford (2002), Lemma 6.1",
    ),
    free=("a normalised old policy", "a stochastic P", "policies that are close to each other"),
    derivation=derivation,
    coq=("T04_performance_difference_finite",),
    functions=("pgtheory.tabular.dynamics.backward:Backward",),
)  # fmt: skip
