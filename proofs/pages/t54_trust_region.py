"""T54: how far the surrogate is from the truth.

J' - J differs from sum_s d(s) sum_a pi'(a|s) A(s, a), which looks at the OLD visits, by at most 4 gamma eps alpha^2 / (1 - gamma)^2: eps bounds the advantages, alpha the total
variation in each state. Twice the change of the policy: once it moves the mean advantage, once the visits. Source: Kakade, Langford (2002), Theorem 4.1; Schulman et al.
(2015), Theorem 1.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import dot
from pgtheory.proofs.pages.premises import GAMMA_BELOW_ONE, GAMMA_POSITIVE, P_POSITIVE, P_SUMS, careless, holding, is_policy, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Problems with eps and alpha, as small as they may be, sometimes smaller."""
    for number, case in enumerate(careless(54)):
        p = case.process
        case.mu = [Fraction(1, 3), Fraction(2, 3)]
        try:
            V = p.value(case.pi)
            case.A = [[q - v for q in row] for row, v in zip(p.action_value(case.pi), V, strict=True)]
            case.real = dot(case.mu, p.value(case.other)) - dot(case.mu, V)
            case.d = p.occupancy(case.mu, case.pi)
        except ZeroDivisionError:
            continue
        scale = lambda turn, number=number: Fraction(1) if number % 5 != turn else Fraction(1, 10)
        case.eps = max(abs(x) for row in case.A for x in row) * scale(0)
        case.alpha = max(sum(abs(x - y) for x, y in zip(new, old, strict=True)) for new, old in zip(case.other, case.pi, strict=True)) / 2 * scale(1)
        yield case


def miss(case: Case) -> Fraction:
    """|J' - J - surrogate|."""
    return abs(case.real - dot(case.d, [dot(new, A) for new, A in zip(case.other, case.A, strict=True)]))


def bound(case: Case, power: int = 2) -> Fraction:
    """4 gamma eps alpha^2 / (1 - gamma)^2."""
    g = case.process.gamma
    return 4 * g * case.eps * case.alpha**power / (1 - g) ** 2 if g != 1 else Fraction(0)


PREMISES = {
    "P is not negative": P_POSITIVE,
    "rows of P sum to at most one": P_SUMS,
    "gamma is not negative": GAMMA_POSITIVE,
    "gamma is below 1": GAMMA_BELOW_ONE,
    "the old one is a policy": lambda case: is_policy(case.pi),
    "the new one is a policy": lambda case: is_policy(case.other),
    "eps bounds the advantages": lambda case: all(abs(x) <= case.eps for row in case.A for x in row),
    "alpha bounds the total variation": lambda case: all(
        sum(abs(x - y) for x, y in zip(new, old, strict=True)) <= 2 * case.alpha for new, old in zip(case.other, case.pi, strict=True)
    ),
}

PAGE = Page(
    title="Trust-region bound",
    words="The surrogate with the old visits misses the true improvement by a term of second order in the change of the policy.",
    claim=Claim(
        id="T54", kind="bound", relation=Exact("<="), level="rational",
        statement="|J' - J - sum_s d(s) sum_a pi'(a|s) A(s, a)| <= 4 gamma eps alpha^2 / (1 - gamma)^2",
        left=miss, right=bound, cases=lambda: holding(stream(), PREMISES),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: miss(case) > bound(case)) for name in PREMISES},
        mutants={"a hundredth of it": lambda case: bound(case) / 100, "without the factor gamma eps": lambda case: case.alpha**2 / 100},
        source="Schulman, Levine, Moritz, Jordan, Abbeel (2015), Theorem 1; Kakade, Langford (2002), Theorem 4.1",
    ),
    free=("small steps",),
    coq=("T54_conservative_mixture", "T54_trust_region", "T54_trust_region_lower"),
    functions=("pgtheory.tabular.estimators.surrogates:PrefixSurrogate",),
)  # fmt: skip
