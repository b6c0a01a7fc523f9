"""Worlds on a grid. A state is a cell in which an action is taken; cells in which the episode is over are no states."""

import numpy as np
from jaxtyping import Bool, Int

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.models.mdp import MDP

MOVES = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])
"""Up, right, down, left, as (row, column)."""


def targets(rows: int, columns: int) -> Int[np.ndarray, "S A"]:
    """Number of the cell that each move leads to from each cell, row by row; a move into the border stays."""
    cells = np.stack(np.divmod(np.arange(rows * columns), columns), axis=-1)
    moved = np.clip(cells[:, None] + MOVES, 0, [rows - 1, columns - 1])
    return moved[..., 0] * columns + moved[..., 1]


def on_cells(to: Int[np.ndarray, "C A"], states: Bool[np.ndarray, "C"]) -> np.ndarray:
    """Deterministic transitions (S, A, S) among the cells `states`; a move to any other cell ends the episode."""
    inside = np.flatnonzero(states)
    return np.eye(len(states))[to[inside]][..., inside]


def gridworld(rows: int = 4, columns: int = 4) -> MDP:
    """Up, right, down, left; -1 a step; the episode ends in the first and in the last cell. Undiscounted, start uniform over the other cells.

    On 4x4 the uniform policy is worth -14, -20, -22 / -14, -18, -20, -20 / ...
    Source: Sutton and Barto (2018), Example 4.1.
    """
    rows, columns = require_count("rows", rows), require_count("columns", columns, least=2)
    states = np.ones(rows * columns, dtype=bool)
    states[[0, -1]] = False
    if not states.any():
        states[0] = True
    S = int(states.sum())
    return MDP(P=on_cells(targets(rows, columns), states), r=np.full((S, 4), -1.0), mu=np.full(S, 1 / S))


def cliff(rows: int = 4, columns: int = 12) -> MDP:
    """From the lower left to the lower right corner; -1 a step, -100 and back to the start for each step onto the cells between them. Undiscounted.

    The best return is -(columns + 1): one up, along the edge, one down.
    Source: Sutton and Barto (2018), Example 6.6.
    """
    rows, columns = require_count("rows", rows, least=2), require_count("columns", columns, least=2)
    start, goal = (rows - 1) * columns, rows * columns - 1
    states = np.arange(rows * columns) <= start
    to = targets(rows, columns)
    falls = (to > start) & (to < goal)
    P = on_cells(np.where(falls, start, to), states)
    r = np.where(falls, -100.0, -1.0)[states]
    return MDP(P=P, r=r, mu=np.eye(start + 1)[start])


def deep_sea(N: int = 10) -> MDP:
    """N steps down a triangle, left or right a step; right costs 0.01/N, and the treasure 1 lies where N steps to the right lead. Undiscounted.

    One path of 2^N finds it, worth 0.99; the uniform policy does so with probability 2^-N.
    Source: Osband et al. (2020), bsuite, experiment deep_sea.
    """
    N = require_count("N", N)
    depth, column = np.tril_indices(N)
    S = len(depth)
    P, r, s = np.zeros((S, 2, S)), np.zeros((S, 2)), np.flatnonzero(depth < N - 1)
    below = s + depth[s] + 1
    P[s, 0, np.where(column[s] > 0, below - 1, below)] = 1
    P[s, 1, below + 1] = 1
    r[:, 1] = -0.01 / N
    r[-1, 1] += 1
    return MDP(P=P, r=r, mu=np.eye(S)[0])
