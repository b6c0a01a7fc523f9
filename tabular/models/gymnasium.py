"""Models of Gymnasium's environments that publish their transition table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.arrays import require_between
from pgtheory.tabular.errors import InvalidArgument, InvalidModel, MissingExtra
from pgtheory.tabular.models.mdp import MDP


def from_gymnasium(env: Any, gamma: float = 0.99, *, mu: Float[np.ndarray, "S"] | None = None) -> MDP:
    """The decision process of an environment with a table `env.unwrapped.P[s][a] = [(probability, next state, reward, terminated), ...]`.

    A row with `terminated` ENDS the episode: its mass leaves P, its reward goes to `r_end`. Taking such a row for an ordinary move gives another problem
    (the best return of Taxi grows from 6.33 to 835), because the tables go on after the end.
    Rows of one (s, a) that lead to the same state are added up; where they carry different rewards, the reward of the move is their mean and `r2` their
    second moment. A time limit of the environment (`max_episode_steps`) cuts the sampling and is no part of the model.

    Args:
        env: an environment, or its id.
        gamma: discount; Gymnasium does not say which.
        mu: distribution of the first state; default `env.unwrapped.initial_state_distrib`.

    Cost: O(number of rows).

    Raises:
        MissingExtra: an id is given and gymnasium is not installed.
        InvalidArgument: no environment has this id; the environment has no table, or no initial distribution and no mu was given.
        InvalidModel: the table is damaged.
    """
    require_between("gamma", gamma, 0, 1)
    env, label = (made(env), env) if isinstance(env, str) else (env, str(getattr(getattr(env, "spec", None), "id", type(env).__name__)))
    bare = getattr(env, "unwrapped", env)
    table = getattr(bare, "P", None)
    if table is None:
        raise InvalidArgument(f"{label} has no transition table env.unwrapped.P, so it cannot be solved exactly. Toy-text environments have one.")
    if mu is None:
        mu = getattr(bare, "initial_state_distrib", None)
        if mu is None:
            raise InvalidArgument(f"{label} has no initial_state_distrib. Give the distribution of the first state: from_gymnasium(env, mu=...).")
    try:
        S, A = len(table), len(table[0])
        rows = [(s * A + a, *row) for s in range(S) for a in range(A) for row in table[s][a]]
        sizes = {len(table[s]) for s in range(S)}
        pair, chance, following, reward, ends = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    except (KeyError, IndexError, TypeError, ValueError) as problem:
        raise InvalidModel(f"the table of {label} is not P[s][a] = [(probability, next state, reward, terminated), ...]: {problem!r}.") from None
    if sizes != {A}:
        raise InvalidModel(f"the table of {label} has states with {min(sizes)} and with {max(sizes)} actions; every state needs the same.")
    return assembled((S, A), pair.astype(int), chance, following.astype(int), reward, ends != 0, np.asarray(mu), gamma)


def assembled(
    shape: tuple[int, int],
    pair: np.ndarray,
    chance: np.ndarray,
    following: np.ndarray,
    reward: np.ndarray,
    ends: np.ndarray,
    mu: np.ndarray,
    gamma: float,
) -> MDP:
    """The model of a list of rows, sparse; rows of probability zero are left out."""
    S, A = shape
    if not (0 <= following).all() or not (following < S).all():
        raise InvalidModel(f"a row leads to state {following[(following < 0) | (following >= S)][0]}; states are 0 to {S - 1}.")
    on, off = ~ends & (chance > 0), ends & (chance > 0)
    moves = lambda weight: sp.coo_array((weight[on], (pair[on], following[on])), shape=(S * A, S)).tocsr()
    endings = lambda weight: np.bincount(pair[off], weight[off], S * A)
    P, mass = moves(chance), endings(chance)
    unit_sum(P, mass, shape)
    r, r2 = (over(moves(chance * x), P) for x in (reward, reward**2))
    r_end, r2_end = (np.divide(endings(chance * x), mass, out=np.zeros(S * A), where=mass > 0) for x in (reward, reward**2))
    mixed = abs(r2 - r * r).max() > 0 or (r2_end != r_end**2).any()
    return MDP(P=P, r=r, r2=r2 if mixed else None, r_end=r_end.reshape(S, A), mu=mu, gamma=gamma)
