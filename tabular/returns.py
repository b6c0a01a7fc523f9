"""Sums along the steps of right-padded rows. Arrays are (..., T); padding carries zeros."""

import numpy as np
from jaxtyping import Bool, Float


def discounted_suffix_sums(x: Float[np.ndarray, "*N T"], discount: float) -> Float[np.ndarray, "*N T"]:
    """y_t = sum_{k >= t} discount^(k-t) x_k. Cost O(N T).

    Theorem: T01.
    """
    y = np.array(x, dtype=np.float64)
    for t in range(y.shape[-1] - 2, -1, -1):
        y[..., t] += discount * y[..., t + 1]
    return y


def discounts(gamma: float, T: int) -> Float[np.ndarray, "T"]:
    """gamma^t for t < T."""
    return gamma ** np.arange(T)


def temporal_differences(
    reward: Float[np.ndarray, "*N T"],
    values: Float[np.ndarray, "*N T"],
    final: Float[np.ndarray, "*N"],
    mask: Bool[np.ndarray, "*N T"],
    gamma: float,
) -> Float[np.ndarray, "*N T"]:
    """delta_t = r_t + gamma V(s_{t+1}) - V(s_t), zero at padding; `final` is V after the last step, zero where the episode terminated.

    Theorem: T26.
    """
    T = reward.shape[-1]
    is_last = mask & (np.arange(T) == mask.sum(axis=-1, keepdims=True) - 1)
    following = np.concatenate([values[..., 1:], np.zeros_like(values[..., :1])], axis=-1)
    after = np.where(is_last, final[..., None], following)
    return np.where(mask, reward + gamma * after - values, 0.0)
