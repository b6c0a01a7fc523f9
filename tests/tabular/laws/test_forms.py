"""Forms: which estimators are recognised, and that the numbers in the form are those that the estimator uses on data."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, NoSupport
from pgtheory.tabular.estimators.baselines import Constant, ExactValue
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.groups import GroupMean, LeaveOneOut, Reward
from pgtheory.tabular.estimators.lengths import PerConstant, PerSequence
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import Masked, PrefixRatio, SequenceRatio, TokenRatio, Truncated
from pgtheory.tabular.estimators.registry import BUILTIN
from pgtheory.tabular.estimators.reinforce import RewardToGo, WholeReturn
from pgtheory.tabular.laws.forms import Differences, LeftOut, Rows, Whole, family_of, form_of
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

RNG = np.random.default_rng(5)
P = 0.8 * RNG.dirichlet(np.ones(3), size=(3, 2))
MODEL = MDP(P=P, r=RNG.normal(size=(3, 2)), mu=[0.5, 0.5, 0], gamma=0.9)
POLICY = Softmax(RNG.normal(size=(3, 2)))
SCENE = Scene.of(MODEL, POLICY)


@dataclass(frozen=True, eq=False)
class Given:
    """A table as values."""

    table: np.ndarray

    def __call__(self, scene):
        return np.asarray(self.table)


def test_of_the_built_in_estimators_these_have_a_form():
    """Every other one depends on the data in another way: a random length, a ratio of a prefix, a standard deviation, n steps."""
    found = {name: family_of(estimator, OnPolicy()) for name, estimator in BUILTIN.items()}
    assert {name for name, form in found.items() if form is Differences} == {
        "reward-to-go", "reward-to-go/constant-baseline", "reward-to-go/value-baseline", "reward-to-go/optimal-baseline", "reward-to-go/no-step-discount",
        "gae/0", "gae/0.95", "gae/1", "gae/0.95/exact-critic", "gae/0.95/no-step-discount",
    }  # fmt: skip
    assert {name for name, form in found.items() if form is Whole} == {
        "reinforce", "reinforce/constant-baseline", "reinforce/value-baseline", "reinforce/optimal-baseline", "group-reward",
    }  # fmt: skip
    assert {name for name, form in found.items() if form is LeftOut} == {
        "leave-one-out", "leave-one-out/per-constant", "group-mean", "group-mean/per-constant", "ratio/token", "ratio/token/truncated", "ratio/token/masked",
    }  # fmt: skip


def test_changed_parts_are_not_recognised():
    """A subclass may override anything; another sampling law or length has another law."""

    class Mine(GAE):
        def __call__(self, data, scene):
            return super().__call__(data, scene) ** 2

    class Other(OnPolicy):
        pass

    plain = PolicyGradient(advantage=GAE(lambda_=0.5))
    assert family_of(plain, OnPolicy()) is Differences
    for estimator, sampling in [
        (replace(plain, advantage=Mine(lambda_=0.5)), OnPolicy()),
        (plain, Other()),
        (replace(plain, length=PerSequence()), OnPolicy()),
        (replace(plain, ratio=SequenceRatio()), OnPolicy()),
        (replace(plain, ratio=PrefixRatio()), OnPolicy()),
        (replace(plain, ratio=Truncated(cap=2, ratio=SequenceRatio())), OnPolicy()),
        (lambda data, scene: data.reward, OnPolicy()),
    ]:
        assert family_of(estimator, sampling) is None
        assert form_of(estimator, sampling, SCENE) is None


def test_reward_to_go_is_lambda_one_without_bootstrapping():
    """Also where the sampling cuts; GAE takes its critic there."""
    b = RNG.normal(size=3)
    to_go = form_of(PolicyGradient(advantage=RewardToGo(baseline=Given(b))), OnPolicy(horizon=4), SCENE)
    gae = form_of(PolicyGradient(advantage=GAE(lambda_=0.7, critic=Given(b), step_discount=False)), OnPolicy(horizon=4), SCENE)
    assert (to_go.lambda_, to_go.kappa, to_go.nu, to_go.horizon) == (1, 0.9, 0.9, 4)
    np.testing.assert_array_equal(to_go.final, np.zeros(3))
    np.testing.assert_array_equal(to_go.values, b)
    assert (gae.lambda_, gae.kappa, gae.nu) == (0.7, 0.9 * 0.7, 1)
    np.testing.assert_array_equal(gae.final, b)
    np.testing.assert_array_equal(gae.after(2), b)


@pytest.mark.parametrize(
    ("model", "sampling", "steps", "bootstraps"), [(None, 3, 3, True), (5, 3, 3, True), (3, 3, 3, False), (2, 3, 2, False), (4, None, 4, False)]
)
def test_the_model_ends_and_the_sampling_cuts(model, sampling, steps, bootstraps):
    """Where both stop at one step the episode has ended: nothing is bootstrapped."""
    scene = Scene.of(replace(MODEL, horizon=model), POLICY)
    form = form_of(PolicyGradient(advantage=GAE(lambda_=0.7, critic=Constant(2.0))), OnPolicy(horizon=sampling), scene)
    assert form.horizon == steps
    np.testing.assert_array_equal(form.final, np.full(3, 2.0 * bootstraps))


def test_a_critic_of_each_step_is_read_at_its_step():
    """With more steps than the row, the value after a cut is that of the step it was cut at; with exactly as many, that of the last."""
    table = RNG.normal(size=(5, 3))
    scene = Scene.of(replace(MODEL, horizon=5), POLICY)
    of = lambda rows: form_of(PolicyGradient(advantage=GAE(lambda_=1, critic=Given(table[:rows]))), OnPolicy(horizon=3), scene)
    np.testing.assert_array_equal(of(5).after(2), table[3])
    np.testing.assert_array_equal(of(3).after(2), table[2])
    np.testing.assert_array_equal(of(5).before(2), table[2])
    np.testing.assert_array_equal(of(5).after(1), table[2])


def test_a_critic_with_too_few_steps_is_refused_and_with_enough_for_every_episode_is_not():
    """An episode that always ends after two steps needs two rows."""
    gae = PolicyGradient(advantage=GAE(lambda_=1, critic=Given(np.ones((2, 3)))))
    with pytest.raises(InvalidArgument, match="has 2 steps, but an episode may have 4 steps"):
        form_of(gae, OnPolicy(horizon=4), SCENE)
    with pytest.raises(InvalidArgument, match="any number of steps"):
        form_of(gae, OnPolicy(), SCENE)
    line = np.zeros((3, 2, 3))
    line[0, :, 1] = 1
    short = Scene.of(MDP(P=line, r=np.ones((3, 2)), mu=[1, 0, 0]), POLICY)
    assert form_of(gae, OnPolicy(), short).horizon == 2
    assert form_of(gae, OnPolicy(horizon=4), short).horizon == 2
    line[1, :, 2] = 1
    for horizon in (3, None):  # one step too many, the last one
        with pytest.raises(InvalidArgument, match="state 2 is reached after them"):
            form_of(gae, OnPolicy(horizon=horizon), Scene.of(MDP(P=line, r=np.ones((3, 2)), mu=[1, 0, 0]), POLICY))


@pytest.mark.parametrize("table", [np.ones(4), np.ones((2, 4)), np.ones((2, 3, 1)), np.zeros((0, 3)), np.array([0, np.nan, 0])])
def test_a_critic_that_is_no_table_is_refused(table):
    """Wrong number of states, an axis too many, no step, NaN."""
    with pytest.raises(InvalidArgument, match="table of values"):
        form_of(PolicyGradient(advantage=RewardToGo(baseline=Given(table))), OnPolicy(horizon=2), SCENE)


def test_group_rewards_are_undiscounted_and_returns_are_not():
    """data.total against the discounted return."""
    assert form_of(PolicyGradient(advantage=Reward()), OnPolicy(2), SCENE).discount == 1
    whole = form_of(PolicyGradient(advantage=WholeReturn(baseline=ExactValue())), OnPolicy(2), SCENE)
    assert whole.discount == 0.9
    np.testing.assert_allclose(whole.baseline, ExactValue()(SCENE))


def test_left_out_has_its_factor_and_needs_others():
    """n / (n - 1) against 1; a group of one is refused."""
    of = lambda advantage, size: form_of(PolicyGradient(advantage=advantage), Groups(size), SCENE)
    assert of(LeaveOneOut(), 4).factor == 4 / 3
    assert of(GroupMean(), 4).factor == 1
    assert of(GroupMean(), 1).factor == 1
    with pytest.raises(InvalidArgument, match="at least 2"):
        of(LeaveOneOut(), 1)


def test_rows_and_scale():
    """OnPolicy is one group with a start a row; Groups has one a prompt, drawn or fixed."""
    of = lambda sampling: form_of(PolicyGradient(advantage=Reward(), length=PerConstant(4)), sampling, SCENE)
    assert of(OnPolicy(3)).rows == Rows(groups=1, size=3, start="row")
    assert of(Groups(3)).rows == Rows(groups=2, size=3, start="fixed")
    assert of(Groups(3, prompts=5)).rows == Rows(groups=5, size=3, start="group")
    assert of(OnPolicy()).scale == 0.25
    uneven = Scene.of(replace(MODEL, mu=[0.3, 0.7, 0]), POLICY)
    with pytest.raises(InvalidArgument, match="uniform"):
        form_of(PolicyGradient(advantage=Reward()), Groups(2), uneven)


@pytest.mark.parametrize("ratio", [TokenRatio(), Truncated(cap=1.1), Masked(low=0.9, high=1.2)])
def test_ratios_of_the_pair_are_a_factor_of_the_score(ratio):
    """The table holds what the ratio is on data."""
    sampler = Softmax(RNG.normal(size=(3, 2)))
    scene = Scene.of(MODEL, POLICY, sampler=sampler)
    form = form_of(PolicyGradient(advantage=RewardToGo(), ratio=ratio), OffPolicy(horizon=2), scene)
    np.testing.assert_array_equal(form.actions, sampler.probabilities)
    data = OffPolicy(horizon=2).datasets(scene).data
    s, a = data.state[data.mask], data.action[data.mask]
    np.testing.assert_allclose(form.ratio[s, a], ratio(data, scene)[data.mask], atol=1e-15)


def test_missing_support_is_the_error_of_enumeration():
    """At a state within the horizon, and only there."""
    sampler = Direct([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]])
    line = np.zeros((3, 2, 3))
    line[0, :, 1], line[1, :, 2] = 1, 1
    model = MDP(P=line, r=np.ones((3, 2)), mu=[1, 0, 0])
    scene = Scene.of(model, POLICY, sampler=sampler)
    estimator = PolicyGradient(advantage=RewardToGo())
    for steps in (3, None):
        with pytest.raises(NoSupport, match="never takes action 1 in state 2"):
            form_of(estimator, OffPolicy(horizon=steps), scene)
        with pytest.raises(NoSupport, match="never takes action 1 in state 2"):
            OffPolicy(horizon=steps).datasets(scene).weights(scene)
    form_of(estimator, OffPolicy(horizon=2), scene)
    OffPolicy(horizon=2).datasets(scene).weights(scene)
    old = Scene.of(model, POLICY, sampler=POLICY, old=sampler)
    with pytest.raises(NoSupport, match="old policy never takes action 1 in state 2"):
        form_of(replace(estimator, ratio=TokenRatio()), OffPolicy(), old)


def test_what_policies_never_do_where_no_action_is_ever_taken_is_no_matter():
    """State 2 is never reached: neither the old policy nor the current one is asked for a score or a ratio there; the law is that of enumeration."""
    line = np.zeros((3, 2, 3))
    line[0, :, 1] = 1
    model = MDP(P=line, r=RNG.normal(size=(3, 2)), mu=[1, 0, 0])
    half, odd = Direct(np.full((3, 2), 0.5)), Direct([[0.4, 0.6], [0.3, 0.7], [1.0, 0.0]])
    weighted = PolicyGradient(advantage=RewardToGo(), ratio=TokenRatio())
    for estimator, sampling, scene in [
        (weighted, OnPolicy(), Scene.of(model, half, old=odd)),
        (weighted, OffPolicy(), Scene.of(model, odd, sampler=half)),
        (replace(weighted, ratio=None), OffPolicy(), Scene.of(model, odd, sampler=half)),
    ]:
        found, expected = (law(estimator, sampling, scene, method=name) for name in ("dynamic-programming", "enumeration"))
        np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-13, atol=1e-14)
    reached = Scene.of(replace(model, mu=[0.5, 0, 0.5]), odd, sampler=half)
    with pytest.raises(InvalidPolicy, match="never takes action 1 in state 2, but the data contain it"):
        law(weighted, OffPolicy(), reached, method="dynamic-programming")
