"""The values inside an estimate that make its total variance least: the critic of GAE(lambda), and state baselines where scores have a mean.

An estimate is affine in its values, g = g_r + sum_s V(s) Z_s, so that its total variance is a convex quadratic of them with

    (1/2) d tr Cov(g) / d V(s) = E[Z_s . g] - E[Z_s] . E[g],    (1/2) Hessian v = the same for the model without rewards and the values v.

For lambda < 1 the mean depends on V as well: the critic of least variance is not the one of least second moment, and it may be more biased than another.
The system is solved by conjugate gradients, preconditioned by E|Z_{t, s}|^2. It is singular for states that are never visited (their values stay zero) and may be for
constants: any solution has the same variance.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.variance.blocks import over_blocks
from pgtheory.tabular.variance.directions import Problem, units
from pgtheory.tabular.variance.pairing import Pairing

TOLERANCE = 1e-12
"""Largest derivative at the optimum, relative to the terms that a derivative at zero values is a sum of: some thousand roundings."""

ENOUGH = 1e-9
"""Largest derivative that is accepted where rounding allows no smaller one: its square is the relative excess of the variance."""

FLAT = 1e-13
"""Curvature relative to the preconditioner below which a direction has no effect but that of rounding."""

RESTARTS = 4
"""Conjugate gradients start again from the true residual, until it is small: their own drifts away from it."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The total variance of one row as a function of the values: (S,), or with `by_step` (T, S), and one row more where the estimate bootstraps at the cut.

    Raises:
        InvalidArgument: `by_step` without horizon.
    """

    problem: Problem
    bootstraps: bool
    by_step: bool

    def __post_init__(self) -> None:
        if self.by_step and self.problem.form.horizon is None:
            raise InvalidArgument("values of their own at each step need a horizon. Give the sampling or the model one, or leave by_step=False.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        S = self.problem.rewards.mdp.S
        return (self.problem.form.horizon + self.bootstraps, S) if self.by_step else (S,)

    @cached_property
    def silent(self) -> Rewards:
        """The model without rewards."""
        mdp = self.problem.rewards.mdp
        return Rewards(replace(mdp, r=np.zeros((mdp.S, mdp.A)), r2=None, outcomes=None, r_end=None, r2_end=None))

    def pairing(self, values: np.ndarray, rewards: Rewards) -> Pairing:
        """The sums for an estimate with these values."""
        form = self.problem.form
        after = (values[-1] if self.by_step else values) if self.bootstraps else np.zeros_like(form.final)
        before = values[: form.horizon] if self.by_step else values
        return Pairing(rewards=rewards, form=replace(form, values=before, final=after), systems=self.problem.systems)

    def fold(self, sums: Float[np.ndarray, "T1 S"]) -> np.ndarray:
        """Sums for each step as sums for each value."""
        if self.problem.form.horizon is None:
            return sums[0]
        sums = sums if self.bootstraps else sums[:-1]
        return sums if self.by_step else sums.sum(axis=0)

    def gradient(self, values: np.ndarray, rewards: Rewards | None = None) -> tuple[np.ndarray, np.ndarray, float]:
        """Half the gradient at `values`, E|Z|^2 summed over the steps, and the largest sum of absolute terms of a derivative.

        Cost: see `Pairing.second`, for all parameters.
        """
        problem = self.problem
        pairing = self.pairing(values, problem.rewards if rewards is None else rewards)
        steps = problem.form.horizon or 1
        work = lambda begin, end: pairing.second(problem.columns(units(problem.policy, begin, end)).psi)
        blocks = over_blocks(work, problem.policy.theta.size, size=problem.size + steps * self.shape[-1], workers=1)
        second, size = np.sum(blocks, axis=0)
        mean = problem.policy.pullback(problem.form.ratio * pairing.weight())
        first = pairing.first(problem.columns(mean[None]).psi[..., 0])
        return self.fold(second - first), self.fold(size), float(self.fold(abs(second) + abs(first)).max())


def critic_of_least_variance(quadratic: Quadratic) -> tuple[np.ndarray, float, bool]:
    """(values, largest derivative there relative to the terms of one at zero values, whether one value after the other is enough).

    The first step treats the Hessian as if it were its preconditioner: where the parts of different values are not correlated this is the answer, in closed form.
    Else conjugate gradients. Cost: a gradient a step, at most as many steps as there are values, in exact arithmetic.

    Raises:
        NotConverged: the derivative stays far above TOLERANCE; `best` are the best values found.
    """
    zero = np.zeros(quadratic.shape)
    slope, size, scale = quadratic.gradient(zero)
    if abs(slope).max() <= TOLERANCE * scale:
        return zero, 0.0, True
    free = size > 0

    def hessian(x: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        full = np.zeros(quadratic.shape)
        full[free] = x
        return quadratic.gradient(full, quadratic.silent)[0][free]

    def judged(values: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        left = quadratic.gradient(values)[0][free]
        return float(abs(left).max() / scale), values, left

    best = judged(np.divide(-slope, size, out=np.zeros_like(size), where=free))
    apart = best[0] <= TOLERANCE
    for _ in range(RESTARTS):
        if best[0] <= TOLERANCE:
            break
        values = best[1].copy()
        values[free] += conjugate_gradients(hessian, -best[2], size[free], TOLERANCE / 10 * scale)
        best = min(best, judged(values), key=lambda found: found[0])
    residual, values, _ = best
    if not residual <= ENOUGH:
        raise NotConverged(
            f"conjugate gradients leave a relative derivative of {residual:.1e}: the variance hardly depends on some combination of the {free.sum()} values. "
            "Take fewer states, or the best values found.",
            best=values,
            bound=np.inf,
        )
    return values, residual, apart


def conjugate_gradients(
    hessian: Callable[[np.ndarray], np.ndarray], b: Float[np.ndarray, "n"], size: Float[np.ndarray, "n"], tolerance: float
) -> Float[np.ndarray, "n"]:
    """x with H x = b to `tolerance`, preconditioned by `size`; it stops where a direction has no curvature, which H may lack but b must not meet.

    Source: Hestenes and Stiefel (1952); Golub and Van Loan (2013), Algorithm 11.5.1.
    """
    x, left = np.zeros_like(b), b
    direction = left / size
    product = left @ direction
    for _ in range(2 * len(b) + 20):
        if abs(left).max() <= tolerance:
            break
        bent = hessian(direction)
        curvature = direction @ bent
        if not curvature > FLAT * (direction**2 @ size):
            break
        x, left = x + product / curvature * direction, left - product / curvature * bent
        scaled, before = left / size, product
        product = left @ scaled
        direction = scaled + product / before * direction
    return x
