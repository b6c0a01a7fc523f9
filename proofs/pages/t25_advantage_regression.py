"""T25: the advantage solves the regression on the scores.

The score of the softmax in logit b is delta_ab - pi_b. Its product with the advantages, sum_b (delta_ab - pi_b) A_b, is A_a: the compatible regression is exact, its
solution is the advantage, and the natural gradient needs no matrix to be inverted (T39 is the matrix form). Source: Kakade (2001), Theorem 1.
"""

from collections.abc import Iterator

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import as_fractions, distribution, dot, fractions
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def fitted(case: Case, score=lambda p, a, b: (a == b) - p[b]) -> list:
    """sum_b (delta_ab - pi_b) A_b."""
    return [sum(score(case.p, a, b) * A for b, A in enumerate(case.A)) for a in range(len(case.p))]


def cases() -> Iterator[Case]:
    yield Case("two actions by hand", p=as_fractions(["1/4", "3/4"]), A=as_fractions(["-9/4", "3/4"]))
    rng = np.random.default_rng(25)
    for n in (2, 3, 4, 5) * 2:
        p, Q = distribution(rng, n), fractions(rng, n)
        yield Case(f"{n} actions", p=p, A=[q - dot(p, Q) for q in Q])


def derivation() -> Iterator[Step]:
    p0, p1, q0, q1, q2 = symbols("p0,p1,q0,q1,q2")
    p, Q = [p0, p1, p0**0 - p0 - p1], [q0, q1, q2]
    A = [q - dot(p, Q) for q in Q]
    yield Step("an advantage has mean zero", dot(p, A), 0 * p0)
    yield Step("the mean drops out", fitted(Case("", p=p, A=A)), A)


PAGE = Page(
    title="The advantage solves the compatible regression",
    words="Fitted on the scores of a softmax table, the advantage reproduces itself at every action.",
    claim=Claim(
        id="T25", kind="fixed point", relation=Exact(), level="rational", statement="sum_b (delta_ab - pi_b) A_b = A_a, where sum_b pi_b A_b = 0",
        left=lambda case: list(case.A), right=fitted, cases=cases,
        assumes={"the advantage has mean zero": lambda: Case("Q in place of A", p=as_fractions(["1/2", "1/2"]), A=as_fractions([1, 2]))},
        mutants={
            "the score with the wrong sign": lambda case: fitted(case, lambda p, a, b: p[b] - (a == b)),
            "the probability of the fitted action in place of the other's": lambda case: fitted(case, lambda p, a, b: (a == b) - p[a]),
        },
        source="Kakade (2001), Theorem 1",
    ),
    free=("probabilities: any weights will do", "an inverse of the Fisher matrix"),
    derivation=derivation,
    coq=("T25_advantage_solves_regression",),
    functions=("pgtheory.tabular.estimators.natural:NaturalGradient",),
)  # fmt: skip
