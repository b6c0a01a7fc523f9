"""LAPACK on the full matrix: limits, and pivots of zero. Its numbers are tested in test_solver.py."""

import numpy as np
import pytest

from pgtheory.tabular.solve.linear.dense import Dense
from pgtheory.tabular.solve.linear.solver import Aim, Refused
from pgtheory.tabular.solve.structure import Structure


def test_the_kernel_is_not_written_to():
    K = np.full((3, 3), 1 / 3)
    Dense(Structure(K, 0.9)).solve(np.ones(3), False, Aim())

    assert (K == 1 / 3).all()


def test_a_singular_matrix_gives_no_finite_answer():
    x, _ = Dense(Structure(np.eye(2), 1.0)).solve(np.ones(2), False, Aim())

    assert not np.isfinite(x).all()


def test_too_many_states_are_refused(monkeypatch):
    monkeypatch.setattr(Dense, "LIMIT", 2)

    with pytest.raises(Refused, match="limit is 2 states"):
        Dense(Structure(np.eye(3), 0.5))
