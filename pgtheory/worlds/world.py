"""A world: a scene at several points, a sampling law and a target."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from pgtheory.tabular.errors import TooLarge
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.sampling.datasets import DataSets
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.sampling.paths import enumerate_paths
from pgtheory.tabular.scene import Fixed, Moving, Scene

Sampling = OnPolicy | OffPolicy | Groups

ROWS: dict[int, tuple[str, ...]] = {
    1: ("1",),
    2: ("1/3 2/3", "3/4 1/4", "2/5 3/5", "4/5 1/5", "5/8 3/8", "1/4 3/4", "3/5 2/5"),
    3: ("1/2 1/3 1/6", "1/6 1/2 1/3", "1/5 1/5 3/5", "2/5 1/2 1/10", "1/4 5/8 1/8", "3/5 1/10 3/10", "1/7 4/7 2/7"),
}
"""Distributions with small denominators, none uniform: tables are filled from them, so that a fraction can be read off every probability."""

RARE = 100
"""Number of the first table with rare actions."""


def rational_table(S: int, A: int, number: int) -> list[list[Fraction]]:
    """Table number `number` of S distributions over A actions; neighbouring states and numbers differ.

    From number RARE on the first action has probability 1/50 or 49/50 in turn: rare tokens, and ratios far from one.
    For A > 3 the weights are 1 + (3 a + 2 s + number + a s) mod (A + 1), with two more on action (s + number) mod A, divided by their sum.
    """
    if number >= RARE and A > 1:
        rare = [[Fraction(1, 50), *[Fraction(49, 50 * (A - 1))] * (A - 1)], [Fraction(49, 50), *[Fraction(1, 50 * (A - 1))] * (A - 1)]]
        return [rare[(s + number) % 2] for s in range(S)]
    if A in ROWS:
        rows = [[Fraction(x) for x in row.split()] for row in ROWS[A]]
        return [rows[(3 * s + 2 * number + s * number) % len(rows)] for s in range(S)]
    weights = [[1 + (3 * a + 2 * s + number + a * s) % (A + 1) + 2 * (a == (s + number) % A) for a in range(A)] for s in range(S)]
    return [[Fraction(w, sum(row)) for w in row] for row in weights]


def floats(table: list[list[Fraction]]) -> np.ndarray:
    """A table of fractions as an array."""
    return np.array([[float(x) for x in row] for row in table])


@dataclass(frozen=True, eq=False, kw_only=True)
class World:
    """A model, its sampling law, and the policies of each role.

    Attributes:
        id: stable name.
        setting: "tokens" (groups of completions) or "episodes" (trajectories).
        model: the model.
        sampling: the law of the data.
        current: the current policy at each point.
        sampler: the policy that sampled, None for on-policy.
        old: the old policy of ratios and clips; None: the one that sampled.
        ref: the reference policy, if any; with ref_is_current it is the current one at every point.
        critic: values of the states that a function which wants `values` is given; None: the exact ones.
        problem: how the command line names the problem, for worlds that are not on the frozen list.
        features: what this world has that others lack, in words; printed when the world decides.
    """

    id: str
    setting: str
    model: object
    sampling: Sampling
    current: tuple[Policy, ...]
    sampler: Policy | None = None
    old: Policy | None = None
    ref: Policy | None = None
    ref_is_current: bool = False
    critic: np.ndarray | None = None
    problem: str | None = None
    features: str = ""

    def scene(self, point: int = 0) -> Scene:
        """The scene at point number `point`."""
        return self.scenes[point]

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        """The scene at every point."""
        fixed = {role: Fixed(policy) for role, policy in (("sampler", self.sampler), ("old", self.old), ("ref", self.ref)) if policy is not None}
        first = self.current[0]
        moving = {"ref": Moving(first)} if self.ref_is_current else {}
        extra = {} if self.critic is None else {"critic": self.critic}
        base = Scene(model=self.model, point={"theta": first.theta, **extra}, policies={"current": Moving(first), **fixed, **moving})
        return (base, *(base.at(theta=policy.theta) for policy in self.current[1:]))

    def datasets(self, *, ordered: bool = False) -> DataSets:
        """All data sets, enumerated once."""
        if ordered not in self._enumerated:
            self._enumerated[ordered] = self.sampling.datasets(self.scene(), ordered=ordered)
        return self._enumerated[ordered]

    @cached_property
    def _enumerated(self) -> dict[bool, DataSets]:
        return {}

    @property
    def option(self) -> str:
        """What the command line is given for this world."""
        if self.problem is None:
            return f"--problem world:{self.id}"
        return f"--problem {self.problem}" + (f" --group {self.counts['G']}" if "G" in self.counts else "")

    @cached_property
    def enumerable(self) -> bool:
        """Whether all data sets can be enumerated."""
        try:
            return len(self.datasets()) > 0
        except TooLarge:
            return False

    @cached_property
    def largest_return(self) -> float:
        """Largest absolute value of the reward of one step, times the number of steps."""
        return float(abs(self.scene().mdp.mean_reward).max(initial=0)) * self.padded_length

    @cached_property
    def padded_length(self) -> int:
        """T, the length to which rows are padded."""
        if self.enumerable:
            return self.datasets().data.shape[2]
        return self.sampling.sample(self.scene(), 1000, rng=np.random.default_rng(0)).shape[2]

    @property
    def off_policy(self) -> bool:
        """Whether another policy than the current one sampled."""
        return self.sampler is not None

    @cached_property
    def counts(self) -> dict[str, int]:
        """Numbers that a convention may divide by: rows B, prompts P, group size G."""
        return self.sampling.counts_in(self.scene())

    @cached_property
    def binary(self) -> bool:
        """Whether the whole reward of every trajectory is 0 or 1."""
        total = enumerate_paths(self.scene().mdp).total() if self.setting == "tokens" else self.datasets().paths.total()
        return bool(np.isin(total, (0.0, 1.0)).all())
