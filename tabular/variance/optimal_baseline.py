"""The least total variance that the values inside an estimate can reach, the values that reach it, and how far an estimate is from it.

For reward-to-go (GAE with lambda = 1 that does not bootstrap) and scores of mean zero under the policy of the data, the parts Z_s = -sum_t nu^t psi_t 1{s_t = s} of different
states, or steps, are not correlated: E[Z_s . Z_s'] = 0. So the quadratic of `optimal_critic.py` falls apart into one for each value,

    b*(s) = -E[Z_s . g_0] / E|Z_s|^2,    tr Cov(b) - tr Cov(b*) = sum_s E|Z_s|^2 (b(s) - b*(s))^2,

with g_0 the estimate without baseline. E[Z_s . g_0] has the terms |psi_t|^2 G_t, of which alone the baseline of single samples of (state, action) is made, and the products
of psi_t with the steps before and after it. Everything else, critics and scores with a mean, is a linear system; the whole return has its own closed form (`whole_baseline.py`).
Source: Greensmith, Bartlett and Baxter (2004), JMLR 5, Theorem 8, for single samples; Peters and Schaal (2008) for one baseline a parameter and step. Here: a whole trajectory.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.baselines import Given
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo, WholeReturn
from pgtheory.tabular.laws.forms import Whole, form_of
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.laws.types import require_parts
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.along import total_variance
from pgtheory.tabular.variance.directions import Problem
from pgtheory.tabular.variance.optimal_critic import Quadratic, critic_of_least_variance
from pgtheory.tabular.variance.whole_baseline import whole_return_values


@dataclass(frozen=True, eq=False, kw_only=True)
class Optimum:
    """The least that the values inside an estimate can make its total variance.

    Attributes:
        values: the values that reach it, (S,), or one row a step.
        estimator: the estimate with these values.
        least: its total variance.
        given: total variance of the estimate as it was given.
        residual: largest derivative of the variance at `values`, relative to the terms that one at zero values is a sum of.
    """

    values: Float[np.ndarray, "*T S"]
    estimator: PolicyGradient
    least: float
    given: float
    residual: float

    @property
    def excess(self) -> float:
        """How much of the given variance other values would save."""
        return self.given - self.least


def least_variance(estimator: PolicyGradient, sampling: object, scene: Scene, *, by_step: bool = False, workers: int = 1) -> Optimum:
    """The baseline or critic of least total variance of an estimate, exactly, and what the given one wastes.

    Args:
        estimator: PolicyGradient of RewardToGo, WholeReturn or GAE, with any baseline or critic.
        by_step: values (T, S), of their own at each step, instead of (S,).

    Cost: two total variances (for the whole return, two laws) and `optimal_values`.

    Raises:
        InvalidArgument, NonTerminating, NotConverged: as `optimal_values`.

    Theorem: T45.
    """
    values, residual = optimal_values(estimator, sampling, scene, by_step=by_step)
    best = with_values(estimator, values)
    whole = isinstance(estimator.advantage, WholeReturn)
    total = lambda e: law(e, sampling, scene).variance if whole else total_variance(e, sampling, scene, workers=workers)
    least, given = total(best), total(estimator)
    return Optimum(values=values, estimator=best, least=least, given=given, residual=residual)


def optimal_values(estimator: PolicyGradient, sampling: object, scene: Scene, *, by_step: bool = False) -> tuple[Float[np.ndarray, "*T S"], float]:
    """The values of least total variance, and the largest derivative left, relative to the terms it is a sum of. Zero where no value has an effect.

    Cost: 5 T nnz D multiply-adds, 2 T S numbers a column of a block; for a critic, or scores with a mean, that times the steps of conjugate gradients.

    Raises:
        InvalidArgument: the estimator has no values, is not of the GAE family, or its rows share their first state; `by_step` without horizon.
        NonTerminating: no horizon, scores that are not discounted, and episodes that may run for ever.
        NotConverged: the linear system is too ill-conditioned.

    Theorem: T21.
    """
    require_parts(estimator, sampling, scene)
    form = form_of(with_values(estimator, np.ones(scene.mdp.S)), sampling, scene)
    if isinstance(form, Whole):
        return whole_return_values(form, Rewards(scene.mdp), scene.policy(), by_step=by_step), 0.0
    quadratic = quadratic_of(estimator, sampling, scene, by_step=by_step)
    values, residual, apart = critic_of_least_variance(quadratic)
    if not apart and quadratic.problem.form.rows.start != "row":
        raise InvalidArgument(
            f"under {type(sampling).__name__} rows share their first state, and given that state the mean of this estimate depends on its values. "
            "Take OnPolicy or OffPolicy, or a reward-to-go with scores of mean zero."
        )
    return values, residual


@dataclass(frozen=True, eq=False, kw_only=True)
class LeastVariance:
    """Values of least total variance for an estimate, found again at each point of the scene: a baseline for RewardToGo, a critic for GAE.

    Attributes:
        estimator: the estimate; the values inside it do not matter.
        sampling: the law of its data.
        by_step: values of their own at each step.
    """

    estimator: PolicyGradient
    sampling: object = field(default_factory=OnPolicy)
    by_step: bool = False

    def __call__(self, scene: Scene) -> Float[np.ndarray, "*T S"]:
        return optimal_values(self.estimator, self.sampling, scene, by_step=self.by_step)[0]


def with_values(estimator: PolicyGradient, values: Float[np.ndarray, "*T S"]) -> PolicyGradient:
    """The estimate with other values inside.

    Raises:
        InvalidArgument: there are none inside.
    """
    match getattr(estimator, "advantage", None):
        case GAE() as advantage:
            return replace(estimator, advantage=replace(advantage, critic=Given(values)))
        case RewardToGo() | WholeReturn() as advantage:
            return replace(estimator, advantage=replace(advantage, baseline=Given(values)))
        case other:
            raise InvalidArgument(
                f"{type(estimator).__name__} with the advantage {type(other).__name__} has no values whose best choice is known. Give a PolicyGradient of RewardToGo, WholeReturn or GAE."
            )


def quadratic_of(estimator: PolicyGradient, sampling: object, scene: Scene, *, by_step: bool) -> Quadratic:
    """The total variance as a function of the values; whether they stand after the last step too is seen with values of one."""
    problem = Problem.of(with_values(estimator, np.ones(scene.mdp.S)), sampling, scene)
    return Quadratic(problem=problem, bootstraps=bool(problem.form.final.any()), by_step=by_step)
