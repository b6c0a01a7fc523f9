"""T32: the minimum principle.

If (I - gamma M) x >= 0 then x >= 0: where x is smallest, x >= gamma times a mean of x, which is at least gamma times that smallest value. It turns an inequality of
one Bellman step into one of values, and is the reason why policy improvement needs no probabilities of paths. Source: Puterman (1994), Lemma 6.1.2.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import chain

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import as_fractions, dot, fractions
from pgtheory.proofs.pages.premises import careless, holding, nonnegative, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page
from pgtheory.tabular.exact.jets import solve_in_order


def stream() -> Iterator[Case]:
    """A matrix, a discount, and a vector."""
    rng = np.random.default_rng(32)
    for case in careless(32):
        yield Case(case.label, M=case.pi, gamma=case.process.gamma, x=fractions(rng, 2))


def residual(case: Case) -> list:
    """(I - gamma M) x."""
    return [x - case.gamma * dot(row, case.x) for x, row in zip(case.x, case.M, strict=True)]


def solution(case: Case, sign: int) -> list:
    """The x with (I + sign gamma M) x equal to the residual; with sign -1 the case's own."""
    return solve_in_order([[(i == j) + sign * case.gamma * m for j, m in enumerate(row)] for i, row in enumerate(case.M)], residual(case))


def swap() -> Case:
    """Two states that follow each other."""
    return Case("to and fro", M=as_fractions([[0, 1], [1, 0]]), gamma=Fraction(1, 2), x=as_fractions([1, 2]))


PREMISES = {
    "M is not negative": lambda case: nonnegative(case.M),
    "rows of M sum to at most one": lambda case: all(sum(row) <= 1 for row in case.M),
    "gamma is not negative": lambda case: case.gamma >= 0,
    "gamma is below 1": lambda case: case.gamma < 1,
    "(I - gamma M) x is not negative": lambda case: min(residual(case)) >= 0,
}

PAGE = Page(
    title="Minimum principle",
    words="A vector that is nowhere below gamma times its own mean is nowhere negative.",
    claim=Claim(
        id="T32", kind="bound", relation=Exact("<="), level="rational", statement="(I - gamma M) x >= 0 implies 0 <= x",
        left=lambda case: [0] * len(case.x), right=lambda case: list(case.x), cases=lambda: holding(chain([swap()], stream()), PREMISES, 9),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: min(case.x) < 0) for name in PREMISES},
        mutants={
            "(I + gamma M) x in place of (I - gamma M) x": lambda case: solution(case, 1),
            "x is at least the residual divided by 1 - gamma": lambda case: [x - y / (1 - case.gamma) for x, y in zip(case.x, residual(case), strict=True)],
        },
        source="Puterman (1994), Lemma 6.1.2",
    ),
    free=("an irreducible chain",),
    coq=("T32_minimum_principle",),
    functions=("pgtheory.tabular.solve.certificates:Certificate",),
)  # fmt: skip
