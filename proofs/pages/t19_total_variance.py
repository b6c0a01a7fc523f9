"""T19: the law of total variance.

Var X = E[Var(X | cell)] + Var(E[X | cell]). Both terms are nonnegative, so that replacing X by its conditional mean (the all-action estimator, a critic) never adds
variance: T46. A cell whose mass is zero must carry no weight; this is asked of the outcomes, so that empty cells are allowed.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, dot, mean, variance
from pgtheory.proofs.pages.laws import four, law_symbols, laws
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def conditional_mean(case: Case, X: list) -> list:
    """E[X | cell], at every outcome; 0 in a cell of no mass."""
    inside = lambda cell: [(p, x) for p, x, c in zip(case.p, X, case.cell, strict=True) if c == cell]
    mass = {cell: sum(p for p, _ in inside(cell)) for cell in case.cell}
    total = {cell: sum(p * x for p, x in inside(cell)) for cell in case.cell}
    return [total[cell] / mass[cell] if mass[cell] != 0 else 0 * case.p[0] for cell in case.cell]


def formula(case: Case, centre=lambda case: conditional_mean(case, case.X), between=variance) -> Number:
    """E[Var(X | cell)] + Var(E[X | cell])."""
    inner = conditional_mean(case, [(x - y) ** 2 for x, y in zip(case.X, centre(case), strict=True)])
    return dot(case.p, inner) + between(case.p, conditional_mean(case, case.X))


def mean_of_all(case: Case) -> list:
    """E X, at every outcome."""
    return [mean(case.p, case.X)] * len(case.p)


def mean_square(p: list, x: list) -> Number:
    """E x^2."""
    return mean(p, [y * y for y in x])


def derivation() -> Iterator[Step]:
    p, X = law_symbols("x0,x1,x2")
    case = Case("cells {0, 1} and {2}", p=p, X=X, cell=[0, 0, 1])
    m = conditional_mean(case, X)
    yield Step("the mean of the conditional means is the mean", dot(p, m), dot(p, X))
    deviation = [(x - y) for x, y in zip(X, m, strict=True)]
    yield Step(
        "deviations within the cells have no correlation with the conditional means",
        dot(p, [d * y for d, y in zip(deviation, m, strict=True)]),
        0 * X[0],
    )
    yield Step("so that the squares add", variance(p, X), formula(case))


PAGE = Page(
    title="Law of total variance",
    words="The variance is the mean of the variances within the cells plus the variance of the means of the cells.",
    claim=Claim(
        id="T19", kind="variance equals", relation=Exact(), level="rational", statement="Var X = E[Var(X | cell)] + Var(E[X | cell])",
        left=lambda case: variance(case.p, case.X), right=formula, cases=lambda: [four(), *laws(19)],
        assumes={
            "no outcome of weight in a cell of mass zero": lambda: four("weights 1, -1 and 1, 0", p=[1, -1, 1, 0]),
        },
        mutants={
            "squares about the mean of all within the cells": lambda case: formula(case, centre=mean_of_all),
            "the mean square of the cells' means": lambda case: formula(case, between=mean_square),
        },
    ),
    free=("weights that sum to one", "positive weights", "cells that all have mass"),
    derivation=derivation,
    coq=("T19_total_variance",),
    functions=("pgtheory.tabular.variance.decomposition:Sources",),
)  # fmt: skip
