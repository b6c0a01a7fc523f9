"""Least-squares policy evaluation with linear features, from the moments of a law over pairs (s, a) instead of samples.

    w = (Sigma + ridge I)^-1 E[phi y],    Sigma = E[phi phi'],    uncertainty(s, a) = sqrt(phi' (Sigma + ridge I)^-1 phi).

If y is linear in phi, y = phi' u, the fit is off by -ridge phi' (Sigma + ridge I)^-1 u, at most sqrt(ridge) |u| times the uncertainty; and the mean square of the
uncertainty under the law itself is at most d: it is small where the data are. In a linear MDP, P(t|s, a) = phi(s, a)' psi(t) and costs linear in phi,
action values of every policy are linear in phi, and backward regression without ridge finds them.
Source: Bradtke and Barto (1996); Jin et al. (2020); Sherman, Koren and Mansour (2023).
"""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_nonnegative, require_shape
from pgtheory.tabular.dynamics.adversarial import dense_moves
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import as_mdp

MISFIT = 1e-9
"""Residual of probabilities up to which moves count as linear in the features: the root of a rounding times a condition number of 10."""


def covariance(phi: Float[np.ndarray, "S A D"], weights: Float[np.ndarray, "*H S A"]) -> Float[np.ndarray, "*H D D"]:
    """Sigma. The weights need not sum to one: sums of visits give the matrix of all data so far."""
    return np.einsum("...sa,sad,sae->...de", checked(phi, weights), phi, phi, optimize=True)


def fit(
    phi: Float[np.ndarray, "S A D"], weights: Float[np.ndarray, "*H S A"], y: Float[np.ndarray, "*H S A"], ridge: float
) -> Float[np.ndarray, "*H D"]:
    """w, one for each leading index. Cost O(S A D^2 + D^3).

    Raises:
        InvalidArgument: negative ridge or weights, shapes that do not fit, or no ridge and a singular Sigma.
    """
    moment = np.einsum("...sa,sad,...sa->...d", checked(phi, weights), phi, y, optimize=True)
    return np.linalg.solve(regular(phi, weights, ridge), moment[..., None])[..., 0]


def uncertainty(phi: Float[np.ndarray, "S A D"], weights: Float[np.ndarray, "*H S A"], ridge: float) -> Float[np.ndarray, "*H S A"]:
    """sqrt(phi' (Sigma + ridge I)^-1 phi). Cost O(S A D^2 + D^3).

    Raises:
        InvalidArgument: as `fit`.
    """
    return np.sqrt(np.einsum("sad,...de,sae->...sa", phi, np.linalg.inv(regular(phi, weights, ridge)), phi, optimize=True))


def least_squares_evaluation(
    model: object,
    phi: Float[np.ndarray, "S A D"],
    weights: Float[np.ndarray, "H S A"],
    cost: Float[np.ndarray, "H S A"],
    pi: Float[np.ndarray, "H S A"],
    ridge: float,
) -> Float[np.ndarray, "H S A"]:
    """Q_h = phi w_h, w_h fitted to cost_h + P V_{h+1}, V = <pi, Q>, last step first. Cost O(H (S^2 A + S A D^2 + D^3)).

    Raises:
        InvalidArgument: as `fit`.
    """
    P, Q = dense_moves(as_mdp(model)), np.zeros(np.shape(cost))
    V = np.zeros(P.shape[0])
    for h in range(len(Q) - 1, -1, -1):
        Q[h] = phi @ fit(phi, weights[h], cost[h] + P @ V, ridge)
        V = (pi[h] * Q[h]).sum(axis=1)
    return Q


def linear_moves(model: object, phi: Float[np.ndarray, "S A D"]) -> Float[np.ndarray, "D S"]:
    """psi with P(t|s, a) = phi(s, a)' psi(t): of all, the one of least norm.

    Raises:
        InvalidArgument: there is none: the model is not linear in these features.
    """
    P = dense_moves(as_mdp(model))
    require_shape("phi", phi, (*P.shape[:2], *np.shape(phi)[-1:]), "S, A, D", error=InvalidArgument)
    rows = np.reshape(phi, (P.shape[0] * P.shape[1], -1))
    psi = np.linalg.lstsq(rows, P.reshape(len(rows), -1), rcond=None)[0]
    misfit = abs(rows @ psi - P.reshape(len(rows), -1)).max(axis=1)
    if misfit.max() > MISFIT:
        s, a = divmod(int(misfit.argmax()), P.shape[1])
        raise InvalidArgument(
            f"the moves are not linear in phi: at state {s}, action {a} the nearest linear ones are off by {misfit.max():.3g}. "
            "Backward regression is then biased. Add features, or take one a pair, np.eye(S * A)."
        )
    return psi


def regular(phi: np.ndarray, weights: np.ndarray, ridge: float) -> np.ndarray:
    """Sigma + ridge I, if it can be inverted."""
    if not 0 <= ridge < np.inf:
        raise InvalidArgument(f"ridge is {ridge}, expected a finite number of at least 0.")
    matrix = covariance(phi, weights) + ridge * np.eye(phi.shape[2])
    if np.linalg.matrix_rank(matrix, hermitian=True).min() < phi.shape[2]:
        raise InvalidArgument(
            f"Sigma + {ridge:g} I is singular: some direction of the features has no weight. Give a positive ridge, or weights that cover it."
        )
    return matrix


def checked(phi: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weights, if they fit."""
    weights = freeze("weights", weights, error=InvalidArgument)
    require_nonnegative("weights", weights, error=InvalidArgument)
    if np.ndim(phi) != 3 or weights.shape[-2:] != phi.shape[:2]:
        raise InvalidArgument(f"phi has shape {np.shape(phi)}, weights {weights.shape}; expected (S, A, D) and (..., S, A).")
    return weights
