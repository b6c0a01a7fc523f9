"""T47: the gradient dominates the gap, for direct parameters.

J* - J <= kappa max over policies p of <p - pi, grad J>, where the visits of the best policy are at most kappa times those of pi. So a stationary point of the projected
gradient is optimal although J is not concave. By T16 the gap is a sum of advantages over the visits of the best policy; the greedy policy collects at least that much.
Source: Agarwal, Kakade, Lee, Mahajan (2021), Lemma 4.
"""

from collections.abc import Iterator
from functools import partial

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, dot
from pgtheory.proofs.pages.premises import GAMMA_POSITIVE, P_POSITIVE, P_SUMS, careless, holding, is_policy, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Problems with a start law, where both values and visits exist; kappa is the largest ratio of visits."""
    for case in careless(47):
        try:
            case.mu = [case.process.gamma**0 / 2] * 2
            case.d = case.process.occupancy(case.mu, case.pi)
            case.d_other = case.process.occupancy(case.mu, case.other)
            case.kappa = max(x / y for x, y in zip(case.d_other, case.d, strict=True)) * (1 if len(case.label) % 3 else case.mu[0])
        except ZeroDivisionError:
            continue
        yield case


def gap(case: Case) -> Number:
    """J' - J, J' of the other policy."""
    return dot(case.mu, case.process.value(case.other)) - dot(case.mu, case.process.value(case.pi))


def bound(case: Case, power: int = 1) -> Number:
    """kappa max_p sum_s sum_a (p - pi)(a|s) d(s) Q(s, a): the best p is greedy state by state."""
    Q = case.process.action_value(case.pi)
    best = sum(max(d * q for q in row) - d * dot(p, row) for d, row, p in zip(case.d, Q, case.pi, strict=True))
    return case.kappa**power * best


PREMISES = {
    "P is substochastic": lambda case: P_POSITIVE(case) and P_SUMS(case),
    "gamma is in [0, 1)": lambda case: GAMMA_POSITIVE(case) and case.process.gamma < 1,
    "pi is a policy": lambda case: is_policy(case.pi),
    "the other is a policy": lambda case: is_policy(case.other),
    "its visits are at most kappa times those of pi": lambda case: (
        case.kappa >= 0 and all(x <= case.kappa * y for x, y in zip(case.d_other, case.d, strict=True))
    ),
}

PAGE = Page(
    title="Gradient domination, direct parameters",
    words="The gap to any other policy is at most the mismatch of the visits times the largest first-order gain.",
    claim=Claim(
        id="T47", kind="bound", relation=Exact("<="), level="rational", statement="J' - J <= kappa max_p sum_s d(s) sum_a (p - pi)(a|s) Q(s, a), where d' <= kappa d",
        left=gap, right=bound, cases=lambda: holding(stream(), PREMISES),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: gap(case) > bound(case)) for name in PREMISES},
        mutants={"a tenth of it": lambda case: bound(case) / 10, "less by one": lambda case: bound(case) - 1},
        source="Agarwal, Kakade, Lee, Mahajan (2021), Lemma 4",
    ),
    free=("concavity", "a best policy: any other one will do"),
    coq=("T47_gradient_domination", "T47_gradient_domination_start"),
    functions=("pgtheory.tabular.policies.direct:Direct",),
)  # fmt: skip
