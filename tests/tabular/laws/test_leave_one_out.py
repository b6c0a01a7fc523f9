"""Law of groups with the mean of the others as baseline: against all data sets, against published numbers, and where its assumptions fail."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory import strategies as some
from pgtheory.tabular.errors import InvalidArgument, NonTerminating
from pgtheory.tabular.estimators.groups import GroupMean, LeaveOneOut, Reward
from pgtheory.tabular.estimators.lengths import PerConstant
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.laws.leave_one_out import baseline_cost
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import return_gradient
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

ROUNDING = 1e-12
"""Relative to the second moments, with rewards up to 4: some hundred roundings of size 2^-53 on either side."""

ADVANTAGES = {"leave-one-out": LeaveOneOut(), "group-mean": GroupMean(), "reward": Reward()}


def programmed(advantage, sampling, scene, **parts):
    return law(PolicyGradient(advantage=advantage, **parts), sampling, scene, method="dynamic-programming")


def enumerated(advantage, sampling, scene, **parts):
    return Enumeration().run(PolicyGradient(advantage=advantage, **parts), sampling, scene)


def assert_same(found, expected):
    size = 1 + np.sqrt(abs(np.diag(expected.covariance)) + expected.mean**2)
    assert (abs(found.mean - expected.mean) <= found.rounding + expected.rounding).all()
    assert (abs(found.covariance - expected.covariance) <= ROUNDING * np.outer(size, size)).all()


def scene_of(model, *, policy="softmax", off=False, seed=0):
    rng = np.random.default_rng(seed)
    S, A = model.mdp.S, model.mdp.A
    weights = lambda: rng.integers(1, 5, size=(S, A)).astype(float)
    probabilities = lambda: (w := weights()) / w.sum(axis=1, keepdims=True)
    made = {
        "softmax": lambda: Softmax(np.log(weights())),
        "direct": lambda: Direct(probabilities()),
        "log-linear": lambda: LogLinear(np.array([0.5, -1.0]), rng.integers(-2, 3, size=(S, A, 2)).astype(float)),
    }
    return Scene.of(model, made[policy](), sampler=Direct(probabilities()) if off else None)


TREE = TokenTree(vocabulary=2, limit=2, prompts=2, reward=lambda x, tokens: float(x) + 2.0 * tokens[0] - len(tokens) / 2)
UNEVEN = TokenTree(
    vocabulary=2, limit=2, prompts=2, mu=[0.25, 0.75], reward=lambda x, tokens: 1.5 - x * len(tokens), token_reward=lambda x, tokens: 0.5 * tokens[-1]
)
NOISY = Bandit(r=[[0.2, 0.5, 0.9], [0.7, 0.1, 0.4]], mu=[0.25, 0.75], bernoulli=True)


# Against all data sets


@pytest.mark.parametrize("off", [False, True])
@pytest.mark.parametrize("policy", ["softmax", "direct", "log-linear"])
@pytest.mark.parametrize("advantage", ADVANTAGES)
@pytest.mark.parametrize("model", [TREE, UNEVEN, NOISY], ids=["tree", "uneven tree", "noisy bandit"])
def test_law_is_the_sum_over_all_groups(model, advantage, policy, off):
    """Prompts drawn one or two at a time, or one group of rows that draw their own; scores of mean zero or not."""
    scene = scene_of(model, policy=policy, off=off)
    for sampling in (Groups(2, prompts=1), Groups(3, prompts=1), Groups(2, prompts=2), OnPolicy(2), OffPolicy(3)):
        assert_same(programmed(ADVANTAGES[advantage], sampling, scene), enumerated(ADVANTAGES[advantage], sampling, scene))


@pytest.mark.parametrize("advantage", ADVANTAGES)
@pytest.mark.parametrize("policy", ["softmax", "direct"])
def test_every_prompt_once(advantage, policy):
    scene = scene_of(TREE, policy=policy, off=True)
    for size in (2, 3):
        assert_same(programmed(ADVANTAGES[advantage], Groups(size), scene), enumerated(ADVANTAGES[advantage], Groups(size), scene))


@settings(max_examples=25)
@given(
    scene=some.scenes(st.one_of(some.bandits(), some.bandits(bernoulli=True), some.token_trees()), off_policy=True),
    size=st.integers(2, 3),
    off=st.booleans(),
)
def test_random_trees_and_bandits(scene, size, off):
    if not off:
        scene = Scene.of(scene.model, scene.policy())
    assert_same(programmed(LeaveOneOut(), Groups(size, prompts=1), scene), enumerated(LeaveOneOut(), Groups(size, prompts=1), scene))


def test_ratios_constant_lengths_and_a_discount_that_totals_ignore():
    scene = scene_of(UNEVEN, off=True)
    scene = replace(scene, model=replace(UNEVEN.mdp, gamma=0.5))
    for advantage in ADVANTAGES.values():
        parts = {"ratio": TokenRatio(), "length": PerConstant(4)}
        assert_same(programmed(advantage, Groups(2, prompts=1), scene, **parts), enumerated(advantage, Groups(2, prompts=1), scene, **parts))


def test_rows_that_are_cut():
    """One group of rows of two steps of a process that goes on; and a horizon of the model."""
    rng = np.random.default_rng(3)
    model = MDP(
        P=0.75 * rng.dirichlet(np.ones(2), size=(2, 2)), r=rng.normal(size=(2, 2, 2)), r_end=rng.normal(size=(2, 2)), mu=[0.5, 0.5], gamma=0.9
    )
    policy = Softmax(rng.normal(size=(2, 2)))
    for scene, sampling in ((Scene.of(model, policy), OnPolicy(2, horizon=2)), (Scene.of(replace(model, horizon=2), policy), Groups(2))):
        assert_same(programmed(LeaveOneOut(), sampling, scene), enumerated(LeaveOneOut(), sampling, scene))


def test_a_group_of_one():
    """It is its own mean, or has no others."""
    scene = scene_of(UNEVEN)
    found = programmed(GroupMean(), Groups(1, prompts=2), scene)
    assert not found.mean.any() and not found.covariance.any() and not found.rounding.any()
    with pytest.raises(InvalidArgument, match="at least 2 completions"):
        programmed(LeaveOneOut(), Groups(1, prompts=1), scene)


def test_prompts_that_stand_in_the_batch_once_must_be_equally_likely():
    with pytest.raises(InvalidArgument, match="the batch mean would not estimate J"):
        programmed(LeaveOneOut(), Groups(2), scene_of(UNEVEN))


def test_completions_that_never_end_are_refused():
    model = MDP(P=np.full((1, 2, 1), 1.0), r=[[0.0, 1.0]], mu=[1.0], gamma=0.9)
    with pytest.raises(NonTerminating, match="no finite variance"):
        programmed(LeaveOneOut(), Groups(2), Scene.of(model, Softmax(np.zeros((1, 2)))))


# Published numbers and forms


P037 = Scene.of(Bandit(r=[1.0, 0.0, 0.5, 0.0]), Softmax.of(np.array([[0.7, 0.1, 0.1, 0.1]])))
"""The instance of claims C4 and C5 of OBLR-PO."""


@pytest.mark.parametrize(("advantage", "trace"), [(Reward(), 0.02483), (LeaveOneOut(), 0.05992)])
def test_traces_of_oblr_po(advantage, trace):
    """C5, to the five digits printed: at G = 3 the estimated baseline is worse than none."""
    assert abs(programmed(advantage, Groups(3), P037).variance - trace) < 5e-6


def one_prompt(scene):
    """Moments of a bandit's row, summed arm by arm: R, probabilities, scores."""
    R, pi, S = scene.model.r[0], scene.policy().probabilities[0], score(scene.policy())[0]
    g, V = (pi * R) @ S, pi @ R
    second = lambda weight: np.einsum("a,ai,aj->ij", pi * weight, S, S)
    return second((R - V) ** 2), second(np.ones_like(R)), pi @ (R - V) ** 2, np.outer(g, g)


