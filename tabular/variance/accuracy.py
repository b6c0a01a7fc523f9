"""How close an estimate comes to the gradient of the return: bias and noise, the batch that a wanted accuracy takes, the best lambda of GAE.

    E|mean of N estimates - grad J|^2 = |bias|^2 + tr Cov / N.

With lambda < 1 a wrong critic biases GAE and its noise is small, with lambda = 1 there is no bias; which is better depends on N.
"""

from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from numbers import Real

import numpy as np
from jaxtyping import Float
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebinterpolate

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.along import problem_of, unit_variances
from pgtheory.tabular.variance.blocks import BUDGET, TABLES, over_blocks
from pgtheory.tabular.variance.directions import Problem

NEGLIGIBLE = 1e-10
"""Last coefficients of a series relative to its largest, below which it counts as the function."""

ROUNDING = 1e-13
"""Rounding of the bias relative to |grad J|: some thousand roundings."""

DEGREES = (16, 32, 64, 128, 256)
"""Degrees of the series that are tried. Without horizon the coefficients fall like 1.22^-n for gamma = 0.99, 1.15^-n for gamma = 0.995."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Accuracy:
    """The moments of one estimate beside its target.

    Attributes:
        gradient: grad J.
        bias: E[g] - grad J.
        variance: tr Cov(g).
    """

    gradient: Float[np.ndarray, "D"]
    bias: Float[np.ndarray, "D"]
    variance: float

    def error(self, N: int) -> float:
        """E|mean of N independent estimates - grad J|^2."""
        return float(self.bias @ self.bias) + self.variance / float(require_count("N", N))

    def signal_to_noise(self, N: int) -> float:
        """|grad J|^2 / (tr Cov / N); infinite without noise."""
        noise = self.variance / float(require_count("N", N))
        return float(self.gradient @ self.gradient) / noise if noise > 0 else np.inf

    def batch_size(self, relative: float) -> int:
        """The least N whose root mean squared error is at most `relative` |grad J|.

        Raises:
            InvalidArgument: relative is not positive, or the bias alone is larger.
        """
        if not isinstance(relative, Real) or isinstance(relative, bool) or not relative > 0:
            raise InvalidArgument(f"relative is {relative!r}, expected a positive number: the error allowed, as a part of |grad J|.")
        allowed, bias = relative**2 * float(self.gradient @ self.gradient), float(self.bias @ self.bias)
        if bias + self.variance <= allowed:
            return 1
        if bias >= allowed:
            raise InvalidArgument(
                f"the bias is {np.sqrt(bias):.4g}, and the error allowed is {np.sqrt(allowed):.4g} = {relative:g} |grad J|: no batch is large enough. "
                "Take a larger lambda, a better critic, or allow more."
            )
        return ceil(self.variance / (allowed - bias))


def accuracy_of(estimator: Estimator, sampling: object, scene: Scene, *, workers: int = 1) -> Accuracy:
    """Bias and variance of the estimate of one data set, exactly. Cost: `total_variance` and one evaluation of the policy.

    Raises:
        InvalidArgument, NonTerminating: as `total_variance`; the return of the current policy does not exist.
    """
    problem = problem_of(estimator, sampling, scene)
    gradient = Return().gradient(scene)
    return Accuracy(gradient=gradient, bias=problem.mean() - gradient, variance=float(unit_variances(problem, workers=workers).sum()))


@dataclass(frozen=True, eq=False, kw_only=True)
class Tradeoff:
    """Squared bias and total variance of GAE as functions of lambda in [0, 1], Chebyshev series.

    Attributes:
        squared_bias: |E[g] - grad J|^2.
        variance: tr Cov(g).
    """

    squared_bias: Chebyshev
    variance: Chebyshev

    def error(self, lambda_: Float[np.ndarray, "*n"] | float, N: int) -> Float[np.ndarray, "*n"]:
        """E|mean of N estimates - grad J|^2 at some lambdas."""
        return self.squared_bias(lambda_) + self.variance(lambda_) / float(require_count("N", N))

    def best(self, N: int) -> float:
        """The lambda of least error among all of [0, 1], ends included: the best of the zeros of the derivative and the ends."""
        error = self.squared_bias + self.variance / float(require_count("N", N))
        zeros = error.deriv().roots()
        inner = zeros.real[(abs(zeros.imag) < 1e-6) & (zeros.real > 0) & (zeros.real < 1)]  # a double zero splits by the root of a rounding
        candidates = np.concatenate([[0.0, 1.0], inner])
        return float(candidates[np.argmin(error(candidates))])


def tradeoff(estimator: PolicyGradient, sampling: object, scene: Scene, *, workers: int = 1) -> Tradeoff:
    """Bias and variance of GAE for every lambda at once.

    With a horizon T both are polynomials in lambda of degree 2 (T - 1): a series of that degree through its Chebyshev points is the function up to rounding, and `best`
    its minimiser over all of [0, 1]. Without horizon they are analytic for gamma lambda < 1, series converge geometrically, and the last coefficients show
    when they have; that is evidence, no proof. The same holds where a horizon is long and the series is cut early.

    Cost: as many accuracies as coefficients, 17 to 257. Workers share the lambdas; they start once for each degree that is tried, which takes some seconds.

    Raises:
        InvalidArgument: the advantage is not GAE; as `accuracy_of`.
        NotConverged: 257 coefficients do not suffice (gamma near 1 and long episodes).
    """
    advantage = getattr(estimator, "advantage", None)
    if not isinstance(advantage, GAE):
        raise InvalidArgument(f"the advantage is {type(advantage).__name__}, which has no lambda. Give a PolicyGradient whose advantage is GAE.")
    problem = Problem.of(estimator, sampling, scene)
    gradient = Return().gradient(scene)
    horizon = problem.form.horizon

    def at(x: np.ndarray) -> Float[np.ndarray, "n 2"]:
        # A lambda may fill the budget of a block, so that it is one; workers start once a series and not once a lambda.
        work = partial(_moments, problem, gradient, (x + 1) / 2)
        return np.concatenate(over_blocks(work, len(x), size=BUDGET // TABLES, workers=workers))

    slack = ROUNDING * float(np.linalg.norm(gradient))
    exact = np.inf if horizon is None else 2 * (horizon - 1)
    series = np.zeros((1, 2))
    for degree in DEGREES:
        series = chebinterpolate(at, int(min(degree, exact)))  # type: ignore[arg-type]
        largest = abs(series).max(axis=0)
        allowed = NEGLIGIBLE * largest + np.array([slack * np.sqrt(largest[0]) + slack**2, 0.0])
        if exact <= degree or (abs(series[-3:]) <= allowed).all():
            return Tradeoff(squared_bias=Chebyshev(series[:, 0], domain=[0, 1]), variance=Chebyshev(series[:, 1], domain=[0, 1]))
    raise NotConverged(
        f"{DEGREES[-1] + 1} coefficients do not describe the error as a function of lambda: gamma is near 1 and episodes are long. Take a shorter horizon.",
        best=series,
        bound=float(abs(series[-3:]).max()),
    )


def _moments(problem: Problem, gradient: Float[np.ndarray, "D"], lambdas: Float[np.ndarray, "n"], begin: int, end: int) -> Float[np.ndarray, "k 2"]:
    """Squared bias and total variance of some of the lambdas."""
    found = []
    for lambda_ in lambdas[begin:end]:
        one = replace(problem, form=replace(problem.form, lambda_=float(lambda_)))
        bias = one.mean() - gradient
        found.append((bias @ bias, unit_variances(one, workers=1).sum()))
    return np.array(found)
