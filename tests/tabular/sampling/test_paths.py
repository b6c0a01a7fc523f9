"""All trajectories: probabilities sum to one, moments agree with dynamic programming, and nothing is enumerated twice."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.models.classic import lock
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.paths import count_paths, enumerate_paths
from pgtheory.tabular.solve.evaluation import evaluate


def random_mdp(seed, *, horizon, form="sa", sparse=False, gamma=0.8):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(4), size=(3, 2))[..., :3] * (rng.random((3, 2, 3)) > 0.2)
    r = rng.normal(size=(3, 2) if form == "sa" else (3, 2, 3))
    r_end = None if form == "sa" else rng.normal(size=(3, 2))
    if sparse:
        P = sp.csr_array(P.reshape(6, 3))
        r = r if form == "sa" else sp.csr_array(r.reshape(6, 3))
    return MDP(P=P, r=r, r_end=r_end, mu=[0.5, 0.5, 0.0], gamma=gamma, horizon=horizon), Softmax(rng.normal(size=(3, 2)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", ["sa", "sat"])
@pytest.mark.parametrize("sparse", [False, True])
def test_mean_return_over_all_trajectories_is_J_of_dynamic_programming(seed, form, sparse):
    """sum_k p_k R_k against the backward recursion; both floor and route differ."""
    mdp, policy = random_mdp(seed, horizon=4, form=form, sparse=sparse)
    paths = enumerate_paths(mdp)
    p = paths.probability(policy)
    assert p.sum() == pytest.approx(1, abs=1e-13)
    assert p @ paths.total(mdp.gamma) == pytest.approx(evaluate(mdp, policy).J, abs=1e-13)
    np.testing.assert_allclose(np.exp(paths.log_probability(policy)), p, rtol=1e-12)


def test_visits_count_every_step_once():
    """The rows of the visit matrix sum to the lengths, and their mean is the undiscounted occupancy."""
    mdp, policy = random_mdp(7, horizon=4, gamma=1.0)
    paths = enumerate_paths(mdp)
    np.testing.assert_array_equal(np.asarray(paths.visits.sum(axis=1)).ravel(), paths.length)
    mean = (paths.probability(policy) @ paths.visits).reshape(3, 2)
    np.testing.assert_allclose(mean, evaluate(mdp, policy).occupancy.sum(axis=0)[:, None] * policy.probabilities, atol=1e-13)


def test_trajectories_are_different():
    """No trajectory is listed twice: (states, actions, end) determines it."""
    mdp, _ = random_mdp(3, horizon=3)
    paths = enumerate_paths(mdp)
    rows = np.column_stack([paths.state, paths.action, paths.mask, paths.last])
    assert len(np.unique(rows, axis=0)) == len(paths)


def test_a_sampling_horizon_cuts_and_the_model_horizon_ends():
    """The same tree, once truncated (last state kept), once terminated (last = -1)."""
    mdp, _ = random_mdp(1, horizon=None)
    cut, ended = enumerate_paths(mdp, horizon=2), enumerate_paths(MDP(P=mdp.P, r=mdp.r, mu=mdp.mu, horizon=2))
    assert cut.truncated.any()
    assert (cut.last[cut.truncated] >= 0).all()
    assert (cut.last[~cut.truncated] == -1).all()
    assert not ended.truncated.any()
    assert (ended.last == -1).all()


def test_random_rewards_are_enumerated_by_their_outcomes():
    """A Bernoulli reward doubles the trajectories; the second moment of the reward comes out."""
    chance = np.array([[[0.25, 0.75], [1.0, 0.0]]])
    mdp = MDP(P=np.zeros((1, 2, 1)), mu=[1.0], outcomes=Outcomes(values=[0.0, 2.0], chance=chance))
    paths, policy = enumerate_paths(mdp), Softmax(np.zeros((1, 2)))
    assert len(paths) == 3
    assert paths.probability(policy) @ paths.total() ** 2 == pytest.approx(0.5 * 0.75 * 4)
    np.testing.assert_allclose(mdp.r2, [[3.0, 0.0]])


def test_token_tree_has_one_trajectory_a_completion():
    """Rewards and lengths of the trajectories are those of the completions."""
    tree = TokenTree(vocabulary=3, limit=2, prompts=2, reward=lambda x, tokens: x + len(tokens) / 8)
    paths = enumerate_paths(tree.mdp)
    assert len(paths) == 2 * len(tree.completions) == 14
    np.testing.assert_allclose(paths.total(), (paths.start > 0) + paths.length / 8)


def test_endless_models_need_a_horizon():
    """Without one the error says what to give."""
    with pytest.raises(InvalidArgument, match="horizon"):
        enumerate_paths(MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], gamma=0.5))


def test_too_many_trajectories_are_refused_before_memory_is_gone():
    """4^12 trajectories stop at the limit, and the text names the way out."""
    mdp = MDP(P=np.full((2, 2, 2), 0.5), r=np.zeros((2, 2)), mu=[1.0, 0.0], horizon=12)
    with pytest.raises(TooLarge, match="monte-carlo"):
        enumerate_paths(mdp)


def test_a_noisy_reward_without_its_law_cannot_be_enumerated():
    """r2 alone is not enough, and the error asks for outcomes."""
    with pytest.raises(InvalidArgument, match="outcomes"):
        enumerate_paths(MDP(P=[[[0.0]]], r=[[1.0]], r2=[[2.0]], mu=[1.0]))


COUNTED = {
    "horizon": (MDP(P=np.full((2, 2, 2), 0.5), r=np.ones((2, 2)), mu=[0.4, 0.6]), 3),
    "ends": (MDP(P=[[[0.0, 0.5], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], r=np.ones((2, 2)), mu=[1, 0]), None),
    "rewards": (MDP(P=[[[0.5]]], outcomes=Outcomes(values=[0, 1, 2], chance=[[[0.5, 0, 0.5]]]), mu=[1]), 3),
    "tree": (TokenTree(vocabulary=3, limit=3, prompts=2, reward=lambda x, tokens: 0.0).mdp, None),
}


@pytest.mark.parametrize("name", COUNTED)
def test_the_count_is_that_of_the_list(name):
    """From every first state; where they are cut, end, and have several rewards. Stored zeros of a sparse P lead nowhere."""
    mdp, horizon = COUNTED[name]
    paths = enumerate_paths(mdp, horizon=horizon)
    expected = np.bincount(paths.start, minlength=mdp.S)
    P = sp.csr_array(np.ones_like(mdp.transition if not sp.issparse(mdp.transition) else mdp.transition.toarray()))
    P.data = (mdp.transition.toarray() if sp.issparse(mdp.transition) else mdp.transition).ravel()
    thin = MDP(P=P, mu=mdp.mu, r=None if mdp.outcomes else mdp.mean_reward, outcomes=mdp.outcomes, gamma=mdp.gamma, horizon=mdp.horizon)
    for model in (mdp, thin):
        count = count_paths(model, horizon=horizon)
        np.testing.assert_array_equal(count[mdp.mu > 0], expected[mdp.mu > 0])


def test_what_cannot_be_listed_counts_as_infinite_and_too_many_stop_the_count():
    """A loop without a horizon, a reward of unknown law; and 4^2000 is met in a few steps."""
    loop = MDP(P=[[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], r=np.ones((2, 2)), mu=[0.5, 0.5])
    assert count_paths(loop).tolist() == [np.inf, 2]
    assert count_paths(loop, horizon=2).tolist() != [np.inf, 2]  # what is kept with a model is kept by horizon and limit
    assert count_paths(loop) is count_paths(loop)
    with pytest.raises(ValueError, match="read-only"):
        count_paths(loop)[0] = 0
    assert count_paths(MDP(P=[[[0.0]]], r=[[0.0]], r2=[[1.0]], mu=[1])).tolist() == [np.inf]
    assert 100 < count_paths(COUNTED["horizon"][0], horizon=2000, limit=100).min() <= 400


def test_a_model_without_transitions_has_one_trajectory_an_action():
    """A table of rewards of transitions that do not exist is never read."""
    mdp = MDP(P=sp.csr_array((2, 1)), r=sp.csr_array(np.ones((2, 1))), r_end=np.array([[3.0, 4.0]]), mu=[1])
    assert sorted(enumerate_paths(mdp).total()) == [3, 4]


def test_counting_stops_as_soon_as_nothing_new_is_known(monkeypatch):
    """A model that never ends is seen to do so in a few passes over its entries, not in one a state."""
    passes, product = [], sp.csr_array.__matmul__
    monkeypatch.setattr(sp.csr_array, "__matmul__", lambda self, other: passes.append(1) or product(self, other))

    assert np.isinf(count_paths(sparse_garnet(S=500))).all()
    assert len(passes) < 10
    assert count_paths(lock(5)).tolist() == [6, 5, 4, 3, 2]  # one more wrong action at each state, and the right one at the last