@pytest.mark.parametrize("n", [2, 3, 6, 50])
def test_covariance_of_the_u_statistic(n):
    """P002 C3: (1/n) [E (R-V)^2 SS' - gg'] + (1/(n (n-1))) [Var(R) F + gg'], for groups beyond enumeration too; its mean is the gradient."""
    M, F, v, gg = one_prompt(P037)
    found = programmed(LeaveOneOut(), Groups(n), P037)
    np.testing.assert_allclose(found.covariance, (M - gg) / n + (v * F + gg) / (n * (n - 1)), rtol=0, atol=1e-15)
    assert (abs(found.mean - return_gradient(P037.mdp, P037.policy())) <= found.rounding + 1e-15).all()


def test_two_completions_are_the_pair_estimator():
    """P067 C4: Cov[(R_1 - R_2)(S_1 - S_2) / 2] = (M + v F) / 2, all pairs of arms listed."""
    M, F, v, _ = one_prompt(P037)
    R, pi, S = P037.model.r[0], P037.policy().probabilities[0], score(P037.policy())[0]
    pairs = [(pi[i] * pi[j], (R[i] - R[j]) * (S[i] - S[j]) / 2) for i, j in product(range(4), repeat=2)]
    mean = sum(p * g for p, g in pairs)
    listed = sum(p * np.outer(g, g) for p, g in pairs) - np.outer(mean, mean)
    found = programmed(LeaveOneOut(), Groups(2), P037).covariance
    np.testing.assert_allclose(found, listed, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found, (M + v * F) / 2, rtol=0, atol=1e-15)


