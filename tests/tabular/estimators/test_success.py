"""Weights for max@k, pass@k and maximum likelihood: brute force over subsets, exact means, published variances."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import SequenceRatio
from pgtheory.tabular.estimators.success import MaxAtK, MaximumLikelihood, PassAtK, max_at_k
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.maximum import MaxOfK
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.objectives.success import PassAtK as PassAtKObjective
from pgtheory.tabular.objectives.success import TruncatedLogLikelihood
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene


def data_of(rewards, groups=1):
    rewards = np.asarray(rewards, dtype=float)[..., None]
    zeros = np.zeros(rewards.shape, dtype=int)
    group = np.broadcast_to(np.arange(rewards.shape[1]) % groups, rewards.shape[:2])
    return Data(
        state=zeros, action=zeros, reward=rewards, mask=zeros == 0, last=zeros[..., 0] - 1, truncated=zeros[..., 0] > 0, index={"group": group}
    )


def by_subsets(r, k, baseline):
    """n s_i from the definition: sums over all subsets."""
    n = len(r)
    found = []
    for i in range(n):
        own = [T for T in combinations(range(n), k) if i in T]
        s = sum(max(r[j] for j in T) for T in own)
        if baseline == "subset":
            s -= sum(max(r[j] for j in T if j != i) for T in own)
        s /= comb(n, k)
        if baseline == "sample":
            others = [r[j] for j in range(n) if j != i]
            s -= k / n * sum(max(T) for T in combinations(others, k)) / comb(n - 1, k)
        found.append(n * s)
    return found


REWARDS = [[0.3, 1.0, 1.0, -0.5, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0], [2.0, -1.0, 0.5, 0.25, 3.0], [0.0, 0.0, 1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("k", "baseline"),
    [(1, "none"), (3, "none"), (5, "none"), (2, "subset"), (4, "subset"), (5, "subset"), (1, "sample"), (3, "sample"), (4, "sample")],
)
def test_weights_equal_brute_force_over_subsets(k, baseline):
    found = MaxAtK(k=k, baseline=baseline)(data_of(REWARDS), None)[..., 0]
    np.testing.assert_allclose(found, [by_subsets(r, k, baseline) for r in REWARDS], rtol=0, atol=1e-13)


def test_brute_force_catches_an_index_that_is_off_by_one():
    """Planted bug: C(j-1, k-2) for C(j-2, k-2)."""
    n, k, r = 5, 3, np.sort(REWARDS[2])
    wrong = [comb(i - 1, k - 1) * r[i - 1] + sum(comb(j - 1, k - 2) * r[j - 1] for j in range(i + 1, n + 1)) for i in range(1, n + 1)]
    assert abs(n * np.array(wrong) / comb(n, k) - by_subsets(list(r), k, "none")).max() > 0.1


def test_groups_are_told_apart_and_rows_keep_their_places():
    rewards = np.array([[0.3, 9.0, 1.0, -7.0, -0.5, 2.0]])
    found = MaxAtK(k=2)(data_of(rewards, groups=2), None)[0, :, 0]
    np.testing.assert_allclose(found[0::2], by_subsets([0.3, 1.0, -0.5], 2, "none"), atol=1e-14)
    np.testing.assert_allclose(found[1::2], by_subsets([9.0, -7.0, 2.0], 2, "none"), atol=1e-14)


@pytest.mark.parametrize("baseline", ["subset", "sample"])
def test_equal_rewards_have_exact_zeros_with_a_baseline(baseline):
    assert not MaxAtK(k=2, baseline=baseline)(data_of([[0.1] * 5]), None).any()
    assert MaxAtK(k=2)(data_of([[0.1] * 5]), None).any()


def test_the_value_is_the_mean_over_subsets():
    r = np.sort(REWARDS[2])
    assert max_at_k(r, 3)[0] == pytest.approx([np.mean([max(T) for T in combinations(r, 3)])], abs=1e-15)


ARMS = Scene.of(Bandit(r=[[0.3, 1.0, 1.0, -0.5]]), Softmax(np.zeros((1, 4))))


def graded(prompts=1):
    tree = TokenTree(vocabulary=3, limit=2, prompts=prompts, reward=lambda x, y: float((sum(y) + 2 * len(y) + x) % 4) / 2 - 0.5)
    return Scene.of(tree, Softmax(np.random.default_rng(2).normal(size=(3 * prompts, 3))))


def binary(prompts=1, success=lambda x, y: (sum(y) + len(y) + x) % 3 == 0):
    tree = TokenTree(vocabulary=3, limit=2, prompts=prompts, reward=lambda x, y: float(success(x, y)))
    return Scene.of(tree, Softmax(np.random.default_rng(3).normal(size=(3 * prompts, 3))))


def law_of(advantage, G, scene, **parts):
    return law(PolicyGradient(advantage=advantage, **parts), Groups(G), scene)


def assert_gradient(advantage, G, scene, objective):
    found, expected = law_of(advantage, G, scene), objective.gradient(scene)
    assert abs(found.mean - expected).max() <= 4 * found.rounding.max() + 1e-13 * abs(expected).max()


@pytest.mark.parametrize(("G", "k"), [(2, 2), (3, 2), (4, 3)])
@pytest.mark.parametrize("baseline", ["none", "subset", "sample"])
def test_max_at_k_is_unbiased_for_every_group_size_from_k_on(baseline, G, k):
    if baseline != "sample" or k < G:
        assert_gradient(MaxAtK(k=k, baseline=baseline), G, graded(), MaxOfK(k))


def test_max_at_k_is_unbiased_over_two_prompts():
    assert_gradient(MaxAtK(k=2), 2, graded(prompts=2), MaxOfK(2))


class WinnerOnly:
    """P055.C4: max r times the score of the winner (planted bug), or max r minus the second best (exact)."""

    def __init__(self, less):
        self.less = less

    def __call__(self, data, scene):
        r = data.total
        order = np.argsort(r, axis=1)
        best = np.take_along_axis(r, order[:, -1:], 1)
        second = np.take_along_axis(r, order[:, -2:-1], 1)
        weight = r.shape[1] * (best - (second if self.less else 0))
        return (np.arange(r.shape[1]) == order[:, -1:])[..., None] * weight[..., None]


def test_the_winner_alone_is_biased_and_its_lead_is_exact():
    """Errors in norm .2750 and 0. A tie is broken by the order of the rows, so that ordered data sets are enumerated."""
    error = lambda less: Enumeration(ordered=True).run(PolicyGradient(advantage=WinnerOnly(less)), Groups(3), ARMS).mean - MaxOfK(3).gradient(ARMS)
    assert np.linalg.norm(error(less=True)) < 1e-14
    assert np.linalg.norm(error(less=False)) == pytest.approx(0.2750, abs=5e-5)


@pytest.mark.parametrize(("baseline", "published"), [("none", 0.98955), ("subset", 0.07132), ("sample", 0.07992)])
def test_total_variances_of_four_arms(baseline, published):
    """P055.C3: uniform policy, five samples, k = 3; five decimals are published."""
    assert law_of(MaxAtK(k=3, baseline=baseline), 5, ARMS).variance == pytest.approx(published, abs=5e-6)


@pytest.mark.parametrize("baseline", ["none", "subset"])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_pass_at_k_is_max_at_k_of_zeros_and_ones(k, baseline):
    """P055.C6, against the sorted weights."""
    rewards = [[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 1, 0], [1, 1, 1, 0, 1], [1, 1, 1, 1, 1]]
    np.testing.assert_allclose(
        PassAtK(k=k, baseline=baseline)(data_of(rewards), None), MaxAtK(k=k, baseline=baseline)(data_of(rewards), None), atol=1e-13
    )


@pytest.mark.parametrize("baseline", ["none", "subset"])
@pytest.mark.parametrize(("G", "k"), [(2, 2), (4, 2), (3, 3)])
def test_pass_at_k_is_unbiased(G, k, baseline):
    assert_gradient(PassAtK(k=k, baseline=baseline), G, binary(), PassAtKObjective(k))
    with pytest.raises(AssertionError):
        assert_gradient(PassAtK(k=k, baseline=baseline), G, binary(), Return())


def test_pass_at_one_is_the_return():
    assert_gradient(PassAtK(k=1), 2, binary(prompts=2), Return())


class FailuresForgotten:
    """Planted bug: only successes are weighted, as in REINFORCE, times k."""

    def __call__(self, data, scene):
        return 2 * data.total[..., None]


def test_the_mean_catches_forgotten_failures():
    with pytest.raises(AssertionError):
        assert_gradient(FailuresForgotten(), 3, binary(), PassAtKObjective(2))


@pytest.mark.parametrize("N", [1, 2, 3, 4])
def test_maximum_likelihood_of_order_N_and_its_centred_form_of_order_N_minus_1(N):
    """P039.C2-C3: the plain and the controlled form have mean grad J_N, the centred one grad J_{N-1}; for N = 1 that is zero."""
    scene = binary()
    for variant in ("plain", "control"):
        assert_gradient(MaximumLikelihood(variant=variant), N, scene, TruncatedLogLikelihood(N))
    centred = MaximumLikelihood(variant="centred")
    if N == 1:
        assert not law_of(centred, 1, scene).mean.any()
        return
    assert_gradient(centred, N, scene, TruncatedLogLikelihood(N - 1))
    with pytest.raises(AssertionError):
        assert_gradient(centred, N, scene, TruncatedLogLikelihood(N))
    with pytest.raises(AssertionError):
        assert_gradient(MaximumLikelihood(variant="centred", epsilon=1e-6), N, scene, TruncatedLogLikelihood(N - 1))


def test_maximum_likelihood_averages_prompts_of_unequal_difficulty():
    assert_gradient(MaximumLikelihood(), 3, binary(prompts=2), TruncatedLogLikelihood(3))


@pytest.mark.parametrize("N", [1, 2, 3])
def test_variance_of_the_mean_score_of_successes(N):
    """P039.C4: Var = sigma_1^2 E[1{K>=1}/K] + |m_1|^2 (1-p)^N (1 - (1-p)^N), from the scores of the seven completions."""
    scene = binary()
    paths = Groups(1).datasets(scene).paths
    chance, won = paths.probability(scene.policy()), paths.total() == 1
    S = scene.policy().pullback(paths.visits.toarray().reshape(-1, 3, 3))
    p = chance[won].sum()
    m = chance[won] @ S[won] / p
    sigma = chance[won] @ ((S[won] - m) ** 2).sum(axis=1) / p
    inverse = sum(comb(N, K) * p**K * (1 - p) ** (N - K) / K for K in range(1, N + 1))
    expected = sigma * inverse + m @ m * (1 - p) ** N * (1 - (1 - p) ** N)
    assert law_of(MaximumLikelihood(), N, scene).variance == pytest.approx(expected, abs=1e-13)


def test_maximum_likelihood_weights_equal_the_loop():
    rewards = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]
    for variant, epsilon in (("plain", 0.0), ("control", 0.0), ("centred", 0.0), ("centred", 0.1)):
        found = MaximumLikelihood(variant=variant, epsilon=epsilon)(data_of(rewards), None)[..., 0]
        for n, r in enumerate(rewards):
            K, mean = sum(r), sum(r) / 3
            for i in range(3):
                plain = 3 * r[i] / K if K else 0.0
                expected = {"plain": plain, "control": plain - 1, "centred": (r[i] - mean) / (mean + epsilon) if K else 0.0}[variant]
                assert found[n, i] == pytest.approx(expected, abs=1e-15)


def test_a_ratio_of_the_row_alone_does_not_correct_max_at_k():
    """P055.C5: uniform policy sampled from (.4, .3, .2, .1), n = k = 2: error .0520."""
    scene = Scene.of(Bandit(r=[[0.3, 1.0, 1.0, -0.5]]), Softmax(np.zeros((1, 4))), sampler=Softmax.of(np.array([[0.4, 0.3, 0.2, 0.1]])))
    found = law_of(MaxAtK(k=2), 2, scene, ratio=SequenceRatio()).mean
    assert np.linalg.norm(found - MaxOfK(2).gradient(scene)) == pytest.approx(0.0520, abs=5e-5)


@pytest.mark.parametrize("advantage", [MaxAtK(k=4), MaxAtK(k=3, baseline="sample"), PassAtK(k=4)], ids=repr)
def test_k_above_the_group_is_refused(advantage):
    with pytest.raises(InvalidArgument, match="needs groups of at least 4 completions, these have 3"):
        advantage(data_of([[0, 1, 0]]), None)


@pytest.mark.parametrize("advantage", [PassAtK(k=2), MaximumLikelihood(), MaximumLikelihood(variant="centred")], ids=repr)
def test_rewards_other_than_zero_and_one_are_refused(advantage):
    with pytest.raises(InvalidArgument, match=r"completion 2 of prompt 0 in data set 1 has 0\.5"):
        advantage(data_of([[0, 1, 0], [1, 0, 0.5]]), None)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: MaxAtK(k=0), "k is 0"),
        (lambda: PassAtK(k=1.5), "k is 1.5"),
        (lambda: MaxAtK(k=2, baseline="mean"), "baseline is 'mean'"),
        (lambda: PassAtK(k=2, baseline="sample"), "baseline is 'sample'"),
        (lambda: MaxAtK(k=1, baseline="subset"), "k of at least 2"),
        (lambda: PassAtK(k=1, baseline="subset"), "k of at least 2"),
        (lambda: MaximumLikelihood(variant="mean"), "variant is 'mean'"),
        (lambda: MaximumLikelihood(variant="centred", epsilon=-1.0), "epsilon is -1"),
        (lambda: MaximumLikelihood(epsilon=0.1), "only variant='centred'"),
    ],
)
def test_bad_arguments_are_refused(make, text):
    with pytest.raises(InvalidArgument, match=text):
        make()
