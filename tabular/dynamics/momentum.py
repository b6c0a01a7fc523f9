"""Memory of earlier directions: heavy ball, Nesterov's extrapolation, optimism. Each wraps any update that goes along a direction."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze
from pgtheory.tabular.dynamics.outlook import Outlook
from pgtheory.tabular.dynamics.steps import StepSize
from pgtheory.tabular.dynamics.updates import Ascent, State
from pgtheory.tabular.errors import InvalidArgument


class Wrapped(Ascent):
    """An update that changes the direction of another one and leaves its geometry, its step size and its needs."""

    base: Ascent

    @property
    def step_size(self) -> StepSize:  # type: ignore[override]
        """That of the base."""
        return self.base.step_size

    def direction(self, outlook: Any) -> Float[np.ndarray, "N *D"]:
        """That of the base."""
        return self.base.direction(outlook)

    def move(self, outlook: Any, change: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N *D"]:
        """That of the base."""
        return self.base.move(outlook, change)

    def require(self, oracle: Any, outlook: Outlook) -> None:
        """As the base."""
        self.base.require(oracle, outlook)


@dataclass(frozen=True)
class Momentum(Wrapped):
    """Heavy ball: m_t = beta m_{t-1} + direction_t, m_{-1} = 0, and a step along m_t. Source: Polyak (1964)."""

    base: Ascent
    beta: float

    def __post_init__(self) -> None:
        require_fraction("beta", self.beta)

    def remember(self, outlook: Any) -> np.ndarray:
        """m = 0."""
        return np.zeros_like(outlook.theta)

    def step(self, state: State) -> State:
        """One step along the momentum."""
        m = self.beta * state.memory + self.base.direction(state.outlook)
        return self.advance(state, m, m)


@dataclass(frozen=True)
class Nesterov(Wrapped):
    """The base's step from the extrapolated point y = theta_t + beta_t (theta_t - theta_{t-1}); beta None is the sequence t / (t + 3).

    For updates that add to theta. Cost: one outlook at y, and one at theta only where it is recorded. Source: Nesterov (1983); Su, Boyd and Candes (2016).
    """

    base: Ascent
    beta: float | None = None

    def __post_init__(self) -> None:
        if self.beta is not None:
            require_fraction("beta", self.beta)
        if type(self.base).move is not Ascent.move:
            raise InvalidArgument(f"Nesterov extrapolates theta, which {type(self.base).__name__} keeps in a set that the extrapolation may leave.")

    def remember(self, outlook: Any) -> np.ndarray:
        """The previous point, which is the first one."""
        return outlook.theta

    def step(self, state: State) -> State:
        """One extrapolated step."""
        beta = state.t / (state.t + 3) if self.beta is None else self.beta
        y = state.theta + beta * (state.theta - state.memory)
        ahead = state._replace(theta=y, outlook=state.outlook.oracle(y))
        return self.advance(ahead, self.base.direction(ahead.outlook), state.theta)


@dataclass(frozen=True)
class Optimistic(Wrapped):
    """A step along 2 direction_t - direction_{t-1}, direction_{-1} = direction_0: the next direction is guessed to change as the last one did.

    With a mirror map it is optimistic mirror descent in its one-call form. Source: Popov (1980); Rakhlin and Sridharan (2013).

    Attributes:
        base: whose direction is extrapolated.
        weight: how much of the change is added, one number or an array that multiplies directions: `LagrangianOracle.weights` makes one player optimistic.
    """

    base: Ascent
    weight: Float[np.ndarray, "*D"] | float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", freeze("weight", self.weight, error=InvalidArgument))

    def step(self, state: State) -> State:
        """One optimistic step."""
        now = self.base.direction(state.outlook)
        guess = now if state.memory is None else now + self.weight * (now - state.memory)
        return self.advance(state, guess, now)


def require_fraction(name: str, value: float) -> None:
    """Refuse a number outside [0, 1)."""
    if not 0 <= value < 1:
        raise InvalidArgument(f"{name} is {value}, expected a number of at least 0 and below 1.")
