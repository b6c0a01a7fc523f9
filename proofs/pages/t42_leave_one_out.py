"""T42: leave-one-out is unbiased, the group mean is not.

In a group of n independent completions with scores g of mean zero, subtracting the mean of the OTHER rewards leaves E[g R]; subtracting the mean of all, which contains the
own reward, takes away one n-th of it: E = (n-1)/n E[g R]. RLOO is the first, GRPO without its division the second. Source: Kool, van Hoof, Welling (2019).
"""

from collections.abc import Iterator
from itertools import product

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import dot
from pgtheory.proofs.pages.laws import as_law, law_symbols, laws
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def group_means(case: Case) -> list:
    """The means of both estimators over all groups of n outcomes, draw by draw."""
    n, found = case.n, []
    others = lambda R, i: (sum(R) - R[i]) / (n - 1) if n > 1 else 0 * R[i]
    for baseline in (others, lambda R, i: sum(R) / n):
        total = 0 * case.p[0]
        for draw in product(range(len(case.p)), repeat=n):
            chance = case.p[0] ** 0
            for w in draw:
                chance = chance * case.p[w]
            R = [case.r[w] for w in draw]
            total = total + chance * sum(case.g[w] * (R[i] - baseline(R, i)) for i, w in enumerate(draw)) / n
        found.append(total)
    return found


def formula(case: Case, left_out=lambda n: n, whole=lambda n: n - 1) -> list:
    """E[g R] and (n-1)/n E[g R]."""
    m = dot(case.p, [g * r for g, r in zip(case.g, case.r, strict=True)])
    return [left_out(case.n) * m / case.n, whole(case.n) * m / case.n]


def cases() -> Iterator[Case]:
    yield as_law("a fair coin, groups of 2", ["1/2", "1/2"], g=[1, -1], r=[1, 0], n=2)
    for number, case in enumerate(laws(42, each=6)):
        case.n = 1 + number % 3
        case.label += f", groups of {case.n}"
        yield case


def derivation() -> Iterator[Step]:
    p, (g0, g1, r0, r1, r2) = law_symbols("g0,g1,r0,r1,r2")
    case = Case("", p=p, g=[g0, g1, -(p[0] * g0 + p[1] * g1) / p[2]], r=[r0, r1, r2], n=2)
    independent = sum(p[i] * p[j] * case.g[i] * case.r[j] for i in range(3) for j in range(3))
    yield Step("another's reward has no correlation with the own score", independent, 0 * g0)
    yield Step("groups of two: E[g R], and half of it", group_means(case), formula(case))


PAGE = Page(
    title="Leave-one-out is unbiased; the group mean shrinks by (n-1)/n",
    words="A baseline from the other completions of the group is free; one that contains the own reward multiplies the gradient by (n-1)/n.",
    claim=Claim(
        id="T42", kind="biased by exactly", relation=Exact(), level="rational",
        statement="E[leave-one-out] = E[g R] and E[group mean] = (n-1)/n E[g R], n independent draws",
        left=group_means, right=formula, cases=cases,
        assumes={
            "the score has mean zero": lambda: as_law("one outcome of score 1", [1], g=[1], r=[1], n=2),
            "weights sum to one": lambda: as_law("weights that sum to two", [1, 1], g=[1, -1], r=[1, 4], n=2),
        },
        mutants={
            "the group mean unbiased too": lambda case: formula(case, whole=lambda n: n),
            "leave-one-out shrunk too": lambda case: formula(case, left_out=lambda n: n - 1),
        },
        source="Kool, van Hoof, Welling (2019)",
    ),
    free=("a score that comes from a policy", "rewards that are 0 or 1", "positive weights"),
    derivation=derivation,
    coq=("T42_leave_one_out", "T42_baseline_of_the_others"),
    functions=(
        "pgtheory.tabular.estimators.groups:LeaveOneOut", "pgtheory.tabular.estimators.groups:GroupMean", "pgtheory.tabular.exact.estimators:leave_one_out",
        "pgtheory.tabular.exact.estimators:group_mean",
    ),
)  # fmt: skip
