"""T20: what a wrong scalar baseline costs.

For a score g of mean zero, Var(g (r - b)) is a parabola in b with its vertex at b* = E[g^2 r] / E[g^2], not at E r: the mean of g (r - b) does not depend on b, and
the second moment is a square to complete. Source: Greensmith, Bartlett, Baxter (2004), Theorem 8; Weaver, Tao (2001).
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, dot, mean, variance
from pgtheory.proofs.pages.laws import best_baseline, four, law_symbols, laws, weighted
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def formula(case: Case, vertex=best_baseline, power: int = 2) -> Number:
    """Var(g (r - b*)) + E[g^2] (b - b*)^2."""
    best = vertex(case)
    return variance(case.p, weighted(case, best)) + dot(case.p, [g * g for g in case.g]) * (case.b - best) ** power


def derivation() -> Iterator[Step]:
    p, (g0, g1, r0, r1, r2, b) = law_symbols("g0,g1,r0,r1,r2,b")
    g = [g0, g1, -(p[0] * g0 + p[1] * g1) / p[2]]
    case = Case("three outcomes", p=p, g=g, r=[r0, r1, r2], b=b)
    yield Step("b does not change the mean", mean(p, weighted(case, b)), mean(p, weighted(case, 0 * b)))
    yield Step("complete the square", variance(p, weighted(case, b)), formula(case))


PAGE = Page(
    title="Optimal scalar baseline: the gap",
    words="The variance with a baseline b exceeds the least one by the mean squared score times the squared distance of b from the best baseline.",
    claim=Claim(
        id="T20", kind="variance equals", relation=Exact(), level="rational",
        statement="Var(g (r - b)) = Var(g (r - b*)) + E[g^2] (b - b*)^2, b* = E[g^2 r] / E[g^2]",
        left=lambda case: variance(case.p, weighted(case, case.b)), right=formula, cases=lambda: [four(b="0"), *laws(20)],
        assumes={
            "the score has mean zero": lambda: four("a score of mean one", g=[1, 1, 0, 2], b="1"),
            "E g^2 is not 0": lambda: four("weights 3, -3, 1", p=[3, -3, 1, 0], g=[1, 2, 3, 0], b="1"),
        },
        mutants={
            "the mean reward as the vertex": lambda case: formula(case, vertex=lambda case: mean(case.p, case.r)),
            "the distance not squared": lambda case: formula(case, power=1),
        },
        source="Greensmith, Bartlett, Baxter (2004), Theorem 8; Weaver, Tao (2001)",
    ),
    free=("weights that sum to one", "positive weights", "a score that comes from a policy"),
    derivation=derivation,
    coq=("T20_optimal_baseline_gap",),
    functions=("pgtheory.tabular.estimators.baselines:OptimalConstant",),
)  # fmt: skip
