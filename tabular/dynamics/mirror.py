"""Mirror descent: the step in the geometry of a Bregman divergence; policy mirror descent, and policy iteration, its limit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.outlook import Outlook
from pgtheory.tabular.dynamics.steps import StepSize
from pgtheory.tabular.dynamics.updates import Ascent, State
from pgtheory.tabular.errors import InvalidArgument


class Bregman(Protocol):
    """A convex function h, by its proximal step: argmax over x of <change, x> - D_h(x, theta)."""

    def step(self, theta: Float[np.ndarray, "*N A"], change: Float[np.ndarray, "*N A"]) -> Float[np.ndarray, "*N A"]:
        """The maximiser; for the built-in ones each row (last axis) stays a distribution."""
        ...


@dataclass(frozen=True)
class NegativeEntropy:
    """h = sum x log x on the simplex, D_h = KL: theta exp(change), normalised. A probability of 0 stays 0.

    Theorem: T62.
    """

    def step(self, theta: Float[np.ndarray, "*N A"], change: Float[np.ndarray, "*N A"]) -> Float[np.ndarray, "*N A"]:
        """Exponentiated gradient."""
        # Shifted by the largest change of an action that has any probability: another one must not push all others to 0.
        top = np.where(theta > 0, change, -np.inf).max(axis=-1, keepdims=True)
        raised = theta * np.exp(np.minimum(change - top, 0.0))
        return raised / raised.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Euclidean:
    """h = |x|^2 / 2 on the simplex: the projection of theta + change."""

    def step(self, theta: Float[np.ndarray, "*N A"], change: Float[np.ndarray, "*N A"]) -> Float[np.ndarray, "*N A"]:
        """Projected gradient."""
        return project(theta + change)


@dataclass(frozen=True)
class DualMap:
    """Any convex h by its mirror map: theta' = back(forward(theta) + change), forward = grad h, back = grad h*.

    `back` must end where theta may be; on the simplex that includes the normalisation.
    """

    forward: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]

    def step(self, theta: Float[np.ndarray, "*N A"], change: Float[np.ndarray, "*N A"]) -> Float[np.ndarray, "*N A"]:
        """See the class."""
        return self.back(self.forward(theta) + change)


@dataclass(frozen=True)
class MirrorDescent(Ascent):
    """argmax over x of <size gradient, x> - D_h(x, theta), row by row.

    With `Euclidean` on a `DirectOracle` it is projected gradient ascent. Source: Beck and Teboulle (2003).
    """

    step_size: StepSize
    bregman: Bregman

    def direction(self, outlook: Any) -> Float[np.ndarray, "N *D"]:
        """The gradient."""
        return outlook.gradient

    def move(self, outlook: Any, change: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N *D"]:
        """The proximal step."""
        return self.bregman.step(outlook.theta, change)

    def require(self, oracle: Any, outlook: Outlook) -> None:
        """As `Ascent.require`; the geometries of the simplex need one."""
        super().require(oracle, outlook)
        if not oracle.simplex and isinstance(self.bregman, NegativeEntropy | Euclidean):
            raise InvalidArgument(
                f"{type(self.bregman).__name__} keeps rows of theta on the simplex, where theta of {type(oracle).__name__} does not live. "
                "Use DirectOracle, or Gradient, or a DualMap of your own."
            )


@dataclass(frozen=True)
class PolicyMirrorDescent(Ascent):
    """In every state s: argmax over p of size <Q(s, .), p> - D_h(p, pi(.|s)), without the weight d(s).

    On a `DirectOracle` with any geometry. On a `SoftmaxOracle` with `NegativeEntropy`, where it is theta + size advantage: probabilities never underflow, and
    with a temperature it is entropy-regularised natural gradient in every state, pi^(1 - size temperature) exp(size Q).
    Source: Xiao (2022); Lan (2022); Cen et al. (2022).
    """

    step_size: StepSize
    bregman: Bregman = NegativeEntropy()
    needs = ("advantage",)

    def direction(self, outlook: Any) -> Float[np.ndarray, "N S A"]:
        """The advantage, which differs from Q by a constant of the state."""
        return outlook.advantage

    def move(self, outlook: Any, change: Float[np.ndarray, "N S A"]) -> Float[np.ndarray, "N S A"]:
        """The proximal step."""
        return self.bregman.step(outlook.theta, change) if outlook.oracle.simplex else outlook.theta + change

    def require(self, oracle: Any, outlook: Outlook) -> None:
        """As `Ascent.require`; logits know one geometry, and other parametrisations none."""
        super().require(oracle, outlook)
        if not oracle.simplex and not (isinstance(self.bregman, NegativeEntropy) and outlook.theta.shape == outlook.advantage.shape):  # type: ignore[attr-defined]
            raise InvalidArgument(
                f"PolicyMirrorDescent with {type(self.bregman).__name__} moves probabilities, and theta of {type(oracle).__name__} is none. "
                "Use DirectOracle, or SoftmaxOracle with NegativeEntropy."
            )


@dataclass(frozen=True)
class PolicyIteration:
    """In every state the action of largest Q, the first among ties; the limit of policy mirror descent with growing steps. Needs a `DirectOracle`.

    Theorem: T33.
    """

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at a first policy.

        Raises:
            InvalidArgument: theta is no table of probabilities.
        """
        if not oracle.simplex:
            raise InvalidArgument(f"PolicyIteration sets probabilities to 0 and 1, which {type(oracle).__name__} does not hold. Use DirectOracle.")
        theta = oracle.start(theta)
        return State(0, theta, oracle(theta))

    def step(self, state: State) -> State:
        """The greedy policy."""
        Q = state.outlook.Q  # type: ignore[attr-defined]
        theta = (np.arange(Q.shape[2]) == Q.argmax(axis=2)[:, :, None]).astype(float)
        return State(state.t + 1, theta, state.outlook.oracle(theta), None, np.inf)


def project(x: Float[np.ndarray, "*N A"]) -> Float[np.ndarray, "*N A"]:
    """The nearest distribution to each row: max(x - nu, 0) with nu such that the sum is one. Cost O(A log A) a row.

    Source: Held, Wolfe and Crowder (1974); Duchi et al. (2008).
    """
    descending = -np.sort(-x, axis=-1)
    count = np.arange(1, x.shape[-1] + 1)
    excess = (np.cumsum(descending, axis=-1) - 1) / count
    last = (descending > excess).sum(axis=-1, keepdims=True) - 1
    return np.maximum(x - np.take_along_axis(excess, last, axis=-1), 0.0)
