"""Step sizes: functions of (t, outlook, direction, move) that return one number, or one a problem (N,).

`move(change)` is the point that the update reaches by `change`; only a step size that tries points needs it. t counts from 0.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.dynamics.outlook import Outlook, along, norm
from pgtheory.tabular.errors import InvalidArgument

Size = Float[np.ndarray, "N"] | float


class StepSize(Protocol):
    """How far to go along a direction."""

    def __call__(self, t: int, outlook: Outlook, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Any:
        """The step size: a number, or (N,)."""
        ...


@dataclass(frozen=True)
class Constant:
    """c, one number or one a problem."""

    c: Size

    def __post_init__(self) -> None:
        object.__setattr__(self, "c", positive("c", self.c))

    def __call__(self, t: int, outlook: Outlook, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Size:
        """c."""
        return self.c


@dataclass(frozen=True)
class Power:
    """c / (t + t0)^p."""

    c: Size
    p: float = 1.0
    t0: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "c", positive("c", self.c))
        positive("t0", self.t0)
        if not 0 <= self.p < np.inf:
            raise InvalidArgument(f"p is {self.p}, expected a finite number of at least 0.")

    def __call__(self, t: int, outlook: Outlook, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Size:
        """c / (t + t0)^p."""
        return self.c / (t + self.t0) ** self.p


@dataclass(frozen=True)
class Geometric:
    """c growth^t. With growth = 1 / gamma natural gradients converge at the rate gamma (Xiao 2022)."""

    c: Size
    growth: Size

    def __post_init__(self) -> None:
        object.__setattr__(self, "c", positive("c", self.c))
        object.__setattr__(self, "growth", positive("growth", self.growth))

    def __call__(self, t: int, outlook: Outlook, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Size:
        """c growth^t; infinite once that exceeds float64, which a run reports."""
        with np.errstate(over="ignore"):
            return np.multiply(self.c, np.power(self.growth, float(t)))


@dataclass(frozen=True)
class Armijo:
    """The largest of c, c shrink, c shrink^2, ... that improves enough: value(theta') >= value + slope <gradient, theta' - theta>.

    theta' is what the update makes of the step, a projection included (Bertsekas 1976). After `tries` refusals the size is 0: no step along the
    direction improves, as at a stationary point. A loss of value below its rounding, 16 units of the last place, is forgiven.
    Cost: one value a try.
    """

    c: Size
    shrink: float = 0.5
    slope: float = 1e-4
    tries: int = 60

    def __post_init__(self) -> None:
        object.__setattr__(self, "c", positive("c", self.c))
        for name in ("shrink", "slope"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidArgument(f"{name} is {getattr(self, name)}, expected a number between 0 and 1.")
        require_count("tries", self.tries)

    def __call__(self, t: int, outlook: Outlook, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Float[np.ndarray, "N"]:
        """See the class."""
        size, enough = np.full(len(direction), self.c, dtype=float), np.zeros(len(direction), dtype=bool)
        for _ in range(self.tries):
            theta = move(along(size, direction) * direction)
            gain = np.add.reduce((outlook.gradient * (theta - outlook.theta)).reshape(len(theta), -1), axis=1)
            after = outlook.oracle(theta).value
            enough = after >= outlook.value + self.slope * gain - 16 * np.spacing(abs(outlook.value))
            if enough.all():
                break
            size = np.where(enough, size, size * self.shrink)
        return np.where(enough, size, 0.0)


@dataclass(frozen=True)
class Polyak:
    """min((best - value) / (c |direction|^2), cap): the step that would reach the best value if the function were linear and c were 1.

    A value above `best` and a direction of length 0 give the size 0. For a concave function, the exact best value and c >= 1/2, the distance to every
    maximiser never increases. Source: Polyak (1987); Loizou et al. (2021); Li et al. (2024).

    Attributes:
        c: at least 1/2 for the guarantee; below it warns.
        cap: largest size.
        best: best value: a number, (N,), or a function of the outlook; None: what the oracle knows.
    """

    c: float = 1.0
    cap: float = np.inf
    best: Size | Callable[[Outlook], Size] | None = None

    def __post_init__(self) -> None:
        positive("c", self.c)
        if not self.cap > 0:
            raise InvalidArgument(f"cap is {self.cap}, expected a positive number; leave it out for none.")
        if self.c < 0.5:
            warnings.warn(f"Polyak with c = {self.c:g} < 1/2 may move away from the maximisers even of a concave function.", stacklevel=3)

    def __call__(self, t: int, outlook: Outlook, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Float[np.ndarray, "N"]:
        """See the class."""
        best = self.best(outlook) if callable(self.best) else self.best
        distance = outlook.gap if best is None else best - outlook.value
        length = norm(direction)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # Divided twice: the square of a small length is 0.
            return np.where((length > 0) & (distance > 0), np.minimum(distance / length / length / self.c, self.cap), 0.0)


@dataclass(frozen=True)
class SignalToNoise:
    """SNR / (1 + SNR) / L with SNR = |gradient|^2 / variance: the step with the largest guaranteed gain when a gradient of that variance is used.

    Source: the descent lemma; Huang, Sheng and Zheng (2025).

    Attributes:
        L: smoothness of the value.
        variance: trace of the covariance of the estimate: a number, (N,), or a function of the outlook.
    """

    L: Size
    variance: Size | Callable[[Outlook], Size]

    def __post_init__(self) -> None:
        object.__setattr__(self, "L", positive("L", self.L))
        if not callable(self.variance) and not (np.isfinite(self.variance) & (np.asarray(self.variance) >= 0)).all():
            raise InvalidArgument(f"variance is {self.variance}, expected finite numbers of at least 0.")

    def __call__(self, t: int, outlook: Outlook, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Float[np.ndarray, "N"]:
        """See the class; 0 where gradient and variance are 0."""
        signal = outlook.gradient_norm**2
        total = signal + (self.variance(outlook) if callable(self.variance) else self.variance)
        return np.divide(signal, total * self.L, out=np.zeros_like(signal), where=total > 0)


def positive(name: str, value: Any) -> Size:
    """`value` as a float, or as an array (N,), if every entry is positive and finite.

    Raises:
        InvalidArgument: it is not.
    """
    array = np.asarray(value, dtype=float)
    if array.ndim > 1 or not (np.isfinite(array) & (array > 0)).all():
        raise InvalidArgument(f"{name} is {value}, expected a positive finite number, or one a problem (N,).")
    return float(array) if array.ndim == 0 else array
