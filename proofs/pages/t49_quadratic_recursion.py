"""T49: a gap that shrinks by its square falls like 1/t.

gap_{t+1} <= gap_t - c gap_t^2 with c > 0 gives gap_t <= 1 / (c t), whatever the first gap was: after one step it is at most 1/(4c). It turns a Lojasiewicz inequality
of degree one and smoothness into the rate O(1/t) of softmax policy gradient. Source: Mei, Xiao, Szepesvari, Schuurmans (2020), proof of Theorem 2.
"""

from collections.abc import Iterator
from functools import partial
from itertools import count

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import fractions
from pgtheory.proofs.pages.premises import above, holding, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Sequences of five gaps: by the recursion, less a slack, or at random."""
    rng = np.random.default_rng(49)
    for number in count(1):
        c, first = fractions(rng, 2, low=1 if rng.random() < 0.8 else -9, over=3)
        gaps, steps = [first], rng.random()
        for _ in range(4):
            slack = fractions(rng, 1, low=0, over=9)[0] if steps < 0.7 else fractions(rng, 1, over=2)[0]
            gaps.append(gaps[-1] - c * gaps[-1] ** 2 - slack)
        yield Case(f"sequence {number}", c=c, gaps=gaps)


def later(case: Case) -> list:
    """gap_1, gap_2, ..."""
    return case.gaps[1:]


def bounds(case: Case, shift: int = 0) -> list:
    """1 / (c t)."""
    return [1 / (case.c * (t + shift)) for t in range(1, len(case.gaps))]


PREMISES = {
    "c is positive": lambda case: case.c > 0,
    "gap_{t+1} <= gap_t - c gap_t^2": lambda case: all(y <= x - case.c * x * x for x, y in zip(case.gaps, case.gaps[1:], strict=False)),
}

FAILS = lambda case: case.c != 0 and above(later(case), bounds(case))

PAGE = Page(
    title="Quadratic recursion",
    words="If every step closes at least c times the square of the gap, the gap after t steps is at most 1/(c t).",
    claim=Claim(
        id="T49", kind="rate", relation=Exact("<="), level="rational", statement="c > 0 and gap_{t+1} <= gap_t - c gap_t^2 imply gap_t <= 1 / (c t), t >= 1",
        left=later, right=bounds, cases=lambda: [*holding(stream(), PREMISES), tight()],
        assumes={name: partial(without, name, stream, PREMISES, FAILS) for name in PREMISES},
        mutants={"a tenth of it": lambda case: [x / 10 for x in bounds(case)], "1 / (c (t + 9))": lambda case: bounds(case, 9)},
        source="Mei, Xiao, Szepesvari, Schuurmans (2020), proof of Theorem 2",
    ),
    free=("gaps that are positive", "a bound on the first gap"),
    coq=("T49_quadratic_recursion",),
    functions=("pgtheory.tabular.rates.fit:identify",),
)  # fmt: skip


def tight() -> Case:
    """The recursion with equality from 1/2, c = 1."""
    gaps = fractions(np.random.default_rng(0), 1, low=2, high=2)
    for _ in range(12):
        gaps.append(gaps[-1] - gaps[-1] ** 2)
    return Case("equality from 1/2", c=gaps[0] ** 0, gaps=gaps)
