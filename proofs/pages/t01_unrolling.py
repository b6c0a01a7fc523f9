"""T01: the unrolling lemma, from which half of the theory follows.

A sequence of functions of the state with X_0 = 0 and X_{n+1} = c_n + gamma P_pi X_n is a sum over what is visited:

    X_n(s) = sum_{k<n} gamma^k sum_x Pr_k(s -> x) c_{n-k-1}(x).

The value is one (c = r_pi), its derivative is one (T02: c = sum_a D pi Q), the difference of two values is one, under another policy (T04) or in another model
(T05). Who knows c knows the theorem. Proof: induction on n; P_pi is only a matrix, of any numbers.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, LOOSE_POLICY, cases, dot, every_start, small, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def recursion(case: Case) -> list:
    """X_n, step by step from X_0."""
    X = getattr(case, "start", [0] * len(case.mu))
    for n in range(case.n):
        X = [c + case.process.gamma * dot(row, X) for c, row in zip(case.b[n], case.process.kernel(case.pi), strict=True)]
    return X


def formula(case: Case, source=lambda n, k: n - k - 1, weight=lambda gamma, k: gamma**k) -> list:
    """sum_{k<n} gamma^k sum_x Pr_k(s -> x) c_{n-k-1}(x), c = b."""
    p = case.process
    return every_start(case, lambda s: sum(weight(p.gamma, k) * dot(p.reach(case.pi, k)[s], case.b[source(case.n, k)]) for k in range(case.n)))


def instances() -> Iterator[Case]:
    """With c_n besides, which only a false variant asks for."""
    yield steered("two states that the actions choose, c_n = n", n=3, b=[[n, n] for n in range(4)])
    for case in [*cases(1), small("rows that sum to two", P=LOOSE_MODEL, pi=LOOSE_POLICY)]:
        case.b = [*case.b, case.b[0]]
        yield case


def derivation() -> Iterator[Step]:
    m = TwoByTwo(more="c00,c01,c10,c11")
    p, pi, both = m.process, m.pi, (0, 1)
    c = [[m.more[f"c{n}{s}"] for s in both] for n in both]
    once = lambda X: [p.gamma * dot(row, X) for row in p.kernel(pi)]
    one = c[0]
    two = [x + y for x, y in zip(c[1], once(one), strict=True)]
    yield Step("one step: X_1 = c_0", one, [p.unroll(pi, 1, lambda n: c[n], s) for s in both])
    yield Step("two steps: the induction moves P_pi into the sum", two, [p.unroll(pi, 2, lambda n: c[n], s) for s in both])


PAGE = Page(
    title="Unrolling lemma",
    words="A linear recursion along a policy, started at zero, is the discounted sum of its source over what is visited.",
    claim=Claim(
        id="T01", kind="identity", relation=Exact(), level="rational",
        statement="X_0 = 0, X_{n+1} = c_n + gamma P_pi X_n imply X_n(s) = sum_{k<n} gamma^k sum_x Pr_k(s -> x) c_{n-k-1}(x)",
        left=recursion, right=formula, cases=instances,
        assumes={"X_0 = 0": lambda: small(start=[1, 0])},
        mutants={
            "each source one step late: c_{n-k}": lambda case: formula(case, source=lambda n, k: n - k),
            "without gamma^k": lambda case: formula(case, weight=lambda gamma, k: 1),
        },
    ),
    free=("a stochastic P", "a normalised pi", "gamma below 1", "division"),
    derivation=derivation,
    coq=("T01_unroll",),
    functions=("pgtheory.tabular.exact.rational:evaluate_exactly", "pgtheory.tabular.returns:discounted_suffix_sums"),
)  # fmt: skip
