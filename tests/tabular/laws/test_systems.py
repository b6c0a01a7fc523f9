"""Linear systems on the states that the data reach: against numpy on those states alone, sparse and dense, in another process."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.laws.systems import Systems, reached_states
from pgtheory.tabular.models.mdp import MDP

# State 2 is never reached under these actions and runs for ever; from state 3, which mu may start in, the episode ends at once.
P = np.zeros((4, 2, 4))
P[0, 0, [0, 1]] = 0.5
P[0, 1, 2] = 1
P[1, :, 0] = 0.75
P[2, :, 2] = 1
ACTIONS = np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])
MODEL = MDP(P=P, r=np.zeros((4, 2)), mu=[0.5, 0, 0, 0.5])
SPARSE = MDP(P=sp.csr_array(P.reshape(8, 4)), r=np.zeros((4, 2)), mu=[0.5, 0, 0, 0.5])
REACHED = np.array([True, True, False, True])


def test_reached_states_are_those_of_the_actions_taken():
    np.testing.assert_array_equal(reached_states(MODEL, ACTIONS, 1.0), REACHED)
    np.testing.assert_array_equal(reached_states(MODEL, np.full((4, 2), 0.5), 0.9), [True] * 4)


def test_an_episode_that_may_run_for_ever_is_refused_where_nothing_discounts():
    with pytest.raises(NonTerminating, match="from state 0, which is reached from mu"):
        reached_states(MODEL, np.full((4, 2), 0.5), 1.0)


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("model", [MODEL, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("c", [0.0, 0.5, 1.0])
def test_solutions_are_those_of_the_reached_states(model, dense, c):
    systems = Systems(model, ACTIONS, REACHED, dense=dense)
    assert sp.issparse(systems.K) == (model is SPARSE and not dense)
    K = np.einsum("sa,sat->st", ACTIONS, P)[np.ix_(REACHED, REACHED)]
    M, y = np.eye(3) - c * K, np.arange(12.0).reshape(4, 3) - 5
    for found, matrix in ((systems.solve(c, y), M), (systems.solve_transposed(c, y), M.T)):
        np.testing.assert_allclose(found[REACHED], np.linalg.solve(matrix, y[REACHED]), rtol=1e-14, atol=1e-14)
        np.testing.assert_array_equal(found[2], 0)
    np.testing.assert_allclose(systems.solve(c, y[:, 0]), systems.solve(c, y)[:, 0], rtol=1e-15)


def test_systems_travel_without_their_factorisations():
    systems = Systems(SPARSE, ACTIONS, REACHED)
    y = np.ones(4)
    before = systems.solve(0.9, y)
    copy = pickle.loads(pickle.dumps(systems))
    assert copy.chains == {}
    np.testing.assert_array_equal(copy.solve(0.9, y), before)
