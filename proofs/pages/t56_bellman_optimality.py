"""T56: the Bellman operator of the best action contracts, and a deterministic policy is best.

|T X - T Y| <= gamma |X - Y|, since a maximum moves no more than its arguments. Its fixed point is the value of a deterministic policy that no policy exceeds in any state.
Source: Puterman (1994), Theorems 6.2.3 and 6.2.7.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import fractions
from pgtheory.proofs.pages.premises import GAMMA_POSITIVE, P_POSITIVE, P_SUMS, above, careless, holding, is_policy, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Problems with two vectors."""
    rng = np.random.default_rng(56)
    for case in careless(56):
        case.X, case.Y = fractions(rng, 2), fractions(rng, 2)
        case.proper = GAMMA_POSITIVE(case) and case.process.gamma < 1 and P_POSITIVE(case) and P_SUMS(case) and is_policy(case.pi)
        yield case


def operator(case: Case, X: list) -> list:
    """max_a r + gamma P X."""
    return [max(row) for row in case.process.backup(X)]


def distances(case: Case) -> list:
    """|T X - T Y| in every state; and by how much pi exceeds the best deterministic policy there, where both values exist."""
    moved = [abs(x - y) for x, y in zip(operator(case, case.X), operator(case, case.Y), strict=True)]
    if not case.proper:
        return [*moved, *([0] * len(moved))]
    p = case.process
    pure = lambda f: [[Fraction(a == f[s]) for a in p.actions] for s in p.states]
    every = [p.value(pure(f)) for f in product(p.actions, repeat=len(p.r))]
    best = max(every, key=sum)
    return [*moved, *(v - b for v, b in zip(p.value(case.pi), best, strict=True))]


def bound(case: Case, power: int = 1) -> list:
    """gamma max |X - Y|, and zeros."""
    size = case.process.gamma**power * max(abs(x - y) for x, y in zip(case.X, case.Y, strict=True))
    return [*([size] * len(case.X)), *([Fraction(0)] * len(case.X))]


PREMISES = {"P is not negative": P_POSITIVE, "rows of P sum to at most one": P_SUMS, "gamma is not negative": GAMMA_POSITIVE}

PAGE = Page(
    title="Bellman optimality",
    words="The operator of the best action contracts by gamma, and the value of some deterministic policy is the greatest in every state.",
    claim=Claim(
        id="T56", kind="fixed point", relation=Exact("<="), level="rational",
        statement="max |T X - T Y| <= gamma max |X - Y|, and V_pi <= V_f in every state for some deterministic f (gamma < 1)",
        left=distances, right=bound, cases=lambda: holding(stream(), PREMISES, 12),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: above(distances(case), bound(case))) for name in PREMISES},
        mutants={"the square of gamma": lambda case: bound(case, 2), "half of it": lambda case: [x / 2 for x in bound(case)]},
        source="Puterman (1994), Theorems 6.2.3 and 6.2.7",
    ),
    free=("a unique best action",),
    coq=("T56_bellman_contraction", "T56_optimal_deterministic_policy"),
    functions=("pgtheory.tabular.solve.optimal:optimal", "pgtheory.tabular.exact.rational:optimal_value"),
)  # fmt: skip
