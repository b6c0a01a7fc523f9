"""T35: natural policy gradient never gets worse, whatever the step.

The step multiplies pi by weights u = exp(eta A / (1 - gamma)) and normalises (T24). All that is used of u: it is positive, and in each state it rises with Q. Then
the mean advantage of the new policy is a correlation of comonotone functions (T34), hence not negative, and T33 applies. No step size, no smoothness, no exponential.
Source: Agarwal, Kakade, Lee, Mahajan (2021), Lemma 17, for exponential weights.
"""

from fractions import Fraction
from functools import partial
from itertools import chain

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, as_fractions
from pgtheory.proofs.pages.premises import DISCOUNTED, above, careless, holding, nonnegative, normalised, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def weighted(case: Case) -> list[list]:
    """pi u."""
    return [[x * y for x, y in zip(p, u, strict=True)] for p, u in zip(case.pi, case.u, strict=True)]


def stepped(case: Case) -> list[list]:
    """pi u / sum pi u."""
    return [[x / sum(row) for x in row] for row in weighted(case)]


def old(case: Case) -> list:
    """V."""
    return case.process.value(case.pi)


def new(case: Case) -> list:
    """V of the stepped policy."""
    return case.process.value(stepped(case))


def with_weights(case: Case, u: list[list]) -> list:
    """V of the policy stepped by other weights."""
    return new(Case(**{**vars(case), "u": u}))


def end_or_stay() -> Case:
    """One state: the first action pays one and ends, the second pays 3/4 and goes on."""
    process = Process(as_fractions([[[0], [1]]]), as_fractions([[1, "3/4"]]), Fraction(1, 2))
    return Case("end or stay", process=process, pi=as_fractions([["1/2", "1/2"]]), u=as_fractions([["1/4", "1/2"]]))


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
    **DISCOUNTED,
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
        left=old, right=new, cases=lambda: holding(chain([end_or_stay()], careless(35)), PREMISES, 9),
        assumes={name: partial(without, name, lambda: careless(35), PREMISES, FAILS) for name in PREMISES},
        mutants={
            "the weights upside down": lambda case: with_weights(case, [[1 / x for x in row] for row in case.u]),
            "without the normalisation": lambda case: case.process.value(weighted(case)),
            "weights that rise with the rewards, not with Q": lambda case: with_weights(case, [[1 + x - min(row) for x in row] for row in case.process.r]),
        },
        source="Agarwal, Kakade, Lee, Mahajan (2021), Lemma 17",
    ),
    free=("a small step", "an exponential", "policies that are positive everywhere"),
    coq=("T35_npg_monotone",),
    functions=("pgtheory.tabular.dynamics.updates:Natural",),
)  # fmt: skip
