"""All trajectories of a rational model, by recursion: the enumerator that shares nothing with the one it checks."""

from collections.abc import Iterator
from typing import NamedTuple

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.exact.arithmetic import Number
from pgtheory.tabular.exact.rational import RationalMDP, Table


class Step(NamedTuple):
    """One decision and its reward."""

    state: int
    action: int
    reward: Number


class Trajectory(NamedTuple):
    """An episode.

    Attributes:
        steps: what happened.
        start: first state.
        last: state after the last step; -1 if the episode terminated.
        truncated: True if it was cut, not ended.
        chance: probability of the moves given the start and the actions: neither mu nor the policy is in it.

    Theorem: T07.
    """

    steps: tuple[Step, ...]
    start: int
    last: int
    truncated: bool
    chance: Number

    def total(self, gamma: Number = 1) -> Number:
        """Discounted sum of the rewards."""
        return sum(gamma**t * step.reward for t, step in enumerate(self.steps))

    def probability(self, pi: Table) -> Number:
        """Probability of the moves and the actions, given the start."""
        p = self.chance
        for s, a, _ in self.steps:
            p = p * pi[s][a]
        return p


def trajectories(mdp: RationalMDP, *, horizon: int | None = None, limit: int = 50_000) -> list[Trajectory]:
    """Every trajectory of positive chance from every state in which mu may start. Cost: their number times their length.

    The model's own horizon ends a trajectory; `horizon` cuts it, and it counts as truncated unless it ended just then.

    Raises:
        InvalidArgument: the model has a cycle and there is no horizon of either kind, or more than `limit` trajectories.

    Theorem: T06.
    """
    longest = min((h for h in (horizon, mdp.horizon) if h is not None), default=None)
    deepest = mdp.S if longest is None else longest

    def extend(start: int, state: int, steps: tuple[Step, ...], chance: Number) -> Iterator[Trajectory]:
        if len(steps) == deepest:
            if longest is None:
                raise InvalidArgument("the model has a cycle, so that its trajectories have no greatest length. Give a horizon.")
            ended = len(steps) == mdp.horizon
            yield Trajectory(steps, start, -1 if ended else state, not ended, chance)
            return
        for action, law in enumerate(mdp.moves[state]):
            for p, following, reward in law:
                taken = (*steps, Step(state, action, reward))
                if following < 0:
                    yield Trajectory(taken, start, -1, False, chance * p)
                else:
                    yield from extend(start, following, taken, chance * p)

    found: list[Trajectory] = []
    for start, mass in enumerate(mdp.mu):
        if mass != 0:
            for path in extend(start, start, (), 1 + 0 * mass):
                found.append(path)
                if len(found) > limit:
                    raise InvalidArgument(f"the model has more than {limit} trajectories. Tier 1 counts them one by one: take a smaller model.")
    return found
