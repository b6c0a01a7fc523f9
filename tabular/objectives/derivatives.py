"""Derivatives of the probabilities themselves, and the sums of them that value functions need.

pi score = grad pi, and pi (score score' + second derivative of log pi) = second derivative of pi. For the direct parametrisation grad pi is the identity and
the second derivative zero, also on the boundary of the simplex, where scores do not exist.
"""

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import first
from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.policy import Policy, score
from pgtheory.tabular.policies.softmax import Softmax, by_state


def probability_gradient(policy: Policy) -> Float[np.ndarray, "S A D"]:
    """grad pi(a|s) as a table. Memory S A D.

    Theorem: T29.
    """
    pi = policy.probabilities
    return np.eye(pi.size).reshape(*pi.shape, pi.size) if isinstance(policy, Direct) else pi[..., None] * score(policy)


def probability_pullback(policy: Policy, U: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
    """sum_sa U[s, a] grad pi(a|s), without the table.

    Theorem: T36.
    """
    return U.ravel().copy() if isinstance(policy, Direct) else policy.pullback(policy.probabilities * U)


def parameters_of_one_state(policy: Policy) -> bool:
    """Whether each parameter moves the probabilities of one state only, so that a pullback sums over its actions and nothing else."""
    return isinstance(policy, Direct | Softmax)


def probability_pullback_abs(policy: Policy, U: Float[np.ndarray, "S A"]) -> np.ndarray | sp.csr_array:
    """sum_a |U[s, a]| |d pi(a|s) / d theta_i|, (S, D), without the table: sparse where a parameter belongs to one state."""
    return by_state(abs(U)) if isinstance(policy, Direct) else policy.pullback_abs(policy.probabilities * U)


def probability_pullback_size(policy: Policy, U: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
    """The sum of the absolute values of all terms that `probability_pullback` adds up, for U at least zero: its rounding is measured by it."""
    return U.ravel().copy() if isinstance(policy, Direct) else policy.pullback_size(policy.probabilities * U)


def probability_hessian(policy: Policy, U: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D D"]:
    """sum_sa U[s, a] (second derivative of pi(a|s)). Cost O(S A D^2)."""
    if isinstance(policy, Direct):
        return np.zeros((U.size, U.size))
    W = policy.probabilities * U
    return score_products(policy, sp.diags_array(W.ravel())) + policy.log_hessian(W)


def score_products(policy: Policy, B: sp.sparray) -> Float[np.ndarray, "D D"]:
    """sum_ij B[i, j] score_i score_j' over pairs i = s*A + a; B is sparse (S*A, S*A). Cost O(nnz(B) D + S A D^2)."""
    table = score(policy).reshape(B.shape[0], -1)
    return table.T @ (B @ table)


def require_interior(policy: Policy, where: Bool[np.ndarray, "S A"], name: str) -> None:
    """Refuse a policy that gives probability zero to an action in `where`: there the derivatives of `name` do not exist or are not found by scores.

    A softmax whose probability underflows passes: its log-probability is finite.
    """
    wrong = where & np.isneginf(policy.log_probabilities)
    if wrong.any():
        s, a = first(wrong)
        raise InvalidPolicy(
            f"the current policy gives action {a} in state {s} probability 0; the derivatives of {name} are for positive probabilities only. "
            "Move theta into the interior of the simplex."
        )
