"""Trajectories by simulation, for models that are too large to enumerate."""

import numpy as np
import scipy.sparse as sp
from jaxtyping import Int

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidArgument, NonTerminating
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.sampling.paths import Paths

LONGEST = 100_000
"""Steps after which an episode without a horizon is taken to run for ever."""


def choose(cumulative: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Index of the first cumulative probability above u, row by row."""
    return (cumulative <= u[:, None]).sum(axis=1)


def simulate(mdp: MDP, policy: Policy, start: Int[np.ndarray, "K"], *, horizon: int | None = None, rng: np.random.Generator) -> Paths:
    """One trajectory from each start. `chance` is one. Cost O(T K (S + A)).

    Raises:
        InvalidArgument: the reward is random and its law is unknown.
        NonTerminating: an episode did not end within LONGEST steps and no horizon was given.
    """
    if mdp.r2 is not None and mdp.outcomes is None:
        raise InvalidArgument("the reward is random (r2 is given) but its law is not: it cannot be drawn. Give `outcomes` instead of r2.")
    steps = min((h for h in (horizon, mdp.horizon) if h is not None), default=LONGEST)
    require_count("horizon", steps)
    K, at, running = len(start), np.array(start), np.arange(len(start))
    cumulative_pi = policy.probabilities.cumsum(axis=1)
    history: list[tuple[np.ndarray, ...]] = []
    last, truncated = np.full(K, -1), np.zeros(K, dtype=bool)
    for t in range(steps):
        s = at[running]
        a = np.minimum(choose(cumulative_pi[s], rng.random(len(s))), mdp.A - 1)
        pair = s * mdp.A + a
        rows = mdp.transition[pair]
        dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
        following = choose(dense.cumsum(axis=1), rng.random(len(s)))
        over = following == mdp.S
        history.append((running, s, a, _reward(mdp, pair, following, over, rng)))
        at[running] = np.where(over, -1, following)
        running = running[~over]
        if not len(running):
            break
        if t + 1 == steps:
            if steps == LONGEST:
                raise NonTerminating(f"{len(running)} of {K} episodes did not end within {LONGEST} steps. Give the sampling a horizon.")
            if mdp.horizon != steps:
                last[running], truncated[running] = at[running], True
    T = len(history)
    arrays = {"state": np.zeros((K, T), int), "action": np.zeros((K, T), int), "reward": np.zeros((K, T)), "mask": np.zeros((K, T), bool)}
    for t, (who, s, a, x) in enumerate(history):
        for name, values in (("state", s), ("action", a), ("reward", x), ("mask", True)):
            arrays[name][who, t] = values
    return Paths(**arrays, last=last, truncated=truncated, start=np.array(start), chance=np.ones(K), shape=(mdp.S, mdp.A))


def _reward(mdp: MDP, pair: np.ndarray, following: np.ndarray, over: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if mdp.outcomes is not None:
        law = mdp.outcomes.chance.reshape(-1, len(mdp.outcomes.values))[pair]
        return mdp.outcomes.values[np.minimum(choose(law.cumsum(axis=1), rng.random(len(pair))), len(mdp.outcomes.values) - 1)]
    if mdp.by_pair:
        return mdp.r.ravel()[pair]
    inside = np.where(over, 0, following)
    moving = np.asarray(sp.csr_array(mdp.r)[pair, inside]).ravel() if sp.issparse(mdp.r) else mdp.r.reshape(-1, mdp.S)[pair, inside]
    ending = np.zeros(len(pair)) if mdp.r_end is None else mdp.r_end.ravel()[pair]
    return np.where(over, ending, moving)
