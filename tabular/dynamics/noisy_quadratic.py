"""A concave quadratic with noisy gradients, on which the moments of every linear update close: exact errors without a seed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_count
from pgtheory.tabular.dynamics.oracles import FunctionOracle
from pgtheory.tabular.dynamics.tracking import Recursive, Tracking, Transported
from pgtheory.tabular.errors import InvalidArgument


@dataclass(frozen=True, eq=False)
class NoisyQuadratic:
    """J(x) = -x' H x / 2, whose gradient is seen as -H x + noise, and the difference of two gradients as -H u + noise |u|, u = x - x_last.

    As a `Sampler` both noises are normal and independent, with E|noise of the gradient|^2 = sigma^2, E|noise of the difference|^2 = slope^2 |u|^2,
    the same in every direction.

    Attributes:
        H: symmetric, positive semidefinite.
        sigma: size of the gradient's noise.
        slope: size of the difference's noise for |u| = 1.
    """

    H: Float[np.ndarray, "D D"]
    sigma: float
    slope: float = 0.0

    def __post_init__(self) -> None:
        H = freeze("H", self.H, error=InvalidArgument)
        if H.ndim != 2 or H.shape[0] != H.shape[1] or not H.size or (H != H.T).any() or np.linalg.eigvalsh(H)[0] < -1e-12 * abs(H).max():
            raise InvalidArgument("H is not a symmetric, positive semidefinite matrix.")
        object.__setattr__(self, "H", H)
        for name in ("sigma", "slope"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InvalidArgument(f"{name} is {getattr(self, name)}, expected a finite number of at least 0.")

    @cached_property
    def oracle(self) -> FunctionOracle:
        """Value and exact gradient."""
        return FunctionOracle(lambda x: -np.einsum("ni,ij,nj->n", x, self.H, x) / 2, lambda x: -x @ self.H, optimal_value=0.0)

    def gradient(self, theta: Float[np.ndarray, "N D"], rng: np.random.Generator) -> Float[np.ndarray, "N D"]:
        """-H x + noise."""
        return -theta @ self.H + self.sigma / np.sqrt(len(self.H)) * rng.normal(size=theta.shape)

    def with_difference(
        self, theta: Float[np.ndarray, "N D"], last: Float[np.ndarray, "N D"], rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N D"]]:
        """The gradient, and -H u + noise |u|."""
        u = theta - last
        noise = self.slope / np.sqrt(len(self.H)) * np.linalg.norm(u, axis=1, keepdims=True) * rng.normal(size=u.shape)
        return self.gradient(theta, rng), -u @ self.H + noise


def tracking_error(update: Tracking, problem: NoisyQuadratic, theta: Float[np.ndarray, "D"], steps: int) -> Float[np.ndarray, "T"]:
    """E|d_t - grad J(theta_t)|^2 for t = 0, ..., steps - 1, exactly.

    Not normalised: the second moment of (theta_t, theta_{t-1}, d_{t-1}) obeys a linear recursion. Normalised: |theta_t - theta_{t-1}| is the step size c_t,
    and where the rule follows the quadratic's gradient without lag (transported, recursive),

        error_t = (1 - eta_t)^2 (error_{t-1} + slope^2 c_{t-1}^2) + eta_t^2 sigma^2      (without the slope for the transported rule).

    Cost: O(D^3) a step, O(1) when normalised.

    Raises:
        InvalidArgument: a rule whose moments do not close: plain momentum with normalised steps.
    """
    require_count("steps", steps)
    theta = freeze("theta", theta, error=InvalidArgument)
    return _normalised(update, problem, theta, steps) if update.normalised else _linear(update, problem, theta, steps)


def _normalised(update: Tracking, problem: NoisyQuadratic, theta: np.ndarray, steps: int) -> np.ndarray:
    if not isinstance(update, Recursive | Transported):
        raise InvalidArgument(f"the moments of {type(update).__name__} with normalised steps do not close. Give normalised=False, or draw seeds.")
    slope = problem.slope if isinstance(update, Recursive) else 0.0
    # d before the first sample is 0: off by the whole gradient.
    error, length, errors = float(((problem.H @ theta) ** 2).sum()), 0.0, []
    for t in range(steps):
        eta = update.eta(t)
        error = (1 - eta) ** 2 * (error + slope**2 * length**2) + eta**2 * problem.sigma**2
        errors.append(error)
        length = _size(update, t)
    return np.array(errors)


def _linear(update: Tracking, problem: NoisyQuadratic, theta: np.ndarray, steps: int) -> np.ndarray:
    H, D = problem.H, len(problem.H)
    eye, zero = np.eye(D), np.zeros((D, D))
    z = np.concatenate([theta, theta, np.zeros(D)])
    moment, errors = np.outer(z, z), []
    follows = isinstance(update, Recursive)
    for t in range(steps):
        eta, size = update.eta(t), _size(update, t)
        ahead = (1 - eta) / eta if isinstance(update, Transported) else 0.0
        # d_t as a function of (theta_t, theta_{t-1}, d_{t-1}).
        d = np.hstack([-eta * (1 + ahead) * H, eta * ahead * H, (1 - eta) * eye])
        u = np.hstack([eye, -eye, zero])
        noise = eta**2 * problem.sigma**2
        if follows:
            d = d - (1 - eta) * H @ u
            noise += (1 - eta) ** 2 * problem.slope**2 * np.trace(u @ moment @ u.T)
        error = d + np.hstack([H, zero, zero])
        errors.append(np.trace(error @ moment @ error.T) + noise)
        A = np.vstack([np.hstack([eye, zero, zero]) + size * d, np.hstack([eye, zero, zero]), d])
        B = np.vstack([size * eye, zero, eye])
        moment = A @ moment @ A.T + noise / D * B @ B.T
    return np.array(errors)


def _size(update: Tracking, t: int) -> float:
    """The step size at t, which must not look at the point."""
    return float(update.step_size(t, None, None, None))  # type: ignore[arg-type]
