"""Length normalisations: what the sum over the tokens of a batch is divided by.

With A_i the advantage, S_i the score and L_i the number of tokens of row i, the sum over tokens of length * A_i * score is
    EveryToken      (1/B) sum_i A_i S_i             neutral
    PerSequence     (1/B) sum_i A_i S_i / L_i       E[g] = grad E[R/L] - J grad E[1/L] with the leave-one-out advantage
    PerBatchToken   sum_i A_i S_i / sum_i L_i       a ratio of two random sums: no such formula, and prompts are coupled
    PerConstant     (1/B) sum_i A_i S_i / tokens    neutral up to the constant
Source: Liu et al. (2025), "Understanding R1-Zero-Like Training", section 3, for the second and fourth; Yu et al. (2025), DAPO, for the third.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.data import Data


class Length(Protocol):
    """Data -> (N, B, T), zero at padding."""

    def __call__(self, data: Data) -> Float[np.ndarray, "N B T"]: ...


@dataclass(frozen=True)
class EveryToken:
    """1/B at every token."""

    def __call__(self, data: Data) -> Float[np.ndarray, "N B T"]:
        return data.mask / data.shape[1]


@dataclass(frozen=True)
class PerSequence:
    """1 / (B L) at the tokens of a row of L tokens: the mean over rows of the mean over tokens."""

    def __call__(self, data: Data) -> Float[np.ndarray, "N B T"]:
        return data.mask / (data.shape[1] * data.length[..., None])


@dataclass(frozen=True)
class PerBatchToken:
    """1 / (number of tokens of the batch): the mean over all tokens."""

    def __call__(self, data: Data) -> Float[np.ndarray, "N B T"]:
        return data.mask / data.length.sum(axis=1)[:, None, None]


@dataclass(frozen=True)
class PerConstant:
    """1 / (B tokens), with a number of tokens that does not depend on the data, such as the largest length allowed.

    Raises:
        InvalidArgument: tokens is not a whole number of at least 1.
    """

    tokens: int

    def __post_init__(self) -> None:
        require_count("tokens", self.tokens)

    def __call__(self, data: Data) -> Float[np.ndarray, "N B T"]:
        return data.mask / (data.shape[1] * self.tokens)
