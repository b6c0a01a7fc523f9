"""The law of an estimator: exact mean and covariance, by whichever method applies."""

from math import inf

from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.independent import IndependentParts
from pgtheory.tabular.laws.monte_carlo import MonteCarlo
from pgtheory.tabular.laws.programming import DynamicProgramming
from pgtheory.tabular.laws.types import Estimator, Law, Method, require_parts
from pgtheory.tabular.scene import Scene

__all__ = ["METHODS", "Estimator", "Law", "Method", "law"]

METHODS: tuple[Method, ...] = (Enumeration(), IndependentParts(), DynamicProgramming(), MonteCarlo())
"""Every known method; `law` takes the exact one of least cost."""


def law(estimator: Estimator, sampling: object, scene: Scene, *, method: str | None = None) -> Law:
    """Mean and covariance of an estimator under a sampling law.

    Without `method` the cheapest exact method that applies is taken. Monte Carlo is never taken silently: it must be named,
    because it can refute but not prove.

    Raises:
        TooLarge: no exact method applies.
        InvalidArgument: the named method is unknown or does not apply; something else than an estimator, a law of the data and a scene.
    """
    require_parts(estimator, sampling, scene)
    if method is not None:
        named = {m.name: m for m in METHODS}
        if not isinstance(method, str) or method not in named:
            raise InvalidArgument(f"method is {method!r}; known are {', '.join(named)}.")
        if not named[method].applies(estimator, sampling, scene):
            raise InvalidArgument(f"method {method!r} does not apply to this estimator and sampling law: {named[method].needs}.")
        return named[method].run(estimator, sampling, scene)
    costs = {m: m.cost(estimator, sampling, scene) for m in METHODS if m.exact}
    for m in sorted(costs, key=costs.__getitem__):
        if costs[m] < inf and m.applies(estimator, sampling, scene):
            return m.run(estimator, sampling, scene)
    needs = "; ".join(f"{m.name} needs {m.needs}" for m in costs)
    raise TooLarge(f'no exact method applies to this estimator and sampling law: {needs}. Take a smaller problem, or method="monte-carlo".')
