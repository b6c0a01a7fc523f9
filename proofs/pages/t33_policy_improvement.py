"""T33: policy improvement, discounted.

V' - V = (I - gamma P_pi')^-1 (mean advantage) by T16, and the resolvent keeps signs by T32. One inequality in every state is enough. Source: Howard (1960).
"""

from functools import partial

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import dot
from pgtheory.proofs.pages.premises import (
    GAMMA_BELOW_ONE,
    GAMMA_POSITIVE,
    P_POSITIVE,
    P_SUMS,
    above,
    careless,
    holding,
    nonnegative,
    normalised,
    without,
)
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def solvable(case: Case) -> bool:
    """Whether both values exist."""
    try:
        _ = old(case), new(case)
    except ZeroDivisionError:
        return False
    return True


def old(case: Case) -> list:
    """V."""
    return case.process.value(case.pi)


def new(case: Case) -> list:
    """V'."""
    return case.process.value(case.other)


def leans(case: Case) -> bool:
    """Whether sum_a pi'(a|s) (Q(s, a) - V(s)) >= 0 in every state."""
    if not solvable(case):
        return False
    V = old(case)
    return all(dot(case.other[s], [q - V[s] for q in row]) >= 0 for s, row in enumerate(case.process.action_value(case.pi)))


PREMISES = {
    "P is not negative": P_POSITIVE,
    "rows of P sum to at most one": P_SUMS,
    "gamma is not negative": GAMMA_POSITIVE,
    "gamma is below 1": GAMMA_BELOW_ONE,
    "the new policy is not negative": lambda case: nonnegative(case.other),
    "rows of the new policy sum to one": lambda case: normalised(case.other),
    "its mean advantages are not negative": leans,
}

FAILS = lambda case: solvable(case) and above(old(case), new(case))

PAGE = Page(
    title="Policy improvement, discounted",
    words="A policy whose mean advantage over the old one is nowhere negative is nowhere worse.",
    claim=Claim(
        id="T33", kind="monotone", relation=Exact("<="), level="rational", statement="sum_a pi'(a|s) (Q(s, a) - V(s)) >= 0 for all s implies V <= V'",
        left=old, right=new, cases=lambda: holding(careless(33), PREMISES),
        assumes={name: partial(without, name, lambda: careless(33), PREMISES, FAILS) for name in PREMISES},
        mutants={
            "less by 1": lambda case: [v - 1 for v in new(case)],
            "the other way round": lambda case: [2 * v - w for v, w in zip(old(case), new(case), strict=True)],
        },
        source="Howard (1960)",
    ),
    free=("a normalised or positive old policy",),
    coq=("T33_policy_improvement_discounted",),
    functions=("pgtheory.tabular.dynamics.mirror:PolicyIteration",),
)  # fmt: skip
