"""What the methods for M x = b, M = I - gamma K, have in common."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.solve.structure import Structure


@dataclass(frozen=True)
class Aim:
    """When an iteration may stop: residual <= absolute + relative * (norm of x), in the sup norm for M, in the 1-norm for M'; or after so many steps.

    The default of `steps` is what is worth its time where another method is left.
    """

    absolute: float | Float[np.ndarray, "*k"] = 0.0
    relative: float = 0.0
    steps: int = 300

    def allowed(self, size: Float[np.ndarray, "*k"]) -> Float[np.ndarray, "*k"]:
        """The largest residual that is small enough for a solution of that norm."""
        return self.absolute + (self.relative * size if self.relative else np.zeros_like(size))


class Refused(Exception):
    """A method cannot be set up for this matrix: it is singular to it, or needs more memory than is sensible."""


class Solver(Protocol):
    """A method for one matrix. The constructor does what all right-hand sides share, and may raise Refused.

    Attributes:
        single: it works in single precision: what it leaves of a residual is worth solving for in turn.
    """

    name: ClassVar[str]
    single: bool

    def __init__(self, structure: Structure) -> None: ...

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """x with M x = b (M' x = b if transposed), as well as the method can, and the number of its steps."""
        ...


def norm(x: Float[np.ndarray, "S *k"], transposed: bool) -> Float[np.ndarray, "*k"]:
    """Of each column the sup norm, or the 1-norm for the transposed system; not a number where an entry is not."""
    return np.add.reduce(abs(x), axis=0) if transposed else np.maximum.reduce(abs(x), axis=0, initial=0.0)
