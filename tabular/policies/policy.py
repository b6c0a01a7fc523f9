"""What every engine asks of a policy."""

from typing import Any, Protocol, Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidPolicy


class Policy(Protocol):
    """A parametrised distribution over actions in each state. D is the number of parameters, `theta.size`.

    `theta` keeps the shape in which it was given; every derivative is with respect to `theta.ravel()`.

    Theorem: T08.
    """

    @property
    def theta(self) -> np.ndarray:
        """The parameters."""
        ...

    @property
    def probabilities(self) -> Any:
        """pi(a|s), (S, A). (Any: type checkers do not take a cached property for a property.)"""
        ...

    @property
    def log_probabilities(self) -> Any:
        """log pi(a|s), (S, A); minus infinity where the probability is zero."""
        ...

    def with_theta(self, theta: np.ndarray) -> Self:
        """The same family at other parameters."""
        ...

    def pullback(self, W: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N D"]:
        """sum_sa W[..., s, a] grad log pi(a|s): from weights of scores to parameter space."""
        ...

    def pullback_size(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
        """The sum of the absolute values of all terms that `pullback` adds up, for W at least zero: its rounding errors are measured by it."""
        ...

    def pushforward(self, x: Float[np.ndarray, "*N D"]) -> Float[np.ndarray, "*N S A"]:
        """x . grad log pi(a|s), the derivative along x and the transpose of `pullback`: from parameter space to weights of scores."""
        ...

    def pullback_abs(self, W: Float[np.ndarray, "S A"]) -> np.ndarray | sp.csr_array:
        """sum_a |W[s, a]| |d log pi(a|s) / d theta_i| for each state s and parameter i, (S, D): what an error of W can do.

        Sparse where a parameter belongs to one state. Where W is zero the term is.
        """
        ...

    def log_hessian(self, W: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D D"]:
        """sum_sa W[s, a] (second derivative of log pi(a|s))."""
        ...


def require_policy(policy: object) -> None:
    """Refuse what has no probabilities: an array, a model, None.

    Raises:
        InvalidPolicy: it has none.
    """
    if not hasattr(policy, "probabilities"):
        raise InvalidPolicy(
            f"{type(policy).__name__} is not a policy: it has no `probabilities`. Give Softmax(theta), Direct(pi) or LogLinear(theta, features)."
        )


def score(policy: Policy) -> Float[np.ndarray, "S A D"]:
    """The table of scores, grad log pi(a|s). Memory S A D: `policy.pullback` does without the table."""
    S, A = policy.probabilities.shape
    return policy.pullback(np.eye(S * A).reshape(S, A, S, A)).reshape(S, A, -1)


def fisher(policy: Policy, d: Float[np.ndarray, "S"]) -> Float[np.ndarray, "D D"]:
    """Fisher information under the state weights d: sum_s d(s) sum_a pi(a|s) score score'. Cost O(S A D^2). Source: Kakade (2001)."""
    table = score(policy)
    return np.einsum("sa,sai,saj->ij", d[:, None] * policy.probabilities, table, table, optimize=True)
