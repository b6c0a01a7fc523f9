"""Taylor polynomials of second order: run a program on them, and value, gradient and Hessian come out together, without a formula for either.

A jet at a point theta is (f, grad f, Hessian f) over any exact field: Fractions, fmpq, balls. Sums, products, quotients and compositions follow the rules of
Leibniz and Faa di Bruno, so that every objective that is a rational expression of the probabilities has its derivatives without rounding.
Source: Griewank and Walther (2008), "Evaluating Derivatives", chapter 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.exact.arithmetic import Number
from pgtheory.tabular.exact.rational import Table


@dataclass(frozen=True, eq=False)
class Jet:
    """(value, gradient, Hessian) in D coordinates; the Hessian is kept as its lower triangle, row by row.

    Numbers that are no jets are constants: integers, or elements of the same field. An operation costs O(D^2) field operations.

    >>> x = Jet(3, (1,), ((0,),))
    >>> (x * x * x).gradient, (x * x * x).lower
    ((27,), ((18,),))
    """

    value: Number
    gradient: tuple[Number, ...]
    lower: tuple[tuple[Number, ...], ...]

    @property
    def hessian(self) -> list[list[Number]]:
        """The full symmetric matrix."""
        D = len(self.gradient)
        return [[self.lower[max(i, j)][min(i, j)] for j in range(D)] for i in range(D)]

    def through(self, f0: Number, f1: Number, f2: Number) -> Self:
        """f(self), given f, f' and f'' at the value."""
        g = self.gradient
        lower = tuple(tuple(f1 * h + f2 * g[i] * g[j] for j, h in enumerate(row)) for i, row in enumerate(self.lower))
        return type(self)(f0, tuple(f1 * x for x in g), lower)

    def __add__(self, other: "Jet | Number") -> "Jet":
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.gradient, self.lower)
        add = lambda x, y: tuple(a + b for a, b in zip(x, y, strict=True))
        lower = tuple(add(x, y) for x, y in zip(self.lower, other.lower, strict=True))
        return Jet(self.value + other.value, add(self.gradient, other.gradient), lower)

    def __mul__(self, other: "Jet | Number") -> "Jet":
        if not isinstance(other, Jet):
            scale = lambda row: tuple(other * x for x in row)
            return Jet(self.value * other, scale(self.gradient), tuple(map(scale, self.lower)))
        u, v, f, g = self.value, other.value, self.gradient, other.gradient
        lower = tuple(
            tuple(u * y + v * x + f[i] * g[j] + f[j] * g[i] for j, (x, y) in enumerate(zip(left, right, strict=True)))
            for i, (left, right) in enumerate(zip(self.lower, other.lower, strict=True))
        )
        return Jet(u * v, tuple(u * y + v * x for x, y in zip(f, g, strict=True)), lower)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> "Jet":
        return self * -1

    def __sub__(self, other: "Jet | Number") -> "Jet":
        return self + -1 * other

    def __rsub__(self, other: Number) -> "Jet":
        return -self + other

    def __truediv__(self, other: "Jet | Number") -> "Jet":
        if isinstance(other, Jet):
            return self * other.inverse()
        divide = lambda row: tuple(x / other for x in row)  # not times 1 / other: the quotient of two integers is a float
        return Jet(self.value / other, divide(self.gradient), tuple(map(divide, self.lower)))

    def __rtruediv__(self, other: Number) -> "Jet":
        return self.inverse() * other

    def __pow__(self, n: int) -> "Jet":
        x = self.value
        return self.through(x**n, n * x ** (n - 1) if n else 0 * x, n * (n - 1) * x ** (n - 2) if n > 1 else 0 * x)

    def inverse(self) -> "Jet":
        """1 / self."""
        u = 1 / self.value
        return self.through(u, -u * u, 2 * u * u * u)


def seeded(pi: Table, coordinates: str) -> list[list[Jet]]:
    """The probabilities as jets in S*A coordinates, number s*A + a.

    "logits": of theta = log pi under softmax, d pi_a / d theta_b = pi_a (1{a=b} - pi_b). "direct": of pi itself, each entry moving alone.

    Raises:
        InvalidArgument: unknown coordinates.
    """
    if coordinates not in ("logits", "direct"):
        raise InvalidArgument(f"coordinates are {coordinates!r}; known are 'logits' and 'direct'.")
    A = len(pi[0])
    D, zero = len(pi) * A, 0 * pi[0][0]

    def jet(s: int, a: int) -> Jet:
        row, own = pi[s], range(s * A, s * A + A)
        if coordinates == "direct":
            return Jet(row[a], tuple(zero + (i == s * A + a) for i in range(D)), tuple((zero,) * (i + 1) for i in range(D)))
        slope = lambda b: (a == b) - row[b]
        bend = lambda b, c: row[a] * (slope(b) * slope(c) - row[b] * ((b == c) - row[c]))
        gradient = tuple(row[a] * slope(i - s * A) if i in own else zero for i in range(D))
        lower = tuple(tuple(bend(i - s * A, j - s * A) if i in own and j in own else zero for j in range(i + 1)) for i in range(D))
        return Jet(row[a], gradient, lower)

    return [[jet(s, a) for a in range(A)] for s in range(len(pi))]


def solve_in_order(matrix: Sequence[Sequence[Number]], right: Sequence[Number]) -> list[Number]:
    """x with `matrix` x = `right` by elimination without exchanges, over any field.

    For I - gamma K with K substochastic every pivot is positive (an M-matrix: Berman and Plemmons 1979, Theorem 6.2.3), so none is looked for.

    Raises:
        ZeroDivisionError: a pivot is zero.
    """
    rows = [[*row, x] for row, x in zip(matrix, right, strict=True)]
    n = len(rows)
    for i in range(n):
        inverse = 1 / rows[i][i]
        for k in range(i + 1, n):
            factor = rows[k][i] * inverse
            rows[k] = rows[k][: i + 1] + [x - factor * y for x, y in zip(rows[k][i + 1 :], rows[i][i + 1 :], strict=True)]
    solution: list[Number] = [0] * n
    for i in reversed(range(n)):
        solution[i] = (rows[i][n] - sum(rows[i][j] * solution[j] for j in range(i + 1, n))) / rows[i][i]
    return solution
