"""T48: the mismatch of the visits is at most that with the start.

Of the normalised visits (1 - gamma) d(s), the share (1 - gamma) mu(s) is there from the start: d >= mu. So d'(s) / d(s) <= d'(s) / mu(s), the coefficient that stands in every
rate for exact policy gradients. It can be as large as 1/mu, and in a chain it is. Source: Kakade, Langford (2002); Agarwal et al. (2021).
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import distribution, fractions
from pgtheory.proofs.pages.premises import GAMMA_POSITIVE, P_POSITIVE, P_SUMS, above, careless, holding, is_policy, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Problems with two start laws."""
    rng = np.random.default_rng(48)
    for case in careless(48):
        case.mu = distribution(rng, 2) if rng.random() < 0.8 else fractions(rng, 2)
        case.mu_other = distribution(rng, 2) if rng.random() < 0.8 else fractions(rng, 2)
        try:
            case.d, case.d_other = case.process.occupancy(case.mu, case.pi), case.process.occupancy(case.mu_other, case.other)
            _ = ratios(case), bounds(case)
        except ZeroDivisionError:
            continue
        yield case


def ratios(case: Case) -> list:
    """d'(s) / d(s)."""
    return [x / y for x, y in zip(case.d_other, case.d, strict=True)]


def bounds(case: Case, share: Fraction = Fraction(1)) -> list:
    """d'(s) / mu(s)."""
    return [share * x / m for x, m in zip(case.d_other, case.mu, strict=True)]


PREMISES = {
    "P is not negative": P_POSITIVE,
    "rows of P sum to at most one": P_SUMS,
    "gamma is in [0, 1)": lambda case: GAMMA_POSITIVE(case) and case.process.gamma < 1,
    "pi is a policy": lambda case: is_policy(case.pi),
    "the other is a policy": lambda case: is_policy(case.other),
    "mu is positive": lambda case: min(case.mu) > 0,
    "the other start is not negative": lambda case: min(case.mu_other) >= 0,
}

PAGE = Page(
    title="Mismatch of the visits",
    words="The ratio of the visits of two policies is at most that of the visits of one to the start of the other.",
    claim=Claim(
        id="T48", kind="bound", relation=Exact("<="), level="rational", statement="d'(s) / d(s) <= d'(s) / mu(s), both visits not normalised",
        left=ratios, right=bounds, cases=lambda: holding(stream(), PREMISES),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: above(ratios(case), bounds(case))) for name in PREMISES},
        mutants={
            "a third of it": lambda case: bounds(case, Fraction(1, 3)),
            "with normalised visits on the right alone": lambda case: bounds(case, (1 - case.process.gamma) ** 2),
        },
        source="Kakade, Langford (2002); Agarwal, Kakade, Lee, Mahajan (2021)",
    ),
    free=("one start for both policies",),
    coq=("T48_mismatch_bound",),
    functions=("pgtheory.tabular.rates.instances:mismatch",),
)  # fmt: skip
