"""Logarithms of positive fractions without rounding: those of primes are linearly independent, so that a combination of them is known by its coefficients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm, log

from pgtheory.tabular.errors import InvalidArgument


@dataclass(frozen=True, eq=False)
class Log:
    """sum_p powers[p] log p over primes p, with rational coefficients none of which is zero. Signs are exact: a product of powers is above 1 or not."""

    powers: Mapping[int, Fraction] = field(default_factory=dict)

    def __add__(self, other: "Log | int") -> "Log":
        if not isinstance(other, Log):  # the 0 from which a sum starts
            return self
        total = {p: self.powers.get(p, Fraction(0)) + other.powers.get(p, Fraction(0)) for p in {*self.powers, *other.powers}}
        return Log({p: c for p, c in total.items() if c})

    def __mul__(self, factor: Fraction | int) -> "Log":
        return Log({p: c * factor for p, c in self.powers.items() if factor})

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other: "Log") -> "Log":
        return self + other * -1

    def __truediv__(self, divisor: Fraction) -> "Log":
        return self * (1 / divisor)

    def __abs__(self) -> float:
        """Its size beside other numbers, rounded: for texts, not for verdicts."""
        return abs(sum(float(c) * log(p) for p, c in self.powers.items()))

    def __lt__(self, other: "Log") -> bool:
        powers = (self - other).powers
        whole = lcm(*(c.denominator for c in powers.values()))
        product = Fraction(1)
        for p, c in powers.items():
            product *= Fraction(p) ** int(c * whole)
        return product < 1

    def __eq__(self, other: object) -> bool:  # whatever is no Log is the 0 to which a difference is compared
        return self.powers == (other.powers if isinstance(other, Log) else {})

    def __str__(self) -> str:
        return " + ".join(f"{c} log {p}" if c != 1 else f"log {p}" for p, c in sorted(self.powers.items())) or "0"


def ln(x: Fraction | int) -> Log:
    """log |x|, and 0 for 0: what a theorem says of x > 0 must not hang on the rest."""
    from sympy import factorint

    x = abs(Fraction(x))
    if x == 0:
        return Log()
    above, below = factorint(x.numerator), factorint(x.denominator)
    return Log({p: Fraction(n) for p, n in above.items() if p > 1}) + Log({p: Fraction(-n) for p, n in below.items() if p > 1})


def ex(x: Log) -> Fraction:
    """exp of an integer combination.

    Raises:
        InvalidArgument: a coefficient is no integer: the number is irrational.
    """
    value = Fraction(1)
    for p, c in x.powers.items():
        if c.denominator != 1:
            raise InvalidArgument(f"exp of {x} is irrational: choose weights that are powers.")
        value *= Fraction(p) ** int(c)
    return value
