"""T33: policy improvement, discounted.

V' - V = (I - gamma P_pi')^-1 (mean advantage) by T16, and the resolvent keeps signs by T32. One inequality in every state is enough. Source: Howard (1960).
"""

from fractions import Fraction
from functools import partial
from itertools import chain

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, as_fractions, dot
from pgtheory.proofs.pages.premises import DISCOUNTED, above, careless, holding, nonnegative, normalised, without
from pgtheory.proofs.pages.t30_policy_improvement_finite import turned
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


def gains(case: Case) -> list:
    """sum_a pi'(a|s) (Q(s, a) - V(s)) in every state."""
    V = old(case)
    return [dot(case.other[s], [q - V[s] for q in row]) for s, row in enumerate(case.process.action_value(case.pi))]


def leans(case: Case) -> bool:
    """Whether sum_a pi'(a|s) (Q(s, a) - V(s)) >= 0 in every state."""
    if not solvable(case):
        return False
    return min(gains(case)) >= 0


def kept(label: str, pi: list) -> Case:
    """One state, kept with probability 1/2; the first action pays one, and the new policy takes it."""
    process = Process(as_fractions([[["1/2"], ["1/2"]]]), as_fractions([[1, 0]]), Fraction(1, 2))
    return Case(label, process=process, pi=as_fractions(pi), other=as_fractions([[1, 0]]))


BY_HAND = (lambda: kept("no better", [[1, 0]]), lambda: kept("better", [[0, 1]]))

PREMISES = {
    **DISCOUNTED,
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
        left=old, right=new, cases=lambda: holding(chain((make() for make in BY_HAND), careless(33)), PREMISES, 10),
        assumes={name: partial(without, name, lambda: careless(33), PREMISES, FAILS) for name in PREMISES},
        mutants={
            "the mean under the old policy, which is 0: any policy will do": lambda case: case.process.value(turned(case.pi)),
            "better by the state's own mean advantage over 1 - gamma": lambda case: [
                v - gain / (1 - case.process.gamma) for v, gain in zip(new(case), gains(case), strict=True)
            ],
        },
        source="Howard (1960)",
    ),
    free=("a normalised or positive old policy",),
    coq=("T33_policy_improvement_discounted", "T33_gain_from_below"),
    functions=("pgtheory.tabular.dynamics.mirror:PolicyIteration",),
)  # fmt: skip
