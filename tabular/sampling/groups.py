"""Groups of completions: every prompt is answered several times."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from pgtheory.tabular.arrays import require_count, require_generator
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.sampling.datasets import LIMIT, DataSets, count_draws, draws, products
from pgtheory.tabular.sampling.paths import Paths, count_paths, enumerate_paths
from pgtheory.tabular.sampling.simulate import simulate
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True)
class Groups:
    """`size` independent completions a prompt, drawn by the role `sampler`; B = P * size rows, prompt by prompt.

    With prompts=None every prompt (possible first state) stands in the batch once, which estimates J only if mu is uniform over them;
    with a number, that many prompts are drawn independently from mu.

    index: prompt = number of the prompt, group = place of the prompt in the batch, rollout = number within the group.
    """

    size: int
    prompts: int | None = None
    role: ClassVar[str] = "sampler"

    def __post_init__(self) -> None:
        require_count("size", self.size)
        if self.prompts is not None:
            require_count("prompts", self.prompts)

    def counts_in(self, scene: Scene) -> dict[str, int]:
        """Numbers that a convention may divide by: rows, prompts and completions a prompt."""
        P = self.prompts or len(starts(scene))
        return {"B": P * self.size, "P": P, "G": self.size}

    def count(self, scene: Scene, *, ordered: bool = False) -> float:
        """Number of data sets that `datasets` would form, or a little more, without forming them; infinite if they cannot be enumerated. Cost O(T nnz)."""
        return prod(self.part_counts(scene, ordered=ordered))

    def part_counts(self, scene: Scene, *, ordered: bool = False) -> list[float]:
        """Number of draws of each of the independent groups."""
        paths = count_paths(scene.mdp, limit=LIMIT)
        groups = [count_draws(number, self.size, ordered=ordered) for number in paths[self.first_states(scene)].tolist()]
        return groups if self.prompts is None else [sum(groups)] * self.prompts

    def datasets(self, scene: Scene, *, ordered: bool = False) -> DataSets:
        """All data sets: the product over the prompts of all multisets (or ordered tuples) of completions.

        Raises:
            InvalidArgument: every prompt stands in the batch once, but mu is not uniform over them.
            TooLarge: more data sets than the limit.
        """
        paths, parts = self.parts(scene, ordered=ordered)
        return self.assemble(scene, paths, *products(parts))

    def parts(self, scene: Scene, *, ordered: bool = False) -> tuple[Paths, list[tuple[np.ndarray, np.ndarray]]]:
        """The independent groups: for each, all its draws as (rows, prior). A data set takes one draw of each."""
        paths, first_states = enumerate_paths(scene.mdp), self.first_states(scene)
        groups = [draws(np.flatnonzero(paths.start == s), self.size, ordered=ordered) for s in first_states]
        if self.prompts is None:
            return paths, groups
        prior = np.concatenate([n * scene.mdp.mu[s] for (_, n), s in zip(groups, first_states, strict=True)])
        return paths, [(np.concatenate([rows for rows, _ in groups]), prior)] * self.prompts

    def assemble(self, scene: Scene, paths: Paths, rows: np.ndarray, prior: np.ndarray) -> DataSets:
        """Data sets of the given rows."""
        return DataSets(paths=paths, rows=rows, prior=prior, role=self.role, given_start=True, index=self._index(scene, paths, rows))

    def batches(self, scene: Scene, *, ordered: bool = False) -> Iterator[tuple[np.ndarray, Data]]:
        """(weights, data) in chunks; the weights sum to one over all chunks."""
        return self.datasets(scene, ordered=ordered).batches(scene)

    def sample(self, scene: Scene, n: int, *, rng: np.random.Generator) -> Data:
        """n data sets by simulation.

        Raises:
            InvalidArgument: rng is no generator.
        """
        require_generator(rng)
        first_states = self.first_states(scene)
        if self.prompts is None:
            prompts = np.broadcast_to(first_states, (n, len(first_states)))
        else:
            prompts = rng.choice(scene.mdp.S, size=(n, self.prompts), p=scene.mdp.mu)
        start = np.repeat(prompts, self.size, axis=1)
        paths = simulate(scene.mdp, scene.policy(self.role), start.ravel(), rng=rng)
        rows = np.arange(start.size).reshape(start.shape)
        index = self._index(scene, paths, rows)
        return DataSets(paths=paths, rows=rows, prior=np.ones(n), role=self.role, given_start=True, index=index).data

    def first_states(self, scene: Scene) -> np.ndarray:
        """The prompts that may stand in the batch.

        Raises:
            InvalidArgument: every prompt stands in it once, but mu is not uniform over them.
        """
        first_states = starts(scene)
        mu = scene.mdp.mu[first_states]
        if self.prompts is None and np.ptp(mu) > 1e-12:
            raise InvalidArgument(
                f"every prompt stands in the batch once, but their probabilities mu are {mu.tolist()}: the batch mean would not estimate J. "
                "Draw the prompts (Groups(size, prompts=1)) or make mu uniform."
            )
        return first_states

    def _index(self, scene: Scene, paths: Paths, rows: np.ndarray) -> dict[str, np.ndarray]:
        ordinal = np.cumsum(scene.mdp.mu > 0) - 1
        place = np.arange(rows.shape[1])
        return {
            "prompt": ordinal[paths.start[rows]],
            "group": np.broadcast_to(place // self.size, rows.shape),
            "rollout": np.broadcast_to(place % self.size, rows.shape),
        }


def starts(scene: Scene) -> np.ndarray:
    """The possible first states: the prompts."""
    return np.flatnonzero(scene.mdp.mu)
