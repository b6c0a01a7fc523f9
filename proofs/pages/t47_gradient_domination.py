"""T47: gradient domination.

With the probabilities as parameters dJ/dpi(a|s) = d(s) Q(s, a). By T16 the gap to pi' is a sum of advantages over d', in each state at most that of the best action, which
is not negative; kappa d >= d' turns d' into d, and what then stands there is the gain of the greedy policy to first order. So a point from which no direction leads
upwards is a best policy, though J is not concave. By T48 kappa may be taken against the start, whatever the policy. Source: Agarwal, Kakade, Lee, Mahajan (2021), Lemma 4.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import D, Number, Vector, cases, dot, moving, small
from pgtheory.proofs.pages.premises import DISCOUNTED, by_hand, holding, nonnegative, normalised
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def started(label: str, **changes: Any) -> Case:
    """A small problem, the other policy's start in state 0."""
    return small(label, **{"rho": [1, 0], **changes})


def visits(case: Case) -> list:
    """d of the policy, from mu, not normalised."""
    return case.process.occupancy(case.mu, case.pi)


def aims(case: Case) -> list:
    """d' of the other policy, from rho, not normalised."""
    return case.process.occupancy(case.rho, case.other)


def gap(case: Case) -> Number:
    """rho V' - rho V."""
    return dot(case.rho, case.process.value(case.other)) - dot(case.rho, case.process.value(case.pi))


def least_ratio(case: Case, below: Vector) -> Number:
    """The case's kappa, or the least one with d' <= kappa times what is given."""
    return case.kappa if hasattr(case, "kappa") else max(x / y for x, y in zip(aims(case), below, strict=True) if y > 0)


def best_gain(case: Case, sign: int = 1) -> Number:
    """The case's m, or the least one: sum_s max_a d(s) Q(s, a) - sum_a pi(a|s) d(s) Q(s, a); of gains of the other sign."""
    if hasattr(case, "m"):
        return case.m
    gradient = [[sign * d * q for q in row] for d, row in zip(visits(case), case.process.action_value(case.pi), strict=True)]
    return sum(max(row) - dot(p, row) for p, row in zip(case.pi, gradient, strict=True))


def gains(case: Case) -> Iterator[Number]:
    """The derivative of mu V towards every deterministic policy, by the product rule."""
    for choice in product(case.process.actions, repeat=len(case.pi)):
        towards = [[(a == chosen) - p for a, p in enumerate(row)] for chosen, row in zip(choice, case.pi, strict=True)]
        yield D(dot(case.mu, case.process.value(moving(case.pi, towards))))


def bounds(case: Case, m=best_gain, ratio=least_ratio) -> list:
    """kappa m, with kappa against the visits and against the start."""
    return [ratio(case, below) * m(case) for below in (visits(case), case.mu)]


def towards_other(case: Case) -> Number:
    """The gain towards the other policy instead of the best gain."""
    return dot(visits(case), [dot(new, q) - dot(p, q) for new, p, q in zip(case.other, case.pi, case.process.action_value(case.pi), strict=True)])


PREMISES = {
    **DISCOUNTED,
    "the policy is not negative": lambda case: nonnegative(case.pi),
    "rows of the policy sum to one": lambda case: normalised(case.pi),
    "the other policy is not negative": lambda case: nonnegative(case.other),
    "rows of the other policy sum to one": lambda case: normalised(case.other),
    "the other's start is not negative": lambda case: nonnegative([case.rho]),
    "kappa is not negative": lambda case: least_ratio(case, visits(case)) >= 0,
    "kappa d covers d'": lambda case: all(x <= least_ratio(case, visits(case)) * y for x, y in zip(aims(case), visits(case), strict=True)),
    "m bounds the gain towards every policy": lambda case: all(x <= best_gain(case) for x in gains(case)),
}

