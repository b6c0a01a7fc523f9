"""Backups of problems without loops: against the solver of single models, and the problems that have loops."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.acyclic import acyclic_values
from pgtheory.tabular.dynamics.optimum import hard_optimum
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.classic import lock, random_walk
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.optimal import optimal


def staged(gamma, rng):
    model = MDP(P=rng.dirichlet(np.ones(3), size=(3, 2)), r=rng.normal(size=(3, 2)), mu=rng.dirichlet(np.ones(3)), gamma=gamma, horizon=4)
    return with_time(model).model


@pytest.mark.parametrize("gamma", [0.7, 1.0])
def test_values_are_those_of_the_solver(gamma):
    models = [staged(gamma, np.random.default_rng(seed)) for seed in range(10)]
    found, alone = hard_optimum(Stack.of(models)), [optimal(model) for model in models]
    V, bound = acyclic_values(Stack.of(models))

    assert (abs(V - [one.V for one in alone]).max(axis=1) <= bound + [one.bound for one in alone]).all()
    assert (bound < 1e-13).all()
    assert (found.missing.argmin(axis=2) == [one.Q.argmax(axis=1) for one in alone]).all()


def test_best_arm_is_exact_and_arms_that_differ_by_rounding_are_no_tie():
    found = hard_optimum(Stack.of([Bandit(r=[0.3, 0.3 + 2.0**-54, 0.1]), Bandit(r=[-1.0, -2.0, -1.0])]))

    assert found.J.tolist() == [0.3 + 2.0**-54, -1.0]
    assert (found.missing[:, 0] == 0).tolist() == [[False, True, False], [True, False, True]]


def test_one_problem_with_a_loop_is_enough():
    assert acyclic_values(Stack.of([lock(3)])) is not None
    assert acyclic_values(Stack.of([random_walk(3)])) is None
    chain = np.zeros((2, 1, 2))
    chain[0, 0, 1] = 1
    assert (
        acyclic_values(Stack(P=np.stack([chain, np.ones((2, 1, 2)) / 2]), r=np.ones((2, 2, 1)), mu=np.full((2, 2), 0.5), gamma=np.array([1.0, 0.5])))
        is None
    )
