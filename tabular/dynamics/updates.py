"""Updates: init(oracle, theta) -> State, step(state) -> State.

An update of the common form goes along a direction by a step size: theta' = move(theta, size * direction). The parts compose: any direction with any step
size, any memory (`momentum.py`), any geometry (`mirror.py`), on any oracle that shows what the direction needs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.outlook import Outlook, along, norm
from pgtheory.tabular.dynamics.steps import StepSize
from pgtheory.tabular.errors import InvalidArgument, UserFunctionError


class State(NamedTuple):
    """Where a run stands after t steps.

    Attributes:
        t: number of steps taken.
        theta: the point, (N, ...).
        outlook: what is known there; `outlook.oracle` is the oracle.
        memory: what the update carries along: previous directions, momenta, multipliers.
        size: step size of the last step, a number or (N,); NaN before the first.
    """

    t: int
    theta: np.ndarray
    outlook: Outlook
    memory: Any = None
    size: Any = np.nan


class Update(Protocol):
    """A rule that moves theta."""

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at a first point; arguments are checked here, not in every step."""
        ...

    def step(self, state: State) -> State:
        """The next state."""
        ...


class Ascent(ABC):
    """theta' = move(theta, size * direction). Subclasses give the direction, and the move where it is not the sum."""

    step_size: StepSize
    needs: ClassVar[tuple[str, ...]] = ("gradient",)

    @abstractmethod
    def direction(self, outlook: Any) -> Float[np.ndarray, "N *D"]:
        """Where to go, in the shape of theta."""

    def move(self, outlook: Any, change: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N *D"]:
        """The point that `change` leads to."""
        return outlook.theta + change

    def require(self, oracle: Any, outlook: Outlook) -> None:
        """Refuse an oracle on which this update makes no sense.

        Raises:
            InvalidArgument: the outlook lacks what the direction needs, or the sum would leave the simplex.
        """
        lacking = [name for name in self.needs if not hasattr(type(outlook), name) and name not in vars(outlook)]
        if lacking:
            raise InvalidArgument(f"{type(self).__name__} needs {', '.join(lacking)}, which {type(oracle).__name__} does not show.")
        if oracle.simplex and type(self).move is Ascent.move:
            raise InvalidArgument(
                f"{type(self).__name__} adds to theta, whose rows are distributions on this oracle: it would leave the simplex. "
                "Use MirrorDescent(step, Euclidean()), which projects, or a softmax oracle."
            )

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at a first point."""
        theta = oracle.start(theta)
        outlook = oracle(theta)
        self.require(oracle, outlook)
        return State(0, theta, outlook, self.remember(outlook))

    def remember(self, outlook: Any) -> Any:
        """The first memory."""
        return None

    def step(self, state: State) -> State:
        """One step along the direction."""
        return self.advance(state, self.direction(state.outlook), None)

    def advance(self, state: State, direction: Float[np.ndarray, "N *D"], memory: Any) -> State:
        """The step along a given direction, with what is to be remembered."""
        outlook = state.outlook
        size = self.step_size(state.t, outlook, direction, lambda change: self.move(outlook, change))
        theta = self.move(outlook, along(size, direction) * direction)
        return State(state.t + 1, theta, outlook.oracle(theta), memory, size)


@dataclass(frozen=True)
class Gradient(Ascent):
    """theta + size gradient: exact policy gradient."""

    step_size: StepSize

    def direction(self, outlook: Any) -> Float[np.ndarray, "N *D"]:
        """The gradient."""
        return outlook.gradient


@dataclass(frozen=True)
class Normalised(Ascent):
    """theta + size gradient / |gradient|; a problem whose gradient is 0 stays."""

    step_size: StepSize

    def direction(self, outlook: Any) -> Float[np.ndarray, "N *D"]:
        """The gradient, of length 1."""
        length = outlook.gradient_norm
        return outlook.gradient / along(np.where(length > 0, length, 1.0), outlook.gradient)


@dataclass(frozen=True)
class Natural(Ascent):
    """theta + size F^+ gradient, F the Fisher information under the visits d.

    With `normalised` d is divided by its sum, so that F is, and the direction is multiplied by sum_s d(s): by 1 / (1 - gamma) where no episode ends.
    For a softmax table the direction is the centred advantage where d(s) > 0, for any other policy it is found by the pseudo-inverse of F.
    Source: Kakade (2001).

    Theorem: T24, T34, T35, T39, T53.
    """

    step_size: StepSize
    normalised: bool = False
    needs = ("natural", "occupancy")

    def direction(self, outlook: Any) -> Float[np.ndarray, "N *D"]:
        """The natural gradient."""
        plain = outlook.natural
        return along(outlook.occupancy.sum(axis=1), plain) * plain if self.normalised else plain


@dataclass(frozen=True)
class FunctionUpdate:
    """A function of one's own, theta (N, ...) -> theta. `size` is recorded as the distance that it moved."""

    function: Callable[[np.ndarray], np.ndarray]

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at a first point."""
        theta = oracle.start(theta)
        return State(0, theta, oracle(theta))

    def step(self, state: State) -> State:
        """One call of the function, on a copy.

        Raises:
            UserFunctionError: it raised, returned nothing or no numbers, or what it returned has another shape.
        """
        try:
            found = self.function(state.theta.copy())
        except Exception as problem:
            raise UserFunctionError(f"the update raised {type(problem).__name__} at step {state.t}: {problem}") from problem
        if found is None:
            raise UserFunctionError(f"the update returned None at step {state.t}. It must return the new theta; changing its argument has no effect.")
        try:
            theta = np.array(found, dtype=float)
        except (TypeError, ValueError):
            raise UserFunctionError(
                f"the update returned a {type(found).__name__} at step {state.t} that is no array of numbers. It must return the new theta."
            ) from None
        if theta.shape != state.theta.shape:
            raise UserFunctionError(f"the update returned shape {theta.shape} for theta of shape {state.theta.shape}. It must keep the shape.")
        return State(state.t + 1, theta, state.outlook.oracle(theta), None, norm(theta - state.theta))
