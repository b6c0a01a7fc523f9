"""Drifts: what a surrogate of the advantage charges for moving the ratio r = pi(a|s) / pi_old(a|s) away from one.

    surrogate of a sample: r A - f(r, A),      valid: f >= 0, f(1, A) = 0, df/dr(1, A) = 0.

A valid drift leaves the first gradient alone, and no policy whose surrogate is at least 0 in every state is worse anywhere than the old one: see `mirror_learning.py`.
Source: Kuba, Schroeder de Witt, Foerster (2022); Lu et al. (2022).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze
from pgtheory.tabular.dynamics.steps import positive
from pgtheory.tabular.errors import InvalidArgument


class Drift(Protocol):
    """f(r, A) and its slope in r, for arrays of one shape; r is positive."""

    def __call__(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """f(r, A)."""
        ...

    def slope(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """df/dr; at a kink the one towards r = 1."""
        ...


class Invertible(Drift, Protocol):
    """A drift whose surrogate r A - f is concave in r, strictly beyond r = 1 where A > 0, so that it has a best policy."""

    def reach(self, log_price: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """The smallest r >= 0 beyond which the slope of the surrogate is below a price, given by its logarithm: it may be smaller than any float64."""
        ...


@dataclass(frozen=True)
class Clip:
    """relu((r - clip(r, 1 - epsilon, 1 + epsilon)) A): PPO. The surrogate is flat beyond the edges, so that many policies are best. Source: Schulman et al. (2017)."""

    epsilon: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < 1:
            raise InvalidArgument(f"epsilon is {self.epsilon}, expected a number between 0 and 1: ratios are clipped to 1 - epsilon, 1 + epsilon.")

    def __call__(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """See the class."""
        return np.maximum((ratio - np.clip(ratio, 1 - self.epsilon, 1 + self.epsilon)) * advantage, 0.0)

    def slope(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """A beyond the edge that its sign points to, else 0."""
        beyond = np.where(advantage > 0, ratio > 1 + self.epsilon, ratio < 1 - self.epsilon)
        return np.where(beyond, advantage, 0.0)


@dataclass(frozen=True)
class Discovered:
    """DPO: relu(x - k tanh(x / k)) with x = (r - 1) A, k = alpha where A >= 0, and x = A log r, k = beta where A < 0. Source: Lu et al. (2022), section 5.

    It acts where x > 0, on the good side of r = 1. It is not homogeneous in A: advantages are scaled before, or alpha and beta with them.
    """

    alpha: float = 2.0
    beta: float = 0.6

    def __post_init__(self) -> None:
        positive("alpha", self.alpha)
        positive("beta", self.beta)

    def __call__(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """See the class."""
        good = advantage >= 0
        with np.errstate(divide="ignore", invalid="ignore"):
            x, k = np.where(good, (ratio - 1) * advantage, advantage * np.log(ratio)), np.where(good, self.alpha, self.beta)
        return np.maximum(x - k * np.tanh(x / k), 0.0)

    def slope(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """A tanh^2((r - 1) A / alpha) for A >= 0, r > 1; (A / r) tanh^2(A log r / beta) for A < 0, r < 1; else 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            up = np.where((advantage >= 0) & (ratio > 1), advantage * np.tanh((ratio - 1) * advantage / self.alpha) ** 2, 0.0)
            return np.where((advantage < 0) & (ratio < 1), advantage / ratio * np.tanh(advantage * np.log(ratio) / self.beta) ** 2, up)

    def reach(self, log_price: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """A > price: 1 + (alpha / A) artanh sqrt(1 - price / A). 0 <= A <= price: 0. A < 0: e^-y with 2 log tanh(|A| y / beta) + y = log(1 + price / |A|), by Newton."""
        size = np.where(advantage == 0, 1.0, abs(advantage))
        x = log_price - np.log(size)
        up = np.where((advantage > 0) & (x < 0), 1 + self.alpha / size * (np.log1p(np.sqrt(-np.expm1(np.minimum(x, 0)))) - x / 2), 0.0)
        aim, rate = np.logaddexp(0, x), size / self.beta
        # The left side is concave and increasing, at most y, and at most 2 log(rate y) + 1 for y <= 1: from here on Newton's steps only go up, to the root.
        y = np.maximum(aim, np.minimum(1.0, 0.6 / rate))
        for _ in range(100):
            before = y
            short = aim - y - 2 * np.log(np.tanh(rate * y))
            y = y + np.maximum(short, 0.0) / (1 + 4 * rate / np.sinh(np.minimum(2 * rate * y, 700.0)))
            if (y - before <= 4e-16 * y).all():
                break
        return np.where(advantage < 0, np.exp(-y), up)


@dataclass(frozen=True, eq=False)
class Learned:
    """LPO: relu(output . tanh(hidden x) - margin), x = (1-r, (1-r)^2, (1-r) A, (1-r)^2 A, log r, (log r)^2, A log r, A (log r)^2).

    Without biases the network is 0 at r = 1, and the margin keeps f at 0 around it: valid for all weights. Source: Lu et al. (2022), section 4.

    Attributes:
        hidden: weights of the hidden units, (H, 8).
        output: weights of their sum, (H,).
        margin: what is taken off.
    """

    hidden: Float[np.ndarray, "H 8"]
    output: Float[np.ndarray, "H"]
    margin: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("hidden", "output"):
            object.__setattr__(self, name, freeze(name, getattr(self, name), error=InvalidArgument))
        if self.output.ndim != 1 or self.hidden.shape != (len(self.output), 8):
            raise InvalidArgument(f"hidden and output have shapes {self.hidden.shape} and {self.output.shape}, expected (H, 8) and (H,).")
        positive("margin", self.margin)

    def __call__(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """See the class."""
        return np.maximum(self.units(ratio, advantage) @ self.output - self.margin, 0.0)

    def slope(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """By the chain rule; 0 where f is."""
        log, one = np.log(ratio), np.ones_like(ratio)
        plain = np.stack([-one, 2 * (ratio - 1), 1 / ratio, 2 * log / ratio], axis=-1)
        dx = interleaved(plain, advantage)
        units = self.units(ratio, advantage)
        return np.where(units @ self.output > self.margin, ((1 - units**2) * (dx @ self.hidden.T)) @ self.output, 0.0)

    def units(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N H"]:
        """tanh(hidden x)."""
        log = np.log(ratio)
        return np.tanh(interleaved(np.stack([1 - ratio, (1 - ratio) ** 2, log, log**2], axis=-1), advantage) @ self.hidden.T)


def interleaved(x: Float[np.ndarray, "*N 4"], A: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N 8"]:
    """(x1, x2, A x1, A x2, x3, x4, A x3, A x4)."""
    return np.concatenate([x[..., :2], A[..., None] * x[..., :2], x[..., 2:], A[..., None] * x[..., 2:]], axis=-1)


@dataclass(frozen=True)
class Divergence:
    """tau (r log r - r + 1), whose mean under the old policy is tau KL(pi, pi_old): mirror learning is then policy mirror descent with step 1 / tau."""

    tau: float

    def __post_init__(self) -> None:
        positive("tau", self.tau)

    def __call__(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """See the class; tau at r = 0."""
        return self.tau * (ratio * np.log(np.where(ratio > 0, ratio, 1.0)) - ratio + 1)

    def slope(self, ratio: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """tau log r."""
        with np.errstate(divide="ignore"):
            return self.tau * np.log(ratio)

    def reach(self, log_price: Float[np.ndarray, "*N"], advantage: Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        """exp((A - price) / tau)."""
        return np.exp((advantage - np.exp(log_price)) / self.tau)