WITHOUT = {
    "P is not negative": lambda: started("a row 2, -1", P=[[[2, -1], [0, 0]], [[1, 0], ["1/2", 0]]], pi=[[0, 1], [0, 1]]),
    "rows of P sum to at most one": lambda: started(
        "rows that sum to two", P=[[[0, 1], [2, 0]], [[0, 2], ["1/4", "1/4"]]], other=[[0, 1], [0, 1]], gamma="9/10"
    ),
    "gamma is not negative": lambda: started("gamma = -1/2", gamma="-1/2", pi=[[1, 0], ["1/2", "1/2"]], other=[[0, 1], [0, 1]], rho=[0, 1]),
    "gamma is below 1": lambda: started(
        "gamma = 3", gamma="3", P=[[[1, 0], [0, 0]], [["1/4", "1/4"], [0, 0]]], r=[[-2, -1], [2, 1]], pi=[[0, 1], [0, 1]]
    ),
    "the policy is not negative": lambda: started("a row -1, 2", pi=[[1, 0], [-1, 2]]),
    "rows of the policy sum to one": lambda: started("a row that sums to two", pi=[["1/2", "1/2"], [1, 1]]),
    "the other policy is not negative": lambda: started("a row 2, -1", other=[[2, -1], [0, 1]]),
    "rows of the other policy sum to one": lambda: started("a row that sums to two", other=[[1, 0], [1, 1]]),
    "the other's start is not negative": lambda: started("starts 1, -2", rho=[1, -2], gamma="9/10"),
    "kappa is not negative": lambda: started("kappa = -1, visits of -6", mu=[-3, -3], kappa="-1"),
    "kappa d covers d'": lambda: started("kappa = 1/2", kappa="1/2", other=[[1, 0], [0, 1]]),
    "m bounds the gain towards every policy": lambda: started("m = 1/10", m="1/10"),
}


def instances() -> Iterator[Case]:
    for start in (1, 2):
        changes = {"P": [[[1], [1]]], "r": [[0, 1]], "gamma": "0", "pi": [[1, 0]], "other": [[0, 1]], "mu": [1], "rho": [start]}
        yield started(f"one state, the other's start {start}", **changes)
    for case in cases(47):
        case.rho = case.mu[::-1]
        yield case
    yield started("rows of P that sum to less, a start that sums to more", P=[[["1/2", "1/4"], [0, 0]], [[0, 1], ["1/3", 0]]], mu=[3, 2])
    yield started(
        "a start that hardly covers the state that matters, tight", P=[[[0, 0], [0, 0]], [[0, 1], [0, 1]]], r=[[1, 0], [0, 0]], other=[[1, 0], [0, 1]],
        mu=["1/20", "19/20"],
    )  # fmt: skip


def derivation() -> Iterator[Step]:
    d, x, y, q0, q1 = symbols("d,x,y,q0,q1")
    V = x * q0 + (1 - x) * q1
    yield Step(
        "a state's share of the gain, sum_a (p - pi) dJ/dpi, is d times the mean advantage",
        (y - x) * d * q0 + (x - y) * d * q1,
        d * (y * (q0 - V) + (1 - y) * (q1 - V)),
    )
    yield Step("mean advantages of the policy itself are 0, so that the best one is not negative", x * (q0 - V) + (1 - x) * (q1 - V), 0 * d)


PAGE = Page(
    title="Gradient domination",
    words="With probabilities as parameters, no policy earns more than the best gain to first order times the largest ratio of its visits to ours.",
    claim=Claim(
        id="T47", kind="bound", relation=Exact("<="), level="rational",
        statement="rho V' - rho V <= kappa m, where d' <= kappa d (or d' <= kappa mu), and sum_sa (p - pi) d(s) Q(s, a) <= m for every policy p",
        left=lambda case: [gap(case)] * 2, right=bounds, cases=lambda: holding(instances(), PREMISES, 10),
        assumes=by_hand(WITHOUT, PREMISES, lambda case: gap(case) > bounds(case)[0]),
        mutants={
            "gains of the other sign": lambda case: bounds(case, m=partial(best_gain, sign=-1)),
            "the gain towards the other policy": lambda case: bounds(case, m=towards_other),
            "without the ratio of visits": lambda case: bounds(case, ratio=lambda case, below: 1),
        },
        source="Agarwal, Kakade, Lee, Mahajan (2021), Lemma 4",
    ),
    free=("a best policy", "one start for both policies", "a start that sums to one, or is not negative", "concavity", "a step size"),
    derivation=derivation,
    coq=("T47_gradient_domination", "T47_gradient_domination_start"),
    functions=("pgtheory.tabular.policies.direct:Direct", "pgtheory.tabular.rates.domination:distance_ratio"),
)  # fmt: skip