@pytest.mark.parametrize("model", [TREE, NOISY], ids=["tree", "noisy bandit"])
@pytest.mark.parametrize("n", [2, 3])
def test_group_mean_is_the_same_but_for_a_factor(model, n):
    scene = scene_of(model)
    one, other = (programmed(a, Groups(n, prompts=2), scene) for a in (LeaveOneOut(), GroupMean()))
    np.testing.assert_allclose(other.mean, (n - 1) / n * one.mean, rtol=0, atol=1e-15)
    np.testing.assert_allclose(other.covariance, ((n - 1) / n) ** 2 * one.covariance, rtol=0, atol=1e-15)


def test_a_tree_far_beyond_enumeration():
    """Groups of 8 out of the 2^7 completions of each of two prompts, of which there are 1e12: the total variance has a closed form.

    Uniform policy without end token, R = number of ones of T = 7 tokens: the scores of different states are orthogonal, |psi|^2 = 1/2, and
    E[(R-V)^2 |S|^2] = T/2 Var R, |g_s|^2 summed over the states = sum_t 2 (2^-t)^2 2^t / 16."""
    T, n = 7, 8
    tree = TokenTree(vocabulary=2, limit=T, prompts=2, end=False, reward=lambda x, tokens: float(sum(tokens)))
    found = programmed(LeaveOneOut(), Groups(n), Scene.of(tree, Softmax(np.zeros((tree.mdp.S, 2)))))
    v, F, gg = T / 4, T / 2, sum(2 * 2.0**-t / 16 for t in range(T))
    np.testing.assert_allclose(found.variance, ((v * F - gg) / n + (v * F + gg) / (n * (n - 1))) / 2, rtol=ROUNDING)


# The price of the baseline


@pytest.mark.parametrize("sampling", [Groups(2), Groups(3, prompts=1), Groups(2, prompts=2), OnPolicy(3)])
@pytest.mark.parametrize("policy", ["softmax", "direct"])
def test_cost_of_the_baseline_is_the_difference_to_the_exact_one(sampling, policy):
    """The exact baseline enumerated: V of the row's first state, or of any row where the group has no prompt in common."""
    scene = scene_of(TREE, policy=policy)
    values = np.array([Enumeration().run(_Total(x), Groups(1), scene).mean[0] for x in range(2)])
    if isinstance(sampling, OnPolicy):
        values[:] = values.mean()
    exact, estimator = Enumeration().run(_Against(tuple(values)), sampling, scene), PolicyGradient(advantage=LeaveOneOut())
    expected = enumerated(LeaveOneOut(), sampling, scene).covariance - exact.covariance
    np.testing.assert_allclose(baseline_cost(estimator, sampling, scene), expected, rtol=0, atol=1e-13 * (1 + abs(exact.covariance).max()))


