"""An outlook: everything that is known at a point theta, each quantity computed when it is first asked for.

Leading axis N: one entry a problem. An update sees outlooks and never a model.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from pgtheory.tabular.dynamics.lazy import once
from pgtheory.tabular.dynamics.resolvent import Resolvent
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidArgument


class Outlook:
    """The value and its gradient at theta.

    Attributes:
        oracle: who made it; `oracle(other)` is the outlook at another point.
        theta: the point, (N, ...).
        value: what is maximised, (N,).
        gradient: its derivative, in the shape of theta.
    """

    value: Any
    gradient: Any

    def __init__(self, oracle: Any, theta: Float[np.ndarray, "N *D"]) -> None:
        self.oracle, self.theta = oracle, theta

    @once
    def gap(self) -> Float[np.ndarray, "N"]:
        """Best value minus value, at least 0.

        Raises:
            InvalidArgument: the best value is not known.
        """
        if self.oracle.best is None:
            raise InvalidArgument("the best value is not known, so there is no gap. Give best= to the oracle.")
        return self.oracle.best - self.value

    @once
    def gradient_norm(self) -> Float[np.ndarray, "N"]:
        """Euclidean norm of the gradient."""
        return norm(self.gradient)


class PolicyOutlook(Outlook):
    """A policy on the problems of a stack, with the reward r - temperature log pi (temperature 0: the plain reward).

        V = sum_a pi (r - temperature log pi) + gamma P_pi V,   Q = r + gamma P V,   advantage = Q - temperature log pi - V,
        d = mu + gamma P_pi' d (not normalised),                value = mu . V,      sum_a pi advantage = 0.

    Attributes:
        stack: the problems, with the reward that is maximised.
        pi: probabilities, (N, S, A).
        log_pi: their logarithm, minus infinity where pi is 0.

    Cost: one factorisation of size S and O(S^2 A) a problem.
    """

    pi: Any
    log_pi: Any
    temperature: float = 0.0

    def __init__(self, oracle: Any, theta: Float[np.ndarray, "N *D"]) -> None:
        super().__init__(oracle, theta)
        self.stack: Stack = oracle.stack

    @once
    def resolvent(self) -> Resolvent:
        """Solves with I - gamma P_pi.

        Raises:
            NonTerminating: gamma is 1 and under this policy the episode never ends.
        """
        return Resolvent(self.stack.identity - self.stack.kernel(self.pi))

    @once
    def payoff(self) -> Float[np.ndarray, "N S A"]:
        """The reward of a pair, r - temperature log pi."""
        return self.stack.r if self.temperature == 0 else self.stack.r - self.temperature * self.log_pi

    @once
    def V(self) -> Float[np.ndarray, "N S"]:
        """Value of each state."""
        return self.resolvent.solve(np.add.reduce(self.pi * self.payoff, axis=2))

    @once
    def Q(self) -> Float[np.ndarray, "N S A"]:
        """Value of an action, without the bonus for its own entropy."""
        return self.stack.backup(self.V)

    @once
    def advantage(self) -> Float[np.ndarray, "N S A"]:
        """Q - temperature log pi - V, as y - sum_a pi y with y = Q - temperature log pi minus its entry at the most likely action.

        So it keeps its digits where the policy is almost deterministic: there Q - V would cancel.
        """
        x = self.Q if self.temperature == 0 else self.Q - self.temperature * self.log_pi
        y = x - np.maximum.reduce(np.where(self.likeliest, x, -np.inf), axis=2, keepdims=True)
        return y - np.add.reduce(self.pi * y, axis=2, keepdims=True)

    @once
    def likeliest(self) -> Bool[np.ndarray, "N S A"]:
        """Which action, or actions, a state takes most often."""
        return self.pi == np.maximum.reduce(self.pi, axis=2, keepdims=True)

    @once
    def occupancy(self) -> Float[np.ndarray, "N S"]:
        """Expected discounted visits of each state; not normalised."""
        return self.resolvent.solve_transposed(self.stack.mu)

    @once
    def value(self) -> Float[np.ndarray, "N"]:
        """mu . V."""
        return np.add.reduce(self.stack.mu * self.V, axis=1)

    @once
    def gap(self) -> Float[np.ndarray, "N"]:
        """Best value minus value, without cancellation: sum_s d(s) sum_a pi(a|s) (V*(s) - Q*(s, a)), every term at least 0.

        With a temperature sum_s d(s) temperature KL(pi(.|s), pi*(.|s)). Source: performance difference, Kakade and Langford (2002), lemma 6.1.
        """
        return np.add.reduce(self.occupancy * self.oracle.optimum.loss(self), axis=1)

    @once
    def entropy(self) -> Float[np.ndarray, "N S"]:
        """-sum_a pi log pi of each state, in nats."""
        return -np.add.reduce(self.pi * np.where(self.pi > 0, self.log_pi, 0.0), axis=2)


def norm(x: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N"]:
    """Euclidean norm, problem by problem; scaled by the largest entry, so that no square underflows."""
    axes = tuple(range(1, x.ndim))
    largest = np.maximum.reduce(np.abs(x), axis=axes)
    scaled = x / along(np.where(largest > 0, largest, 1.0), x)
    return largest * np.sqrt(np.add.reduce(scaled * scaled, axis=axes))


def along(x: Float[np.ndarray, "N"] | float, like: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N *D"] | float:
    """One number a problem, with as many axes as `like`, so that it multiplies it."""
    return x if np.ndim(x) == 0 else np.reshape(x, (-1,) + (1,) * (like.ndim - 1))
