"""Constrained problems as an oracle: logits and multipliers in one theta, the Lagrangian's field as its gradient."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_shape
from pgtheory.tabular.dynamics.lazy import once
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.outlook import PolicyOutlook
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidArgument, InvalidModel, InvalidPolicy


@dataclass(frozen=True, eq=False, kw_only=True)
class Saddle:
    """The optimum of the linear programs over occupancies.

    Attributes:
        J: best return that keeps the constraints, (N,).
        occupancy: visits of the pairs, (N, S, A).
        multipliers: shadow prices, (N, I).
    """

    J: Float[np.ndarray, "N"]
    occupancy: Float[np.ndarray, "N S A"]
    multipliers: Float[np.ndarray, "N I"]


@dataclass(frozen=True, eq=False)
class LagrangianOracle:
    """maximise J_r(pi) subject to J_i(pi) >= least_i: L(theta, m) = J_r + sum_i m_i (J_i - least_i), m >= 0.

    theta (N, S*A + I) holds the logits of a softmax policy, row by row, and then the multipliers. The `gradient` is the field of the game,
    (dL/dlogits, -dL/dm); `value` is J_r, and `gap` its distance below the best feasible return: negative where a policy earns more by breaking a constraint.

    Attributes:
        stack: the problems with the reward that is maximised.
        payoffs: c_i(s, a), (I, S, A) or (N, I, S, A). A cost that is bounded from above by b is the payoff -cost with least -b.
        least: the bounds, (I,) or (N, I).

    Cost: as `SoftmaxOracle`, and O(N I S A).
    """

    stack: Stack
    payoffs: Float[np.ndarray, "*N I S A"]
    least: Float[np.ndarray, "*N I"]
    simplex = False

    def __post_init__(self) -> None:
        payoffs, least, (N, S, A) = freeze("payoffs", self.payoffs), freeze("least", self.least), self.stack.r.shape
        if payoffs.ndim not in (3, 4) or payoffs.shape[-2:] != (S, A) or not payoffs.shape[-3]:
            raise InvalidModel(f"payoffs has shape {payoffs.shape}, expected (I, S, A) or (N, I, S, A) with (S, A) = {(S, A)}.")
        full = (N, payoffs.shape[-3], S, A)
        if payoffs.ndim == 4:
            require_shape("payoffs", payoffs, full, "N, I, S, A")
        if least.shape not in (full[:2], full[1:2]):
            raise InvalidModel(f"least has shape {least.shape}, expected {full[1:2]} or {full[:2]}: one bound a constraint.")
        object.__setattr__(self, "payoffs", np.broadcast_to(payoffs, full))
        object.__setattr__(self, "least", np.broadcast_to(least, full[:2]))

    @property
    def N(self) -> int:
        """Number of problems."""
        return self.stack.N

    @property
    def constraints(self) -> int:
        """Number of constraints."""
        return self.least.shape[1]

    @cached_property
    def flat(self) -> Float[np.ndarray, "N I SA"]:
        """The payoffs, with one axis for the pairs."""
        return np.ascontiguousarray(self.payoffs.reshape(*self.payoffs.shape[:2], -1))

    @cached_property
    def unconstrained(self) -> SoftmaxOracle:
        """The policies without constraints."""
        return SoftmaxOracle(self.stack)

    @cached_property
    def optimum(self) -> Saddle:
        """One linear program a problem: maximise x . r over x >= 0 with sum_a x(t, a) - gamma sum x P = mu and x . c_i >= least_i.

        Raises:
            InvalidModel: no policy keeps the constraints.
        """
        from scipy.optimize import linprog

        (N, S, A), found = self.stack.r.shape, []
        for n in range(N):
            flow = np.kron(np.eye(S), np.ones(A)) - self.stack.discounted[n].reshape(S * A, S).T
            answer = linprog(-self.stack.r[n].ravel(), A_ub=-self.flat[n], b_ub=-self.least[n], A_eq=flow, b_eq=self.stack.mu[n], method="highs")
            if answer.x is None:
                raise InvalidModel(f"problem {n}: no policy reaches least = {self.least[n].tolist()} ({answer.message}). Lower the bounds.")
            found.append((-answer.fun, answer.x.reshape(S, A), -answer.ineqlin.marginals))
        J, occupancy, multipliers = (np.array(part) for part in zip(*found, strict=True))
        return Saddle(J=J, occupancy=occupancy, multipliers=multipliers)

    @property
    def best(self) -> Float[np.ndarray, "N"]:
        """Best feasible return of each problem."""
        return self.optimum.J

    def start(self, theta: Any) -> Float[np.ndarray, "N D"]:
        """Logits and multipliers, (S*A + I,) or (N, S*A + I); or logits alone as a table (S, A) or (N, S, A), with multipliers 0.

        Raises:
            InvalidPolicy: another shape.
            InvalidArgument: a negative multiplier.
        """
        array, (N, S, A) = freeze("theta", theta, error=InvalidPolicy), self.stack.r.shape
        if array.shape in ((S, A), (N, S, A)):
            array = np.concatenate([array.reshape(*array.shape[:-2], S * A), np.zeros((*array.shape[:-2], self.constraints))], axis=-1)
        D = S * A + self.constraints
        if array.shape not in ((D,), (N, D)):
            raise InvalidPolicy(
                f"theta has shape {array.shape}, expected {(D,)} or {(N, D)} (logits and multipliers), or a table {(S, A)} or {(N, S, A)}."
            )
        if (array[..., S * A :] < 0).any():
            raise InvalidArgument(f"theta has the multiplier {array[..., S * A :].min()}; multipliers are at least 0.")
        return np.array(np.broadcast_to(array, (N, D)))

    def repeated(self, count: int) -> "LagrangianOracle":
        """Each problem `count` times, one after the other."""
        return LagrangianOracle(self.stack.repeated(count), np.repeat(self.payoffs, count, axis=0), np.repeat(self.least, count, axis=0))

    def weights(self, *, policy: float, multipliers: float) -> Float[np.ndarray, "D"]:
        """One number for the coordinates of each player, in the layout of theta: which of them is optimistic, and how much."""
        return np.concatenate([np.full(self.stack.S * self.stack.A, policy), np.full(self.constraints, multipliers)])

    def __call__(self, theta: Float[np.ndarray, "N D"]) -> "LagrangianOutlook":
        """The outlook at logits and multipliers."""
        return LagrangianOutlook(self, theta)


class LagrangianOutlook(PolicyOutlook):
    """A policy and its prices: V, Q and advantage are those of the mixed reward r + sum_i m_i c_i."""

    @once
    def multipliers(self) -> Float[np.ndarray, "N I"]:
        """m."""
        return self.theta[:, -self.oracle.constraints :]

    @once
    def policy(self) -> Any:
        """The outlook of the policy alone, without constraints."""
        return self.oracle.unconstrained(self.theta[:, : -self.oracle.constraints].reshape(self.stack.r.shape))

    @once
    def pi(self) -> Float[np.ndarray, "N S A"]:
        """Softmax of the logits."""
        return self.policy.pi

    @once
    def log_pi(self) -> Float[np.ndarray, "N S A"]:
        """Its logarithm."""
        return self.policy.log_pi

    @once
    def payoff(self) -> Float[np.ndarray, "N S A"]:
        """r + sum_i m_i c_i."""
        priced = self.multipliers[:, None, :] @ self.oracle.flat
        return self.stack.r + priced.reshape(self.stack.r.shape)

    @once
    def Q(self) -> Float[np.ndarray, "N S A"]:
        """Value of an action for the mixed reward."""
        return self.stack.backup(self.V, self.payoff)

    @once
    def visits(self) -> Float[np.ndarray, "N SA"]:
        """d(s) pi(a|s), state by state."""
        return (self.occupancy[:, :, None] * self.pi).reshape(len(self.theta), -1)

    @once
    def earned(self) -> Float[np.ndarray, "N I"]:
        """J_i = sum_s d(s) sum_a pi c_i."""
        return (self.oracle.flat @ self.visits[:, :, None])[:, :, 0]

    @once
    def missing(self) -> Float[np.ndarray, "N I"]:
        """least - J_i: positive where a constraint is broken."""
        return self.oracle.least - self.earned

    @once
    def value(self) -> Float[np.ndarray, "N"]:
        """J_r."""
        return np.add.reduce(self.visits * self.stack.r.reshape(self.visits.shape), axis=1)

    @once
    def gap(self) -> Float[np.ndarray, "N"]:
        """Best feasible return minus J_r."""
        return self.oracle.best - self.value

    @once
    def lagrangian(self) -> Float[np.ndarray, "N"]:
        """J_r - sum_i m_i (least_i - J_i)."""
        return self.value - (self.multipliers * self.missing).sum(axis=1)

    @once
    def gradient(self) -> Float[np.ndarray, "N D"]:
        """(d pi advantage, least - J_i): the field that ascends in the policy and descends in the multipliers."""
        return np.concatenate([self.visits * self.advantage.reshape(self.visits.shape), self.missing], axis=1)
