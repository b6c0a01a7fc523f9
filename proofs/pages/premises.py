"""Theorems with premises: instances on which all hold, and instances on which all but one hold and the conclusion fails.

A stream draws careless problems: most numbers proper, some rows signed or unnormalised, some discounts out of range. What is needed is picked from it.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from itertools import islice

import numpy as np

from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages.finite import Number, Process, Table, distribution, fractions
from pgtheory.tabular.errors import InvalidArgument

Premise = Callable[[Case], bool]

LONGEST = 20_000
"""Cases of a stream that are looked at before a search gives up."""


def holding(stream: Iterator[Case], premises: Mapping[str, Premise], count: int = 8) -> list[Case]:
    """The first cases of a stream on which all premises hold.

    Raises:
        InvalidArgument: there are too few.
    """
    found = list(islice((case for case in islice(stream, LONGEST) if all(holds(case) for holds in premises.values())), count))
    if len(found) < count:
        raise InvalidArgument(f"of {LONGEST} cases only {len(found)} satisfy {', '.join(premises)}: draw them with more care.")
    return found


def without(name: str, stream: Callable[[], Iterator[Case]], premises: Mapping[str, Premise], fails: Premise) -> Case:
    """The first case on which every premise but one holds, that one does not, and the conclusion fails.

    Raises:
        InvalidArgument: there is none: the premise may be idle.
    """
    for case in islice(stream(), LONGEST):
        if refutes(case, name, premises, fails):
            return Case(**{**vars(case), "label": f"{case.label}, without it"})
    raise InvalidArgument(f"none of {LONGEST} cases fails without the premise {name!r}.")


def by_hand(made: Mapping[str, Callable[[], Case]], premises: Mapping[str, Premise], fails: Premise) -> dict[str, Callable[[], Case]]:
    """The given counterexample of each premise, checked to be one.

    Raises:
        InvalidArgument: (when called) another premise does not hold on it either, or this one does, or the conclusion.
    """

    def checked(name: str) -> Case:
        case = made[name]()
        if not refutes(case, name, premises, fails):
            raise InvalidArgument(f"{case.label!r} is no counterexample without the premise {name!r}: that one alone must fail, and the conclusion.")
        return case

    return {name: partial(checked, name) for name in premises}


def refutes(case: Case, name: str, premises: Mapping[str, Premise], fails: Premise) -> bool:
    """Whether one premise does not hold, every other one does, and the conclusion fails."""
    return not premises[name](case) and all(holds(case) for other, holds in premises.items() if other != name) and fails(case)


def careless(seed: int, S: int = 2, A: int = 2) -> Iterator[Case]:
    """Problems of two states and two actions, some of them improper: `process`, `pi`, `other`, `u`, `n`."""
    rng = np.random.default_rng(seed)
    number = 0
    while True:
        number += 1
        gamma = Fraction(int(rng.choice([0, 2, 5, 8, 9])), 10) if rng.random() < 0.7 else Fraction(int(rng.choice([-15, -5, 10, 12, 20])), 10)
        P = [rows(rng, A, S) for _ in range(S)]
        process = Process(P, [fractions(rng, A, over=2) for _ in range(S)], gamma)
        u = [fractions(rng, A, low=1) if rng.random() < 0.8 else fractions(rng, A) for _ in range(S)]
        yield Case(f"problem {number}", process=process, pi=rows(rng, S, A), other=rows(rng, S, A), u=u, n=int(rng.integers(1, 4)))


def rows(rng: np.random.Generator, count: int, n: int) -> list[list[Fraction]]:
    """Distributions, or rows with negative entries that sum to one, or positive rows that do not."""
    kind = rng.random()
    if kind < 0.75:
        return [distribution(rng, n) for _ in range(count)]
    if kind < 0.88:
        free = [fractions(rng, n - 1, over=2) for _ in range(count)]
        return [[*row, 1 - sum(row, Fraction(0))] for row in free]
    return [fractions(rng, n, low=0, over=4) for _ in range(count)]


def nonnegative(table: Table) -> bool:
    """Whether no entry is below zero."""
    return all(x >= 0 for row in table for x in row)


def normalised(table: Table) -> bool:
    """Whether every row sums to one."""
    return all(sum(row) == 1 for row in table)


P_POSITIVE: Premise = lambda case: all(nonnegative(row) for row in case.process.P)
P_SUMS: Premise = lambda case: all(sum(row) <= 1 for rows in case.process.P for row in rows)
GAMMA_POSITIVE: Premise = lambda case: case.process.gamma >= 0
GAMMA_BELOW_ONE: Premise = lambda case: case.process.gamma < 1

DISCOUNTED: dict[str, Premise] = {
    "P is not negative": P_POSITIVE,
    "rows of P sum to at most one": P_SUMS,
    "gamma is not negative": GAMMA_POSITIVE,
    "gamma is below 1": GAMMA_BELOW_ONE,
}
"""A discounted process, which may end."""

UNIT_REWARDS: dict[str, Premise] = {
    "rewards are not negative": lambda case: nonnegative(case.process.r),
    "rewards are at most 1": lambda case: all(x <= 1 for row in case.process.r for x in row),
}
"""Rewards in [0, 1]."""


def is_policy(table: Table) -> bool:
    """Nonnegative rows that sum to one."""
    return nonnegative(table) and normalised(table)


def above(left: list[Number], right: list[Number]) -> bool:
    """Whether left <= right fails somewhere."""
    return any(x > y for x, y in zip(left, right, strict=True))
