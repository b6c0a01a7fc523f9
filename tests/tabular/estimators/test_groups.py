"""Group advantages against loops over the rows, and their means against closed forms over all groups."""

from dataclasses import dataclass, replace
from math import comb, sqrt

import numpy as np
import pytest

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.groups import GroupMean, GroupStd, LeaveOneOut, Reward
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.fields.field import Field, curl
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene


def random_data(N=5, P=2, G=3, T=2, seed=0):
    """Rows of the groups interleaved at random, each data set in its own way."""
    rng = np.random.default_rng(seed)
    B = P * G
    group = rng.permuted(np.tile(np.repeat(np.arange(P), G), (N, 1)), axis=1)
    length = rng.integers(1, T + 1, size=(N, B))
    mask = np.arange(T) < length[..., None]
    reward = rng.integers(-2, 3, size=(N, B, T)) / 2 * mask
    zeros = np.zeros((N, B, T), dtype=int)
    return Data(
        state=zeros, action=zeros, reward=reward, mask=mask, last=np.full((N, B), -1), truncated=np.zeros((N, B), dtype=bool), index={"group": group}
    )


def tree_scene(theta=None, prompts=1):
    tree = TokenTree(vocabulary=3, limit=2, prompts=prompts, reward=lambda x, y: float((sum(y) + len(y) + x) % 3 != 1))
    theta = np.log([[1 / 2, 1 / 3, 1 / 6], [1 / 6, 1 / 2, 1 / 3], [1 / 5, 1 / 5, 3 / 5]] * prompts) if theta is None else theta
    return Scene.of(tree, Softmax(theta))


def assert_mean(advantage, sampling, scene, expected):
    found = law(PolicyGradient(advantage=advantage), sampling, scene)
    # rounding of the mean is proven by the law; the expected side is a short sum in float64
    assert abs(found.mean - expected).max() <= 4 * found.rounding.max() + 1e-13 * abs(expected).max()


def loop(data, advantage):
    """advantage(rewards of the group, own place, rewards of the batch), row by row."""
    N, B, _ = data.shape
    found = np.zeros((N, B))
    for n in range(N):
        for b in range(B):
            mates = [j for j in range(B) if data.index["group"][n, j] == data.index["group"][n, b]]
            found[n, b] = advantage([data.reward[n, j].sum() for j in mates], mates.index(b), [data.reward[n, j].sum() for j in range(B)])
    return found


def std(values, ddof):
    mean = sum(values) / len(values)
    return sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - ddof))


def leave_one_out(r, i, batch):
    others = r[:i] + r[i + 1 :]
    return r[i] - sum(others) / len(others)


CASES = {
    "reward": (Reward(), lambda r, i, batch: r[i]),
    "leave-one-out": (LeaveOneOut(), leave_one_out),
    "mean": (GroupMean(), lambda r, i, batch: r[i] - sum(r) / len(r)),
    "std": (GroupStd(epsilon=1e-4, ddof=1), lambda r, i, batch: (r[i] - sum(r) / len(r)) / (std(r, 1) + 1e-4)),
    "population std": (GroupStd(epsilon=1e-2, ddof=0), lambda r, i, batch: (r[i] - sum(r) / len(r)) / (std(r, 0) + 1e-2)),
    "batch std": (GroupStd(epsilon=0.1, over="batch"), lambda r, i, batch: (r[i] - sum(r) / len(r)) / (std(batch, 1) + 0.1)),
}


