"""The law of an estimator as a value, and what a method that finds it looks like."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, eq=False, kw_only=True)
class Law:
    """Mean and covariance of an estimator in parameter space.

    Attributes:
        mean: E[g], (D,).
        covariance: Cov(g), (D, D).
        rounding: bound of the rounding error of the mean, or (Monte Carlo) half-width of the simultaneous confidence region, (D,).
        method: which method ran.
        exact: False if the mean has a statistical error.
        count: number of data sets that were formed; 0 where the method needs none.
        undefined: probability of data sets on which the estimator is not finite; they are left out of the moments.
        zero: probability of data sets on which every weight is zero; nan where the method does not know.
        confidence: level of the confidence region; 1 if exact.
    """

    mean: Float[np.ndarray, "D"]
    covariance: Float[np.ndarray, "D D"]
    rounding: Float[np.ndarray, "D"]
    method: str
    exact: bool
    count: int
    undefined: float = 0.0
    zero: float = 0.0
    confidence: float = 1.0

    @property
    def variance(self) -> float:
        """Total variance, the trace of the covariance."""
        return float(np.trace(self.covariance))


class Estimator(Protocol):
    """A function of (Data, Scene) over the leading axis of data sets; `form` says which of the three shapes it returns."""

    @property
    def form(self) -> str: ...

    def __call__(self, data: Data, scene: Scene) -> np.ndarray: ...


class Method(Protocol):
    """One way to a law.

    `cost` estimates floating-point operations (overhead counts as what could be done in its time), quickly, without forming data sets; infinite where the method
    surely does not apply. `applies` says whether it does, and may take longer. `run` is the law itself.
    """

    @property
    def name(self) -> str: ...
    @property
    def exact(self) -> bool: ...
    @property
    def needs(self) -> str: ...

    def applies(self, estimator: Estimator, sampling: object, scene: Scene) -> bool: ...

    def cost(self, estimator: Estimator, sampling: object, scene: Scene) -> float: ...

    def run(self, estimator: Estimator, sampling: object, scene: Scene) -> Law: ...


def require_parts(estimator: object, sampling: object, scene: object) -> None:
    """Refuse what is no estimator, no law of the data or no scene.

    Raises:
        InvalidArgument: names the value and what is expected.
    """
    if not isinstance(scene, Scene):
        raise InvalidArgument(f"scene is of type {type(scene).__name__}, expected a Scene. Give Scene.of(model, policy).")
    if not hasattr(estimator, "form"):
        raise InvalidArgument(f"estimator is {estimator!r}, expected an estimator. Give a PolicyGradient, or builtin(NAME) for a built-in one.")
    if not hasattr(sampling, "datasets"):
        raise InvalidArgument(
            f"sampling is {sampling!r}, expected the law of the data. Give OnPolicy(episodes), OffPolicy(episodes) or Groups(size)."
        )
