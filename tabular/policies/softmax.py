"""The tabular softmax policy."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, largest, require_distribution
from pgtheory.tabular.errors import InvalidPolicy


@dataclass(frozen=True, eq=False)
class Softmax:
    """pi(a|s) = exp theta[s, a] / sum_b exp theta[s, b].

    Score: d log pi(a|s) / d theta[s, b] = 1{a=b} - pi(b|s), and zero at other states.

    >>> Softmax(np.zeros((1, 2))).probabilities
    array([[0.5, 0.5]])

    Theorem: T22, T23, T40.
    """

    theta: Float[np.ndarray, "S A"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "theta", freeze("theta", self.theta, error=InvalidPolicy))
        if self.theta.ndim != 2 or not self.theta.size:
            raise InvalidPolicy(f"theta has shape {self.theta.shape}, expected (S, A). For one table a time step use with_time(model).")

    @classmethod
    def of(cls, probabilities: Float[np.ndarray, "S A"]) -> Self:
        """The softmax policy with the given positive probabilities: theta = log pi."""
        pi = freeze("probabilities", probabilities, error=InvalidPolicy)
        require_distribution("probabilities", pi, error=InvalidPolicy)
        if (pi <= 0).any():
            raise InvalidPolicy("probabilities contain a zero, which no softmax reaches. Use Direct, or positive probabilities.")
        return cls(np.log(pi))

    def with_theta(self, theta: np.ndarray) -> Self:
        """The softmax policy at other logits."""
        return type(self)(np.reshape(theta, self.theta.shape))

    @cached_property
    def log_probabilities(self) -> Float[np.ndarray, "S A"]:
        """theta minus its log-sum-exp."""
        shifted = self.theta - largest(self.theta)[:, None]
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    @cached_property
    def probabilities(self) -> Float[np.ndarray, "S A"]:
        """pi(a|s)."""
        return np.exp(self.log_probabilities)

    def pullback(self, W: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N D"]:
        """W minus pi times its row sums. Cost O(N S A)."""
        inner = W - self.probabilities * W.sum(axis=-1, keepdims=True)
        return inner.reshape(*W.shape[:-2], self.theta.size)

    def pullback_size(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
        """W plus pi times its row sums."""
        return (W + self.probabilities * W.sum(axis=-1, keepdims=True)).ravel()

    def pushforward(self, x: Float[np.ndarray, "*N D"]) -> Float[np.ndarray, "*N S A"]:
        """x minus its mean over the actions, as a table. Cost O(N S A)."""
        table = x.reshape(*x.shape[:-1], *self.theta.shape)
        return table - (self.probabilities * table).sum(axis=-1, keepdims=True)

    def pullback_abs(self, W: Float[np.ndarray, "S A"]) -> sp.csr_array:
        """|W[s, b]| (1 - pi(b|s)) + pi(b|s) sum over the other actions of |W|; a parameter belongs to its state."""
        size, pi = abs(W), self.probabilities
        return by_state(size * (1 - pi) + pi * (size.sum(axis=1, keepdims=True) - size))

    def log_hessian(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D D"]:
        """The second derivative of log pi(a|s) is -(diag pi - pi pi') whatever a is."""
        (S, A), pi, total = self.theta.shape, self.probabilities, W.sum(axis=1)
        H = np.zeros((S, A, S, A))
        s = np.arange(S)
        H[s, :, s, :] = total[:, None, None] * (pi[:, :, None] * pi[:, None, :] - pi[:, :, None] * np.eye(A))
        return H.reshape(S * A, S * A)


def by_state(table: Float[np.ndarray, "S A"]) -> sp.csr_array:
    """A table of one number for each parameter theta[s, a] as a matrix (S, S*A): row s has the parameters of state s."""
    S, A = table.shape
    return sp.csr_array((table.ravel(), np.arange(S * A), np.arange(0, S * A + 1, A)), shape=(S, S * A))
