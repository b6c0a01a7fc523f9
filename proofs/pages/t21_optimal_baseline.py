"""T21: b* = E[g^2 r] / E[g^2] has the least variance of all constants.

T20 with nonnegative weights: the gap E[g^2] (b - b*)^2 is a square times a mean of squares. Source: Greensmith, Bartlett, Baxter (2004), Theorem 8.
"""

from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import mean, variance
from pgtheory.proofs.pages.laws import as_law, best_baseline, laws, weighted
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def least(case: Case) -> Fraction:
    """Var(g (r - b*))."""
    return variance(case.p, weighted(case, best_baseline(case)))


def with_baseline(case: Case, b=lambda case: case.b) -> Fraction:
    """Var(g (r - b))."""
    return variance(case.p, weighted(case, b(case)))


PAGE = Page(
    title="Optimal scalar baseline: the minimiser",
    words="No constant baseline has less variance than the mean reward weighted with the squared score.",
    claim=Claim(
        id="T21", kind="bound", relation=Exact("<="), level="rational", statement="Var(g (r - b*)) <= Var(g (r - b)), b* = E[g^2 r] / E[g^2]",
        left=least, right=with_baseline, cases=lambda: laws(21),
        assumes={
            "the score has mean zero": lambda: as_law("a score of mean 1/2", ["1/2", "1/2"], g=[2, -1], r=[1, 3], b=Fraction(5, 3)),
            "weights are not negative": lambda: as_law("weights 2, -2, 1", [2, -2, 1], g=[1, 2, 2], r=[1, 3, 5], b=Fraction(0)),
        },
        mutants={
            "half of it": lambda case: with_baseline(case) / 2,
            "less by the square of the distance": lambda case: with_baseline(case) - (case.b - mean(case.p, case.r)) ** 2,
        },
        source="Greensmith, Bartlett, Baxter (2004), Theorem 8",
    ),
    free=("weights that sum to one", "a score that comes from a policy", "E g^2 > 0"),
    coq=("T21_optimal_baseline_minimum",),
    functions=("pgtheory.tabular.variance.optimal_baseline:optimal_values",),
)  # fmt: skip
