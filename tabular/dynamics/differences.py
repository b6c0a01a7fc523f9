"""Sampled differences of gradients, which recursive momentum adds up: by an importance weight on the same data, or by the Hessian between the points."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.estimated import Estimated, alike
from pgtheory.tabular.estimators.estimator import Estimator
from pgtheory.tabular.estimators.gradient_difference import GradientDifference
from pgtheory.tabular.estimators.hessian_vector import HessianVector
from pgtheory.tabular.laws.moments import gradients

Pair = tuple[Float[np.ndarray, "N *D"], Float[np.ndarray, "N *D"]]


@dataclass(frozen=True, eq=False)
class Weighted(Estimated):
    """One data set tau drawn at theta gives both: g(tau, theta), and g(tau, theta) - w g(tau, last) with w = p(tau; last) / p(tau; theta).

    With `Recursive` it is STORM for policy gradients; with normalised steps, N-VR-PG. Source: Xu, Gao and Gu (2020); Barakat, Fatkhullin and He (2023).
    """

    estimator: Estimator

    def with_difference(self, theta: Float[np.ndarray, "N *D"], last: Float[np.ndarray, "N *D"], rng: np.random.Generator) -> Pair:
        """See the class. Cost: one simulation and two calls of the estimator for each different pair of points."""
        g, difference = np.empty(theta.shape), np.empty(theta.shape)
        for rows in alike(np.stack([theta, last], axis=1)):
            scene, shape = self.at(theta[rows[0]]), theta[rows].shape
            data = self.sampling.sample(scene, len(rows), rng=rng)
            g[rows] = gradients(self.estimator, data, scene).reshape(shape)
            difference[rows] = gradients(GradientDifference(gradient=self.estimator, last=last[rows[0]]), data, scene).reshape(shape)
        return g, difference


@dataclass(frozen=True, eq=False)
class HessianAided(Estimated):
    """g(tau, theta), and B(tau') (theta - last) from a second data set tau', drawn at a uniformly random point of the segment between the two.

    With `Recursive` it is HARPG, with normalised steps N-HARPG. Source: Fatkhullin et al. (2023), algorithm 2.
    """

    estimator: Estimator

    def with_difference(self, theta: Float[np.ndarray, "N *D"], last: Float[np.ndarray, "N *D"], rng: np.random.Generator) -> Pair:
        """See the class. Cost: two simulations and two calls of the estimator a row."""
        between = rng.random(len(theta)).reshape(-1, *(1,) * (theta.ndim - 1))
        points, u = between * theta + (1 - between) * last, theta - last
        difference = np.empty(theta.shape)
        for n, point in enumerate(points):
            scene = self.at(point)
            data = self.sampling.sample(scene, 1, rng=rng)
            difference[n] = gradients(HessianVector(gradient=self.estimator, u=u[n].ravel()), data, scene).reshape(u[n].shape)
        return self.gradient(theta, rng), difference
