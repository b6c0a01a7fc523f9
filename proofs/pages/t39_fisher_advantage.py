"""T39: the Fisher matrix times the advantage is the policy gradient.

For a table of logits, F A = grad J: the natural gradient is the advantage itself, up to shifts of each state (T40), and no matrix is inverted. F and grad J carry the
same discounted visits: with normalised visits in one of them the step has another length. Source: Kakade (2001), Theorem 1.
"""

from collections.abc import Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import cases, dot, small
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page
from pgtheory.tabular.exact.jets import seeded


def gradient(case: Case) -> list:
    """grad J in the logits (or in what the case moves), by jets."""
    return list(dot(case.mu, case.process.value(seeded(case.pi, getattr(case, "coordinates", "logits")))).gradient)


def tabular_score(pi: list, s: int, b: int) -> list[list]:
    """Score of the logit (s, b)."""
    return [[(s == x) * ((b == a) - pi[x][b]) for a in range(len(row))] for x, row in enumerate(pi)]


def fisher(d: list, pi: list, drawn: list | None = None) -> list[list]:
    """F_ij = sum_s d(s) sum_a pi(a|s) sc_i(s, a) sc_j(s, a); the actions drawn from another policy than the one of the scores, if one is given."""
    scores = [tabular_score(pi, s, b) for s in range(len(pi)) for b in range(len(pi[0]))]
    entry = lambda x, y: sum(d[s] * p * x[s][a] * y[s][a] for s, row in enumerate(drawn or pi) for a, p in enumerate(row))
    return [[entry(x, y) for y in scores] for x in scores]


def product(case: Case, weights=lambda p, mu, pi: p.occupancy(mu, pi), drawn: list | None = None) -> list:
    """F A."""
    p = case.process
    V = p.value(case.pi)
    A = [q - v for v, row in zip(V, p.action_value(case.pi), strict=True) for q in row]
    return [dot(row, A) for row in fisher(weights(p, case.mu, case.pi), case.pi, drawn)]


def uniform(pi: list) -> list[list]:
    """The uniform law in every state."""
    return [[Fraction(1, len(row))] * len(row) for row in pi]


def instances() -> Iterator[Case]:
    yield small("one state that ends at once, actions that earn 1 and 0", P=[[[0], [0]]], r=[[1, 0]], mu=[1], pi=[["1/3", "2/3"]])
    yield from cases(39)


PAGE = Page(
    title="The Fisher matrix times the advantage is the gradient",
    words="For a softmax table the natural gradient is the advantage.",
    claim=Claim(
        id="T39", kind="fixed point", relation=Exact(), level="rational", statement="sum_j F_ij A_j = dJ/dtheta_i for every logit i",
        left=gradient, right=product, cases=instances,
        assumes={"the parameters are the logits": lambda: small("the probabilities as parameters", coordinates="direct")},
        mutants={
            "visits that sum to one": lambda case: product(case, weights=lambda p, mu, pi: [(1 - p.gamma) * x for x in p.occupancy(mu, pi)]),
            "actions drawn from the uniform law": lambda case: product(case, drawn=uniform(case.pi)),
        },
        source="Kakade (2001), Theorem 1",
    ),
    free=("an invertible Fisher matrix", "a stochastic P", "positive probabilities"),
    coq=("T39_fisher_advantage",),
    functions=("pgtheory.tabular.estimators.natural:NaturalGradient", "pgtheory.tabular.dynamics.updates:Natural"),
)  # fmt: skip
