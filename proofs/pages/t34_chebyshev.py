"""T34: Chebyshev's sum inequality.

Numbers that rise and fall together correlate: expand sum_ab p_a p_b (u_a - u_b) (x_a - x_b) >= 0. It is what natural policy gradient needs of the exponential:
monotone, no more (T35). Source: Hardy, Littlewood, Polya (1934), Theorem 43.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain, count

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, as_fractions, dot, fractions
from pgtheory.proofs.pages.premises import holding, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Weights and two functions on three points."""
    rng = np.random.default_rng(34)
    for number in count(1):
        yield Case(f"three points, draw {number}", p=fractions(rng, 3, low=-2 if rng.random() < 0.3 else 0), u=fractions(rng, 3), x=fractions(rng, 3))


def product_of_means(case: Case) -> Number:
    """(sum p u) (sum p x)."""
    return dot(case.p, case.u) * dot(case.p, case.x)


def mean_of_product(case: Case) -> Number:
    """(sum p) (sum p u x)."""
    return sum(case.p) * product_mass(case)


def product_mass(case: Case) -> Number:
    """sum p u x."""
    return dot(case.p, [u * x for u, x in zip(case.u, case.x, strict=True)])


def two_points() -> Case:
    """Weights one and three on the values zero and one."""
    return Case("two points", p=as_fractions([1, 3]), u=as_fractions([0, 1]), x=as_fractions([0, 1]))


PREMISES = {
    "weights are not negative": lambda case: min(case.p) >= 0,
    "u and x are comonotone": lambda case: all(
        (u - v) * (x - y) >= 0 for u, x in zip(case.u, case.x, strict=True) for v, y in zip(case.u, case.x, strict=True)
    ),
}

PAGE = Page(
    title="Chebyshev's sum inequality",
    words="The means of two comonotone functions multiply to no more than the mean of their product.",
    claim=Claim(
        id="T34", kind="bound", relation=Exact("<="), level="rational", statement="(sum p u) (sum p x) <= (sum p) (sum p u x), where (u_a - u_b) (x_a - x_b) >= 0",
        left=product_of_means, right=mean_of_product, cases=lambda: holding(chain([two_points()], stream()), PREMISES, 9),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: product_of_means(case) > mean_of_product(case)) for name in PREMISES},
        mutants={
            "without the total weight": product_mass,
            "the number of points in place of the total weight": lambda case: len(case.p) * product_mass(case),
        },
        source="Hardy, Littlewood, Polya (1934), Theorem 43",
    ),
    free=("weights that sum to one", "positive functions"),
    coq=("T34_chebyshev_sum",),
    functions=("pgtheory.tabular.dynamics.updates:Natural",),
)  # fmt: skip
