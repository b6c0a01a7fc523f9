"""T38: compatible function approximation.

Q may be replaced by any f whose error Q - f is orthogonal to the scores, weighted with the discounted visits and the policy. The best fit that is linear in the scores
is such an f, and it is what a natural gradient computes (T39). Source: Sutton, McAllester, Singh, Mansour (1999), Theorem 2.
"""

from collections.abc import Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import MOVING, D, cases, dot, dual, moving_policy, plain, score, small
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def fit(case: Case) -> list[list]:
    """The multiple of the score that fits Q best: w sc, w = E[Q sc] / E[sc^2] under visits and policy; another weight w if the case brings one."""
    p, mu, sc = plain(case.process), plain(case.mu), score(case)
    d, Q = p.occupancy(mu, case.pi), p.action_value(case.pi)
    mean = lambda f: sum(d[s] * case.pi[s][a] * f(s, a) for s in p.states for a in p.actions)
    w = getattr(case, "w", mean(lambda s, a: Q[s][a] * sc[s][a]) / mean(lambda s, a: sc[s][a] ** 2))
    return [[w * x for x in row] for row in sc]


def value(case: Case) -> list[list]:
    """V in the place of every action value: right in the mean, and blind to the actions."""
    return [[v] * len(row) for v, row in zip(plain(case.process).value(case.pi), case.pi, strict=True)]


def equally_fitted(case: Case) -> list[list]:
    """Q + 2/3 (sc_1, -sc_0): where the actions of a state count equally, its error has no component along the score."""
    Q, sc = plain(case.process).action_value(case.pi), score(case)
    error = lambda x: [x[1], -x[0], *[0 * y for y in x[2:]]]
    return [[q + e * Fraction(2, 3) for q, e in zip(row, error(x), strict=True)] for row, x in zip(Q, sc, strict=True)]


def derivative(case: Case) -> object:
    """D J."""
    return D(dot(case.mu, case.process.value(moving_policy(case))))


def formula(case: Case, weights=lambda p, mu, pi: p.occupancy(mu, pi), critic=fit) -> object:
    """sum_s d(s) sum_a D pi(a|s) f(s, a)."""
    p, mu = plain(case.process), plain(case.mu)
    return dot(weights(p, mu, case.pi), [dot(row, f) for row, f in zip(case.dpi, critic(case), strict=True)])


def instances() -> Iterator[Case]:
    yield small("one state, actions that earn 1 and 0", P=[[[1], [1]]], r=[[1, 0]], mu=[1], pi=[["1/3", "2/3"]], dpi=[[1, -1]])
    yield from cases(38)


PAGE = Page(
    title="Compatible function approximation",
    words="Action values may be replaced by a fit whose error is orthogonal to the scores.",
    claim=Claim(
        id="T38", kind="identity", relation=Exact(), level="rational",
        statement="D J = sum_s d(s) sum_a D pi(a|s) f(s, a), where sum_s d(s) sum_a pi(a|s) (Q - f)(s, a) sc(s, a) = 0",
        left=derivative, right=formula, cases=instances,
        assumes={
            **MOVING,
            "mu does not move": lambda: small(mu=[dual(1, 1), dual(2, -1)]),
            "D pi = pi sc": lambda: small("the score of another direction", sc=[[1, 0], [0, 1]]),
            "the error of f is orthogonal to the scores": lambda: small("another multiple of the score", w=3),
        },
        mutants={
            "the start instead of the visits": lambda case: formula(case, weights=lambda p, mu, pi: mu),
            "a critic that is right in the mean": lambda case: formula(case, critic=value),
            "a critic fitted with equal weights of the actions": lambda case: formula(case, critic=equally_fitted),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 2",
    ),
    free=("an f that is close to Q", "normalised rows", "an f that is linear in the scores"),
    coq=("T38_compatible_gradient",),
    functions=("pgtheory.tabular.policies.log_linear:LogLinear",),
)  # fmt: skip
