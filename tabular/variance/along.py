"""The noise of an estimate along directions: Var <x, g> without the covariance, hence for models of any size.

A direction x replaces tables of S D numbers by vectors of S numbers: the recursion of `conditional.py` runs backwards over the steps and keeps nothing of them.
Unit vectors give the variance of each parameter, random signs an estimate of the total variance (Hutchinson 1990).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_count, require_generator
from pgtheory.tabular.laws.forms import LeftOut, Whole, family_of, form_of
from pgtheory.tabular.laws.types import Estimator, require_parts
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.blocks import over_blocks
from pgtheory.tabular.variance.directions import Problem, require_directions, units
from pgtheory.tabular.variance.rows import Rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Along:
    """Mean and variance of <x, g> for k directions x."""

    mean: Float[np.ndarray, "k"]
    variance: Float[np.ndarray, "k"]


@dataclass(frozen=True, kw_only=True)
class Probed:
    """An unbiased estimate of the total variance, with its standard error over the probes."""

    variance: float
    error: float


def variance_along(estimator: Estimator, sampling: object, scene: Scene, X: Float[np.ndarray, "k D"]) -> Along:
    """Mean and variance of the estimate of one data set along each row of X, exactly.

    Cost a direction: O(T nnz) time, or five linear systems without horizon; O(S A) memory beside the model and a copy of its nonzeros. Of a whole return and of a
    group's mean: O(T S A) memory (`rows.py`).
    Systems that are solved by iteration (large sparse models) are right to ten digits of their largest entry, everything else to rounding.

    Raises:
        InvalidArgument: X is not (k, D), or the estimator has no recursion.
        NonTerminating: no horizon, scores that are not discounted, and episodes that may run for ever.
    """
    problem = problem_of(estimator, sampling, scene)
    X = require_directions(X, problem.policy.theta.size)
    parts = over_blocks(lambda begin, end: problem.parts(X[begin:end]), len(X), size=problem.size, workers=1)
    return Along(mean=np.concatenate([part.mean for part in parts]), variance=np.concatenate([part.start + part.rest[0] for part in parts]))


def parameter_variances(estimator: Estimator, sampling: object, scene: Scene, *, workers: int = 1) -> Float[np.ndarray, "D"]:
    """The variance of each parameter's estimate, the diagonal of the covariance, without the covariance.

    Cost: O(D T nnz) time; O(S A) memory a column of a block, and blocks are made as wide as a fixed budget allows. The bits do not depend on `workers`.

    Raises:
        InvalidArgument, NonTerminating: as `variance_along`; workers is not a whole number of at least 1.
    """
    return unit_variances(problem_of(estimator, sampling, scene), workers=workers)


def total_variance(estimator: Estimator, sampling: object, scene: Scene, *, workers: int = 1) -> float:
    """The trace of the covariance, exactly: the sum of `parameter_variances`, at the same cost."""
    return float(parameter_variances(estimator, sampling, scene, workers=workers).sum())


def probed_variance(estimator: Estimator, sampling: object, scene: Scene, *, probes: int, rng: np.random.Generator) -> Probed:
    """The trace of the covariance from random directions z of signs: E[z' Cov z] = tr Cov.

    Each probe has the variance 2 (|Cov|_F^2 - |diag Cov|^2): none if parameters are not correlated. Cost: `probes` directions.
    Source: Hutchinson (1990); the variance of a probe, Avron and Toledo (2011), Lemma 5.

    Raises:
        InvalidArgument, NonTerminating: as `variance_along`; fewer than two probes, which have no standard error; rng is no generator.
    """
    require_parts(estimator, sampling, scene)
    D = scene.policy().theta.size
    signs = require_generator(rng).choice([-1.0, 1.0], size=(require_count("probes", probes, least=2), D))
    found = variance_along(estimator, sampling, scene, signs).variance
    return Probed(variance=float(found.mean()), error=float(found.std(ddof=1) / np.sqrt(probes)))


def problem_of(estimator: Estimator, sampling: object, scene: Scene) -> Problem | Rows:
    """The estimator as something that has a variance along directions.

    Raises:
        InvalidArgument, NonTerminating: as `variance_along`.
    """
    require_parts(estimator, sampling, scene)
    if family_of(estimator, sampling) in (Whole, LeftOut):
        form = form_of(estimator, sampling, scene)
        return Rows(form=form, scene=scene)  # type: ignore[arg-type]
    return Problem.of(estimator, sampling, scene)


def unit_variances(problem: Problem | Rows, *, workers: int) -> Float[np.ndarray, "D"]:
    """Variances along the unit vectors, block by block."""
    blocks = over_blocks(partial(_block, problem), problem.policy.theta.size, size=problem.size, workers=workers)
    return np.concatenate(blocks)


def _block(problem: Problem | Rows, begin: int, end: int) -> Float[np.ndarray, "k"]:
    parts = problem.parts(units(problem.policy, begin, end))
    return parts.start + parts.rest[0]
