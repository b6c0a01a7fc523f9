"""T55: the clipped surrogate is a lower bound, and the same where nothing is clipped.

min(w A, clip(w) A) <= w A for every ratio and advantage; with |w - 1| <= eps the ratio is its own clip and they are equal. It bounds the surrogate, not the objective: T54 has
the rest. Source: Schulman, Wolski, Dhariwal, Radford, Klimov (2017), equation 7.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import as_fractions, distribution, dot, fractions
from pgtheory.proofs.pages.premises import by_hand, holding
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def drawn() -> Iterator[Case]:
    """Weights, advantages, any ratios and ratios within eps of 1, its ends included, on four outcomes; eps above 1 too."""
    rng = np.random.default_rng(55)
    for number in range(10):
        eps = Fraction(int(rng.integers(1, 15)), 10)
        near = [1 + eps * Fraction(int(x), 3) for x in rng.integers(-3, 4, 4)]
        yield Case(f"draw {number + 1}", p=distribution(rng, 4), w=fractions(rng, 4), near=near, A=fractions(rng, 4), eps=eps)


def one(label: str, **parts: str) -> Case:
    """A single outcome."""
    whole = {"p": "1", "w": "1", "near": "1", "A": "1", "eps": "1/2", **parts}
    return Case(label, **{name: Fraction(x) if name == "eps" else as_fractions([x]) for name, x in whole.items()})


SPECIAL = (
    lambda: one("an action that is given up, and paid", w="0"),
    lambda: one("an action that is given up, and cost", w="0", A="-1"),
    lambda: one("eps = 0, and the old policy", eps="0"),
)
"""The instances of the mutants in Coq, and the point where everything begins."""


def clip(case: Case, w: Fraction) -> Fraction:
    """The ratio within [1 - eps, 1 + eps]."""
    return max(1 - case.eps, min(w, 1 + case.eps))


def surrogate(case: Case, ratios: list) -> Fraction:
    """sum p w A."""
    return dot(case.p, [w * A for w, A in zip(ratios, case.A, strict=True)])


def smaller(case: Case, w: Fraction, A: Fraction) -> Fraction:
    """min(w A, clip(w) A)."""
    return min(w * A, clip(case, w) * A)


def clipped(case: Case, ratios: list, term: Callable = smaller) -> Fraction:
    """sum p min(w A, clip(w) A)."""
    return dot(case.p, [term(case, w, A) for w, A in zip(ratios, case.A, strict=True)])


def left(case: Case) -> list:
    """Less the surrogate, at any ratios; the surrogate and less it, at those that are near."""
    return [-surrogate(case, case.w), surrogate(case, case.near), -surrogate(case, case.near)]


def right(case: Case, term: Callable = smaller) -> list:
    """The same of the clipped one: two bounds at near ratios are an equation."""
    return [-clipped(case, case.w, term), clipped(case, case.near, term), -clipped(case, case.near, term)]


PREMISES = {
    "weights are not negative": lambda case: min(case.p) >= 0,
    "near ratios are at most 1 + eps": lambda case: all(w - 1 <= case.eps for w in case.near),
    "near ratios are at least 1 - eps": lambda case: all(1 - w <= case.eps for w in case.near),
}

WITHOUT = {
    "weights are not negative": lambda: one("a weight of -1", p="-1", w="2"),
    "near ratios are at most 1 + eps": lambda: one("a ratio of 2 that paid", near="2"),
    "near ratios are at least 1 - eps": lambda: one("a ratio of 0 that cost", near="0", A="-1"),
}

PAGE = Page(
    title="The clipped surrogate is a lower bound",
    words="Clipping the ratio and taking the smaller product never exceeds the surrogate without clipping, and equals it where no ratio is clipped.",
    claim=Claim(
        id="T55", kind="bound", relation=Exact("<="), level="rational",
        statement="sum p min(w A, clip(w) A) <= sum p w A, and they are equal if |w - 1| <= eps everywhere",
        left=left, right=right, cases=lambda: holding(chain((make() for make in SPECIAL), drawn()), PREMISES, 13),
        assumes=by_hand(WITHOUT, PREMISES, lambda case: any(x > y for x, y in zip(left(case), right(case), strict=True))),
        mutants={
            "the clipped product alone": lambda case: right(case, lambda case, w, A: clip(case, w) * A),
            "the greater product": lambda case: right(case, lambda case, w, A: max(w * A, clip(case, w) * A)),
            "the upper end alone, whatever the sign": lambda case: right(case, lambda case, w, A: min(w, 1 + case.eps) * A),
        },
        source="Schulman, Wolski, Dhariwal, Radford, Klimov (2017), equation 7",
    ),
    free=("ratios of two policies: any numbers", "eps below 1", "small steps"),
    coq=("T55_clip_lower_bound",),
    functions=("pgtheory.tabular.estimators.surrogates:PPOClip",),
)  # fmt: skip
