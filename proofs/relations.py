"""What two sides of a claim must satisfy, with a tolerance that says where it comes from.

A relation compares arrays entry by entry and reports one number, the largest violation. A NaN on either side never satisfies a relation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np

from pgtheory.tabular.errors import InvalidArgument

UNIT = 2.0**-53
"""Unit roundoff of float64."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The outcome on one case.

    Attributes:
        holds: whether the relation is satisfied.
        distance: the number that was compared with `threshold`; what it is, the relation says.
        threshold: the bound on it.
        origin: where the threshold comes from.
    """

    holds: bool
    distance: float
    threshold: float
    origin: str


class Relation(Protocol):
    """(left, right) -> Comparison, and the sign that stands between the two sides in a text."""

    @property
    def sign(self) -> str: ...

    def __call__(self, left: object, right: object) -> Comparison: ...


@dataclass(frozen=True)
class Rounding:
    """A tolerance of `count` roundings of numbers of the size of the larger side: count * 2^-53 * max(|left|, |right|, `scale`).

    `scale` is the size of the numbers that the sides are differences of, where that is larger than the sides themselves.
    """

    count: float
    scale: float = 0.0

    def of(self, left: np.ndarray, right: np.ndarray) -> tuple[float, str]:
        """The tolerance, and where it comes from."""
        size = max(float(abs(left).max(initial=0)), float(abs(right).max(initial=0)), self.scale)
        return self.count * UNIT * size, f"{self.count:g} roundings of numbers of size {size:.3g}"


@dataclass(frozen=True)
class Derived:
    """A tolerance that was derived otherwise: the error of a difference quotient, of a truncated sum, of a decimal that a paper prints."""

    value: float
    because: str

    def of(self, left: np.ndarray, right: np.ndarray) -> tuple[float, str]:
        """The tolerance, and where it comes from."""
        return self.value, self.because


@dataclass(frozen=True)
class Equal:
    """left = right. The distance is max |left - right|."""

    tolerance: Rounding | Derived = Rounding(256)
    sign = "="

    def __call__(self, left: object, right: object) -> Comparison:
        a, b = paired(left, right)
        tolerance, origin = self.tolerance.of(a, b)
        distance = largest(abs(a - b))
        return Comparison(holds=distance <= tolerance, distance=distance, threshold=tolerance, origin=origin)


@dataclass(frozen=True)
class AtMost:
    """left <= right. The distance is max (left - right): negative where there is room."""

    tolerance: Rounding | Derived = Rounding(256)
    sign = "<="

    def __call__(self, left: object, right: object) -> Comparison:
        a, b = paired(left, right)
        tolerance, origin = self.tolerance.of(a, b)
        distance = largest(a - b)
        return Comparison(holds=distance <= tolerance, distance=distance, threshold=tolerance, origin=origin)


@dataclass(frozen=True)
class Below:
    """left + by <= right in every entry: less, and visibly so. The distance is min (right - left)."""

    by: float
    sign = "<"

    def __call__(self, left: object, right: object) -> Comparison:
        a, b = paired(left, right)
        distance = -largest(a - b)
        return Comparison(holds=distance >= self.by, distance=distance, threshold=self.by, origin="stated gap")


@dataclass(frozen=True)
class Apart:
    """The sides differ by at least `by` somewhere: what a counterexample shows. The distance is max |left - right|."""

    by: float
    sign = "!="

    def __call__(self, left: object, right: object) -> Comparison:
        a, b = paired(left, right)
        distance = largest(abs(a - b))
        return Comparison(holds=np.isfinite(distance) and distance >= self.by, distance=distance, threshold=self.by, origin="stated gap")


@dataclass(frozen=True)
class Exact:
    """left = right, <= or >=, without any rounding: of integers, fractions, or elements of a field of symbols (only =), in nested lists of one shape.

    The distance is max |left - right|, max (left - right) or max (right - left); 1 where symbols differ.
    """

    sign: Literal["=", "<=", ">="] = "="

    def gaps(self, left: object, right: object) -> list[Any]:
        """Entry by entry, what must be 0, or for a bound not above 0."""
        return differences(right, left) if self.sign == ">=" else differences(left, right)

    def __call__(self, left: object, right: object) -> Comparison:
        gaps, equal = self.gaps(left, right), self.sign == "="
        sizes = [float(abs(gap) if equal else gap) if isinstance(gap, int | Fraction) else float(gap != 0) for gap in gaps]
        holds = all(gap == 0 if equal else gap <= 0 for gap in gaps)
        return Comparison(holds=holds and bool(gaps), distance=max(sizes, default=float("inf")), threshold=0.0, origin="no rounding")


@dataclass(frozen=True)
class Certified:
    """left <= right, of balls, integers or fractions in nested lists of one shape. The distance is max (left - right), of midpoints.

    Raises:
        InvalidArgument: a difference of two balls contains 0 and they neither satisfy the relation nor violate it for sure.
    """

    sign = "<="

    def __call__(self, left: object, right: object) -> Comparison:
        from pgtheory.tabular.exact.balls import ball

        gaps = [ball(gap) for gap in differences(left, right)]
        violated = any(gap > 0 for gap in gaps)
        undecided = [gap for gap in gaps if not (gap <= 0 or gap > 0)]
        if undecided and not violated:
            raise InvalidArgument(f"the difference {undecided[0]} may be above or below 0: nothing follows. Work with more bits (`bits`).")
        distance = max((float(gap.mid()) for gap in gaps), default=float("inf"))
        return Comparison(holds=bool(gaps) and not violated, distance=distance, threshold=0.0, origin="certified balls")


def gap(relation: Relation, left: object, right: object) -> str:
    """By how much two sides miss a relation, as text: an exact number where the relation is exact (of a bound the largest excess), else the distance."""
    if not isinstance(relation, Exact):
        return f"{relation(left, right).distance:.3g}"
    gaps = relation.gaps(left, right)
    return str(max(gaps, key=abs) if relation.sign == "=" else max(gaps))


def differences(left: object, right: object) -> list[Any]:
    """left - right, entry by entry.

    Raises:
        InvalidArgument: the shapes differ, or an entry is a float.
    """
    ours, theirs = dict(entries(left)), dict(entries(right))
    if ours.keys() != theirs.keys():
        raise InvalidArgument(
            f"the sides of the claim have {len(ours)} and {len(theirs)} entries, in other places. Compare nested lists of one shape."
        )
    return [x - theirs[place] for place, x in ours.items()]


def entries(value: object, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Place and value of each number in nested lists.

    Raises:
        InvalidArgument: a number is a float, whose value is rounded.
    """
    if isinstance(value, Sequence):
        for i, part in enumerate(value):
            yield from entries(part, (*place, i))
    elif isinstance(value, float | np.generic | np.ndarray):
        raise InvalidArgument(f"{value!r} is a float. An exact comparison is of integers, fractions or symbols: compute the side without rounding.")
    else:
        yield place, value


def paired(left: object, right: object) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as arrays of one shape; a number is compared with every entry.

    Raises:
        InvalidArgument: the shapes differ.
    """
    a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if a.shape != b.shape and a.ndim and b.ndim:
        raise InvalidArgument(f"the sides of the claim have shapes {a.shape} and {b.shape}. Compare arrays of one shape, or an array with a number.")
    return a, b


def largest(x: np.ndarray) -> float:
    """The largest entry; infinite if one is NaN, so that no comparison is passed by it."""
    return float(np.where(np.isnan(x), np.inf, x).max())
