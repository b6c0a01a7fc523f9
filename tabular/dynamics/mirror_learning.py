"""Mirror learning: in every state the policy of largest surrogate, the expected advantage minus a drift; and its gradient steps, as PPO takes them.

    G_s(pi) = sum_a pi(a|s) A(s, a) - sum_a pi_old(a|s) f(pi(a|s) / pi_old(a|s), A(s, a)),      A the advantage of pi_old.

With a valid drift every pi with G_s(pi) >= 0 in all states has V_pi >= V_old in all states: the performance difference is a mean of sum_a pi A >= G_s.
The maximiser is among them, because G_s(pi_old) = 0. Source: Kuba, Schroeder de Witt, Foerster (2022), theorem 3.6.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.dynamics.drifts import Drift, Invertible
from pgtheory.tabular.dynamics.outlook import along
from pgtheory.tabular.dynamics.steps import Size, positive
from pgtheory.tabular.dynamics.updates import State
from pgtheory.tabular.errors import InvalidArgument

HALVINGS = 200
"""Bisections of the price, at most; they stop when no float64 lies between the ends."""


def surrogate(outlook: Any, pi: Float[np.ndarray, "N S A"], drift: Drift) -> Float[np.ndarray, "N S"]:
    """G_s(pi) for the old policy of an outlook; where the old policy never acts so, pi must not either. Cost O(N S A)."""
    old, A = outlook.pi, outlook.advantage
    ratio = np.divide(pi, old, out=np.ones_like(old), where=old > 0)
    return (pi * A - old * drift(ratio, A)).sum(axis=2)


@dataclass(frozen=True)
class MirrorLearning:
    """pi_{t+1}(.|s) = argmax over pi of G_s(pi), on a `DirectOracle`: the whole neighbourhood.

    The surrogate is a sum over the actions of concave functions of their ratios: at the best policy all ratios that are positive have one slope, the price nu(s) of
    probability, and the ratios with that slope sum to one under pi_old. nu is found by bisection between 0 and the largest advantage. Actions with
    0 <= A < nu lose all probability at once where the surrogate is linear below r = 1, and a probability of 0 stays 0.

    Cost: an evaluation, and about 60 evaluations of `reach` on (N, S, A).
    """

    drift: Invertible

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at a first policy.

        Raises:
            InvalidArgument: theta is no table of probabilities, or the drift has no unique best policy.
        """
        if not oracle.simplex:
            raise InvalidArgument(
                f"MirrorLearning moves probabilities, which {type(oracle).__name__} does not hold. Use DirectOracle, or DriftAscent."
            )
        if not hasattr(self.drift, "reach"):
            raise InvalidArgument(
                f"with {type(self.drift).__name__} many policies are best, or none: it has no method `reach`. Take DriftAscent, or a drift that has one."
            )
        theta = oracle.start(theta)
        return State(0, theta, oracle(theta))

    def step(self, state: State) -> State:
        """The best policy in every state; a state in which no advantage is positive keeps its own."""
        outlook: Any = state.outlook
        old, A = outlook.pi, np.where(outlook.pi > 0, outlook.advantage, 0.0)
        top = A.max(axis=2)
        ratio = self.priced(old, A, top)
        pi = np.where((top > 0)[:, :, None], old * ratio, old)
        pi = pi / pi.sum(axis=2, keepdims=True)
        return State(state.t + 1, pi, outlook.oracle(pi))

    def priced(self, old: Float[np.ndarray, "N S A"], A: Float[np.ndarray, "N S A"], top: Float[np.ndarray, "N S"]) -> Float[np.ndarray, "N S A"]:
        """The ratios at the price where they sum to one; what a jump leaves over goes to the actions that jump. The price is sought by its logarithm."""
        reach = lambda log_price: np.where(old > 0, self.drift.reach(log_price[:, :, None], A), 0.0)
        mass = lambda log_price: (old * reach(log_price)).sum(axis=2)
        high = np.log(np.where(top > 0, top, 1.0))
        low, width = high - 1.0, 1.0
        while ((mass(low) <= 1) & (top > 0)).any() and width < 1e300:
            width *= 2
            low = high - width
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if ((middle <= low) | (middle >= high)).all():
                break
            over = mass(middle) > 1
            low, high = np.where(over, middle, low), np.where(over, high, middle)
        above, below = reach(high), reach(low)
        jump = below - above
        missing, room = 1 - (old * above).sum(axis=2), (old * jump).sum(axis=2)
        share = np.divide(missing, room, out=np.zeros_like(room), where=room > 0)
        return above + np.clip(share, 0.0, 1.0)[:, :, None] * jump


@dataclass(frozen=True)
class DriftAscent:
    """`epochs` gradient steps along sum_s d_old(s) G_s(pi_theta) from the last policy on, on a `SoftmaxOracle`: PPO, DPO and their like without samples.

    The gradient of an epoch is d_old(s) pi(a|s) (w - sum_b pi(b|s) w(b)), w = A - df/dr. The first epoch is a step along the policy gradient, whatever the drift.
    Cost: one evaluation, and O(N S A) an epoch.
    """

    drift: Drift
    size: Size
    epochs: int = 4

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", positive("size", self.size))
        require_count("epochs", self.epochs)

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at a first point.

        Raises:
            InvalidArgument: theta is no table of logits.
        """
        theta = oracle.start(theta)
        outlook = oracle(theta)
        if oracle.simplex or not hasattr(outlook, "advantage") or theta.shape != outlook.pi.shape:
            raise InvalidArgument(f"DriftAscent moves a table of logits, which {type(oracle).__name__} does not hold. Use SoftmaxOracle.")
        return State(0, theta, outlook)

    def step(self, state: State) -> State:
        """The epochs."""
        outlook: Any = state.outlook
        theta, A, d = state.theta, outlook.advantage, outlook.occupancy[:, :, None]
        for epoch in range(self.epochs):
            now = outlook.oracle(theta) if epoch else outlook
            w = A - self.drift.slope(np.exp(now.log_pi - outlook.log_pi), A)
            theta = theta + along(self.size, A) * d * now.pi * (w - (now.pi * w).sum(axis=2, keepdims=True))
        return State(state.t + 1, theta, outlook.oracle(theta), None, self.size)
