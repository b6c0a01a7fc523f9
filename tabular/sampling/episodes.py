"""Independent episodes from the start distribution, drawn by the current policy or by another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pgtheory.tabular.arrays import require_count, require_generator
from pgtheory.tabular.data import Data
from pgtheory.tabular.sampling.datasets import LIMIT, DataSets, count_draws, draws
from pgtheory.tabular.sampling.paths import Paths, count_paths, enumerate_paths
from pgtheory.tabular.sampling.simulate import simulate
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True)
class OnPolicy:
    """`episodes` independent episodes of the current policy, each cut after `horizon` steps if one is given.

    index: prompt = number of the first state among the possible ones, group = 0, rollout = number of the row.
    """

    episodes: int = 1
    horizon: int | None = None
    role: ClassVar[str] = "current"

    def __post_init__(self) -> None:
        require_count("episodes", self.episodes)
        if self.horizon is not None:
            require_count("horizon", self.horizon)

    def counts_in(self, scene: Scene) -> dict[str, int]:
        """Numbers that a convention may divide by: rows of the batch."""
        return {"B": self.episodes}

    def count(self, scene: Scene, *, ordered: bool = False) -> float:
        """Number of data sets that `datasets` would form, or a little more, without forming them; infinite if they cannot be enumerated. Cost O(T nnz)."""
        return count_draws(self.part_counts(scene)[0], self.episodes, ordered=ordered)

    def part_counts(self, scene: Scene) -> list[float]:
        """Number of draws of each of the independent rows."""
        paths = count_paths(scene.mdp, horizon=self.horizon, limit=LIMIT)
        return [float(paths[scene.mdp.mu > 0].sum())] * self.episodes

    def datasets(self, scene: Scene, *, ordered: bool = False) -> DataSets:
        """All data sets: C(K + B - 1, B) multisets, or K^B ordered ones, of K trajectories."""
        paths = enumerate_paths(scene.mdp, horizon=self.horizon)
        return self.assemble(scene, paths, *draws(np.arange(len(paths)), self.episodes, ordered=ordered))

    def parts(self, scene: Scene, *, ordered: bool = False) -> tuple[Paths, list[tuple[np.ndarray, np.ndarray]]]:
        """The independent rows: for each, all trajectories as (rows, prior). A data set takes one of each."""
        paths = enumerate_paths(scene.mdp, horizon=self.horizon)
        return paths, [draws(np.arange(len(paths)), 1, ordered=ordered)] * self.episodes

    def assemble(self, scene: Scene, paths: Paths, rows: np.ndarray, prior: np.ndarray) -> DataSets:
        """Data sets of the given rows."""
        return DataSets(paths=paths, rows=rows, prior=prior, role=self.role, given_start=False, index=self._index(scene, paths, rows))

    def batches(self, scene: Scene, *, ordered: bool = False) -> Iterator[tuple[np.ndarray, Data]]:
        """(weights, data) in chunks; the weights sum to one over all chunks."""
        return self.datasets(scene, ordered=ordered).batches(scene)

    def sample(self, scene: Scene, n: int, *, rng: np.random.Generator) -> Data:
        """n data sets by simulation.

        Raises:
            InvalidArgument: rng is no generator.
        """
        require_generator(rng)
        start = rng.choice(scene.mdp.S, size=n * self.episodes, p=scene.mdp.mu)
        paths = simulate(scene.mdp, scene.policy(self.role), start, horizon=self.horizon, rng=rng)
        rows = np.arange(n * self.episodes).reshape(n, self.episodes)
        index = self._index(scene, paths, rows)
        return DataSets(paths=paths, rows=rows, prior=np.ones(n), role=self.role, given_start=False, index=index).data

    def _index(self, scene: Scene, paths: Paths, rows: np.ndarray) -> dict[str, np.ndarray]:
        ordinal = np.cumsum(scene.mdp.mu > 0) - 1
        rollout = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
        return {"prompt": ordinal[paths.start[rows]], "group": np.zeros_like(rows), "rollout": rollout}


@dataclass(frozen=True)
class OffPolicy(OnPolicy):
    """The same, drawn by the role `sampler`."""

    role: ClassVar[str] = "sampler"
