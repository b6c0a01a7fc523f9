"""Stacks: what goes in comes out, and what is no stack is refused with the number of the problem."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidModel, NonTerminating
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree

HALF = MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0], gamma=0.9)


def test_models_come_back_as_they_were():
    sparse = MDP(P=sp.csr_array([[0.25]]), r=[[3.0]], mu=[1.0], gamma=1.0)
    stack = Stack.of([HALF, sparse, Bandit(r=[2.0])])

    assert (stack.N, stack.S, stack.A) == (3, 1, 1)
    assert stack.P.ravel().tolist() == [0.5, 0.25, 0.0]
    assert stack.r.ravel().tolist() == [1.0, 3.0, 2.0]
    assert stack.gamma.tolist() == [0.9, 1.0, 1.0]
    assert [m.gamma for m in stack.models] == [0.9, 1.0, 1.0]
    assert not stack.P.flags.writeable


def test_rewards_of_transitions_and_of_the_end_are_averaged():
    model = MDP(P=[[[0.5, 0.25]], [[0.0, 0.5]]], r=[[[2.0, 4.0]], [[0.0, 6.0]]], r_end=[[8.0], [2.0]], mu=[1.0, 0.0])

    assert Stack.of([model]).r[0].ravel().tolist() == [0.5 * 2 + 0.25 * 4 + 0.25 * 8, 0.5 * 6 + 0.5 * 2]


def test_token_tree_comes_in_through_its_mdp():
    tree = TokenTree(vocabulary=2, limit=2, reward=lambda prompt, tokens: float(sum(tokens)))

    assert Stack.of([tree]).S == tree.mdp.S


def test_backup_is_the_textbook_sum(stacks):
    stack = stacks()
    V = np.random.default_rng(1).normal(size=(stack.N, stack.S))
    expected = [
        [
            [stack.r[n, s, a] + stack.gamma[n] * sum(stack.P[n, s, a, t] * V[n, t] for t in range(stack.S)) for a in range(stack.A)]
            for s in range(stack.S)
        ]
        for n in range(stack.N)
    ]

    np.testing.assert_allclose(stack.backup(V), expected, rtol=0, atol=1e-14)  # four products of size one


@pytest.mark.parametrize(
    ("models", "text"),
    [
        ([], "at least one model"),
        ([HALF, Bandit(r=[1.0, 2.0])], "problem 1 has (S, A) = (1, 2), problem 0 has (1, 1)"),
        ([HALF, MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], horizon=3)], "problem 1 has a horizon. Give with_time(model).model"),
        ([HALF, "no model"], "str is not a model"),
    ],
)
def test_lists_that_are_no_stack_are_refused(models, text):
    with pytest.raises(InvalidModel) as error:
        Stack.of(models)

    assert text in str(error.value)


def arrays(**change: object) -> dict:
    return {"P": np.full((2, 1, 1, 1), 0.5), "r": np.ones((2, 1, 1)), "mu": np.ones((2, 1)), "gamma": np.array([0.9, 0.5])} | change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"P": np.full((1, 1, 1), 0.5)}, "P has shape (1, 1, 1), expected (N, S, A, S)"),
        ({"P": np.full((2, 1, 1, 2), 0.5)}, "P has shape (2, 1, 1, 2), expected (2, 1, 1, 1)"),
        ({"r": np.ones((2, 1))}, "r has shape (2, 1), expected (2, 1, 1)"),
        ({"mu": np.ones((1, 1))}, "mu has shape (1, 1), expected (2, 1)"),
        ({"gamma": np.array([0.9])}, "gamma has shape (1,), expected (2,)"),
        ({"r": np.array([[[1.0]], [[np.nan]]])}, "r[1, 0, 0] is nan"),
        ({"P": np.array([[[[0.5]]], [[[1.5]]]])}, "problem 1: P[0, 0] sums to 1.5"),
        ({"mu": np.array([[1.0], [0.5]])}, "problem 1: mu sums to 0.5"),
        ({"gamma": np.array([0.9, 1.5])}, "problem 1: gamma is 1.5"),
    ],
)
def test_arrays_that_are_no_stack_are_refused(change, text):
    with pytest.raises(ValueError) as error:
        Stack(**arrays(**change))

    assert text in str(error.value)


def test_gamma_one_needs_an_end():
    with pytest.raises(NonTerminating, match="problem 1 has gamma 1, and from state 0 the episode never ends"):
        Stack(**arrays(P=np.array([[[[1.0]]], [[[1.0]]]]), gamma=np.array([0.9, 1.0])))


def test_gamma_one_needs_an_end_from_every_state():
    P = np.zeros((1, 2, 1, 2))
    P[0, 1, 0, 1] = 1.0

    with pytest.raises(NonTerminating, match="problem 0 has gamma 1, and from state 1 the episode never ends"):
        Stack(P=P, r=np.ones((1, 2, 1)), mu=np.array([[1.0, 0.0]]), gamma=np.array([1.0]))


def test_horizon_becomes_a_stack_with_time_in_its_states():
    model = MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], horizon=3)

    assert Stack.of([with_time(model).model]).S == 3


def test_taken_problems_are_those_problems(stacks):
    stack = stacks(N=4)
    taken = stack.taken(np.array([2, 0, 2]))

    for k, n in enumerate([2, 0, 2]):
        assert taken.models[k] is stack.models[n]
        for name in ("P", "r", "mu", "gamma"):
            assert (getattr(taken, name)[k] == getattr(stack, name)[n]).all()
    assert stack.taken(np.array([], dtype=int)).N == 0
