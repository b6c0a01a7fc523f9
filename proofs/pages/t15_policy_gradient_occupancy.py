"""T15: the policy gradient theorem in the form that everybody quotes.

J = mu V, d = mu (I - gamma P_pi)^-1: average T14 over the start. The weights d are the discounted visits, not the stationary law, and they do not sum to one: a
program that draws states without gamma^k estimates another vector. Source: Sutton et al. (1999), Theorem 1.
"""

from collections.abc import Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import MOVING, D, cases, dot, dual, moving_policy, plain, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step
from pgtheory.tabular.exact.rational import policy_gradient


def derivative(case: Case) -> object:
    """D J by the product rule."""
    return D(dot(case.mu, case.process.value(moving_policy(case))))


def formula(case: Case, weights=lambda p, mu, pi: p.occupancy(mu, pi)) -> object:
    """sum_s d(s) sum_a D pi(a|s) Q(s, a)."""
    p, mu = plain(case.process), plain(case.mu)
    local = [dot(d, q) for d, q in zip(case.dpi, p.action_value(case.pi), strict=True)]
    return dot(weights(p, mu, case.pi), local)


def library(case: Case) -> Fraction:
    """The library's gradient in the probabilities, against the direction."""
    gradient = policy_gradient(case.process.model(case.mu), case.pi, coordinates="direct")
    return sum((dot(g, d) for g, d in zip(gradient, case.dpi, strict=True)), Fraction(0))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, lone=True, more="m")
    p, pi, D = m.process, m.pi, m.D
    mu = [m.more["m"], p.gamma**0 - m.more["m"]]
    local = [sum(D(pi[s][a]) * q for a, q in enumerate(row)) for s, row in enumerate(p.action_value(pi))]
    yield Step("mu times the resolvent is d", dot(mu, p.solve(pi, local)), dot(p.occupancy(mu, pi), local))
    yield Step("T14, averaged over mu", D(dot(mu, p.value(pi))), dot(p.occupancy(mu, pi), local))


PAGE = Page(
    title="Policy gradient theorem with the occupancy",
    words="The gradient of the discounted return is the sum over states of the discounted visits times the derivative of the policy against its action values.",
    claim=Claim(
        id="T15", kind="identity", relation=Exact(), level="rational",
        statement="D J = sum_s d(s) sum_a D pi(a|s) Q(s, a), d = mu (I - gamma P_pi)^-1",
        left=derivative, right=formula, cases=lambda: [steered(), *cases(15)],
        assumes={**MOVING, "mu does not move": lambda: steered("a start that moves", mu=[dual(Fraction(1, 4), -1), dual(Fraction(3, 4), 1)])},
        mutants={
            "the start instead of the visits": lambda case: formula(case, weights=lambda p, mu, pi: mu),
            "(1 - gamma) times the visits": lambda case: formula(case, weights=lambda p, mu, pi: [(1 - p.gamma) * d for d in p.occupancy(mu, pi)]),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1",
    ),
    free=("sum_a pi(a|s) = 1", "a stochastic P", "visits that sum to one"),
    derivation=derivation,
    coq=("T15_policy_gradient_occupancy",),
    functions=(
        "pgtheory.tabular.exact.rational:policy_gradient", "pgtheory.tabular.exact.symbolic:policy_gradient_identity", "pgtheory.tabular.objectives.returns:Return",
    ),
)  # fmt: skip
