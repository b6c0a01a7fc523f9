"""T18: Var X = E X^2 - (E X)^2.

The weights must sum to one; they may be negative. Exact variances are computed by it from second moments, and it is the identity that cancels in floating point where the mean
is large: the float tier sums squares of centred numbers instead.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import mean, variance
from pgtheory.proofs.pages.laws import four, law_symbols, laws
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def formula(case: Case) -> object:
    """E X^2 - (E X)^2."""
    return mean(case.p, [x * x for x in case.X]) - mean(case.p, case.X) ** 2


def derivation() -> Iterator[Step]:
    p, X = law_symbols("x0,x1,x2")
    case = Case("three outcomes", p=p, X=X)
    yield Step("expand the square; the weights sum to one", variance(p, X), formula(case))


PAGE = Page(
    title="Variance by the second moment",
    words="The variance is the mean square less the square of the mean.",
    claim=Claim(
        id="T18", kind="identity", relation=Exact(), level="rational", statement="Var X = E X^2 - (E X)^2",
        left=lambda case: variance(case.p, case.X), right=formula, cases=lambda: [four(), *laws(18)],
        assumes={"weights sum to one": lambda: four("weights that sum to two", p=["1/2", "1/2", "1/2", "1/2"])},
        mutants={
            "plus": lambda case: mean(case.p, [x * x for x in case.X]) + mean(case.p, case.X) ** 2,
            "the mean not squared": lambda case: mean(case.p, [x * x for x in case.X]) - mean(case.p, case.X),
        },
    ),
    free=("positive weights",),
    derivation=derivation,
    coq=("T18_variance_second_moment",),
    functions=("pgtheory.tabular.exact.laws:ExactLaw",),
)  # fmt: skip
