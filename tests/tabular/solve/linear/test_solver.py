"""Every method on every structure, against the inverse; methods that cannot say so."""

import numpy as np
import pytest

from pgtheory.tabular.solve.chain import SOLVERS
from pgtheory.tabular.solve.linear.solver import Aim, norm
from pgtheory.tabular.solve.structure import Structure

AIM = Aim(relative=1e-14)


def inverse(K, gamma):
    return np.linalg.inv(np.eye(len(K)) - gamma * K)


@pytest.mark.parametrize("name", ["dense", "banded", "sparse-lu"])
@pytest.mark.parametrize("form", ["dense", "fortran", "csr", "repeated"])
@pytest.mark.parametrize("gamma", [0.0, 0.9, 1 - 1e-6])
def test_factorisations_reach_rounding(kernel, forms, name, form, gamma):
    """Error at most condition (1 + gamma) / (1 - gamma) times S u times a growth of 100."""
    K = kernel(36)
    M1, rng = inverse(K, gamma), np.random.default_rng(1)
    solver = SOLVERS[name](Structure(forms[form](K), gamma))

    for b in (rng.standard_normal(36), rng.standard_normal((36, 3))):
        x, y = (solver.solve(b, transposed, AIM)[0] for transposed in (False, True))
        tolerance = 100 * 36 * 2.0**-53 * 2 / (1 - gamma)
        assert abs(x - M1 @ b).max() <= tolerance * abs(M1).sum(axis=1).max() * abs(b).max()
        assert abs(y - M1.T @ b).sum(axis=0).max() <= tolerance * abs(M1).sum(axis=1).max() * abs(b).sum(axis=0).max()


@pytest.mark.parametrize("name", ["sweeps", "krylov"])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.8])
def test_iterations_do_what_the_aim_asks(kernel, forms, name, gamma):
    """At gamma = 0.8 even plain sweeps need no more than log(1e-11) / log(0.8) = 114 steps; several columns at once too, one of them zero."""
    K, rng = kernel(64), np.random.default_rng(1)
    solver, aim = SOLVERS[name](Structure(forms["repeated"](K), gamma)), Aim(relative=1e-11)

    for b in (rng.standard_normal(64), rng.standard_normal((64, 3)), np.eye(64)[:, [0, 9]] * [1.0, 0.0]):
        for transposed in (False, True):
            x, steps = solver.solve(b, transposed, aim)
            M = np.eye(64) - gamma * (K.T if transposed else K)
            assert (norm(b - M @ x, transposed) <= 2e-11 * norm(x, transposed)).all()
            assert 0 <= steps <= 300


def test_norms_are_those_of_numpy_and_see_what_is_not_a_number():
    x = np.array([[1.0, -4.0], [-2.0, 3.0]])

    assert norm(x[:, 1], False) == np.linalg.norm(x[:, 1], np.inf) == 4
    assert norm(x[:, 1], True) == np.linalg.norm(x[:, 1], 1) == 7
    assert norm(x, False).tolist() == [2, 4] and norm(x, True).tolist() == [3, 7]
    assert np.isnan(norm(np.array([1.0, np.nan]), False)) and np.isnan(norm(np.array([1.0, np.nan]), True))
    assert norm(np.zeros(0), False) == 0 == norm(np.zeros(0), True)


def test_an_aim_adds_its_parts():
    assert Aim(absolute=2.0, relative=0.5).allowed(np.array([1.0, 4.0])).tolist() == [2.5, 4.0]
    assert Aim(absolute=2.0).allowed(np.array(np.inf)) == 2.0
