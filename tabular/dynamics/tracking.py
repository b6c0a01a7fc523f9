"""Averages of sampled gradients that track the gradient: plain momentum, implicit gradient transport, recursive momentum.

    d_t = (1 - eta_t) (d_{t-1} + difference_t) + eta_t g_t,      theta_{t+1} = theta_t + size_t d_t   (or d_t / |d_t|).

The error of d_t has three parts: what g_t adds, what is left of the last one, and how well the gradient's own movement is followed.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.outlook import along, norm
from pgtheory.tabular.dynamics.steps import StepSize
from pgtheory.tabular.dynamics.updates import Ascent, State
from pgtheory.tabular.errors import InvalidArgument


class Sampler(Protocol):
    """Where the estimates come from: unbiased, row by row."""

    def gradient(self, theta: Float[np.ndarray, "N *D"], rng: np.random.Generator) -> Float[np.ndarray, "N *D"]:
        """An estimate of the gradient at theta."""
        ...


class DifferenceSampler(Sampler, Protocol):
    """One that follows the gradient from point to point."""

    def with_difference(
        self, theta: Float[np.ndarray, "N *D"], last: Float[np.ndarray, "N *D"], rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, "N *D"], Float[np.ndarray, "N *D"]]:
        """Estimates of the gradient at theta and of its difference to that at `last`: by one sample with importance weights, or by Hessian times vector."""
        ...


class Track(NamedTuple):
    """What is carried along: d_{t-1} and theta_{t-1}."""

    d: np.ndarray
    last: np.ndarray


@dataclass(frozen=True)
class Tracking(Ascent):
    """Shared part of the rules. The first d is eta_0 g_0, which is g_0 for the usual eta_0 = 1.

    Attributes:
        step_size: of theta.
        eta: weight of the new sample at t = 0, 1, ..., in (0, 1].
        sampler: where estimates come from.
        rng: what they are drawn with; a run uses it up, so the same update run again draws other samples.
        normalised: whether the step goes along d / |d|; then |theta_{t+1} - theta_t| is the step size.
    """

    step_size: StepSize
    eta: Callable[[int], float]
    sampler: Sampler
    rng: np.random.Generator
    normalised: bool = True

    def direction(self, outlook: Any) -> Float[np.ndarray, "N *D"]:
        """A fresh sample of the gradient, without memory."""
        return self.sampler.gradient(outlook.theta, self.rng)

    def remember(self, outlook: Any) -> Any:
        """d = 0 and the first point."""
        return Track(np.zeros_like(outlook.theta), outlook.theta)

    def step(self, state: State) -> State:
        """One step along the average.

        Raises:
            InvalidArgument: eta leaves (0, 1].
        """
        eta = self.eta(state.t)
        if not 0 < eta <= 1:
            raise InvalidArgument(f"eta({state.t}) is {eta}, expected a number above 0 and at most 1.")
        memory = self.track(state.theta, state.memory, eta)
        length = norm(memory.d)
        direction = memory.d / along(np.where(length > 0, length, 1.0), memory.d) if self.normalised else memory.d
        return self.advance(state, direction, memory)

    def sampled_at(self, state: State) -> Float[np.ndarray, "N *D"]:
        """The point at which the sample of the next step is drawn."""
        return state.theta

    @abstractmethod
    def track(self, theta: Float[np.ndarray, "N *D"], memory: Any, eta: float) -> Any:
        """d_t and theta_t, as a `Track` or with more beside them."""


class Averaged(Tracking):
    """(1 - eta) d + eta g(theta_t): plain momentum. It lags: the gradient has moved since the samples were drawn."""

    def track(self, theta: Float[np.ndarray, "N *D"], memory: Track, eta: float) -> Track:
        """See the class."""
        return Track((1 - eta) * memory.d + eta * self.sampler.gradient(theta, self.rng), theta)


class Transported(Tracking):
    """(1 - eta) d + eta g(theta_t + (1 - eta) / eta (theta_t - theta_{t-1})): implicit gradient transport. On a quadratic there is no lag at all.

    Source: Arnold et al. (2019); Fatkhullin et al. (2023), algorithm 1 (N-PG-IGT).
    """

    def sampled_at(self, state: State) -> Float[np.ndarray, "N *D"]:
        """The point ahead."""
        return ahead(state.theta, state.memory.last, self.eta(state.t))

    def track(self, theta: Float[np.ndarray, "N *D"], memory: Track, eta: float) -> Track:
        """See the class."""
        return Track((1 - eta) * memory.d + eta * self.sampler.gradient(ahead(theta, memory.last, eta), self.rng), theta)


class Recursive(Tracking):
    """(1 - eta) (d + difference) + eta g(theta_t): STORM, N-VR-PG, HARPG, by what the sampler's difference is (`differences.py`).

    Source: Cutkosky and Orabona (2019); Barakat, Fatkhullin and He (2023); Fatkhullin et al. (2023), algorithm 2.
    """

    sampler: DifferenceSampler

    def track(self, theta: Float[np.ndarray, "N *D"], memory: Track, eta: float) -> Track:
        """See the class."""
        g, difference = self.sampler.with_difference(theta, memory.last, self.rng)
        return Track((1 - eta) * (memory.d + difference) + eta * g, theta)


def ahead(theta: Float[np.ndarray, "N *D"], last: Float[np.ndarray, "N *D"], eta: float) -> Float[np.ndarray, "N *D"]:
    """theta + (1 - eta) / eta (theta - last)."""
    return theta + (1 - eta) / eta * (theta - last)
