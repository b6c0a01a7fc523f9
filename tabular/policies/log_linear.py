"""The log-linear policy, and the tied tables that it covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze
from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.policies.softmax import Softmax


@dataclass(frozen=True, eq=False)
class LogLinear:
    """pi(a|s) proportional to exp(sum_d features[s, a, d] theta[d]).

    Score: features[s, a] - sum_b pi(b|s) features[s, b].

    Theorem: T38.
    """

    theta: Float[np.ndarray, "D"]
    features: Float[np.ndarray, "S A D"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "theta", freeze("theta", self.theta, error=InvalidPolicy))
        object.__setattr__(self, "features", freeze("features", self.features, error=InvalidPolicy))
        if self.theta.ndim != 1 or self.features.ndim != 3 or self.features.shape[2] != self.theta.size:
            raise InvalidPolicy(f"theta has shape {self.theta.shape}, features {self.features.shape}; expected (D,) and (S, A, D) with one D.")

    def with_theta(self, theta: np.ndarray) -> Self:
        """The same features at other parameters."""
        return type(self)(np.reshape(theta, self.theta.shape), self.features)

    @cached_property
    def logits(self) -> Softmax:
        """The softmax policy of the logits features @ theta."""
        return Softmax(self.features @ self.theta)

    @property
    def log_probabilities(self) -> Float[np.ndarray, "S A"]:
        """log pi(a|s)."""
        return self.logits.log_probabilities

    @property
    def probabilities(self) -> Float[np.ndarray, "S A"]:
        """pi(a|s)."""
        return self.logits.probabilities

    def pullback(self, W: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N D"]:
        """Chain rule through the logits. Cost O(N S A D)."""
        return self.logits.pullback(W) @ self.features.reshape(-1, self.theta.size)

    def pullback_size(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
        """That of the logits, times the absolute features."""
        return self.logits.pullback_size(W) @ abs(self.features.reshape(-1, self.theta.size))

    def pushforward(self, x: Float[np.ndarray, "*N D"]) -> Float[np.ndarray, "*N S A"]:
        """The directional derivative of the logits, minus its mean over the actions. Cost O(N S A D)."""
        return self.logits.pushforward(x @ self.features.reshape(-1, self.theta.size).T)

    def pullback_abs(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "S D"]:
        """Through the table of scores, which is as large as that of the features."""
        scores = self.features - np.einsum("sa,sad->sd", self.probabilities, self.features)[:, None]
        return np.einsum("sa,sad->sd", abs(W), abs(scores))

    def log_hessian(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D D"]:
        """Chain rule through the logits, which are linear in theta."""
        flat = self.features.reshape(-1, self.theta.size)
        return flat.T @ self.logits.log_hessian(W) @ flat


def tied(logits: Float[np.ndarray, "R A"], rows: Sequence[int]) -> LogLinear:
    """A softmax table of R rows shared by S states: state s uses row rows[s]. Its theta is logits.ravel().

    >>> tied(np.log([[0.25, 0.75]]), rows=[0, 0]).probabilities
    array([[0.25, 0.75],
           [0.25, 0.75]])
    """
    table = freeze("logits", logits, error=InvalidPolicy)
    index = np.asarray(rows)
    if table.ndim != 2 or index.ndim != 1 or not ((index >= 0) & (index < len(table))).all():
        raise InvalidPolicy(f"tied: logits have shape {table.shape}, rows are {list(rows)}; expected (R, A) and one row number below R a state.")
    R, A = table.shape
    features = np.zeros((len(index), A, R, A))
    for a in range(A):
        features[np.arange(len(index)), a, index, a] = 1
    return LogLinear(table.ravel(), features.reshape(len(index), A, R * A))