def test_cost_of_the_baseline_in_closed_form():
    """(v F + gg') / (n (n-1)): never negative, and gone like 1/n^2."""
    _, F, v, gg = one_prompt(P037)
    for n in (2, 1000):
        cost = baseline_cost(PolicyGradient(advantage=LeaveOneOut()), Groups(n), P037)
        np.testing.assert_allclose(cost, (v * F + gg) / (n * (n - 1)), rtol=1e-10, atol=1e-16 / n**2)
        assert np.linalg.eigvalsh(cost).min() > -1e-15


def test_cost_of_a_baseline_that_is_not_estimated_is_refused():
    with pytest.raises(InvalidArgument, match="LeaveOneOut"):
        baseline_cost(PolicyGradient(advantage=Reward()), Groups(2), P037)


class _Total:
    """The total reward of prompt x as the only coordinate of a whole gradient."""

    form = "whole"

    def __init__(self, x):
        self.x = x

    def __call__(self, data, scene):
        total = (data.total * (data.index["prompt"] == self.x)).sum(axis=1)
        return np.column_stack([total, *[0 * total] * (scene.policy().theta.size - 1)])


class _Against:
    """(R - values[prompt]) on every token, averaged over the rows."""

    form = "local"

    def __init__(self, values):
        self.values = values

    def __call__(self, data, scene):
        return (data.total - np.array(self.values)[data.index["prompt"]])[..., None] * data.mask / data.shape[1]


# Where the assumptions fail


def test_the_own_sample_in_the_baseline_and_a_standard_deviation_have_other_laws():
    """The formula holds for leave-one-out alone: the others differ from it, and no method but enumeration takes the one with a deviation. With rewards 0 and 1 that
    is a constant up to groups of 3, but not from 4 on."""
    scene = scene_of(NOISY)
    formula = programmed(LeaveOneOut(), Groups(4, prompts=1), scene).covariance
    own = enumerated(GroupMean(), Groups(4, prompts=1), scene).covariance
    normalised = Enumeration().run(builtin("group-std"), Groups(4, prompts=1), scene).covariance
    assert abs(own - formula).max() > 1e-3
    ratio = np.diag(normalised) / np.diag(formula)
    assert np.ptp(ratio) > 1e-3 * ratio.max()
    with pytest.raises(InvalidArgument, match="does not apply"):
        law(builtin("group-std"), Groups(4, prompts=1), scene, method="dynamic-programming")


def test_the_textbook_form_needs_scores_of_mean_zero():
    """Data of another policy: the two terms alone are not the covariance."""
    on = P037
    off = Scene.of(on.model, on.policy(), sampler=Direct(np.array([[0.25, 0.25, 0.25, 0.25]])))
    R, pi, S, n = on.model.r[0], np.full(4, 0.25), score(on.policy())[0], 3
    V, second = pi @ R, lambda weight: np.einsum("a,ai,aj->ij", pi * weight, S, S)
    g = (pi * (R - V)) @ S
    textbook = (second((R - V) ** 2) - np.outer(g, g)) / n + (pi @ (R - V) ** 2 * second(np.ones(4)) + np.outer(g, g)) / (n * (n - 1))
    right = enumerated(LeaveOneOut(), Groups(n), off).covariance
    assert abs(textbook - right).max() > 1e-3
    np.testing.assert_allclose(programmed(LeaveOneOut(), Groups(n), off).covariance, right, rtol=0, atol=1e-15)


def test_groups_are_programmed_where_enumeration_is_too_large():
    tree = TokenTree(vocabulary=4, limit=3, prompts=1, reward=lambda x, tokens: float(tokens[0] == 0))
    assert law(builtin("leave-one-out"), Groups(8), scene_of(tree)).method == "dynamic-programming"
