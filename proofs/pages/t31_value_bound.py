"""T31: values are bounded by the geometric sum of the reward bound.

|V_n| <= B sum_{k<n} gamma^k: each step adds a mean of rewards. With gamma below one this is B / (1 - gamma), the constant in every rate of convergence.
"""

from fractions import Fraction
from functools import partial
from itertools import chain

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, as_fractions
from pgtheory.proofs.pages.premises import GAMMA_POSITIVE, P_POSITIVE, P_SUMS, above, careless, holding, nonnegative, normalised, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def sizes(case: Case) -> list:
    """|V_n|."""
    return [abs(v) for v in case.process.V(case.pi, case.n)]


def bound(case: Case, steps: int = 0, first: int = 0) -> list:
    """B sum_{k<n} gamma^k, B the largest reward in size."""
    B = getattr(case, "B", max(abs(x) for row in case.process.r for x in row))
    return [B * sum((case.process.gamma ** (k + first) for k in range(case.n + steps)), Fraction(0))] * len(case.pi)


PREMISES = {
    "P is not negative": P_POSITIVE,
    "rows of P sum to at most one": P_SUMS,
    "gamma is not negative": GAMMA_POSITIVE,
    "the policy is not negative": lambda case: nonnegative(case.pi),
    "rows of the policy sum to one": lambda case: normalised(case.pi),
}


def steady() -> Case:
    """One for each of two steps."""
    one = as_fractions([[1]])
    return Case("one a step", process=Process([one], one, Fraction(1, 2)), pi=one, n=2)


def small_bound() -> Case:
    """A bound that a reward exceeds."""
    case = holding(careless(31), PREMISES, 1)[0]
    case.B = Fraction(1, 100)
    return case


PAGE = Page(
    title="Bound of the value",
    words="No value exceeds the bound of the rewards times the discounted number of steps.",
    claim=Claim(
        id="T31", kind="bound", relation=Exact("<="), level="rational", statement="|V_n(s)| <= B sum_{k<n} gamma^k, where |r| <= B",
        left=sizes, right=bound, cases=lambda: holding(chain([steady()], careless(31)), PREMISES, 9),
        assumes={
            **{name: partial(without, name, lambda: careless(31), PREMISES, lambda case: above(sizes(case), bound(case))) for name in PREMISES},
            "B bounds every reward": small_bound,
        },
        mutants={"one step less": lambda case: bound(case, steps=-1), "the powers from one on": lambda case: bound(case, first=1)},
    ),
    free=("gamma below 1",),
    coq=("T31_value_bound",),
    functions=("pgtheory.tabular.solve.certificates:effective_horizon",),
)  # fmt: skip
