"""Data sets: what an estimator sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True, eq=False, kw_only=True)
class Data:
    """N data sets of B rows and T steps, right-padded. No parameters inside.

    Padding has state 0, action 0, reward 0 and mask False; every row has at least one step.

    Attributes:
        state: row of the score table.
        action: action taken.
        reward: reward received.
        mask: True at real steps.
        last: state after the last step; -1 if the episode terminated.
        truncated: True if the episode was cut, not ended.
        index: integers a row: prompt, group, pair, rollout, segment, worker.
        extra: anything else, leading axis N.
    """

    state: Int[np.ndarray, "N B T"]
    action: Int[np.ndarray, "N B T"]
    reward: Float[np.ndarray, "N B T"]
    mask: Bool[np.ndarray, "N B T"]
    last: Int[np.ndarray, "N B"]
    truncated: Bool[np.ndarray, "N B"]
    index: Mapping[str, Int[np.ndarray, "N B"]] = field(default_factory=dict)
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.state)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, B, T)."""
        return self.state.shape  # type: ignore[return-value]

    @cached_property
    def length(self) -> Int[np.ndarray, "N B"]:
        """Number of real steps of each row."""
        return self.mask.sum(axis=-1)

    @cached_property
    def total(self) -> Float[np.ndarray, "N B"]:
        """Undiscounted sum of the rewards of each row."""
        return self.reward.sum(axis=-1)

    def take(self, which: np.ndarray | slice) -> Self:
        """Some of the data sets."""
        return self._mapped(lambda array: array[which])

    def rows(self, which: np.ndarray) -> Self:
        """The rows `which` of every data set, in that order."""
        part = self._mapped(lambda array: array[:, which], extra=False)
        return part

    def permuted(self, order: Int[np.ndarray, "N B"]) -> Self:
        """Every data set with its rows in its own order."""
        n = np.arange(len(self))[:, None]
        return self._mapped(lambda array: array[n, order], extra=False)

    def _mapped(self, f, extra: bool = True) -> Self:
        arrays = {name: f(getattr(self, name)) for name in ("state", "action", "reward", "mask", "last", "truncated")}
        index = {name: f(array) for name, array in self.index.items()}
        rest = {name: f(array) for name, array in self.extra.items()} if extra else dict(self.extra)
        return type(self)(**arrays, index=index, extra=rest)
