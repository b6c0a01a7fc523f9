"""Evolution strategies: the exact law of one antithetic pair, by quadrature."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_count
from pgtheory.tabular.errors import InvalidArgument, TooLarge

LIMIT = 10**6
"""Largest number of nodes."""


@dataclass(frozen=True, kw_only=True)
class PairLaw:
    """Mean and covariance of one antithetic pair."""

    mean: Float[np.ndarray, "D"]
    covariance: Float[np.ndarray, "D D"]


def antithetic_law(F: Callable[[np.ndarray], np.ndarray], w: Float[np.ndarray, "D"], s: float, *, degree: int) -> PairLaw:
    """The law of (F(w + s e) - F(w - s e)) e / (2 s), e standard normal. The mean is the gradient of the smoothed function E[F(w + s e)].

    Gauss-Hermite quadrature with degree + 2 nodes a dimension is exact for polynomials F up to `degree` in each coordinate: of one degree, mean and covariance have integrands of degree
    2 degree + 2 at most. Cost: (degree + 2)^D values of F.

    Args:
        F: maps points (N, D) to values (N,).
        degree: of the polynomial F.

    Raises:
        InvalidArgument: w has no shape (D,), s is not positive.
        TooLarge: more than a million nodes.

    Source: Salimans et al. (2017); Nesterov and Spokoiny (2017) for the smoothed gradient.

    >>> import numpy as np
    >>> antithetic_law(lambda x: x @ np.array([1.0, 2.0]), np.zeros(2), 0.5, degree=1).mean.round(12)
    array([1., 2.])
    """
    w = freeze("w", w, error=InvalidArgument)
    if not 0 < s < np.inf:
        raise InvalidArgument(f"s is {s}, expected a positive finite number: the points lie s e to either side of w.")
    if w.ndim != 1 or not w.size:
        raise InvalidArgument(f"w has shape {w.shape}, expected (D,).")
    n, D = require_count("degree", degree) + 2, len(w)
    if n**D > LIMIT:
        raise TooLarge(f"{n} nodes in each of {D} dimensions are {n**D}, more than {LIMIT}. Take fewer dimensions or a smaller degree.")
    x, weight = np.polynomial.hermite_e.hermegauss(n)
    e = np.stack(np.meshgrid(*[x] * D, indexing="ij"), axis=-1).reshape(-1, D)
    chance = np.prod(np.stack(np.meshgrid(*[weight / weight.sum()] * D, indexing="ij"), axis=-1).reshape(-1, D), axis=1)
    g = ((F(w + s * e) - F(w - s * e)) / (2 * s))[:, None] * e
    mean = chance @ g
    return PairLaw(mean=mean, covariance=(g * chance[:, None]).T @ g - np.outer(mean, mean))
