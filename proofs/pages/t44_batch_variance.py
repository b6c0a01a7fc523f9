"""T44: independent draws add their variances; a batch mean has one n-th.

On the product space the weights multiply, and the products of centred numbers of two draws have mean zero. Every "variance over B rows" in this project rests on it.
"""

from collections.abc import Iterator
from itertools import product

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import variance
from pgtheory.proofs.pages.laws import as_law, laws
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def batch(case: Case) -> list:
    """Variance of the sum and of the mean of n draws, over all n-tuples."""
    chances, sums = [], []
    for draw in product(range(len(case.p)), repeat=case.n):
        chance = case.p[0] ** 0
        for w in draw:
            chance *= case.p[w]
        chances.append(chance)
        sums.append(sum(case.X[w] for w in draw))
    return [variance(chances, sums), variance(chances, [x / case.n for x in sums])]


def formula(case: Case, of_sum=lambda n: n, of_mean=lambda n: n) -> list:
    """n Var X and Var X / n."""
    one = variance(case.p, case.X)
    return [of_sum(case.n) * one, one / of_mean(case.n)]


def cases() -> Iterator[Case]:
    for number, case in enumerate(laws(44, each=6)):
        case.n = 1 + number % 3
        case.label += f", {case.n} draws"
        yield case


PAGE = Page(
    title="Variance of a batch mean",
    words="The variances of independent draws add, so that a mean of n draws has the n-th part of one.",
    claim=Claim(
        id="T44", kind="variance equals", relation=Exact(), level="rational", statement="Var(X_1 + ... + X_n) = n Var X and Var((X_1 + ... + X_n)/n) = Var X / n",
        left=batch, right=formula, cases=cases,
        assumes={"weights sum to one": lambda: as_law("weights that sum to two", [1, 1], X=[1, 2], n=2)},
        mutants={"the square of n for the sum": lambda case: formula(case, of_sum=lambda n: n * n), "the square of n for the mean": lambda case: formula(case, of_mean=lambda n: n * n)},
    ),
    free=("positive weights", "draws from one law: the sum may have a law for each draw"),
    coq=("T44_batch_mean_variance", "T44_variance_of_sum"),
    functions=("pgtheory.tabular.laws.row:law_of_rows",),
)  # fmt: skip
