"""Which models never end, and in which the best average reward is the same from every start: against all policies."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import Multichain
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.continuing import Continuing, listed, require_weakly_communicating


def model_of(bits: int, sparse: bool) -> MDP:
    """3 states, 2 actions; each pair moves uniformly to a set of states, empty ones made to stay where they are. 18 bits say which."""
    P = np.array([bits >> i & 1 for i in range(18)], dtype=float).reshape(6, 3)
    P[range(6), [0, 0, 1, 1, 2, 2]] += P.sum(axis=1) == 0
    P /= P.sum(axis=1, keepdims=True)
    return MDP(P=sp.csr_array(P) if sparse else P.reshape(3, 2, 3), r=np.zeros((3, 2)), mu=np.eye(3)[0])


def recurrent_sets(P: np.ndarray) -> set[frozenset[int]]:
    """The closed classes of all deterministic policies, by powers: s is recurrent if whatever it reaches leads back."""
    found = set()
    for choice in product(range(2), repeat=3):
        reach = np.linalg.matrix_power(np.eye(3) + (P[range(3), choice] > 0), 3) > 0
        found |= {frozenset(np.flatnonzero(reach[s])) for s in range(3) if (reach[:, s] | ~reach[s]).all()}
    return found


@settings(max_examples=150)
@given(bits=st.integers(0, 2**18 - 1), sparse=st.booleans())
def test_weakly_communicating_means_that_all_closed_classes_of_all_policies_reach_each_other(bits, sparse):
    mdp = model_of(bits, sparse)
    P = np.asarray(mdp.transition.todense() if sp.issparse(mdp.transition) else mdp.transition).reshape(3, 2, 3)
    reach = np.linalg.matrix_power(np.eye(3) + (P.sum(axis=1) > 0), 3) > 0
    states = sorted(set().union(*recurrent_sets(P)))
    expected = reach[np.ix_(states, states)].all()

    try:
        require_weakly_communicating(Continuing.of(mdp))
        assert expected
    except Multichain:
        assert not expected


def test_backup_and_kernel_divide_rows_by_their_sums():
    """Sums of 1 - 2^-41 and 1 + 2^-41, within the slack of a model: the gap of 4.5e-13 is undone to rounding."""
    for factor in (1 - 2.0**-41, 1 + 2.0**-41):
        P = np.array([[[0.25, 0.75]], [[0.5, 0.5]]])
        model = Continuing.of(MDP(P=P * factor, r=np.zeros((2, 1)), mu=[1.0, 0.0]))
        np.testing.assert_allclose(model.kernel(np.ones((2, 1))), P[:, 0], rtol=1e-15)
        np.testing.assert_allclose(model.backup(np.array([1.0, 3.0])), [[2.5], [2.0]], rtol=1e-15)


@pytest.mark.parametrize(("n", "text"), [(1, "state 0"), (2, "states 0, 1"), (5, "states 0, 1, 2, 3, 4"), (7, "states 0, 1, 2, 3, 4 and 2 more")])
def test_lists_of_states_are_cut(n, text):
    assert listed(np.arange(9) < n) == text
