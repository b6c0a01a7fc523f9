"""Sums and multiples of objectives: `Return() - 0.1 * ReverseKL()` is an objective."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.scene import Scene


class Combinable:
    """Arithmetic of objectives. Any base of a built-in objective; an objective of one's own may inherit it, or be put into a `Combination` by hand."""

    def __mul__(self, factor: float) -> "Combination":
        return Combination(tuple((float(factor) * c, part) for c, part in _terms(self)))

    __rmul__ = __mul__

    def __neg__(self) -> "Combination":
        return self * -1.0

    def __add__(self, other: Any) -> "Combination":
        return Combination(_terms(self) + _terms(other)) if _is_objective(other) else NotImplemented

    def __sub__(self, other: Any) -> "Combination":
        return self + Combination(_terms(other)) * -1.0 if _is_objective(other) else NotImplemented


@dataclass(frozen=True)
class Combination(Combinable):
    """sum_j c_j J_j, given as pairs (c_j, J_j). Value, gradient and Hessian are linear.

    Raises:
        InvalidArgument: a coefficient is not a finite number, or there are no terms.
    """

    terms: tuple[tuple[float, Objective], ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise InvalidArgument("a combination has no terms. Give at least one pair (coefficient, objective).")
        for coefficient, part in self.terms:
            if not np.isfinite(coefficient):
                raise InvalidArgument(f"the coefficient of {part.name} is {coefficient}. Coefficients are finite numbers.")

    @property
    def name(self) -> str:
        """The sum, written out: "J - 0.1 reverse KL"."""
        text = " ".join(f"{'-' if c < 0 else '+'} {'' if abs(c) == 1 else f'{abs(c):g} '}{part.name}" for c, part in self.terms)
        return text.removeprefix("+ ")

    def value(self, scene: Scene) -> float:
        """The sum of the values."""
        return sum(c * part.value(scene) for c, part in self.terms)

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """The sum of the gradients."""
        return np.sum([c * part.gradient(scene) for c, part in self.terms], axis=0)

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """The sum of the Hessians."""
        return np.sum([c * part.hessian(scene) for c, part in self.terms], axis=0)


def _is_objective(other: object) -> bool:
    return all(hasattr(other, name) for name in ("name", "value", "gradient"))


def _terms(part: Any) -> tuple[tuple[float, Objective], ...]:
    return part.terms if isinstance(part, Combination) else ((1.0, part),)
