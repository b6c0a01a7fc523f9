"""Data sets of episodes and groups: multisets stand for their orders, simulation agrees, bad supports are named."""

from itertools import product

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, NonTerminating, NoSupport, TooLarge
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.datasets import count_draws, draws
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

TREE = TokenTree(vocabulary=2, limit=2, prompts=2, reward=lambda x, tokens: float(len(tokens) > x))


def scene(seed=0, model=TREE, **roles):
    rng = np.random.default_rng(seed)
    return Scene.of(model, Softmax(rng.normal(size=(model.mdp.S, model.mdp.A))), **roles)


@pytest.mark.parametrize("K, size", [(2, 3), (3, 2), (4, 4), (1, 3)])
def test_multisets_stand_for_all_orders(K, size):
    """Each multiset's multiplicity is the number of ordered tuples that sort to it."""
    rows, orders = draws(np.arange(K), size, ordered=False)
    counted = {}
    for t in product(range(K), repeat=size):
        counted[tuple(sorted(t))] = counted.get(tuple(sorted(t)), 0) + 1
    assert {tuple(map(int, row)): n for row, n in zip(rows, orders, strict=True)} == counted


@pytest.mark.parametrize("sampling", [OnPolicy(2), Groups(2), Groups(3, prompts=1), Groups(2, prompts=2)])
@pytest.mark.parametrize("ordered", [False, True])
def test_weights_sum_to_one_over_all_batches(sampling, ordered):
    """Also in chunks."""
    s = scene()
    assert sum(float(w.sum()) for w, _ in sampling.batches(s, ordered=ordered)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("sampling", [OnPolicy(2), Groups(2), Groups(2, prompts=1)])
def test_simulation_has_the_enumerated_law(sampling):
    """Frequencies of rewards x lengths of the first row within five standard errors of the enumeration; the seed is fixed, so this never flickers."""
    s, n = scene(3), 20_000
    sets = sampling.datasets(s, ordered=True)
    drawn = sampling.sample(s, n, rng=np.random.default_rng(1))
    for statistic in (lambda d: d.total[:, 0] * d.length[:, 0], lambda d: d.total.sum(axis=1), lambda d: d.index["prompt"][:, -1].astype(float)):
        exact = sets.weights(s) @ statistic(sets.data)
        spread = np.sqrt(max(sets.weights(s) @ statistic(sets.data) ** 2 - exact**2, 0) / n)
        assert abs(statistic(drawn).mean() - exact) <= 5 * spread + 1e-12


def test_groups_hold_one_prompt_each():
    """Rows of a group share their prompt; with prompts=None every prompt is there once."""
    data = Groups(3).datasets(scene()).data
    assert (data.index["prompt"] == np.array([0, 0, 0, 1, 1, 1])).all()
    drawn = Groups(2, prompts=2).datasets(scene()).data.index
    assert (drawn["prompt"][:, 0] == drawn["prompt"][:, 1]).all()
    assert (drawn["group"] == [0, 0, 1, 1]).all()


def test_padding_is_as_the_conventions_say():
    """State 0, action 0, reward 0, mask False after the end."""
    data = Groups(2).datasets(scene()).data
    for array in (data.state, data.action, data.reward):
        assert (array[~data.mask] == 0).all()
    assert (np.diff(data.mask.astype(int), axis=-1) <= 0).all()


def test_off_policy_draws_from_the_sampler_and_on_policy_from_the_current_policy():
    """The weights follow the role, and only that role."""
    sampler = Softmax(np.zeros((4, 2)))
    s = scene(5, sampler=sampler)
    moved = s.at(theta=s.point["theta"] + np.arange(8).reshape(4, 2))
    off, on = OffPolicy(1), OnPolicy(1)
    np.testing.assert_array_equal(off.datasets(s).weights(s), off.datasets(s).weights(moved))
    assert abs(on.datasets(s).weights(s) - on.datasets(s).weights(moved)).max() > 0.01


def test_missing_support_is_named():
    """State, action and cure are in the text."""
    s = scene(0, sampler=Direct([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]))
    with pytest.raises(NoSupport, match="never takes action 1 in state 0"):
        Groups(2).datasets(s).weights(s)


def test_unequal_prompts_cannot_all_stand_in_the_batch_once():
    """The batch mean would not estimate J; the text says how to draw them."""
    tree = TokenTree(vocabulary=2, limit=1, prompts=2, mu=[0.25, 0.75], reward=lambda x, tokens: 1.0)
    with pytest.raises(InvalidArgument, match="prompts=1"):
        Groups(2).datasets(scene(0, model=tree))
    assert Groups(2, prompts=1).datasets(scene(0, model=tree)).weights(scene(0, model=tree)).sum() == pytest.approx(1)


def test_too_many_data_sets_are_counted_and_refused():
    """The number is in the text."""
    with pytest.raises(TooLarge, match="data sets"):
        Groups(64).datasets(scene())


@pytest.mark.parametrize("bad", [0, -1, 2.5, True])
def test_sizes_are_whole_numbers(bad):
    """Named with their rule."""
    with pytest.raises(InvalidArgument, match="whole number"):
        Groups(bad)
    with pytest.raises(InvalidArgument, match="whole number"):
        OnPolicy(bad)


@pytest.mark.parametrize("sampling", [OnPolicy(), OffPolicy(), Groups(2)])
@pytest.mark.parametrize("rng", [0, None, np.random])
def test_a_seed_is_no_generator(sampling, rng):
    with pytest.raises(InvalidArgument, match="expected a numpy Generator"):
        sampling.sample(scene(), 3, rng=rng)


def test_endless_episodes_are_noticed_in_simulation(monkeypatch):
    """An episode without end stops at the longest length with the library's own error."""
    monkeypatch.setattr("pgtheory.tabular.sampling.simulate.LONGEST", 50)
    endless = MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], gamma=0.9)
    with pytest.raises(NonTerminating, match="50 steps"):
        OnPolicy(1).sample(Scene.of(endless, Softmax([[0.0]])), 3, rng=np.random.default_rng(0))


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("sampling", [OnPolicy(1), OnPolicy(3), Groups(2), Groups(2, prompts=1), Groups(1, prompts=2)])
def test_data_sets_are_counted_without_forming_them(sampling, ordered):
    """And so are the draws of the independent parts."""
    tree = TokenTree(vocabulary=2, limit=2, prompts=2, reward=lambda x, tokens: 0.0)
    scene = Scene.of(tree, Softmax(np.zeros((tree.mdp.S, 2))))
    assert sampling.count(scene, ordered=ordered) == len(sampling.datasets(scene, ordered=ordered))
    expected = [len(prior) for _, prior in sampling.parts(scene)[1]]
    assert sampling.part_counts(scene) == expected


def test_counts_beyond_all_numbers_are_infinite():
    """Of items or of draws."""
    assert count_draws(np.inf, 1, ordered=True) == np.inf
    assert count_draws(1e6, 2, ordered=True) == np.inf
    assert count_draws(1e5, 400, ordered=False) == np.inf
    assert count_draws(3, 2, ordered=False) == 6
