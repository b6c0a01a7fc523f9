"""KL terms of losses and rewards, as weights that ascend: each estimates minus the gradient of a divergence from the reference, or nothing.

l_t = log pi(a_t|s_t) - log ref(a_t|s_t). The three estimators of KL(current, ref) from a sample of the current policy are
k1 = l, k2 = l^2 / 2, k3 = exp(-l) - 1 + l. As values k1 and k3 are unbiased; what their *gradients* are depends on where they stand (current = sampler):

                                         one token          sequence
    k1 as loss                           0                  0
    k1 in the reward                     reverse KL         reverse KL
    k2 as loss, sum over tokens          reverse KL         neither
    k2 as loss, of the sequence          reverse KL         reverse KL
    k3 as loss, sum over tokens          forward KL         neither
    k3 as loss, of the sequence          forward KL         forward KL
    k2 or k3 in the reward               neither            neither

(k3 in the reward descends the difference reverse KL - forward KL of one token: E[ref/pi score] is minus the gradient of the forward one.)

Source: Schulman (2020), "Approximating KL divergence"; Tang and Munos (2025), "On a few pitfalls in KL divergence gradient estimation for RL".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.ratios import require_support
from pgtheory.tabular.returns import discounted_suffix_sums
from pgtheory.tabular.scene import Scene

Kind = Literal["k1", "k2", "k3"]

VALUE: dict[str, Callable[[np.ndarray], np.ndarray]] = {"k1": lambda l: l, "k2": lambda l: l**2 / 2, "k3": lambda l: np.expm1(-l) + l}
SLOPE: dict[str, Callable[[np.ndarray], np.ndarray]] = {"k1": np.ones_like, "k2": lambda l: l, "k3": lambda l: -np.expm1(-l)}


def log_ratio_to_reference(data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
    """l_t, zero at padding.

    Raises:
        InvalidArgument: nobody plays the role `ref`.
        NoSupport: the reference never takes an action in the data: the divergence is infinite.
    """
    at = (data.state, data.action)
    require_support(scene.policy("ref").probabilities[at], data, "ref")
    with np.errstate(invalid="ignore"):  # padding only
        return np.where(data.mask, scene.policy().log_probabilities[at] - scene.policy("ref").log_probabilities[at], 0.0)


def require_kind(kind: str) -> None:
    """Refuse unknown estimators of KL."""
    if kind not in get_args(Kind):
        raise InvalidArgument(f"kind is {kind!r}; known are {', '.join(get_args(Kind))}.")


@dataclass(frozen=True)
class KLReward:
    """Minus k(l_t) as a detached reward of each token, in the return of the whole sequence or, with `to_go`, in the return that follows.

    Raises:
        InvalidArgument: unknown kind.
    """

    kind: Kind
    to_go: bool = False

    def __post_init__(self) -> None:
        require_kind(self.kind)

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        penalty = VALUE[self.kind](log_ratio_to_reference(data, scene))
        return -discounted_suffix_sums(penalty, 1.0) if self.to_go else -penalty.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class KLLoss:
    """Minus the derivative of a loss sum_t k(l_t), or k(sum_t l_t) with over="sequence": -k'(l_t), or -k'(sum l) at every token.

    Raises:
        InvalidArgument: unknown kind, or `over` neither "token" nor "sequence".
    """

    kind: Kind
    over: Literal["token", "sequence"] = "token"

    def __post_init__(self) -> None:
        require_kind(self.kind)
        if self.over not in ("token", "sequence"):
            raise InvalidArgument(f'over is {self.over!r}; use "token" or "sequence".')

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        l = log_ratio_to_reference(data, scene)
        return -SLOPE[self.kind](l if self.over == "token" else l.sum(axis=-1, keepdims=True))
