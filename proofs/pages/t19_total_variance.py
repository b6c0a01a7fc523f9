"""T19: the law of total variance.

Var X = E[Var(X | cell)] + Var(E[X | cell]). Both terms are nonnegative, so that replacing X by its conditional mean (the all-action estimator, a critic) never adds
variance: T46. A cell whose mass is zero must carry no weight; this is asked of the outcomes, so that empty cells are allowed.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import dot, variance
from pgtheory.proofs.pages.laws import as_law, law_symbols, laws
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def conditional_mean(case: Case, X: list) -> list:
    """E[X | cell], at every outcome; 0 in a cell of no mass."""
    inside = lambda cell: [(p, x) for p, x, c in zip(case.p, X, case.cell, strict=True) if c == cell]
    mass = {cell: sum(p for p, _ in inside(cell)) for cell in case.cell}
    total = {cell: sum(p * x for p, x in inside(cell)) for cell in case.cell}
    return [total[cell] / mass[cell] if mass[cell] != 0 else 0 * case.p[0] for cell in case.cell]


def parts(case: Case) -> tuple:
    """E[Var(X | cell)], Var(E[X | cell])."""
    m = conditional_mean(case, case.X)
    inner = conditional_mean(case, [(x - y) ** 2 for x, y in zip(case.X, m, strict=True)])
    return dot(case.p, inner), variance(case.p, m)


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
    yield Step("so that the squares add", variance(p, X), sum(parts(case)))


PAGE = Page(
    title="Law of total variance",
    words="The variance is the mean of the variances within the cells plus the variance of the means of the cells.",
    claim=Claim(
        id="T19", kind="variance equals", relation=Exact(), level="rational", statement="Var X = E[Var(X | cell)] + Var(E[X | cell])",
        left=lambda case: variance(case.p, case.X), right=lambda case: sum(parts(case)), cases=lambda: laws(19),
        assumes={
            "no outcome of weight in a cell of mass zero": lambda: as_law("weights 1, -1 and 1", [1, -1, 1], X=[1, 2, 4], cell=[0, 0, 1]),
        },
        mutants={"without the variance of the means": lambda case: parts(case)[0], "without the mean of the variances": lambda case: parts(case)[1]},
    ),
    free=("weights that sum to one", "positive weights", "cells that all have mass"),
    derivation=derivation,
    coq=("T19_total_variance",),
    functions=("pgtheory.tabular.variance.decomposition:Sources",),
)  # fmt: skip
