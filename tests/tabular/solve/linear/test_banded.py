"""The band: as it stands, and after the states were shuffled."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.solve.linear.banded import Banded
from pgtheory.tabular.solve.linear.solver import Aim, Refused
from pgtheory.tabular.solve.structure import Structure


@pytest.mark.parametrize("S", [1, 2, 3, 40])
def test_three_diagonals_against_the_inverse(structures, S):
    K = structures["walk"](S, np.random.default_rng(0))
    solver, M = Banded(Structure(sp.csr_array(K), 0.9)), np.eye(S) - 0.9 * K

    np.testing.assert_allclose(solver.solve(np.eye(S), False, Aim())[0], np.linalg.inv(M), atol=1e-13)
    np.testing.assert_allclose(solver.solve(np.eye(S), True, Aim())[0], np.linalg.inv(M).T, atol=1e-13)


def test_shuffled_states_are_put_in_order_again(structures):
    """A walk whose states have random numbers has a band as wide as the matrix; reverse Cuthill-McKee finds it again,
    folded at the state where it begins: two diagonals on either side."""
    rng = np.random.default_rng(0)
    shuffle = rng.permutation(200)
    K = structures["walk"](200, rng)[np.ix_(shuffle, shuffle)]
    solver, b = Banded(Structure(sp.csr_array(K), 0.99)), rng.random(200)

    assert solver.l <= 2 and solver.u <= 2 and solver.order is not None
    for transposed in (False, True):
        M = np.eye(200) - 0.99 * (K.T if transposed else K)
        np.testing.assert_allclose(solver.solve(b, transposed, Aim())[0], np.linalg.solve(M, b), rtol=1e-11)


def test_a_band_that_is_lopsided():
    """Three below and one above: l and u are not exchanged."""
    K = np.diag(np.full(17, 0.5), -3) + np.diag(np.full(19, 0.3), 1)
    solver = Banded(Structure(K, 0.9))

    assert (solver.l, solver.u) == (3, 1)
    np.testing.assert_allclose(solver.solve(np.eye(20), False, Aim())[0], np.linalg.inv(np.eye(20) - 0.9 * K), atol=1e-13)


def test_a_band_too_wide_for_memory_is_refused(monkeypatch, structures):
    monkeypatch.setattr(Banded, "LIMIT", 1000)

    with pytest.raises(Refused, match="below and"):
        Banded(Structure(structures["garnet"](50, np.random.default_rng(0)), 0.9))
