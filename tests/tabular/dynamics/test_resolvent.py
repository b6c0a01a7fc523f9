"""Systems solved together against numpy's dense solver, one and many."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.resolvent import Resolvent
from pgtheory.tabular.errors import NonTerminating


def systems(N: int, S: int, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(N * 100 + S)
    return np.eye(S) - gamma * rng.dirichlet(np.full(S, 0.3), size=(N, S)), rng.normal(size=(N, S))


@pytest.mark.parametrize("N", [1, 2, 7])
@pytest.mark.parametrize("S", [1, 2, 5, 20])
@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.9999])
def test_both_systems_are_solved(N, S, gamma):
    M, b = systems(N, S, gamma)
    found = Resolvent(M)
    # Condition: the sup norm of the inverse is at most 1 / (1 - gamma), that of M at most 2; a few S roundings of the solution on either side.
    tolerance = 16 * S * 2.0**-53 * 2 / (1 - gamma) * (1 + abs(b).max() / (1 - gamma))

    for x, matrix in ((found.solve(b), M), (found.solve_transposed(b), np.swapaxes(M, 1, 2))):
        expected = np.linalg.solve(matrix, b[:, :, None])[:, :, 0]
        assert abs(x - expected).max() <= tolerance


def test_right_hand_sides_stay_as_they_were():
    M, b = systems(3, 4, 0.9)
    for n in (1, 3):
        before, matrices = b[:n].copy(), M[:n].copy()
        found = Resolvent(M[:n])
        found.solve(b[:n]), found.solve_transposed(b[:n])
        assert (b[:n] == before).all() and (M[:n] == matrices).all()


@pytest.mark.parametrize("N", [1, 3])
def test_singular_system_is_an_episode_that_never_ends(N):
    M = np.broadcast_to(np.eye(2) - np.array([[0.5, 0.5], [0.5, 0.5]]), (N, 2, 2))

    with pytest.raises(NonTerminating, match="gamma is 1 and under this policy the episode does not end"):
        Resolvent(M)
