"""Surrogates whose importance ratio carries the gradient: their derivative at the log-probability of each token.

Where every token has its own ratio, or the sequence one, that derivative is the ratio held constant times the advantage (PolicyGradient with a ratio).
The clip and the prefix ratio are the two cases in which it is not.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.estimator import Declared, Weight
from pgtheory.tabular.estimators.lengths import EveryToken, Length
from pgtheory.tabular.estimators.ratios import PrefixRatio, TokenRatio
from pgtheory.tabular.returns import discounted_suffix_sums
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, kw_only=True)
class PPOClip:
    """Derivative of sum_t length min(rho A, clip(rho, 1 - low, 1 + high) A): rho A, and zero where A > 0, rho > 1 + high or A < 0, rho < 1 - low.

    On the edges themselves the gradient passes. A ratio of the sequence is clipped as a whole: the geometric one with the normalisation
    PerSequence is GSPO. Cost O(N B T). Source: Schulman et al. (2017), equation 7; unequal edges: Yu et al. (2025), DAPO.

    Raises:
        InvalidArgument: not 0 <= epsilon_low <= 1, or epsilon_high below 0.
        NoSupport: an action in the data has probability zero under the old policy.

    Theorem: T55.
    """

    advantage: Weight
    epsilon_low: float = 0.2
    epsilon_high: float = 0.2
    ratio: Weight = field(default_factory=TokenRatio)
    length: Length = field(default_factory=EveryToken)
    declared: Declared | None = None
    form = "local"

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon_low <= 1:
            raise InvalidArgument(f"epsilon_low is {self.epsilon_low}; the lower edge 1 - epsilon_low is a ratio: take epsilon_low in [0, 1].")
        if not self.epsilon_high >= 0:
            raise InvalidArgument(f"epsilon_high is {self.epsilon_high}; the upper edge 1 + epsilon_high lies above 1: take at least 0.")

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        advantage, ratio = self.advantage(data, scene), self.ratio(data, scene)
        clipped = ((advantage > 0) & (ratio > 1 + self.epsilon_high)) | ((advantage < 0) & (ratio < 1 - self.epsilon_low))
        return self.length(data) * np.where(clipped, 0.0, ratio * advantage)


@dataclass(frozen=True, kw_only=True)
class PrefixSurrogate:
    """Derivative of sum_t length rho_{1:t} A_t: at step t the sum over k >= t of length rho_{1:k} A_k.

    With A_t = gamma^t r_t (StepReward) it is per-decision importance sampling and its mean is grad J under any old policy with full support.
    Cost O(N B T). Source: Precup, Sutton and Singh (2000), Theorem 2; Jie and Abbeel (2010).

    Raises:
        NoSupport: an action in the data has probability zero under the old policy.

    Theorem: T54.
    """

    advantage: Weight
    length: Length = field(default_factory=EveryToken)
    declared: Declared | None = None
    form = "local"

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        terms = self.length(data) * self.advantage(data, scene) * PrefixRatio()(data, scene)
        return discounted_suffix_sums(terms, 1.0) * data.mask
