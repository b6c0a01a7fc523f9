"""The default worlds have what docs/verdict.md says they have."""

from fractions import Fraction

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, UnknownProblem
from pgtheory.worlds.custom import custom_worlds, world_named
from pgtheory.worlds.default import DRAWN, GRADED, LOOP, OFF_POLICY, OLD_DIFFERS, ONE_PROMPT, TAIL, TIED, TINY, TOKENS, TWO_PROMPTS, default_worlds
from pgtheory.worlds.world import rational_table

ALL = dict.fromkeys((*TOKENS, OFF_POLICY, OLD_DIFFERS, *default_worlds("episodes", ("gamma", "old_logprobs", "last_values")), *TINY))


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.id)
def test_every_world_is_small_and_sums_to_one(spec):
    """At most 210 data sets, probabilities that sum to one at each point, a target that does not vanish."""
    world = spec.build()
    assert len(world.datasets()) <= 210
    for scene in world.scenes:
        assert world.datasets().weights(scene).sum() == pytest.approx(1, abs=1e-12)
    assert world.padded_length == world.datasets().data.shape[2]


def test_ids_are_stable_and_unique():
    """One world an id, found again by it; a frozen sample."""
    assert len({spec.id for spec in ALL}) == len(ALL)
    assert ONE_PROMPT.id == "tokens/V=3,T=2,P=1,G=3/binary"
    assert world_named(TAIL.id).id == "episodes/tail/gamma=0.9,T=3,B=2/exact-critic"
    with pytest.raises(UnknownProblem, match="tokens/"):
        world_named("nonsense")


@pytest.mark.parametrize("spec", TOKENS, ids=lambda spec: spec.id)
def test_rows_and_steps_are_told_apart(spec):
    """B differs from T in every world of completions, so that a wrong rank does not fit by chance."""
    _, B, T = spec.build().datasets().data.shape
    assert B != T


def test_points_are_rational_and_not_uniform():
    """Tables of distributions with small denominators, none uniform, neighbouring numbers different."""
    for A in (2, 3, 4):
        for number in range(8):
            for row in rational_table(3, A, number):
                assert sum(row) == 1
                assert all(0 < x < 1 and x.denominator <= 50 for x in row)
                assert row != [Fraction(1, A)] * A
        assert rational_table(3, A, 0) != rational_table(3, A, 1)


def test_binary_worlds_have_successes_and_failures_of_both_lengths():
    """Rewards 0 and 1 at length two, lengths one and two, prompts of unequal difficulty."""
    paths = ONE_PROMPT.build().datasets().paths
    assert set(paths.total()) == {0.0, 1.0}
    assert set(paths.total()[paths.length == 2]) == {0.0, 1.0}
    world = TWO_PROMPTS.build()
    scene, paths = world.scene(), world.datasets().paths
    p = [float(paths.probability(scene.policy()) @ (paths.total() * (paths.start == s))) for s in np.flatnonzero(scene.mdp.mu)]
    assert abs(p[0] - p[1]) > 0.05


def test_graded_rewards_have_ties_and_signs():
    """Some negative, some equal, not only 0 and 1."""
    total = GRADED.build().datasets().paths.total()
    assert total.min() < 0
    assert len(np.unique(total)) < len(total)
    assert not GRADED.build().binary


def test_ratios_pass_both_clip_edges_with_both_signs():
    """Off-policy: below 0.8 and above 1.2, on tokens of positive and of negative advantage."""
    world = OFF_POLICY.build()
    for scene in world.scenes:
        ratio = scene.policy().probabilities / scene.policy("old").probabilities
        data = world.datasets().data
        r = np.where(data.mask, ratio[data.state, data.action], 1.0)
        advantage = data.total - data.total.mean(axis=1, keepdims=True)
        for sign in (1, -1):
            here = r[(sign * advantage > 0.1)]
            assert here.min() < 0.8
            assert here.max() > 1.2


def test_roles_are_different_where_they_should_be():
    """Sampler, old, current and reference."""
    scene = OLD_DIFFERS.build().scene()
    tables = [scene.policy(role).probabilities for role in ("current", "sampler", "old", "ref")]
    assert all(abs(a - b).max() > 0.05 for i, a in enumerate(tables) for b in tables[:i])


def test_tied_parameters_are_visited_several_times():
    """One row of parameters, several states."""
    policy = TIED.build().scene().policy()
    assert policy.theta.size == 2
    assert len(policy.probabilities) > 1


def test_the_tail_needs_its_bootstrap():
    """Cut rows are truncated in the tail, whose value no action changes."""
    world = TAIL.build()
    data, scene = world.datasets().data, world.scene()
    assert data.truncated.any()
    assert set(data.last[data.truncated]) == {2}
    assert (scene.mdp.mean_reward[2] == 1).all()


def test_episodes_come_back_to_their_states():
    """LOOP visits a state twice and ends at different lengths."""
    paths = LOOP.build().datasets().paths
    assert len(set(paths.length)) > 1
    assert any(len(set(s[m])) < m.sum() for s, m in zip(paths.state, paths.mask, strict=True))


def test_functions_get_the_worlds_they_can_be_asked_about():
    """Off-policy only with the sampler's log-probabilities, a time limit only with the value at the cut, gamma 1 without gamma."""
    assert OFF_POLICY not in default_worlds("tokens", ("rewards",))
    assert OFF_POLICY in default_worlds("tokens", ("old_logprobs",))
    assert OLD_DIFFERS in default_worlds("tokens", ("old_logprobs", "sampler_logprobs"))
    assert TAIL in default_worlds("episodes", ("gamma", "last_values"))
    assert TAIL not in default_worlds("episodes", ("gamma", "values"))
    assert all(spec.gamma == 1 for spec in default_worlds("episodes", ("states",)))
    assert GRADED not in default_worlds("tokens", (), binary=True)
    assert DRAWN in default_worlds("tokens", ())


def test_problems_that_fit_no_setting_are_refused():
    """Endless episodes, wrong theta."""
    with pytest.raises(InvalidArgument, match="--horizon"):
        custom_worlds("two-state", setting="episodes", gamma=None, group=None, theta=None, horizon=None)
    with pytest.raises(InvalidArgument, match="S A"):
        custom_worlds("two-state", setting="episodes", gamma=None, group=None, theta=np.zeros(3), horizon=2)
