"""Processes of any size, made sparse and without a loop over states. Rewards are scaled so that values stay between -1 and 1. `problems.py` gives them ids."""

import numpy as np
import scipy.sparse as sp

from pgtheory.tabular.arrays import require_between, require_count
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.classic import require_open
from pgtheory.tabular.models.mdp import MDP


def sparse_garnet(S: int = 1000, A: int = 4, b: int = 5, gamma: float = 0.99, seed: int = 0) -> MDP:
    """A random process: every pair (s, a) has b successors drawn with replacement, exponential weights, rewards (1 - gamma) U(0, 1), uniform start.

    Its chains forget where they started within a few steps. Cost: O(S A b) time and memory. Source: Archibald, McKinnon, Thomas (1995); Bhatnagar et al. (2009).
    """
    S, A, b, seed = require_count("S", S), require_count("A", A), require_count("b", b), require_count("seed", seed, least=0)
    require_open("gamma", gamma)
    if b > S:
        raise InvalidArgument(f"b is {b}, but there are only S = {S} states to move to. Give b <= S.")
    rng = np.random.default_rng(seed)
    column = rng.integers(0, S, size=(S * A, b))
    weight = rng.exponential(size=(S * A, b))
    weight /= weight.sum(axis=1, keepdims=True)
    P = sp.csr_array((weight.ravel(), column.ravel(), np.arange(0, S * A * b + 1, b)), shape=(S * A, S))
    return MDP(P=P, r=(1 - gamma) * rng.random((S, A)), mu=np.full(S, 1 / S), gamma=gamma)


def queue(S: int = 1000, A: int = 3, gamma: float = 0.9999) -> MDP:
    """A queue of at most S - 1 customers: one arrives with probability 0.4, one is served with probability 0.6 (a + 1) / A; else nothing happens.

    A step costs s / m, m = min(S, 1000), for holding s customers and 0.5 (a / (A - 1))^2 for the rate of service, times -(1 - gamma) m / (1.5 S): the values
    lie between -1 and 0, and a customer costs as much in the largest queue as in one of a thousand. Banded, and slow to mix.
    Source: controlled birth and death processes, Puterman (1994), Section 11.5.
    """
    S, A = require_count("S", S, least=2), require_count("A", A, least=2)
    require_open("gamma", gamma)
    s, a = np.arange(S)[:, None], np.arange(A)[None]
    up = np.where(s < S - 1, 0.4, 0.0) * np.ones((1, A))
    down = np.where(s > 0, 0.6, 0.0) * (a + 1) / A
    move = np.stack([down, 1 - up - down, up], axis=-1)
    to = np.clip(s[..., None] + np.array([-1, 0, 1]), 0, S - 1) * np.ones((1, A, 1), dtype=int)
    P = sp.csr_array((move.ravel(), to.ravel(), np.arange(0, S * A * 3 + 1, 3)), shape=(S * A, S))
    P.sum_duplicates()
    P.eliminate_zeros()
    m = min(S, 1000)
    cost = s / m + 0.5 * (a / (A - 1)) ** 2
    return MDP(P=P, r=-(1 - gamma) * m / (1.5 * S) * cost, mu=np.full(S, 1 / S), gamma=gamma)


def frozen_lake(n: int = 32, gamma: float = 0.99, holes: float = 0.1, seed: int = 0) -> MDP:
    """n times n cells of slippery ice: a step goes where it is meant, or to either side, each with probability 1/3; walls hold it back.

    Falling into a hole (each cell with probability `holes`) ends the episode with 0, the goal in the last corner ends it with 1. Actions: up, right, down, left.
    Start uniform over all cells that are neither. Source: Gymnasium's FrozenLake, on a map of any size.
    """
    n, seed = require_count("n", n, least=2), require_count("seed", seed, least=0)
    holes = require_between("holes", holes, 0, 1)
    require_open("gamma", gamma)
    hole = np.random.default_rng(seed).random(n * n) < holes
    hole[[0, -1]] = False
    goal = n * n - 1
    states = np.flatnonzero(~hole & (np.arange(n * n) != goal))
    number = np.full(n * n, -1)
    number[states] = np.arange(len(states))
    row, column = np.divmod(states, n)
    step = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
    to = np.clip(row[:, None] + step[:, 0], 0, n - 1) * n + np.clip(column[:, None] + step[:, 1], 0, n - 1)
    slip = np.stack([np.roll(to, 1, axis=1), to, np.roll(to, -1, axis=1)], axis=-1).reshape(-1, 3)
    pair, which = np.nonzero(number[slip] >= 0)
    P = sp.csr_array((np.full(len(pair), 1 / 3), (pair, number[slip][pair, which])), shape=(len(slip), len(states)))
    r = (slip == goal).sum(axis=1).reshape(-1, 4) / 3
    return MDP(P=P, r=r, mu=np.full(len(states), 1 / len(states)), gamma=gamma)


def torus(n: int = 32, gamma: float = 0.999, slip: float = 0.2) -> MDP:
    """n times n cells whose rows and columns are closed to rings: a step goes where it is meant with probability 1 - slip, to either side with slip / 2 each.

    A step from cell 0 earns 1 - gamma, any other nothing, and nothing ends: the values lie between 0 and 1. Actions: up, right, down, left. News of cell 0 takes n
    steps to the farthest one, and chains forget slowly; for even n, where a step always leads from a white cell to a black one or back, they never do.
    Cost: O(n^2). Source: Levin and Peres (2017), Section 5.3, for the time that a walk on a torus takes to forget its start.
    """
    n, slip = require_count("n", n, least=3), require_between("slip", slip, 0, 1)
    require_open("gamma", gamma)
    S = n * n
    row, column = np.divmod(np.arange(S)[:, None], n)
    step = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
    to = (row + step[:, 0]) % n * n + (column + step[:, 1]) % n
    near = np.stack([np.roll(to, 1, axis=1), to, np.roll(to, -1, axis=1)], axis=-1)
    chance = np.tile([slip / 2, 1 - slip, slip / 2], 4 * S)
    P = sp.csr_array((chance, near.ravel(), np.arange(0, 12 * S + 1, 3)), shape=(4 * S, S))
    P.eliminate_zeros()
    r = np.zeros((S, 4))
    r[0] = 1 - gamma
    return MDP(P=P, r=r, mu=np.full(S, 1 / S), gamma=gamma)
