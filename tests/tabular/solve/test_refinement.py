"""Refinement of what a chain finds in single precision: by a method whose answers are planted."""

import numpy as np
import pytest

from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.linear.solver import Aim


class Single:
    """A method in single precision: its answer to column j of a residual is that share of the true one, in seven steps."""

    name, single = "single", True

    def __init__(self, K, gamma, *shares):
        self.M, self.shares, self.aims = np.eye(len(K)) - gamma * K, list(shares), []

    def solve(self, b, transposed, aim):
        self.aims.append(aim)
        return np.linalg.solve(self.M.T if transposed else self.M, b) * self.shares.pop(0), 7


@pytest.mark.parametrize("transposed", [False, True])
def test_refinement_asks_for_what_is_left_in_the_steps_that_are_left(structures, transposed):
    """Each answer leaves a hundredth; every column has the aim of its own size."""
    K, b = structures["garnet"](20, np.random.default_rng(0)), np.random.default_rng(1).random((20, 2)) * [1.0, 1e-6]
    solver = Single(K, 0.9, 0.99, 0.99, 0.99)

    found = Chain(K=K, gamma=0.9)._refined(solver, b, transposed, Aim(relative=1e-13, steps=20))

    assert found.steps == 21 and [aim.steps for aim in solver.aims] == [20, 13, 6]
    exact = np.linalg.solve(solver.M.T if transposed else solver.M, b)
    np.testing.assert_allclose(found.x, exact, rtol=1e-5)
    left = found.residual / found.size
    assert (left > 1e-8).all() and (left < 2e-6).all()
    size = abs(exact).sum(axis=0) if transposed else abs(exact).max(axis=0)
    np.testing.assert_allclose(solver.aims[1].absolute, 1e-13 * 0.99 * size, rtol=1e-9)


@pytest.mark.parametrize(("relative", "answers"), [(0.01, 2), (1e-9, 3)])
def test_refinement_ends_when_no_column_that_wants_more_is_halved(structures, relative, answers):
    """The first column stays where it is; the second is good enough at 0.01, and goes on at 1e-9."""
    K, b = structures["garnet"](20, np.random.default_rng(0)), np.random.default_rng(1).random((20, 2))
    solver = Single(K, 0.9, np.array([0.5, 0.999]), np.array([0.0, 0.9]), 1.0)

    found = Chain(K=K, gamma=0.9)._refined(solver, b, False, Aim(relative=relative))

    assert len(solver.aims) == answers and found.steps == 7 * answers


@pytest.mark.parametrize("share", [-1.0, 1e6, np.nan])
def test_refinement_that_makes_it_worse_is_not_taken(structures, share):
    """In one of two columns; its steps count."""
    K, b = structures["garnet"](20, np.random.default_rng(0)), np.random.default_rng(1).random((20, 2))
    solver = Single(K, 0.9, 0.99, np.array([0.1, share]))

    found = Chain(K=K, gamma=0.9)._refined(solver, b, False, Aim(relative=1e-12))

    np.testing.assert_allclose(found.x, 0.99 * np.linalg.solve(solver.M, b), rtol=1e-12)
    assert found.steps == 14 and found.method == "single"
