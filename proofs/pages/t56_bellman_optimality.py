"""T56: the Bellman operator of the best action contracts, and a deterministic policy is best.

|T X - T Y| <= gamma |X - Y|, since a maximum moves no more than its arguments. Its only fixed point is the value of a deterministic policy, which no policy exceeds in any state.
A fixed point is the value of whoever takes its greedy actions: the instances look for fixed points among the values of all deterministic policies, and there are no others.
Source: Puterman (1994), Theorems 6.2.3 and 6.2.7.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, as_fractions, cases, fractions
from pgtheory.proofs.pages.premises import (
    GAMMA_BELOW_ONE,
    GAMMA_POSITIVE,
    P_POSITIVE,
    P_SUMS,
    Premise,
    above,
    careless,
    holding,
    nonnegative,
    normalised,
    without,
)
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def drawn() -> Iterator[Case]:
    """Random problems with two vectors."""
    rng = np.random.default_rng(56)
    for case in cases(56):
        case.X, case.Y = ([*fractions(rng, len(case.mu))] for _ in range(2))
        yield case


def one(label: str, gamma: str, X: str = "1", Y: str = "0", **parts) -> Case:
    """One state that is never left, with two actions, of which the second earns 1."""
    whole = {"P": [[[1], [1]]], "r": [[0, 1]], "pi": [["1/2", "1/2"]], **parts}
    exact = {name: as_fractions(part) for name, part in whole.items()}
    return Case(label, process=Process(exact["P"], exact["r"], Fraction(gamma)), pi=exact["pi"], X=[Fraction(X)], Y=[Fraction(Y)])


SPECIAL = (lambda: one("one state, gamma = 1/2, as far apart as may be", "1/2"), lambda: one("no discount is left over", "0", pi=[[0, 1]]))


def operator(case: Case, X: list) -> list:
    """max_a r + gamma P X."""
    return [max(row) for row in case.process.backup(X)]


def pure_values(case: Case) -> list[list]:
    """The values of all deterministic policies."""
    p = case.process
    return [p.value([[Fraction(a == f[s]) for a in p.actions] for s in p.states]) for f in product(p.actions, repeat=len(p.r))]


def apart(x: list, y: list) -> Fraction:
    return max(abs(a - b) for a, b in zip(x, y, strict=True))


def contraction(case: Case, power: int = 1) -> tuple[Fraction, Fraction]:
    """max |T X - T Y|, and gamma max |X - Y|."""
    return apart(operator(case, case.X), operator(case, case.Y)), case.process.gamma**power * apart(case.X, case.Y)


def optimality(case: Case, chosen: Callable = max) -> tuple[list, list]:
    """V_pi in every state, how far V_f is from T V_f, and the farthest fixed point; V_f and zeros. f is the best in sum: no other can be best in every state."""
    every = pure_values(case)
    V = chosen(every, key=sum)
    others = [apart(W, V) for W in every if operator(case, W) == W]
    return [*case.process.value(case.pi), apart(operator(case, V), V), max(others, default=0)], [*V, 0, 0]


def left(case: Case) -> list:
    return [contraction(case)[0], *optimality(case)[0]]


def right(case: Case, power: int = 1, chosen: Callable = max) -> list:
    return [contraction(case, power)[1], *optimality(case, chosen)[1]]


OPERATOR = {"P is not negative": P_POSITIVE, "rows of P sum to at most one": P_SUMS, "gamma is not negative": GAMMA_POSITIVE}
OPTIMUM = {
    **OPERATOR,
    "gamma is below 1": GAMMA_BELOW_ONE,
    "the policy is not negative": lambda case: nonnegative(case.pi),
    "rows of the policy sum to one": lambda case: normalised(case.pi),
}


def moves_apart(case: Case) -> bool:
    """No contraction; the values that the other half asks for exist."""
    far, near = contraction(case)
    return far > near and solvable(case)


def is_beaten(case: Case) -> bool:
    return solvable(case) and above(*optimality(case))


def solvable(case: Case) -> bool:
    try:
        optimality(case)
    except ZeroDivisionError:
        return False
    return True


def counter() -> Iterator[Case]:
    """By hand, then careless problems."""
    yield one("gamma = 2", "2")
    yield one("twice the better action", "1/4", pi=[[0, 2]])
    yield one("-1 and 2 of the actions", "1/2", pi=[[-1, 2]])
    rng = np.random.default_rng(56)
    for case in careless(56):
        case.X, case.Y = fractions(rng, 2), fractions(rng, 2)
        yield case


def failing(premises: dict[str, Premise], fails: Premise, where: str = "") -> dict[str, Callable[[], Case]]:
    """For each premise a case on which it alone does not hold, and this half of the conclusion fails."""
    return {name + where: partial(without, name, counter, premises, fails) for name in premises}


PAGE = Page(
    title="Bellman optimality",
    words="The operator of the best action contracts by gamma; the value of some deterministic policy is the greatest in every state, and the operator's only fixed point.",
    claim=Claim(
        id="T56", kind="fixed point", relation=Exact("<="), level="rational",
        statement="max |T X - T Y| <= gamma max |X - Y|, T X = max_a r + gamma P X; for gamma < 1 some deterministic f has V_pi <= V_f in every state for every policy pi, "
        "T V_f = V_f, and T X = X for no other X",
        left=left, right=right, cases=lambda: holding(iter([*(make() for make in SPECIAL), *drawn()]), OPTIMUM, 10),
        assumes={**failing(OPERATOR, moves_apart, " (contraction)"), **failing(OPTIMUM, is_beaten)},
        mutants={
            "the square of gamma": lambda case: right(case, power=2),
            "every deterministic policy: the worst too": lambda case: right(case, chosen=min),
        },
        source="Puterman (1994), Theorems 6.2.3 and 6.2.7",
    ),
    free=("a unique best action", "gamma below 1, for the factor"),
    coq=("T56_bellman_contraction", "T56_optimal_deterministic_policy"),
    functions=("pgtheory.tabular.solve.optimal:optimal", "pgtheory.tabular.exact.rational:optimal_value"),
)  # fmt: skip
