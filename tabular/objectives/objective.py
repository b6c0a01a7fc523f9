"""What every engine asks of an objective."""

from typing import Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.scene import Scene


class Objective(Protocol):
    """A function of the current policy's parameters theta (D of them), exact with its derivatives."""

    @property
    def name(self) -> str:
        """Short name, as it is printed."""
        ...

    def value(self, scene: Scene) -> float:
        """The value at the scene's point."""
        ...

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """Gradient with respect to theta.ravel() of the role `current`."""
        ...

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """Second derivative."""
        ...
