"""Worlds of trajectories in a decision process."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.worlds.world import World, floats, rational_table

LOOP = MDP(
    # 0: to 1 or to 2;  1: back to 0, or to 2 or the end;  2: the end, or to 1.  States come back, episodes have one to three steps.
    P=[[[0, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 0.5]], [[0, 0, 0], [0, 1, 0]]],
    r=[[0.5, -1.0], [2.0, 0.25], [-0.5, 1.5]],
    mu=np.array([0.5, 0.0, 0.5]),
    gamma=0.9,
    horizon=3,
)
"""Three states, two actions, horizon 3, which ends the episode: nothing is truncated."""

TAIL = MDP(
    # 0: to 1 or to the tail 2;  1: to the tail, or the end;  2: stays for ever, whatever the action.
    P=[[[0, 1, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 0]], [[0, 0, 1], [0, 0, 1]]],
    r=[[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]],
    mu=np.array([0.75, 0.25, 0.0]),
    gamma=0.9,
)
"""After two steps every trajectory is over or in the tail, which no action influences and whose value is 1 / (1 - gamma). Cut after three steps it must be
bootstrapped with that value: then the three steps carry the whole gradient, and a truncation that is treated as a termination does not."""

FORK = MDP(
    # 0: to 1, stay, or the end;  1: to 0, the end, or stay.  Three actions: a state has two effective coordinates.
    P=[[[0, 1], [1, 0], [0, 0]], [[1, 0], [0, 0], [0, 1]]],
    r=[[0.5, -1.0, 1.5], [2.0, 0.25, -0.5]],
    mu=np.array([0.75, 0.25]),
    gamma=0.9,
    horizon=3,
)
"""Two states, three actions, horizon 3."""

CRITIC = (6.0, -9.0, 12.0)
"""Values of the states that an estimator with `any critic` is given: far from the true ones, so that a bias through the critic turns the direction."""

MODELS = {"loop": LOOP, "tail": TAIL, "fork": FORK}


@dataclass(frozen=True, kw_only=True)
class EpisodeWorld:
    """Specification of a world of trajectories; its switches are `dataclasses.replace`.

    Attributes:
        model: "loop" and "fork" (end by themselves) or "tail" (cut after three steps).
        gamma: discount.
        episodes: rows of the batch.
        horizon: of "loop" and "fork".
        off_policy: whether a policy different from the current one sampled.
        exact_critic: whether the values given to functions are the exact ones.
        points: numbers of the tables that the current policy takes, one a point.
    """

    model: str = "loop"
    gamma: float = 0.9
    episodes: int = 2
    horizon: int = 3
    off_policy: bool = False
    exact_critic: bool = False
    points: tuple[int, ...] = (0, 1, 2)
    features: str = ""

    @property
    def id(self) -> str:
        """Stable name."""
        parts = [self.model, f"gamma={self.gamma:g},T={self.horizon},B={self.episodes}"]
        parts += [word for word, on in (("off-policy", self.off_policy), ("exact-critic", self.exact_critic)) if on]
        return "episodes/" + "/".join(parts)

    @lru_cache(maxsize=128)  # noqa: B019 - specifications are small values, and a world is the same for all who ask
    def build(self) -> World:
        """The world, built once."""
        cut = self.model == "tail"
        base = MODELS[self.model]
        model = replace(base, gamma=self.gamma) if cut else replace(base, gamma=self.gamma, horizon=self.horizon)
        law = OffPolicy if self.off_policy else OnPolicy
        policy = lambda number: Softmax.of(floats(rational_table(model.S, model.A, number)))
        return World(
            id=self.id,
            setting="episodes",
            model=model,
            sampling=law(self.episodes, horizon=self.horizon if cut else None),
            current=tuple(policy(j) for j in self.points),
            sampler=policy(4) if self.off_policy else None,
            ref=policy(6),
            critic=None if self.exact_critic else np.array(CRITIC[: model.S]),
            features=self.features,
        )
