"""Advantages from temporal differences: GAE(lambda) and n-step returns.

delta_t = r_t + gamma V(s_{t+1}) - V(s_t). After the last step V is zero where the episode terminated and V(last) where it was truncated.
With a critic that is wrong by e = V - V_pi the mean advantage is off by -e(s) + gamma (1 - lambda) P M e, M = (I - gamma lambda P_pi)^-1: the first term is
a baseline, the second a bias that vanishes for lambda = 1 and for a constant e (where nothing ends).
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_between, require_count
from pgtheory.tabular.data import Data
from pgtheory.tabular.estimators.baselines import Critic, Values, after_end, at_steps, require_values
from pgtheory.tabular.returns import discounted_suffix_sums, discounts, temporal_differences
from pgtheory.tabular.scene import Scene


def differences(critic: Values, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
    """delta_t under a critic, zero at padding."""
    table = critic(scene)
    return temporal_differences(data.reward, at_steps(table, data), after_end(table, data), data.mask, scene.mdp.gamma)


@dataclass(frozen=True, kw_only=True)
class GAE:
    """gamma^t sum_l (gamma lambda)^l delta_{t+l}.

    With `step_discount=False` gamma^t is left out, as in the paper, where gamma is a knob against variance and not part of the target.
    Source: Schulman et al. (2016), equation 16.

    Raises:
        InvalidArgument: lambda outside [0, 1], or a critic that is a bare table.

    Theorem: T27, T28.
    """

    lambda_: float
    critic: Values = field(default_factory=Critic)
    step_discount: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "lambda_", require_between("lambda", self.lambda_, 0, 1))
        require_values("critic", self.critic)

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        gamma = scene.mdp.gamma
        advantage = discounted_suffix_sums(differences(self.critic, data, scene), gamma * self.lambda_)
        return advantage * discounts(gamma, data.shape[2]) if self.step_discount else advantage


@dataclass(frozen=True, kw_only=True)
class NStep:
    """gamma^t (r_t + ... + gamma^(n-1) r_{t+n-1} + gamma^n V(s_{t+n}) - V(s_t)) = gamma^t sum_{l<n} gamma^l delta_{t+l}.

    Source: Sutton and Barto (2018), section 7.1; Mnih et al. (2016).

    Raises:
        InvalidArgument: n is not a whole number of at least 1, or a critic that is a bare table.

    Theorem: T26.
    """

    n: int
    critic: Values = field(default_factory=Critic)
    step_discount: bool = True

    def __post_init__(self) -> None:
        require_count("n", self.n)
        require_values("critic", self.critic)

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        gamma, T = scene.mdp.gamma, data.shape[2]
        sums = discounted_suffix_sums(differences(self.critic, data, scene), gamma)
        if self.n < T:
            sums[..., : T - self.n] -= gamma**self.n * sums[..., self.n :].copy()
        return sums * discounts(gamma, T) if self.step_discount else sums
