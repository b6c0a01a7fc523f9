"""All data sets that a sampling law can produce, enumerated once; only their probabilities depend on theta."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations_with_replacement
from math import comb, factorial, inf
from typing import Self

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import first
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import NoSupport, TooLarge
from pgtheory.tabular.sampling.paths import Paths
from pgtheory.tabular.scene import Scene

LIMIT = 200_000
"""Largest number of data sets that is enumerated at once; a data set of 24 rows of 2 steps takes about 2 kB."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DataSets:
    """N data sets of B rows out of K trajectories.

    Attributes:
        paths: the trajectories.
        rows: which trajectory stands in which row.
        prior: number of orders of the data set times the probability of its prompts.
        role: the policy that samples.
        given_start: whether the rows are drawn given their start (prompts fixed or drawn before), or with it.
        index: integers a row, as in Data.
    """

    paths: Paths
    rows: Int[np.ndarray, "N B"]
    prior: Float[np.ndarray, "N"]
    role: str
    given_start: bool
    index: dict[str, Int[np.ndarray, "N B"]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def data(self) -> Data:
        """The data sets themselves."""
        k, paths = self.rows, self.paths
        arrays = {name: getattr(paths, name)[k] for name in ("state", "action", "reward", "mask", "last", "truncated")}
        return Data(**arrays, index=self.index)

    def weights(self, scene: Scene) -> Float[np.ndarray, "N"]:
        """Probability of each data set at the scene's point; they sum to one. Cost O(N B + K T).

        Raises:
            NoSupport: the sampling policy never takes an action that the current policy takes.
        """
        sampler, current = scene.policy(self.role).probabilities, scene.policy("current").probabilities
        missing = (sampler == 0) & (current > 0) & (self.paths.visits.sum(axis=0).reshape(sampler.shape) > 0)
        if missing.any():
            s, a = first(missing)
            raise NoSupport(
                f"the {self.role} policy never takes action {a} in state {s}, which the current policy takes with probability {current[s, a]:.4g}. "
                "No weight can repair that: sample from a policy that takes every action the current one takes."
            )
        p = self.paths.probability(scene.policy(self.role))
        if self.given_start:
            p = p / scene.mdp.mu[self.paths.start]
        return self.prior * p[self.rows].prod(axis=1)

    def take(self, which: np.ndarray | slice) -> Self:
        """Some of the data sets."""
        return type(self)(
            paths=self.paths,
            rows=self.rows[which],
            prior=self.prior[which],
            role=self.role,
            given_start=self.given_start,
            index={name: array[which] for name, array in self.index.items()},
        )

    def batches(self, scene: Scene, size: int = 4096) -> Iterator[tuple[np.ndarray, Data]]:
        """(weights, data) in chunks; the weights sum to one over all chunks."""
        for begin in range(0, len(self), size):
            part = self.take(slice(begin, begin + size))
            yield part.weights(scene), part.data


def count_draws(K: float, size: int, *, ordered: bool) -> float:
    """How many draws of `size` items out of K there are: K^size ordered tuples, or C(K + size - 1, size) multisets; infinite beyond the range of float64."""
    if K > LIMIT:  # so are the draws, and K may be infinite
        return float(K) if size == 1 else inf
    count = int(K) ** size if ordered else comb(int(K) + size - 1, size)
    return float(count) if count < 2**1000 else inf


def draws(choices: Int[np.ndarray, "K"], size: int, *, ordered: bool) -> tuple[Int[np.ndarray, "N size"], Float[np.ndarray, "N"]]:
    """All draws of `size` items out of `choices` with the number of orders that each stands for.

    Ordered tuples: K^size, each once. Multisets: C(K + size - 1, size), each with its multinomial coefficient.

    Raises:
        TooLarge: more than LIMIT.
    """
    K = len(choices)
    count = K**size if ordered else comb(K + size - 1, size)
    require_enumerable(count, f"{size} draws out of {K} trajectories")
    if ordered:
        grid = np.indices((K,) * size).reshape(size, -1).T
        return choices[grid], np.ones(len(grid))
    flat = np.fromiter((i for t in combinations_with_replacement(range(K), size) for i in t), dtype=np.int64, count=count * size)
    grid = flat.reshape(count, size)
    run, orders = np.ones(count), np.full(count, float(factorial(size)))
    for j in range(1, size):
        run = np.where(grid[:, j] == grid[:, j - 1], run + 1, 1)
        orders /= run
    return choices[grid], orders


def products(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """All combinations of one draw from each part: rows side by side, priors multiplied.

    Raises:
        TooLarge: more than LIMIT.
    """
    sizes = [len(prior) for _, prior in parts]
    require_enumerable(int(np.prod(sizes, dtype=object)), f"the product of {len(parts)} groups")
    chosen = np.indices(sizes).reshape(len(parts), -1).T
    rows = np.concatenate([part[0][chosen[:, i]] for i, part in enumerate(parts)], axis=1)
    prior = np.prod([part[1][chosen[:, i]] for i, part in enumerate(parts)], axis=0)
    return rows, prior


def require_enumerable(count: int, what: str) -> None:
    """Refuse more than LIMIT data sets."""
    if count > LIMIT:
        raise TooLarge(
            f"{what} make {count} data sets, more than {LIMIT}. Take a smaller group, fewer prompts or a smaller problem, "
            'or ask for Monte Carlo (method="monte-carlo"), which can refute but never acquit.'
        )