@pytest.mark.parametrize("name", CASES)
def test_weights_equal_the_loop(name):
    advantage, definition = CASES[name]
    data = random_data()
    assert advantage(data, None).shape == (5, 6, 1)
    np.testing.assert_allclose(advantage(data, None)[..., 0], loop(data, definition), rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", [n for n in CASES if n != "reward"])
def test_the_loop_catches_a_wrong_group(name):
    """Planted bug: the rows are read as if the groups stood side by side."""
    advantage, definition = CASES[name]
    data = random_data()
    side_by_side = replace(data, index={"group": np.tile(np.repeat([0, 1], 3), (5, 1))})
    assert abs(advantage(side_by_side, None)[..., 0] - loop(data, definition)).max() > 0.1


@pytest.mark.parametrize(("ddof", "epsilon"), [(0, 1e-4), (1, 0.5)])
def test_the_loop_tells_ddof_and_epsilon_apart(ddof, epsilon):
    data = random_data()
    assert abs(GroupStd(ddof=ddof, epsilon=epsilon)(data, None)[..., 0] - loop(data, CASES["std"][1])).max() > 1e-2


@pytest.mark.parametrize("prompts", [1, 2])
@pytest.mark.parametrize("G", [2, 3])
def test_group_mean_has_the_factor_G_minus_1_over_G_and_leave_one_out_has_none(G, prompts):
    """P057.C1; the planted bug is the one advantage in place of the other."""
    scene = tree_scene(prompts=prompts)
    gradient = Return().gradient(scene)
    assert_mean(Reward(), Groups(G), scene, gradient)
    assert_mean(LeaveOneOut(), Groups(G), scene, gradient)
    assert_mean(GroupMean(), Groups(G), scene, (G - 1) / G * gradient)
    with pytest.raises(AssertionError):
        assert_mean(GroupMean(), Groups(G), scene, gradient)
    with pytest.raises(AssertionError):
        assert_mean(LeaveOneOut(), Groups(G), scene, -gradient)


@pytest.mark.parametrize("G", [2, 3, 4])
def test_std_weighs_a_prompt_by_a_binomial_sum(G):
    """P057.C2: E[g] = E[sqrt(K(G-K))] / (G p (1-p)) grad p for the population std without epsilon; the sample std brings sqrt((G-1)/G)."""
    scene = tree_scene()
    p = Return().value(scene)
    weight = sum(comb(G, K) * p**K * (1 - p) ** (G - K) * sqrt(K * (G - K)) for K in range(G + 1)) / (G * p * (1 - p))
    gradient = Return().gradient(scene)
    assert_mean(GroupStd(epsilon=0, ddof=0), Groups(G), scene, weight * gradient)
    assert_mean(GroupStd(epsilon=0, ddof=1), Groups(G), scene, sqrt((G - 1) / G) * weight * gradient)
    with pytest.raises(AssertionError):
        assert_mean(GroupStd(epsilon=1e-9, ddof=0), Groups(G), scene, weight * gradient)


def test_in_groups_of_two_and_three_the_std_of_zeros_and_ones_is_a_constant_factor():
    """sqrt(K(G-K)) is the same for all mixed groups, so that w_G is 1 and sqrt(2), whatever p is; for groups of 4 it depends on p."""
    for scene in (tree_scene(), tree_scene(theta=np.random.default_rng(0).normal(size=(3, 3)))):
        for G, constant in ((2, 1.0), (3, sqrt(2))):
            assert_mean(GroupStd(epsilon=0, ddof=0), Groups(G), scene, constant * Return().gradient(scene))


def test_std_over_the_batch_couples_prompts_and_is_no_gradient():
    theta = np.array([[0.3, -0.5], [-1.0, 0.4]])
    scene = Scene.of(Bandit(r=[[1.0, 0.0], [1.0, 0.0]]), Softmax(theta))
    for over, gradient_of_something in (("group", True), ("batch", False)):
        J, error = Field(PolicyGradient(advantage=GroupStd(epsilon=1e-4, over=over)), Groups(2), scene).jacobian()
        assert (curl(J) <= 10 * error) is gradient_of_something
        assert gradient_of_something or curl(J) > 100 * error


def test_equal_rewards_give_exact_zeros_for_any_epsilon():
    """0.1 + 0.1 + 0.1 is not 0.3 in float64: a mean taken naively leaves 1e-17, and a division by its spread makes it 1."""
    data = replace(random_data(N=1, P=1, G=3, T=1), reward=np.full((1, 3, 1), 0.1))
    for advantage in (LeaveOneOut(), GroupMean(), GroupStd(epsilon=0, ddof=0), GroupStd(epsilon=0, ddof=1)):
        assert not advantage(data, None).any()
    naive = data.total - data.total.mean(axis=1, keepdims=True)
    assert naive.any()


@pytest.mark.parametrize(
    "bad",
    [{"epsilon": -1e-3}, {"epsilon": float("nan")}, {"epsilon": float("inf")}, {"ddof": 2}, {"over": "prompt"}],
    ids=lambda bad: next(iter(bad)),
)
def test_bad_arguments_of_std_are_refused(bad):
    with pytest.raises(InvalidArgument, match=next(iter(bad))):
        GroupStd(**bad)


def test_a_group_of_one_has_no_others():
    data = random_data(P=3, G=1)
    with pytest.raises(InvalidArgument, match="at least 2 completions, these have 1"):
        LeaveOneOut()(data, None)
    with pytest.raises(InvalidArgument, match="ddof=1"):
        GroupStd()(data, None)
    assert not GroupMean()(data, None).any()


@pytest.mark.parametrize("group", [[0, 0, 0, 1, 1, 2], [0, 0, 0, 0, 1, 1]])
def test_groups_of_different_sizes_are_refused(group):
    data = random_data(N=2)
    uneven = replace(data, index={"group": np.array([[0, 0, 0, 1, 1, 1], group])})
    with pytest.raises(InvalidArgument, match="data set 1 has groups of"):
        LeaveOneOut()(uneven, None)


def test_a_number_of_groups_that_does_not_divide_the_rows_is_refused():
    with pytest.raises(InvalidArgument, match=r"data set 0 has groups of \[2, 2, 1, 1\] rows"):
        LeaveOneOut()(replace(random_data(N=1), index={"group": np.array([[0, 0, 1, 1, 2, 3]])}), None)


def test_data_without_groups_are_refused():
    with pytest.raises(InvalidArgument, match="index"):
        GroupMean()(replace(random_data(), index={}), None)


@dataclass(frozen=True)
class OwnSample:
    """Planted bug: divides by G - 1 and leaves the own reward in the sum."""

    def __call__(self, data, scene):
        r = data.total
        return (r - r.sum(axis=1, keepdims=True) / (r.shape[1] - 1))[..., None]


def test_the_mean_catches_a_baseline_with_the_own_sample():
    scene = tree_scene()
    with pytest.raises(AssertionError):
        assert_mean(OwnSample(), Groups(3), scene, Return().gradient(scene))
