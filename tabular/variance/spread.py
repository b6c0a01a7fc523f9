"""How a quantity x = r + after[s'] varies with the next state, of which the end of the episode is one, and with the noise of the reward.

Both are variances around a mean that is taken first: E[x^2] - E[x]^2 would cancel where values are large and differ little.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.laws.transitions import Kernel, Rewards, weighted


@dataclass(frozen=True, eq=False, kw_only=True)
class Spread:
    """x over the next states.

    Attributes:
        mean: E[x | s, a].
        variance: Var(E[x | s, a, s'] | s, a), without the noise of the reward.
        centred: P o (E[x | s, a, s'] - mean), a matrix like P.
    """

    mean: Float[np.ndarray, "S A"]
    variance: Float[np.ndarray, "S A"]
    centred: Kernel


def spread(rewards: Rewards, after: Float[np.ndarray, "S"]) -> Spread:
    """The spread of r + after[s'], and of the reward of the end where the episode ends. Cost O(nnz)."""
    r_end, ends = rewards.at_end[0], rewards.mdp.ends
    x = rewards.moments[0] + after[rewards.column]
    mean = _by_pair(rewards, weighted(rewards.P, x)) + ends * r_end
    x = x - mean.ravel()[rewards.row]
    centred = weighted(rewards.P, x)
    variance = _by_pair(rewards, weighted(centred, x)) + ends * (r_end - mean) ** 2
    return Spread(mean=mean, variance=variance, centred=centred)


def noise(rewards: Rewards) -> Float[np.ndarray, "S A"]:
    """E[Var(r | s, a, s') | s, a]; exactly zero for rewards without noise. Cost O(nnz)."""
    mdp = rewards.mdp
    if mdp.r2 is None:
        return np.zeros((mdp.S, mdp.A))
    r_end, r2_end = rewards.at_end
    if mdp.by_pair:  # the same for every next state
        return np.maximum(r2_end - r_end**2, 0)
    r, r2 = rewards.moments
    return _by_pair(rewards, weighted(rewards.P, np.maximum(r2 - r * r, 0))) + mdp.ends * np.maximum(r2_end - r_end**2, 0)


def _by_pair(rewards: Rewards, matrix: Kernel) -> Float[np.ndarray, "S A"]:
    return np.asarray(matrix.sum(axis=1)).reshape(rewards.mdp.S, rewards.mdp.A)
