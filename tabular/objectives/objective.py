"""What every engine asks of an objective."""

from typing import Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.scene import Scene


class Objective(Protocol):
    """A function of the current policy's parameters theta (D of them), exact with its derivatives.

    Derivatives are with respect to `theta.ravel()` of the role `current`; every other role is held constant, also where it moves with theta.
    For the direct parametrisation, whose rows are distributions, only the part of a derivative along the simplex is determined: compare gradients
    after `policy.tangent`.
    """

    @property
    def name(self) -> str:
        """Short name, as it is printed."""
        ...

    def value(self, scene: Scene) -> float:
        """The value at the scene's point."""
        ...

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """First derivative."""
        ...

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """Second derivative."""
        ...
