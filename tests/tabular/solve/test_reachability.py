"""Questions about the graph, against powers of its matrix and against all policies."""

from itertools import product

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.reachability import (
    approach,
    closed_classes,
    edges_of,
    endable,
    ends_surely,
    leads_into,
    likely_policy,
    proper_policy,
    reachable,
)

ALL = settings(max_examples=60)


@st.composite
def graphs(draw, S=4):
    """A graph on S nodes and a set of nodes."""
    bits = draw(st.lists(st.booleans(), min_size=S * S + S, max_size=S * S + S))
    return np.array(bits[: S * S]).reshape(S, S), np.array(bits[S * S :])


@st.composite
def models(draw):
    """Models with 3 states and 2 actions; each pair moves uniformly to a set of states and the end, which may be empty of either."""
    P = np.zeros((3, 2, 4))
    for s, a in product(range(3), range(2)):
        P[s, a] = draw(st.lists(st.booleans(), min_size=4, max_size=4).filter(any))
    P = (P / P.sum(axis=-1, keepdims=True))[..., :3]
    return MDP(P=P, r=np.zeros((3, 2)), mu=np.eye(3)[0])


def closure(graph: np.ndarray) -> np.ndarray:
    """Which node reaches which, in any number of steps, by powers."""
    return np.linalg.matrix_power(np.eye(len(graph)) + graph, len(graph)) > 0


def ends_almost_surely(K: np.ndarray) -> np.ndarray:
    """By numbers: the mass that is left after very many steps vanishes."""
    return np.linalg.matrix_power(K, 2**14) @ np.ones(len(K)) < 1e-6


@ALL
@given(graphs())
def test_reachable(case):
    graph, start = case

    assert (reachable(sp.csr_array(graph.astype(float)), start) == (start @ closure(graph) > 0)).all()


@ALL
@given(models(), st.lists(st.integers(0, 1), min_size=3, max_size=3))
def test_ends_surely(mdp, actions):
    taken = np.eye(2, dtype=bool)[actions]

    found = ends_surely(edges_of(mdp, taken), (taken & (mdp.ends > 0)).any(axis=1))

    assert (found == ends_almost_surely(mdp.P[np.arange(3), actions])).all()


@ALL
@given(models())
def test_endable_is_what_the_best_of_all_policies_can_do(mdp):
    """Against all 2^3 deterministic policies, which are enough for ending almost surely."""
    possible = np.any([ends_almost_surely(mdp.P[np.arange(3), actions]) for actions in product(range(2), repeat=3)], axis=0)

    inside, kept = endable(mdp, np.ones((3, 2), dtype=bool))
    policy = proper_policy(mdp, kept)

    assert (inside == possible).all()
    assert ends_almost_surely(mdp.P[np.arange(3), policy])[inside].all()
    assert not (np.where(kept[..., None], mdp.P, 0)[..., ~inside]).any()


@ALL
@given(graphs())
def test_closed_classes_are_the_sets_that_reach_each_other_and_nothing_else(case):
    graph, _ = case
    reach = closure(graph)
    mutual = reach & reach.T
    shut = [(reach[s] <= mutual[s]).all() for s in range(4)]

    label, closed = closed_classes(sp.csr_array(graph.astype(float)))

    assert ((label[:, None] == label[None]) == mutual).all()
    assert np.isin(label, closed).tolist() == shut


@ALL
@given(models(), st.lists(st.booleans(), min_size=3, max_size=3))
def test_approach_reaches_the_goal_from_wherever_it_can_be_reached(mdp, goal):
    """Its chain, stopped at the goal, stops almost surely from each state from which some walk leads there and no other state can be left for."""
    into = leads_into(mdp, np.array(goal))
    everything = np.ones((3, 2), dtype=bool)

    policy = approach(mdp, everything, into)

    P = np.asarray(mdp.P)
    assert (into == (P[:, :, goal].sum(axis=-1) > 0)).all()
    able = closure(P.sum(axis=1) > 0)[:, np.array(goal)].any(axis=1) if any(goal) else np.zeros(3, dtype=bool)
    K = P[range(3), policy]
    for s in np.flatnonzero(able & ~np.array(goal)):
        assert closure(K > 0)[s][np.array(goal)].any()
    for s in range(3):
        if into[s].any():
            assert policy[s] == into[s].argmax()


@ALL
@given(models())
def test_likely_policy_ends_wherever_a_policy_does(mdp):
    inside, kept = endable(mdp, np.ones((3, 2), dtype=bool))

    policy = likely_policy(mdp, kept)

    assert kept[np.arange(3), policy][inside].all()
    assert ends_almost_surely(mdp.transition.reshape(3, 2, 3)[np.arange(3), policy])[inside].all()


def test_likely_policy_takes_the_way_of_least_cost():
    """From state 0: out at once with probability 1/100 (cost 1 + log 100 = 5.6), else back; or surely to 1 and surely out (cost 2). The shortest way is the first."""
    P = np.zeros((2, 2, 2))
    P[0, 0, 0], P[0, 1, 1] = 0.99, 1.0
    mdp = MDP(P=P, r=np.zeros((2, 2)), mu=[1.0, 0.0])

    assert likely_policy(mdp, np.ones((2, 2), dtype=bool)).tolist() == [1, 0]
    assert proper_policy(mdp, np.ones((2, 2), dtype=bool)).tolist() == [0, 0]
    assert likely_policy(mdp, np.array([[True, False], [True, True]])).tolist() == [0, 0]


def test_likely_policy_against_all_ways():
    """Least costs by repeated minimisation over all moves (Bellman and Ford), on random models."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        P = rng.dirichlet(np.full(7, 0.3), size=(6, 3))[..., :6] * (rng.random((6, 3, 6)) < 0.6)
        mdp, kept = MDP(P=P, r=np.zeros((6, 3)), mu=np.eye(6)[0]), np.ones((6, 3), dtype=bool)
        with np.errstate(divide="ignore"):
            cost, leave = 1 - np.log(P), 1 - np.log(mdp.ends)
        least = np.full(6, np.inf)
        for _ in range(7):
            action = np.minimum(leave, (cost + least).min(axis=2))
            least = action.min(axis=1)

        np.testing.assert_allclose(action[np.arange(6), likely_policy(mdp, kept)], least, rtol=1e-13)
