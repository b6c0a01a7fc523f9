"""BiCGSTAB: independent of the mixing of the chain, and honest about breaking down."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import bicgstab

from pgtheory.tabular.solve.linear.krylov import Krylov, quotient
from pgtheory.tabular.solve.linear.solver import Aim
from pgtheory.tabular.solve.structure import Structure


def residual(K, gamma, b, x):
    return abs(b - x + gamma * (K @ x)).max()


def test_it_takes_about_as_many_iterations_as_scipy(structures):
    K = structures["grid"](400, np.random.default_rng(0))
    b, count = np.random.default_rng(1).random(400), []

    bicgstab(sp.eye_array(400) - 0.99 * sp.csr_array(K), b, rtol=1e-10, callback=count.append)
    x, steps = Krylov(Structure(sp.csr_array(K), 0.99)).solve(b, False, Aim(absolute=1e-10))

    assert residual(K, 0.99, b, x) <= 1e-10
    assert steps <= 1.5 * len(count) + 5


def test_a_breakdown_at_the_first_step_loses_nothing():
    """M v is orthogonal to v for a quarter turn: gamma K = [[1, -1], [1, 1]] is no chain, but divides by zero at once. The iterate stays at zero."""
    K = np.array([[1.0, -1.0], [1.0, 1.0]])

    x, _ = Krylov(Structure(K, 1.0)).solve(np.array([1.0, 0.0]), False, Aim(absolute=1e-12))

    assert np.isfinite(x).all()
    assert residual(K, 1.0, np.array([1.0, 0.0]), x) <= 1


def test_no_answer_is_worse_than_none(structures):
    """A long cycle needs as many iterations as it has states: what is returned has no larger residual than zero has."""
    K, b = structures["cycle"](3000, np.random.default_rng(0)), np.eye(3000)[0]

    x, steps = Krylov(Structure(sp.csr_array(K), 1 - 1e-9)).solve(b, False, Aim(relative=1e-15))

    assert residual(K, 1 - 1e-9, b, x) <= 1 and steps <= Aim().steps


def test_a_relative_aim_is_one_of_the_solution(structures):
    """Whose size is known on the way only: as many iterations as towards the same number given beforehand."""
    K, b = sp.csr_array(structures["grid"](400, np.random.default_rng(0))), np.random.default_rng(1).random(400)
    size = abs(np.linalg.solve(np.eye(400) - 0.99 * K.toarray(), b)).max()

    counts = [Krylov(Structure(K, 0.99)).solve(b, False, aim)[1] for aim in (Aim(relative=1e-4), Aim(absolute=1e-4 * size))]

    assert abs(counts[0] - counts[1]) <= 1


def test_one_column_that_is_solved_does_not_disturb_the_others(structures):
    K = structures["grid"](100, np.random.default_rng(0))
    b = np.stack([np.zeros(100), np.random.default_rng(1).random(100), np.ones(100) - 0.99 * K.sum(axis=1)], axis=1)

    x, _ = Krylov(Structure(K, 0.99)).solve(b, False, Aim(absolute=1e-11))

    np.testing.assert_allclose(x, np.linalg.solve(np.eye(100) - 0.99 * K, b), atol=1e-9)
    assert (x[:, 0] == 0).all()


@pytest.mark.parametrize(("a", "b", "expected"), [(6.0, 3.0, 2.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
def test_quotient(a, b, expected):
    with np.errstate(all="ignore"):
        assert quotient(np.array(a), np.array(b)) == expected
