"""The common estimator: a sum over steps of normalisation x importance ratio x advantage x score."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.estimators.estimator import Declared, Weight
from pgtheory.tabular.estimators.lengths import EveryToken, Length
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, kw_only=True)
class PolicyGradient:
    """g = sum over rows b and steps t of length[b, t] * ratio[b, t] * advantage[b, t] * score[b, t].

    Attributes:
        advantage: weight of the score: a return, a group advantage, GAE, a KL term.
        length: normalisation; the default divides by the number of rows and by nothing else.
        ratio: importance ratio, held constant under differentiation; None: 1.
        declared: what the composition estimates, if that is known.

    Cost: O(N B T) and that of the parts.

    Theorem: T09, T46.
    """

    advantage: Weight
    length: Length = field(default_factory=EveryToken)
    ratio: Weight | None = None
    declared: Declared | None = None
    form = "local"

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        weight = self.length(data) * self.advantage(data, scene)
        return weight if self.ratio is None else weight * self.ratio(data, scene)
