"""Group advantages: the reward of a completion against those of the other completions of its prompt.

With S_i the score of completion i and weights A_i / B: raw rewards and leave-one-out are unbiased for J, the group mean has mean (G-1)/G grad J, and a
division by the group's standard deviation changes the weight of each prompt.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import first
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.scene import Scene


def group_order(data: Data) -> Int[np.ndarray, "N P G"]:
    """Numbers of the rows of each group. Cost O(N B log B).

    Raises:
        InvalidArgument: there is no index "group", or groups differ in size.
    """
    if "group" not in data.index:
        raise InvalidArgument(
            'the data have no index "group", so that nothing says which rows share a prompt. Sample with Groups(size), or set index["group"].'
        )
    group = data.index["group"]
    order = np.argsort(group, axis=1, kind="stable")
    ordered = np.take_along_axis(group, order, axis=1)
    P = 1 + np.count_nonzero(np.diff(ordered[0]))
    wrong = np.ones(len(data), dtype=bool)
    if data.shape[1] % P == 0:
        blocks = ordered.reshape(len(data), P, -1)
        wrong = (blocks[..., 0] != blocks[..., -1]).any(axis=1) | (blocks[:, :-1, -1] >= blocks[:, 1:, 0]).any(axis=1)
    if not wrong.any():
        return order.reshape(len(data), P, -1)
    n = first(wrong)[0]
    sizes = np.unique(group[n], return_counts=True)[1].tolist()
    raise InvalidArgument(
        f"data set {n} has groups of {sizes} rows; all groups must have one size, and all data sets equally many groups. "
        "Give every prompt equally many completions."
    )


def grouped(data: Data) -> tuple[Float[np.ndarray, "N P G"], Int[np.ndarray, "N P G"]]:
    """Total rewards by group, and the rows that they belong to."""
    order = group_order(data)
    return np.take_along_axis(data.total, order.reshape(len(data), -1), axis=1).reshape(order.shape), order


def to_rows(values: Float[np.ndarray, "N P G"], order: Int[np.ndarray, "N P G"]) -> Float[np.ndarray, "N B 1"]:
    """Values by group, back in the order of the rows."""
    rows = np.empty((len(order), order[0].size))
    np.put_along_axis(rows, order.reshape(rows.shape), values.reshape(rows.shape), axis=1)
    return rows[..., None]


def centred(rewards: Float[np.ndarray, "*N G"]) -> Float[np.ndarray, "*N G"]:
    """r - mean r along the last axis. Taken from the first reward on, so that equal rewards give exact zeros."""
    shifted = rewards - rewards[..., :1]
    return shifted - shifted.mean(axis=-1, keepdims=True)


def require_group(size: int, least: int, what: str, cure: str) -> None:
    """Refuse groups that are too small."""
    if size < least:
        raise InvalidArgument(f"{what} needs groups of at least {least} completions, these have {size}. {cure}")


@dataclass(frozen=True)
class Reward:
    """A_i = r_i: no baseline. Source: Williams (1992)."""

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        return data.total[..., None]


@dataclass(frozen=True)
class LeaveOneOut:
    """A_i = r_i - mean of the other G-1 rewards = G/(G-1) (r_i - mean of all). Source: Kool, van Hoof and Welling (2019); Ahmadian et al. (2024).

    Raises:
        InvalidArgument: a group of one completion has no others.

    Theorem: T42.
    """

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        rewards, order = grouped(data)
        G = rewards.shape[-1]
        require_group(G, 2, "the mean of the other rewards", "Take more completions a prompt, or no baseline.")
        return to_rows(centred(rewards) * (G / (G - 1)), order)


@dataclass(frozen=True)
class GroupMean:
    """A_i = r_i - mean of all rewards of the group, its own included. Source: Liu et al. (2025), Dr. GRPO.

    Theorem: T42.
    """

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        rewards, order = grouped(data)
        return to_rows(centred(rewards), order)


@dataclass(frozen=True, kw_only=True)
class GroupStd:
    """A_i = (r_i - mean) / (std + epsilon), zero where all rewards agree.

    std^2 = sum (r - mean)^2 / (n - ddof), over the n = G rewards of the group, or over the n = B rewards of the batch around the mean of the batch.
    With rewards 0 and 1 the group's std is a weight w_G(p) of each prompt; for G = 2 and 3 it is a constant, and nothing is lost but the scale.
    Source: Shao et al. (2024), GRPO; `over="batch"`: Hu et al. (2025), REINFORCE++ with baseline.

    Raises:
        InvalidArgument: epsilon below zero, ddof other than 0 or 1, or groups of at most ddof.
    """

    epsilon: float = 1e-4
    ddof: int = 1
    over: Literal["group", "batch"] = "group"

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon < np.inf:
            raise InvalidArgument(f"epsilon is {self.epsilon}; it stands beside a standard deviation and must be a finite number of at least 0.")
        if self.ddof not in (0, 1):
            raise InvalidArgument(f"ddof is {self.ddof}; use 0 (divide by n) or 1 (divide by n - 1).")
        if self.over not in ("group", "batch"):
            raise InvalidArgument(f'over is {self.over!r}; use "group" or "batch".')

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        rewards, order = grouped(data)
        deviation = centred(rewards)
        spread = deviation if self.over == "group" else centred(rewards.reshape(len(rewards), 1, -1))
        n = spread.shape[-1]
        require_group(n, self.ddof + 1, f"a standard deviation with ddof={self.ddof}", "Take more completions a prompt, or ddof=0.")
        std = np.sqrt((spread**2).sum(axis=-1, keepdims=True) / (n - self.ddof))
        scale = np.divide(1.0, std + self.epsilon, out=np.zeros_like(std), where=std > 0)
        return to_rows(deviation * scale, order)
