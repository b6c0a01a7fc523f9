"""REINFORCE for one stage of a finite horizon after the other: episodes that begin in the stage which is trained, with the later stages as they are."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import distinct, require_count
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.stochastic import GradientLaw, Outcomes
from pgtheory.tabular.errors import InvalidArgument


class Episodes(NamedTuple):
    """E episodes from one stage, the same ones for all N problems, some with probability 0.

    Attributes:
        chance: product of the probabilities that are the model's, the start among them.
        reward: return from the stage on.
        pairs: numbers s A + a of what was visited, one column a step; S A, a pair of probability 1, after the end.
    """

    chance: Float[np.ndarray, "N E"]
    reward: Float[np.ndarray, "N E"]
    pairs: Int[np.ndarray, "E T"]


@dataclass(frozen=True, eq=False)
class Rollouts:
    """The law of G score(s, a): s uniform in stage h, a from its policy, G the return of one episode that the later stages' policies finish.

    It is unbiased for the gradient of the bandit of stage h (`Backward`), and 0 for the other stages. Rewards are those of the stack, the means of each pair.
    Outcomes with one pair and one return are one, and so are those that return 0.

    Attributes:
        stack: models with time in their states, H blocks of S of which each leads to the next only.
        stages: H.
        h: the stage.

    Cost: (S A)^(H - h) episodes are listed once; then a product over their steps a point.
    """

    stack: Stack
    stages: int
    h: int

    def __post_init__(self) -> None:
        require_count("stages", self.stages)
        require_count("h", self.h, least=0)
        if self.h >= self.stages or self.stack.S % self.stages:
            raise InvalidArgument(f"stage {self.h} of {self.stages} on {self.stack.S} states: expected a stage below H, and a multiple of H states.")

    @cached_property
    def episodes(self) -> Episodes:
        """Every episode that the models allow."""
        stack, S, A = self.stack, self.stack.S // self.stages, self.stack.A
        state = np.arange(self.h * S, (self.h + 1) * S)
        chance, reward, pairs = np.full((stack.N, S), 1 / S), np.zeros((stack.N, S)), np.empty((S, 0), dtype=int)
        done: list[Episodes] = []
        for k in range(self.h, self.stages):
            e, a = (x.ravel() for x in np.meshgrid(np.arange(len(state)), np.arange(A), indexing="ij"))
            pair = state[e] * A + a
            reward = reward[:, e] + stack.gamma[:, None] ** (k - self.h) * stack.r.reshape(stack.N, -1)[:, pair]
            chance, pairs = chance[:, e], np.column_stack([pairs[e], pair])
            onward = stack.P.reshape(stack.N, -1, stack.S)[:, pair]
            ends = np.clip(1 - onward.sum(axis=2), 0, 1)
            rest = np.full((len(pair), self.stages - 1 - k), stack.S * A)
            done.append(Episodes(chance * ends, reward, np.column_stack([pairs, rest])))
            e, state = np.nonzero((onward > 0).any(axis=0))
            chance, reward, pairs = chance[:, e] * onward[:, e, state], reward[:, e], pairs[e]
        chance, reward, pairs = (
            np.concatenate([getattr(part, name) for part in done], axis=axis) for name, axis in (("chance", 1), ("reward", 1), ("pairs", 0))
        )
        possible = (chance > 0).any(axis=0)
        return Episodes(chance[:, possible], reward[:, possible], pairs[possible])

    @cached_property
    def merged(self) -> tuple[Int[np.ndarray, "K"], Int[np.ndarray, "E"]]:
        """The first episode of each outcome, and the outcome of each episode."""
        found = self.episodes
        moves = (found.reward != 0).any(axis=0)
        return distinct(np.vstack([np.where(moves, found.pairs[:, 0], -1), np.where(moves, found.reward, 0.0)]).T)

    def __call__(self, outlook: Any) -> Outcomes:
        """K outcomes."""
        pi, found = outlook.pi, self.episodes
        first, outcome = self.merged
        R, S, A = pi.shape
        repeated = lambda x: np.repeat(x, R // self.stack.N, axis=0)
        taken = np.column_stack([pi.reshape(R, -1), np.ones(R)])[:, found.pairs].prod(axis=2)
        chance = (repeated(found.chance) * taken) @ (outcome[:, None] == np.arange(len(first)))
        pair = found.pairs[first, 0]
        gradient = np.zeros((R, len(first), S, A))
        here = np.arange(len(first)), pair // A
        gradient[:, here[0], here[1]] = repeated(found.reward[:, first])[:, :, None] * ((np.arange(A) == pair[:, None] % A) - pi[:, here[1]])
        return Outcomes(chance, gradient)


def at_rest(outlook: Any) -> Outcomes:
    """One outcome, the gradient 0."""
    return Outcomes(np.ones((len(outlook.theta), 1)), np.zeros((len(outlook.theta), 1, *outlook.theta.shape[1:])))


@dataclass(frozen=True, eq=False)
class StageByStage:
    """The last stage during the first `until` steps, then the one before it, and so on: what `Gradient` on it does is stochastic dynamic policy gradient.

    After stage 0 nothing moves, as with `Backward`. Source: Klein, Weissmann and Doering (2024).

    Attributes:
        stack, stages: as for `Rollouts`.
        until: steps a stage.
    """

    stack: Stack
    stages: int
    until: int

    def __post_init__(self) -> None:
        require_count("until", self.until)

    @cached_property
    def laws(self) -> tuple[Rollouts, ...]:
        """That of each stage, last stage first."""
        return tuple(Rollouts(self.stack, self.stages, h) for h in reversed(range(self.stages)))

    def during(self, t: int) -> GradientLaw:
        """The law of the step from t to t + 1."""
        stage = t // self.until
        return self.laws[stage] if stage < self.stages else at_rest

    def __call__(self, outlook: Any) -> Outcomes:
        """That of the first step."""
        return self.during(0)(outlook)
