"""T49: a gap that falls by a multiple of its square falls like 1/t.

With y = c gap_t the claim is t y <= 1, by induction: where y <= 1, (t + 1) (y - y^2) = t y (1 - y) + y (1 - y) <= 1 - y^2, and where y > 1 the next gap is below zero.
It ends the proofs of O(1/t) for softmax (T52): smoothness (T51) turns a gradient into a gain of its square, domination (T50) a gap into a gradient. The first gap does
not enter: y - y^2 is at most 1/4. Source: Mei, Xiao, Szepesvari, Schuurmans (2020), proof of Theorem 4; Nesterov (2004), Theorem 2.1.14.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, fractions
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def sequence(label: str, c: Number, first: Number, more: list[Number]) -> Case:
    """gap' = gap - c gap^2 - more: the premise asks that `more` be nowhere negative."""
    gap = [Fraction(first)]
    for x in more:
        gap.append(gap[-1] - c * gap[-1] ** 2 - x)
    return Case(label, c=Fraction(c), gap=gap)


def instances() -> Iterator[Case]:
    yield sequence("from the top of the parabola, three steps", 1, "1/2", [0] * 3)
    yield sequence("a small c", Fraction(1, 4), 2, [0] * 2)
    yield sequence("nothing to spare for long", 1, "1/2", [0] * 7)
    yield sequence("a first gap of a thousand", Fraction(1, 2), 1000, [0] * 5)
    yield sequence("a first gap below zero", 2, -3, [0] * 4)
    rng = np.random.default_rng(49)
    for number in range(6):
        c, first = fractions(rng, 2, low=1)
        yield sequence(f"sequence {number + 1}", c, first / (2 * c), [x / 40 for x in fractions(rng, 6, low=0, high=2)])


def bound(case: Case, of=lambda c, t: c * t) -> list:
    """1 / (c t) for t = 1, 2, ..."""
    return [1 / of(case.c, t) for t in range(1, len(case.gap))]


def derivation() -> Iterator[Step]:
    c, gap, t = symbols("c,gap,t")
    y = c * gap
    fallen = c * (gap - c * gap**2)
    yield Step(
        "(t + 1) times the next y is t y (1 - y) + y (1 - y); for y <= 1 the claim t y <= 1 may be put in", (t + 1) * fallen, (t * y + y) * (1 - y)
    )
    yield Step("which leaves at most 1", (1 + y) * (1 - y), 1 - y**2)
    yield Step("for y > 1 it is negative, whatever t was", (t + 1) * fallen, -(t + 1) * y * (y - 1))


PAGE = Page(
    title="From a quadratic decrease to a rate of 1/t",
    words="A gap that falls in every step by at least c times its square is at most 1/(c t) after t steps.",
    claim=Claim(
        id="T49", kind="rate", relation=Exact("<="), level="rational", statement="gap_{t+1} <= gap_t - c gap_t^2 for all t implies gap_t <= 1 / (c t), t >= 1",
        left=lambda case: case.gap[1:], right=bound, cases=instances,
        assumes={
            "c is positive": lambda: sequence("c = -1", -1, "1/2", [0] * 3),
            "every step falls by c gap^2": lambda: sequence("a first gap of ten that is halved", Fraction(1, 2), 10, [-45]),
        },
        mutants={
            "1/(c t^2)": lambda case: bound(case, of=lambda c, t: c * t**2),
            "1/t": lambda case: bound(case, of=lambda c, t: Fraction(t)),
        },
        source="Mei, Xiao, Szepesvari, Schuurmans (2020), proof of Theorem 4; Nesterov (2004), Theorem 2.1.14",
    ),
    free=("a small first gap", "gaps that are not negative", "c times the first gap below 1"),
    derivation=derivation,
    coq=("T49_quadratic_recursion",),
    functions=("pgtheory.tabular.rates.fit:identify", "pgtheory.tabular.rates.softmax:softmax_constants"),
)  # fmt: skip
