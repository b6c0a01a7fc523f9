"""T55: the clipped surrogate is a lower bound, and the same where nothing is clipped.

min(w A, clip(w) A) <= w A for every ratio and advantage; with |w - 1| <= eps they are equal. It bounds the surrogate, not the objective: T54 has the rest.
Source: Schulman, Wolski, Dhariwal, Radford, Klimov (2017), equation 7.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import count

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import distribution, fractions
from pgtheory.proofs.pages.premises import holding, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Weights, ratios, advantages on four outcomes, and eps."""
    rng = np.random.default_rng(55)
    for number in count(1):
        p = distribution(rng, 4) if rng.random() < 0.8 else fractions(rng, 4)
        yield Case(f"draw {number}", p=p, w=fractions(rng, 4, low=0), A=fractions(rng, 4), eps=Fraction(int(rng.integers(1, 9)), 10))


def clip(case: Case, w: Fraction) -> Fraction:
    """The ratio within [1 - eps, 1 + eps]."""
    return max(1 - case.eps, min(w, 1 + case.eps))


def clipped(case: Case) -> Fraction:
    """sum p min(w A, clip(w) A)."""
    return sum((p * min(w * A, clip(case, w) * A) for p, w, A in zip(case.p, case.w, case.A, strict=True)), Fraction(0))


def surrogate(case: Case, ratio=lambda case, w: w) -> Fraction:
    """sum p w A."""
    return sum((p * ratio(case, w) * A for p, w, A in zip(case.p, case.w, case.A, strict=True)), Fraction(0))


PREMISES = {"weights are not negative": lambda case: min(case.p) >= 0}

PAGE = Page(
    title="The clipped surrogate is a lower bound",
    words="Clipping the ratio and taking the smaller product never exceeds the surrogate without clipping.",
    claim=Claim(
        id="T55", kind="bound", relation=Exact("<="), level="rational", statement="sum p min(w A, clip(w) A) <= sum p w A",
        left=clipped, right=surrogate, cases=lambda: holding(stream(), PREMISES, 12),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: clipped(case) > surrogate(case)) for name in PREMISES},
        mutants={
            "less by one": lambda case: surrogate(case) - 1,
            "the other way round": lambda case: 2 * clipped(case) - surrogate(case),
        },
        source="Schulman, Wolski, Dhariwal, Radford, Klimov (2017), equation 7",
    ),
    free=("ratios of two policies: any numbers", "eps below 1", "small steps"),
    coq=("T55_clip_lower_bound",),
    functions=("pgtheory.tabular.estimators.surrogates:PPOClip",),
)  # fmt: skip
