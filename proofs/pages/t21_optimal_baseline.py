"""T21: b* = E[g^2 r] / E[g^2] has the least variance of all constants.

T20 with nonnegative weights: the gap E[g^2] (b - b*)^2 is a square times a mean of squares. Source: Greensmith, Bartlett, Baxter (2004), Theorem 8.
"""

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, dot, mean, variance
from pgtheory.proofs.pages.laws import best_baseline, four, laws, weighted
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def with_baseline(case: Case, b=lambda case: case.b) -> Number:
    """Var(g (r - b))."""
    return variance(case.p, weighted(case, b(case)))


def least(case: Case) -> Number:
    """Var(g (r - b*))."""
    return with_baseline(case, best_baseline)


def size_baseline(case: Case) -> Number:
    """E|g| r / E|g|."""
    size = [abs(g) for g in case.g]
    return dot(case.p, [x * r for x, r in zip(size, case.r, strict=True)]) / dot(case.p, size)


PAGE = Page(
    title="Optimal scalar baseline: the minimiser",
    words="No constant baseline has less variance than the mean reward weighted with the squared score.",
    claim=Claim(
        id="T21", kind="bound", relation=Exact(">="), level="rational", statement="Var(g (r - b)) >= Var(g (r - b*)), b* = E[g^2 r] / E[g^2]",
        left=with_baseline, right=least, cases=lambda: [four(b="3"), *laws(21)],
        assumes={
            "the score has mean zero": lambda: four("a score of mean one", g=[1, 1, 0, 2], b="6"),
            "weights are not negative": lambda: four("weights 2, -2, 1", p=[2, -2, 1, 0], g=[1, 2, 2, 0], b="1"),
        },
        mutants={
            "the mean reward as the best baseline": lambda case: with_baseline(case, lambda case: mean(case.p, case.r)),
            "rewards weighted with the size of the score": lambda case: with_baseline(case, size_baseline),
        },
        source="Greensmith, Bartlett, Baxter (2004), Theorem 8",
    ),
    free=("weights that sum to one", "a score that comes from a policy", "E g^2 > 0"),
    coq=("T21_optimal_baseline_minimum",),
    functions=("pgtheory.tabular.variance.optimal_baseline:optimal_values",),
)  # fmt: skip
