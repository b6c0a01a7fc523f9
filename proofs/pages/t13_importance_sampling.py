"""T13: importance sampling of whole paths is exact.

If mu(a|s) w(s, a) = pi(a|s) for every pair, then path by path prob_mu times the product of the w is prob_pi. That is all: the model drops out, F is arbitrary, and
nothing is normalised. The assumption fails exactly where pi acts and mu does not. Source: Precup, Sutton, Singh (2000).
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, LOOSE_POLICY, SHORT, Number, Path, cases, every_start, small, some, steered, taken
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def function(case: Case) -> Callable[[Path], Number]:
    """F."""
    return getattr(case, "F", some)


def target(case: Case) -> list:
    """E_pi F."""
    return every_start(case, lambda s: case.process.mean(case.pi, case.n, s, function(case)))


def weights(case: Case) -> list:
    """w = pi / mu where mu acts, else 0."""
    return [[p / m if m else 0 for p, m in zip(row, other, strict=True)] for row, other in zip(case.pi, case.other, strict=True)]


def corrected(case: Case, steps=lambda visited: visited) -> list:
    """E_mu[prod_k w(s_k, a_k) F], mu the policy that draws."""
    w, F = weights(case), function(case)

    def ratio(s: int, path) -> Fraction:
        product = Fraction(1)
        for x, a, _ in steps(case.process.visited(s, path)):
            product = product * w[x][a]
        return product

    return every_start(case, lambda s: case.process.mean(case.other, case.n, s, lambda path: ratio(s, path) * F(path)))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(more="y00,y01,y10,y11")
    p, pi = m.process, m.pi
    mu = [[m.more[f"y{s}{a}"] for a in (0, 1)] for s in (0, 1)]
    path = ((1, 1), (0, 0))
    w = [pi[x][a] / mu[x][a] for x, a, _ in p.visited(0, path)]
    yield Step("path by path: prob_mu times the weights is prob_pi", p.prob(mu, 0, path) * w[0] * w[1], p.prob(pi, 0, path))


PAGE = Page(
    title="Importance sampling of trajectories",
    words="Weighted with the product of the ratios along the path, the mean under one policy is that under another.",
    claim=Claim(
        id="T13", kind="unbiased", relation=Exact(), level="rational",
        statement="E_mu[F(tau) prod_k w(s_k, a_k)] = E_pi[F(tau)], where mu w = pi",
        left=target, right=corrected,
        cases=lambda: [
            steered("F = [a_0 = 0], one step", n=1, F=taken(0, 0)), steered("F = [a_1 = 1], two steps", F=taken(1, 1)),
            *cases(13, SHORT), small("rows that sum to two", P=LOOSE_MODEL, pi=LOOSE_POLICY),
        ],
        assumes={"mu w = pi: mu acts where pi does": lambda: small(other=[[1, 0], [Fraction(1, 2), Fraction(1, 2)]])},
        mutants={
            "each ratio in the state after its action": lambda case: corrected(case, steps=lambda visited: [(t, a, t) for _, a, t in visited]),
            "the ratio of the first step alone": lambda case: corrected(case, steps=lambda visited: visited[:1]),
        },
        source="Precup, Sutton, Singh (2000)",
    ),
    free=("normalised rows", "positive numbers", "an F that is a sum of rewards"),
    derivation=derivation,
    coq=("T13_importance_sampling", "T13_gradient_difference"),
    functions=("pgtheory.tabular.estimators.ratios:SequenceRatio", "pgtheory.tabular.exact.estimators:importance"),
)  # fmt: skip
