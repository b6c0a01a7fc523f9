"""Importance ratios of the current to the old policy, held constant under differentiation.

rho_t = pi(a_t|s_t) / pi_old(a_t|s_t). Data of the old policy, weighted by the ratio of the whole sequence, have the mean of the current policy;
the ratio of a token alone leaves out the change of the prefix before it and of the tokens after it.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import first
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument, NoSupport
from pgtheory.tabular.estimators.estimator import Weight
from pgtheory.tabular.scene import Scene


def require_support(taken: Float[np.ndarray, "N B T"], data: Data, role: str) -> None:
    """Refuse steps whose action has probability zero under `role`."""
    if (missing := data.mask & (taken <= 0)).any():
        n, b, t = first(missing)
        s, a = data.state[n, b, t], data.action[n, b, t]
        raise NoSupport(
            f"the {role} policy never takes action {a} in state {s} (data set {n}, row {b}, step {t}): a ratio to it does not exist. "
            f"Give a policy `{role}` that takes every action in the data with positive probability."
        )


def token_ratio(data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
    """rho_t, one at padding.

    Raises:
        NoSupport: an action in the data has probability zero under the old policy.
    """
    old = scene.policy("old").probabilities[data.state, data.action]
    require_support(old, data, "old")
    current = scene.policy().probabilities[data.state, data.action]
    return np.divide(current, old, out=np.ones_like(current), where=data.mask)


@dataclass(frozen=True)
class TokenRatio:
    """rho_t. Source: Schulman et al. (2017).

    Theorem: T59.
    """

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        return token_ratio(data, scene)


@dataclass(frozen=True)
class PrefixRatio:
    """rho_1 ... rho_t. Source: Precup, Sutton and Singh (2000), per-decision importance sampling.

    Theorem: T41.
    """

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B T"]:
        return token_ratio(data, scene).cumprod(axis=-1)


@dataclass(frozen=True, kw_only=True)
class SequenceRatio:
    """rho_1 ... rho_L, or with `geometric` its L-th root.

    The same weight stands at every token, whether the ratio is held constant or carries the gradient: d rho / d log pi(a_t) = rho for each t. For the root
    the derivative is root / L: its surrogate is the root with the normalisation PerSequence. Source: Zheng et al. (2025), GSPO, for the root.

    Theorem: T13.
    """

    geometric: bool = False

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        ratio = token_ratio(data, scene)
        if not self.geometric:
            return ratio.prod(axis=-1, keepdims=True)
        with np.errstate(divide="ignore"):  # a current policy that never takes the action: log 0, and the root is 0
            return np.exp(np.log(ratio).sum(axis=-1, keepdims=True) / data.length[..., None])


@dataclass(frozen=True, kw_only=True)
class Truncated:
    """min(ratio, cap). Source: Ionides (2008); Espeholt et al. (2018), V-trace.

    Theorem: T60.

    Raises:
        InvalidArgument: cap is not positive.
    """

    cap: float
    ratio: Weight = field(default_factory=TokenRatio)

    def __post_init__(self) -> None:
        if not self.cap > 0:
            raise InvalidArgument(f"cap is {self.cap}; a ratio is truncated at a positive number.")

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        return np.minimum(self.ratio(data, scene), self.cap)


@dataclass(frozen=True, kw_only=True)
class Masked:
    """The ratio inside [low, high], zero outside.

    Raises:
        InvalidArgument: not 0 <= low <= high.
    """

    low: float
    high: float
    ratio: Weight = field(default_factory=TokenRatio)

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise InvalidArgument(f"low, high are {self.low}, {self.high}; a ratio is kept inside an interval with 0 <= low <= high.")

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        ratio = self.ratio(data, scene)
        return np.where((self.low <= ratio) & (ratio <= self.high), ratio, 0.0)
