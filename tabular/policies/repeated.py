"""A stationary policy used at every time step: the lift to a model with time in its state."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.policies.policy import Policy


@dataclass(frozen=True, eq=False, kw_only=True)
class Repeated:
    """The policy `base` in each of `times` copies of its states; theta is that of the base."""

    base: Policy
    times: int

    @property
    def theta(self) -> np.ndarray:
        """Parameters of the base."""
        return self.base.theta

    def with_theta(self, theta: np.ndarray) -> Self:
        """The same lift at other parameters."""
        return type(self)(base=self.base.with_theta(theta), times=self.times)

    @property
    def probabilities(self) -> Float[np.ndarray, "S A"]:
        """Those of the base, repeated."""
        return np.tile(self.base.probabilities, (self.times, 1))

    @property
    def log_probabilities(self) -> Float[np.ndarray, "S A"]:
        """Those of the base, repeated."""
        return np.tile(self.base.log_probabilities, (self.times, 1))

    def folded(self, W: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N S A"]:
        """Weights summed over the copies."""
        return W.reshape(*W.shape[:-2], self.times, -1, W.shape[-1]).sum(axis=-3)

    def pullback(self, W: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N D"]:
        """The base's pullback of the folded weights."""
        return self.base.pullback(self.folded(W))

    def pullback_size(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
        """That of the base, of the folded weights."""
        return self.base.pullback_size(self.folded(W))

    def pushforward(self, x: Float[np.ndarray, "*N D"]) -> Float[np.ndarray, "*N S A"]:
        """The base's directional derivatives, repeated."""
        table = self.base.pushforward(x)
        return np.tile(table, (*[1] * (table.ndim - 2), self.times, 1))

    def pullback_abs(self, W: Float[np.ndarray, "S A"]) -> np.ndarray | sp.csr_array:
        """The base's in each copy."""
        one = lambda part: sp.csr_array(self.base.pullback_abs(part))
        return sp.vstack([one(part) for part in W.reshape(self.times, -1, W.shape[-1])], format="csr")

    def log_hessian(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D D"]:
        """The base's Hessian of the folded weights."""
        return self.base.log_hessian(self.folded(W))
