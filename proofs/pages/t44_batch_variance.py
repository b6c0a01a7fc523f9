"""T44: the variance of a batch mean is that of one draw, divided by the number of draws.

On the product space centred numbers of two draws have a product of mean zero, so that the variances add, whatever the law of each draw; for n draws from one law the
mean keeps 1/n. A draw must not see the others: a group mean or a batch-wide scale as baseline breaks it. Source: Billingsley (1995), section 22.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, Table, as_fractions, dot, variance
from pgtheory.proofs.pages.laws import law_symbols, laws
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def variance_of_sum(p: list, X: list, copies: bool = False) -> Number:
    """Of X[0] + X[1] + ..., number i drawn from p[i]: over all tuples of independent draws, or over those that repeat the first one."""
    places = [*product(*(range(len(law)) for law in p))]
    weights = [p[0][w[0]] * (len({*w}) == 1) if copies else prod((law[x] for law, x in zip(p, w, strict=True)), start=Fraction(1)) for w in places]
    return variance(weights, [sum(numbers[x] for numbers, x in zip(X, w, strict=True)) for w in places])


def batch(case: Case) -> list:
    """Variance of the sum of one draw from each law, and of the mean of n draws from the first."""
    mean = [x / case.n for x in case.X[0]]
    return [variance_of_sum(case.p, case.X), variance_of_sum([case.p[0]] * case.n, [mean] * case.n, copies=hasattr(case, "copies"))]


def formula(case: Case, shrink=lambda n: n, spread=sum) -> list:
    """sum_i Var X_i, and Var X / n."""
    each = [variance(p, X) for p, X in zip(case.p, case.X, strict=True)]
    return [spread(each), each[0] / shrink(case.n)]


def by_numbers(label: str, p: list, X: Table = ((1, 2), (0, 3)), **more: Any) -> Case:
    """Two laws by hand."""
    return Case(label, p=as_fractions(p), X=as_fractions(X), n=2, **more)


def instances() -> Iterator[Case]:
    yield by_numbers("two fair coins", [["1/2", "1/2"]] * 2, X=[[1, 0]] * 2)
    for number, pair in enumerate(zip(laws(44, 4), laws(440, 4), strict=True)):
        yield Case(f"{pair[0].label}, {number + 1} draws", p=[law.p for law in pair], X=[law.X for law in pair], n=number + 1)
    yield by_numbers("weights of both signs", [[3, -2], ["1/2", "1/2"]])


def derivation() -> Iterator[Step]:
    p, (p2, x0, x1, x2, y0, y1) = law_symbols("q,x0,x1,x2,y0,y1")
    laws, X = [p, [p2, 1 - p2]], [[x0, x1, x2], [y0, y1]]
    centred = [[x - dot(law, numbers) for x in numbers] for law, numbers in zip(laws, X, strict=True)]
    yield Step(
        "centred numbers of two draws have a product of mean zero",
        sum(a * b * x * y for a, x in zip(p, centred[0], strict=True) for b, y in zip(laws[1], centred[1], strict=True)),
        0 * x0,
    )
    yield Step("so that the squares add", variance_of_sum(laws, X), variance(p, X[0]) + variance(laws[1], X[1]))
    yield Step(
        "and a half of each of two draws has a quarter of the variance",
        variance_of_sum([laws[1]] * 2, [[y / 2 for y in X[1]]] * 2),
        variance(laws[1], X[1]) / 2,
    )


PAGE = Page(
    title="Variance of a batch mean",
    words="Variances of independent draws add; the mean of n draws from one law has the variance of one draw, divided by n.",
    claim=Claim(
        id="T44", kind="variance equals", relation=Exact(), level="rational",
        statement="Var(X_1 + ... + X_n) = sum_i Var X_i for independent draws; Var((X_1 + ... + X_n) / n) = Var X / n if they have one law",
        left=batch, right=formula, cases=instances,
        assumes={
            "weights sum to one": lambda: by_numbers("one outcome of weight two", [[2]] * 2, X=[[1]] * 2),
            "draws are independent": lambda: by_numbers("one draw, counted twice", [["1/2", "1/2"], ["1/2", "1/2"]], copies=True),
        },
        mutants={
            "not divided": lambda case: formula(case, shrink=lambda n: 1),
            "divided by n^2": lambda case: formula(case, shrink=lambda n: n * n),
            "the largest variance": lambda case: formula(case, spread=max),
        },
        source="Billingsley (1995), section 22",
    ),
    free=("positive weights", "one law for all draws of a sum"),
    derivation=derivation,
    coq=("T44_batch_mean_variance", "T44_variance_of_sum"),
    functions=("pgtheory.tabular.laws.row:law_of_rows",),
)  # fmt: skip
