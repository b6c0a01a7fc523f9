"""The direct parametrisation: the probabilities themselves."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_distribution
from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.policies.softmax import by_state


@dataclass(frozen=True, eq=False)
class Direct:
    """pi(a|s) = theta[s, a], on the simplex.

    Derivatives are plain partial derivatives, d log pi(a|s) / d theta[s, b] = 1{a=b} / pi(a|s); `tangent` projects onto the simplex's tangent space.

    Theorem: T47.
    """

    theta: Float[np.ndarray, "S A"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "theta", freeze("theta", self.theta, error=InvalidPolicy))
        if self.theta.ndim != 2 or not self.theta.size:
            raise InvalidPolicy(f"theta has shape {self.theta.shape}, expected (S, A): one distribution a state.")
        require_distribution("theta", self.theta, error=InvalidPolicy)

    def with_theta(self, theta: np.ndarray) -> Self:
        """The direct policy at other probabilities."""
        return type(self)(np.reshape(theta, self.theta.shape))

    @property
    def probabilities(self) -> Float[np.ndarray, "S A"]:
        """theta."""
        return self.theta

    @cached_property
    def log_probabilities(self) -> Float[np.ndarray, "S A"]:
        """log theta."""
        with np.errstate(divide="ignore"):
            return np.log(self.theta)

    def pullback(self, W: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N D"]:
        """W / theta; zero where W is zero. Cost O(N S A)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(W == 0, 0.0, W / self.theta)
        return inner.reshape(*W.shape[:-2], self.theta.size)

    def pullback_size(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
        """The pullback itself: nothing is added up."""
        return self.pullback(W)

    def pushforward(self, x: Float[np.ndarray, "*N D"]) -> Float[np.ndarray, "*N S A"]:
        """x / theta; zero where x is zero. Cost O(N S A)."""
        table = x.reshape(*x.shape[:-1], *self.theta.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(table == 0, 0.0, table / self.theta)

    def pullback_abs(self, W: Float[np.ndarray, "S A"]) -> sp.csr_array:
        """|W| / theta; zero where W is zero."""
        return by_state(self.pullback(abs(W)).reshape(self.theta.shape))

    def log_hessian(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D D"]:
        """diag(-W / theta^2)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.diag(np.where(W == 0, 0.0, -W / self.theta**2).ravel())

    def tangent(self, gradient: Float[np.ndarray, "D"]) -> Float[np.ndarray, "D"]:
        """Orthogonal projection of a gradient onto the directions that keep every row a distribution: each row minus its mean."""
        table = gradient.reshape(self.theta.shape)
        return (table - table.mean(axis=1, keepdims=True)).ravel()
