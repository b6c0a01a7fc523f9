"""Numbers without rounding: from floats to fractions, and the solution of linear systems.

A float stands for a fraction: the one of denominator at most 10^6 that is within 1e-15 of it, relative to its size; where there is none, the binary fraction
that the float is. So 0.1 becomes 1/10 and exp(log 0.3) becomes 3/10, but pi = 3.14159... stays what the computer holds.

With python-flint the arithmetic runs on its `fmpq`, without it on `fractions.Fraction`; results are Fractions and the same either way.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from pgtheory.tabular.arrays import ROUNDING
from pgtheory.tabular.errors import InvalidArgument, PgtheoryError

Number = Any
"""An element of a field: Fraction, fmpq, arb, or a Jet over one of them."""

LARGEST_DENOMINATOR = 10**6
CLOSE = Fraction(1, 10**15)
"""Relative distance at which a float is taken for a fraction of small denominator: a few units of roundoff, as left by exp(log x) or by a normalisation."""


def exact(name: str, value: float | Fraction) -> Fraction:
    """The fraction that a number stands for, by the rule at the top of this file.

    >>> exact("x", 0.1), exact("x", 1 / 3 + 1e-16)
    (Fraction(1, 10), Fraction(1, 3))

    Raises:
        InvalidArgument: NaN or an infinity.
    """
    if isinstance(value, Fraction):
        return value
    if not math.isfinite(value):
        raise InvalidArgument(f"{name} is {value}. A fraction is finite: check how the number was computed.")
    binary = Fraction(float(value))
    simple = binary.limit_denominator(LARGEST_DENOMINATOR)
    return simple if abs(simple - binary) <= CLOSE * abs(binary) else binary


def exact_distribution(name: str, values: Sequence[float | Fraction], *, error: type[PgtheoryError] = InvalidArgument) -> tuple[Fraction, ...]:
    """A distribution as fractions that sum to one.

    A sum of floats that misses one by at most 1e-12 is rounding: the row is divided by its sum. Fractions must sum to one as they are.

    Raises:
        error: a negative entry, or another sum.
    """
    row = tuple(exact(f"{name}[{i}]", value) for i, value in enumerate(values))
    total = sum(row, Fraction(0))
    slack = 0 if all(isinstance(value, Fraction | int) for value in values) else Fraction(ROUNDING)
    if min(row, default=0) < 0 or abs(total - 1) > slack:
        raise error(
            f"{name} is {[str(x) for x in row]} with sum {total}. A distribution has entries of at least 0 that sum to 1: divide the row by its sum."
        )
    return tuple(x / total for x in row)


def exact_policy(probabilities: Sequence[Sequence[float | Fraction]]) -> tuple[tuple[Fraction, ...], ...]:
    """pi(a|s) as fractions, one row a state; floats are taken as in `exact_distribution`."""
    return tuple(exact_distribution(f"pi[{s}]", list(row)) for s, row in enumerate(probabilities))


def fast_field() -> Callable[[Fraction], Number]:
    """From Fraction to the fastest exact number that is installed: `flint.fmpq`, else the Fraction itself."""
    try:
        from flint import fmpq
    except ImportError:
        return lambda x: x
    return lambda x: fmpq(x.numerator, x.denominator)


def as_fraction(x: Number) -> Fraction:
    """Back from the fast field."""
    return Fraction(int(x.numerator), int(x.denominator))


def solve_exactly(matrix: Sequence[Sequence[Fraction]], right: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """X with `matrix` X = `right`; (n, n) and (n, m). Gauss-Jordan elimination, or python-flint's Dixon solver. Cost O(n^3 + n^2 m) exact operations.

    Raises:
        ZeroDivisionError: the matrix is singular.
    """
    try:
        from flint import fmpq, fmpq_mat
    except ImportError:
        return _eliminate(matrix, right)
    to = lambda table: fmpq_mat(len(table), len(table[0]), [fmpq(x.numerator, x.denominator) for row in table for x in row])
    solution = to(matrix).solve(to(right))
    return [[as_fraction(solution[i, j]) for j in range(len(right[0]))] for i in range(len(matrix))]


def _eliminate(matrix: Sequence[Sequence[Fraction]], right: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    n = len(matrix)
    rows = [[*left, *values] for left, values in zip(matrix, right, strict=True)]
    for i in range(n):
        pivot = next((k for k in range(i, n) if rows[k][i] != 0), None)
        if pivot is None:
            raise ZeroDivisionError("singular matrix")
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(n):
            if k != i and rows[k][i] != 0:
                rows[k] = [x - rows[k][i] * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]
