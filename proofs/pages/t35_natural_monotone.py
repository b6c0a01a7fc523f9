"""T35: natural policy gradient never gets worse, whatever the step.

The step multiplies pi by weights u = exp(eta A / (1 - gamma)) and normalises (T24). All that is used of u: it is positive, and in each state it rises with Q. Then
the mean advantage of the new policy is a correlation of comonotone functions (T34), hence not negative, and T33 applies. No step size, no smoothness, no exponential.
Source: Agarwal, Kakade, Lee, Mahajan (2021), Lemma 17, for exponential weights.
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


def stepped(case: Case) -> list[list]:
    """pi u / sum pi u."""
    total = [dot(p, u) for p, u in zip(case.pi, case.u, strict=True)]
    return [[x * y / t for x, y in zip(p, u, strict=True)] for p, u, t in zip(case.pi, case.u, total, strict=True)]


def old(case: Case) -> list:
    """V."""
    return case.process.value(case.pi)


def new(case: Case) -> list:
    """V of the stepped policy."""
    return case.process.value(stepped(case))


def solvable(case: Case) -> bool:
    """Whether the step and both values exist."""
    try:
        _ = old(case), new(case)
    except ZeroDivisionError:
        return False
    return True


def comonotone(case: Case) -> bool:
    """Whether u rises with Q in each state."""
    try:
        Q = case.process.action_value(case.pi)
    except ZeroDivisionError:
        return False
    return all(
        (u - v) * (q - w) >= 0 for us, qs in zip(case.u, Q, strict=True) for u, q in zip(us, qs, strict=True) for v, w in zip(us, qs, strict=True)
    )


PREMISES = {
    "P is not negative": P_POSITIVE,
    "rows of P sum to at most one": P_SUMS,
    "gamma is not negative": GAMMA_POSITIVE,
    "gamma is below 1": GAMMA_BELOW_ONE,
    "pi is not negative": lambda case: nonnegative(case.pi),
    "rows of pi sum to one": lambda case: normalised(case.pi),
    "u is positive": lambda case: all(x > 0 for row in case.u for x in row),
    "u rises with Q in each state": comonotone,
}

FAILS = lambda case: solvable(case) and above(old(case), new(case))

PAGE = Page(
    title="Natural policy gradient is monotone for every step size",
    words="Multiplying a policy by positive weights that rise with its action values, and normalising, makes it nowhere worse.",
    claim=Claim(
        id="T35", kind="monotone", relation=Exact("<="), level="rational", statement="V_pi <= V_pi', pi' = pi u / sum pi u, u > 0 comonotone with Q in each state",
        left=old, right=new, cases=lambda: holding(careless(35), PREMISES),
        assumes={name: partial(without, name, lambda: careless(35), PREMISES, FAILS) for name in PREMISES},
        mutants={
            "less by 1": lambda case: [v - 1 for v in new(case)],
            "the weights upside down": lambda case: new(Case(**{**vars(case), "u": [[1 / x for x in row] for row in case.u]})),
        },
        source="Agarwal, Kakade, Lee, Mahajan (2021), Lemma 17",
    ),
    free=("a small step", "an exponential", "policies that are positive everywhere"),
    coq=("T35_npg_monotone",),
    functions=("pgtheory.tabular.dynamics.updates:Natural",),
)  # fmt: skip
