"""Rules against the collapse of entropy: they act on the tokens at which log-probability and advantage lie most to the same side of their means.

    c = (log pi - mean log pi) (A - mean A),      means over the N real tokens of the data set.

The mean of c under a policy is the covariance that an exact step takes from its entropy. Source: Cui et al. (2025).
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import require_between
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.estimator import Declared, Weight
from pgtheory.tabular.estimators.lengths import EveryToken, Length
from pgtheory.tabular.estimators.ratios import token_ratio
from pgtheory.tabular.estimators.surrogates import PPOClip
from pgtheory.tabular.scene import Scene


def token_covariance(data: Data, scene: Scene, advantage: Float[np.ndarray, "N B T"]) -> Float[np.ndarray, "N B T"]:
    """c of every token, with the current log-probabilities; 0 at padding, which counts in no mean. Cost O(N B T)."""
    log_pi = scene.policy().log_probabilities[data.state, data.action]
    return np.where(data.mask, deviation(log_pi, data.mask) * deviation(advantage, data.mask), 0.0)


def deviation(x: Float[np.ndarray, "N B T"], mask: Bool[np.ndarray, "N B T"]) -> Float[np.ndarray, "N B T"]:
    """x minus its mean over the real tokens of its data set."""
    total = np.where(mask, x, 0.0).sum(axis=(1, 2), keepdims=True)
    return x - total / mask.sum(axis=(1, 2), keepdims=True)


def counted(share: float, mask: Bool[np.ndarray, "N B T"]) -> Float[np.ndarray, "N 1 1"]:
    """floor(share N) for the N real tokens of each data set: 0 means none, not one."""
    # A share such as 3/10 of 10 tokens is 3, whatever float64 makes of the product.
    return np.floor(share * mask.sum(axis=(1, 2), keepdims=True) * (1 + 1e-12))


@dataclass(frozen=True, kw_only=True)
class ClipCov:
    """PPO whose loss is zeroed at floor(share N) tokens, drawn at random among those with low < c < high that PPO does not clip.

    What is returned is the mean over the draw, given the data set: of m such tokens each keeps the part 1 - floor(share N)/m of its weight. Means are exact; the covariance
    lacks the part that the draw adds. `share` 0 is PPO.

    Attributes:
        advantage: weight of the score.
        share: of the N real tokens.
        low, high: edges of c; they have the scale of the advantage.
        clip: edges 1 - clip, 1 + clip of the ratio.
        length: normalisation.

    Raises:
        InvalidArgument: a share outside [0, 1], low not below high.
    """

    advantage: Weight
    share: float = 2e-4
    low: float = 1.0
    high: float = 5.0
    clip: float = 0.2
    length: Length = field(default_factory=EveryToken)
    declared: Declared | None = None
    form = "local"

    def __post_init__(self) -> None:
        require_between("share", self.share, 0.0, 1.0)
        if not self.low < self.high:
            raise InvalidArgument(f"low, high are {self.low}, {self.high}; tokens are drawn among those with low < c < high: take low below high.")

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        A = np.broadcast_to(self.advantage(data, scene), data.mask.shape)
        plain = PPOClip(advantage=self.advantage, epsilon_low=self.clip, epsilon_high=self.clip, length=self.length)(data, scene)
        ratio, c = token_ratio(data, scene), token_covariance(data, scene, A)
        clipped = ((A > 0) & (ratio > 1 + self.clip)) | ((A < 0) & (ratio < 1 - self.clip))
        eligible = data.mask & ~clipped & (self.low < c) & (c < self.high)
        m = eligible.sum(axis=(1, 2), keepdims=True)
        dropped = np.minimum(counted(self.share, data.mask), m) / np.maximum(m, 1)
        return np.where(eligible, (1 - dropped) * plain, plain)


@dataclass(frozen=True, kw_only=True)
class KLCov:
    """rho A at every token, minus coefficient sign(log rho) at the floor(share N) tokens of largest c: the derivative of rho A - coefficient |log rho|.

    |log rho| is no divergence, and its derivative at rho = 1 is taken as 0, as automatic differentiation does: on the first step on fresh data the rule is plain policy gradient.
    Tokens of equal c share what is left for them, as if drawn at random.

    Attributes:
        advantage: weight of the score.
        share: of the N real tokens.
        coefficient: price of |log rho|, at least 0.
        length: normalisation.

    Raises:
        InvalidArgument: a share outside [0, 1], a negative coefficient.
    """

    advantage: Weight
    share: float = 2e-3
    coefficient: float = 1.0
    length: Length = field(default_factory=EveryToken)
    declared: Declared | None = None
    form = "local"

    def __post_init__(self) -> None:
        require_between("share", self.share, 0.0, 1.0)
        if not 0 <= self.coefficient < np.inf:
            raise InvalidArgument(f"coefficient is {self.coefficient}, the price of |log rho|: take a finite number of at least 0.")

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        A, ratio = np.broadcast_to(self.advantage(data, scene), data.mask.shape), token_ratio(data, scene)
        c = np.where(data.mask, token_covariance(data, scene, A), -np.inf)
        flat = c.reshape(len(c), -1)
        left = counted(self.share, data.mask)[:, :, 0] - (flat[:, None, :] > flat[:, :, None]).sum(axis=2)
        equal = (flat[:, None, :] == flat[:, :, None]).sum(axis=2)
        chosen = np.clip(left / equal, 0.0, 1.0).reshape(c.shape)
        return self.length(data) * (ratio * A - self.coefficient * chosen * np.sign(ratio - 1))
