"""Models of Gymnasium's environments that publish their transition table."""

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.arrays import ROUNDING, require_between
from pgtheory.tabular.errors import InvalidArgument, InvalidModel, MissingExtra, UnknownProblem
from pgtheory.tabular.models.mdp import MDP


def from_gymnasium(env: Any, gamma: float = 0.99, *, mu: Float[np.ndarray, "S"] | None = None) -> MDP:
    """The decision process of an environment with a table `env.unwrapped.P[s][a] = [(probability, next state, reward, terminated), ...]`.

    A row with `terminated` ENDS the episode: its mass leaves P, its reward goes to `r_end`. Taking such a row for an ordinary move gives another problem
    (the best return of Taxi grows from 6.33 to 835), because the tables go on after the end.
    Rows of one (s, a) that lead to the same state are added up; where they carry different rewards, the reward of the move is their mean and `r2` their
    second moment (`r2_end` for rows that end). A time limit of the environment (`max_episode_steps`) cuts the sampling and is no part of the model.

    Args:
        env: an environment, or its id.
        gamma: discount; Gymnasium does not say which.
        mu: distribution of the first state; default `env.unwrapped.initial_state_distrib`.

    Cost: O(number of rows).

    Raises:
        MissingExtra: an id is given and gymnasium is not installed.
        UnknownProblem: gymnasium cannot make this id.
        InvalidArgument: the environment has no table, or no initial distribution and no mu was given.
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
    pair: Int[np.ndarray, "R"],
    chance: Float[np.ndarray, "R"],
    following: Int[np.ndarray, "R"],
    reward: Float[np.ndarray, "R"],
    ends: Bool[np.ndarray, "R"],
    mu: Float[np.ndarray, "S"],
    gamma: float,
) -> MDP:
    """The sparse model of R rows. Column S of the table in between stands for the end of the episode.

    A mean is taken as the first reward plus the mean difference to it: rows that agree keep their reward bit by bit.
    """
    S, A = shape
    outside = (following < 0) | (following >= S)
    if outside.any():
        raise InvalidModel(f"a row leads to state {following[outside][0]}; states are 0 to {S - 1}.")
    if (chance < 0).any():
        raise InvalidModel(f"a row has the probability {chance.min()}, a negative one. Probabilities are at least 0.")
    total = np.bincount(pair, chance, S * A)
    if (abs(total - 1) > ROUNDING).any():
        s, a = divmod(int(np.argmax(abs(total - 1))), A)
        raise InvalidModel(
            f"the rows of P[{s}][{a}] sum to {total[s * A + a]:.12g}, not to one: the table is damaged, or was made in single precision."
        )
    pair, chance, following, reward, ends = (column[chance > 0] for column in (pair, chance, following, reward, ends))
    keys, first, group = np.unique(pair * (S + 1) + np.where(ends, S, following), return_index=True, return_inverse=True)
    mass = np.bincount(group, chance)
    average = lambda x: np.bincount(group, chance * x) / mass
    mean = reward[first] + average(reward - reward[first][group])
    square = mean**2 + average((reward - mean[group]) ** 2)
    row, target = np.divmod(keys, S + 1)
    moves, over = target < S, target == S
    table = lambda x: sp.csr_array((x[moves], (row[moves], target[moves])), shape=(S * A, S))
    at_end = lambda x: np.bincount(row[over], x[over], S * A).reshape(S, A)
    second = {"r2": table(square), "r2_end": at_end(square)} if (square != mean**2).any() else {}
    return MDP(P=table(mass), r=table(mean), r_end=at_end(mean), mu=mu, gamma=gamma, **second)


def made(id: str) -> Any:
    """The environment with this id.

    Raises:
        MissingExtra: gymnasium is not installed.
        UnknownProblem: gymnasium cannot make it.
    """
    try:
        import gymnasium
    except ImportError:
        raise MissingExtra(f"{id} is a Gymnasium environment, and gymnasium is not installed. Install it: pip install 'pgtheory[gym]'.") from None
    try:
        with warnings.catch_warnings():
            # Gymnasium warns of every id that has a successor; which version is meant is the caller's decision.
            warnings.simplefilter("ignore")
            return gymnasium.make(id)
    except (gymnasium.error.Error, ImportError) as problem:
        raise UnknownProblem(f"Gymnasium does not make {id!r}: {problem}") from None
