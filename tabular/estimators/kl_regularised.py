"""Weights of the score for KL-regularised objectives when the data come from the reference itself.

Sampler and reference are one policy q (the role `old`), w = pi / q the ratio of whole sequences, R the total reward. With

    forward                 C = w R + beta                 J - beta KL(q || pi)
    forward, unnormalised   C = Z (w R - beta (w - 1))     J - beta UKL(q || pi)
    reverse                 C = w (R - beta (log w + 1))   J - beta KL(pi || q)
    reverse, unnormalised   C = Z w (R - beta log w)       J - beta UKL(pi || q)

E[C score] is the gradient of the objective on the right. UKL(p || q) = sum p log(p/q) + sum q - sum p; there q may have the mass Z, data are drawn from
q / Z, and w = pi / q. Source: Zhang et al. (2025), "On the design of KL-regularized policy gradient algorithms for LLM reasoning".
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.ratios import SequenceRatio
from pgtheory.tabular.scene import Scene

Divergence = Literal["forward", "forward unnormalised", "reverse", "reverse unnormalised"]


@dataclass(frozen=True, kw_only=True)
class KLRegularised:
    """C of the table above.

    Attributes:
        divergence: which of the four.
        beta: coefficient of the divergence, at least 0.
        mass: Z; 1 for the two that are normalised.

    Raises:
        InvalidArgument: unknown divergence, negative beta, a mass that is not positive, or other than 1 for a normalised divergence.
    """

    divergence: Divergence
    beta: float
    mass: float = 1.0

    def __post_init__(self) -> None:
        if self.divergence not in get_args(Divergence):
            raise InvalidArgument(f"divergence is {self.divergence!r}; known are {', '.join(get_args(Divergence))}.")
        if not self.beta >= 0:
            raise InvalidArgument(f"beta is {self.beta}; the coefficient of a divergence is at least 0.")
        if not self.mass > 0 or (self.mass != 1 and "unnormalised" not in self.divergence):
            raise InvalidArgument(f"mass is {self.mass}; it is positive, and 1 for a divergence of distributions.")

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        Z, beta, R = self.mass, self.beta, data.total[..., None]
        w = SequenceRatio()(data, scene) / Z
        match self.divergence:
            case "forward":
                return w * R + beta
            case "forward unnormalised":
                return Z * (w * R - beta * (w - 1))
            case "reverse":
                return w * (R - beta * (np.log(w) + 1))
            case _:
                return Z * w * (R - beta * np.log(w))
