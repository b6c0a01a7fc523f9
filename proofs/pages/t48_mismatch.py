"""T48: the mismatch of two visits is at most that of the visits and the start.

d = mu + gamma P_pi' d with both terms nonnegative, so that a policy visits a state at least as often as it starts there. In d*/d, on which domination and every rate
depends, the policy that is being improved drops out: d*/d <= d*/((1 - gamma) mu), both d normalised. Finite only where the start covers what the best policy visits.
Source: Kakade, Langford (2002), section 4; Agarwal, Kakade, Lee, Mahajan (2021), proof of Theorem 5.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, cases, dot, small
from pgtheory.proofs.pages.premises import DISCOUNTED, by_hand, holding, nonnegative, normalised
from pgtheory.proofs.pages.symbols import TwoByTwo, symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step

STATE = 0


def over(x: Number, y: Number) -> Number:
    """x / y, and 0 for y = 0, as in Coq."""
    return x / y if y != 0 else 0 * x


def mismatch(case: Case) -> Number:
    """d*(s) / d(s), both normalised; d by the transposed system."""
    rest = 1 - case.process.gamma
    return over(rest * case.process.occupancy(case.rho, case.other)[STATE], rest * case.process.occupancy(case.mu, case.pi)[STATE])


def bound(case: Case, start=lambda case: (1 - case.process.gamma) * case.mu[STATE]) -> Number:
    """d*(s) / ((1 - gamma) mu(s)); d*(s) as the value of a reward of 1 - gamma a step in s."""
    once = [Fraction(x == STATE) for x in case.process.states]
    return over((1 - case.process.gamma) * dot(case.rho, case.process.solve(case.other, once)), start(case))


PREMISES = {
    **DISCOUNTED,
    "the policy is not negative": lambda case: nonnegative(case.pi),
    "rows of the policy sum to one": lambda case: normalised(case.pi),
    "the other policy is not negative": lambda case: nonnegative(case.other),
    "rows of the other policy sum to one": lambda case: normalised(case.other),
    "the start is not negative": lambda case: nonnegative([case.mu]),
    "the other's start is not negative": lambda case: nonnegative([case.rho]),
    "the policy starts in s": lambda case: case.mu[STATE] > 0,
}


def started(label: str, **changes: Any) -> Case:
    """A small problem, the other policy's start in state 0."""
    return small(label, **{"rho": [1, 0], **changes})


WITHOUT = {
    "P is not negative": lambda: started("a row -1/2, 3/2", P=[[["1/2", "1/2"], [1, 0]], [[0, 1], ["-1/2", "3/2"]]]),
    "rows of P sum to at most one": lambda: started("a row that sums to two", P=[[["1/2", "1/2"], [1, 0]], [[0, 1], [1, 1]]], gamma="9/10"),
    "gamma is not negative": lambda: started("gamma = -1/2", gamma="-1/2"),
    "gamma is below 1": lambda: started("gamma = 2", gamma="2"),
    "the policy is not negative": lambda: started("a row 3/2, -1/2", pi=[["1/2", "1/2"], ["3/2", "-1/2"]]),
    "rows of the policy sum to one": lambda: started("rows that sum to two and three", pi=[[1, 1], [1, 2]], gamma="9/10"),
    "the other policy is not negative": lambda: started("a row 2, -1", other=[["1/2", "1/2"], [2, -1]], gamma="9/10"),
    "rows of the other policy sum to one": lambda: started("rows that sum to two and one", other=[[1, 1], [1, 0]], gamma="9/10"),
    "the start is not negative": lambda: started("starts 1, -4", mu=[1, -4]),
    "the other's start is not negative": lambda: started("starts -1, 0", rho=[-1, 0]),
    "the policy starts in s": lambda: started("starts 0, 1; a quotient by 0 is 0", mu=[0, 1]),
}


def instances() -> Iterator[Case]:
    yield small("one state that ends at once, starts 1 and 2", P=[[[0]]], r=[[0]], mu=[1], rho=[2], pi=[[1]], other=[[1]])
    for case in cases(48):
        case.rho = case.mu[::-1]
        yield case
    yield started("rows of P that sum to less, starts that sum to more", P=[[["1/2", "1/4"], [0, 0]], [[0, 1], ["1/3", 0]]], mu=[3, 2], rho=[0, 5])


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, lone=True, more="m0,m1")
    p, mu = m.process, [m.more["m0"], m.more["m1"]]
    d = p.occupancy(mu, m.pi)
    later = [p.gamma * sum(d[x] * p.kernel(m.pi)[x][s] for x in p.states) for s in p.states]
    yield Step("visits are starts and what comes later, which is not negative", d, [x + y for x, y in zip(mu, later, strict=True)])
    start, rest = symbols("mu,later")
    yield Step("so that 1/d falls short of 1/mu", 1 / start - 1 / (start + rest), rest / (start * (start + rest)))


PAGE = Page(
    title="Mismatch of visits by the start",
    words="Relative to the visits of any policy, those of another one are at most what they are relative to the start, divided by 1 - gamma.",
    claim=Claim(
        id="T48", kind="bound", relation=Exact("<="), level="rational",
        statement="d*(s) / d(s) <= d*(s) / ((1 - gamma) mu(s)), d = (1 - gamma) mu (I - gamma P_pi)^-1, d* that of any policy from any start",
        left=mismatch, right=bound, cases=lambda: holding(instances(), PREMISES, 10),
        assumes=by_hand(WITHOUT, PREMISES, lambda case: mismatch(case) > bound(case)),
        mutants={
            "without 1 - gamma": lambda case: bound(case, start=lambda case: case.mu[STATE]),
            "the start of the other policy": lambda case: bound(case, start=lambda case: (1 - case.process.gamma) * case.rho[STATE]),
        },
        source="Kakade, Langford (2002), section 4; Agarwal, Kakade, Lee, Mahajan (2021), proof of Theorem 5",
    ),
    free=("a best policy", "starts that sum to one", "one start for both policies", "an ergodic chain"),
    derivation=derivation,
    coq=("T48_mismatch_bound",),
    functions=("pgtheory.tabular.rates.instances:mismatch",),
)  # fmt: skip
