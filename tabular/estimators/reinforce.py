"""REINFORCE: returns as weights of the scores, minus a baseline.

J = E[sum_t gamma^t r_t], grad J = E[sum_t gamma^t score_t (G_t - b(s_t))] with G_t = sum_{k>=t} gamma^(k-t) r_k, for every baseline b.
This needs scores of mean zero: plain partial derivatives on the simplex (Direct) have it after projection on the tangent only.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.estimators.baselines import Constant, Values, at_steps, require_values
from pgtheory.tabular.returns import discounted_suffix_sums, discounts
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, kw_only=True)
class WholeReturn:
    """sum_k gamma^k r_k - b(s_t) at every step t: rewards of the past included.

    Source: Williams (1992), Theorem 1 and section 5 (episodic REINFORCE).

    Theorem: T10.
    """

    baseline: Values = field(default_factory=Constant)

    def __post_init__(self) -> None:
        require_values("baseline", self.baseline)

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        whole = data.reward @ discounts(scene.mdp.gamma, data.shape[2])
        return whole[..., None] - at_steps(self.baseline(scene), data)


@dataclass(frozen=True, kw_only=True)
class RewardToGo:
    """gamma^t (G_t - b(s_t)).

    With `step_discount=False` gamma^t is left out while G_t stays discounted: common, and for gamma < 1 no gradient of J, nor (for a stationary
    policy) of anything. Source: Sutton et al. (1999), Theorem 1; Thomas (2014) and Nota and Thomas (2020) for the variant.

    Theorem: T12.
    """

    baseline: Values = field(default_factory=Constant)
    step_discount: bool = True

    def __post_init__(self) -> None:
        require_values("baseline", self.baseline)

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        gamma = scene.mdp.gamma
        advantage = discounted_suffix_sums(data.reward, gamma) - at_steps(self.baseline(scene), data)
        return advantage * discounts(gamma, data.shape[2]) if self.step_discount else advantage


@dataclass(frozen=True)
class StepReward:
    """gamma^t r_t at step t: the summand of the return, for surrogates that differentiate their ratios."""

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        return data.reward * discounts(scene.mdp.gamma, data.shape[2])
