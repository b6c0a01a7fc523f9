"""Each assertion passes for a right function and fails, with the verdict as its text, for a planted wrong one."""

import json

import numpy as np
import pytest

from pgtheory import testing
from pgtheory.checking import check
from pgtheory.face import gradient
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.moments import dense, scatter
from pgtheory.testing import assert_objective, assert_same_law, assert_unbiased, assert_variance


@pytest.fixture(autouse=True)
def recorded(monkeypatch):
    """What the assertions of one test record, kept from the report of this run."""
    records = []
    monkeypatch.setattr(testing, "RECORDED", records)
    return records


def leave_one_out(rewards, group):
    """Each reward minus the mean of the others of its group."""
    others = (group[:, None] == group) & ~np.eye(len(group), dtype=bool)
    return rewards - others @ rewards / others.sum(axis=1)


def own_mean(rewards, group):
    """Planted: each reward minus the mean of its group, itself included."""
    same = group[:, None] == group
    return rewards - same @ rewards / same.sum(axis=1)


class Single:
    """Leave-one-out that says it computes in float32."""

    form, precision = "visits", "float32"
    declared = builtin("leave-one-out").declared

    def __call__(self, data, scene):
        return builtin("leave-one-out")(data, scene)


class Reflected:
    """2 grad J - g with g leave-one-out: the same mean and covariance, another distribution."""

    form = "whole"
    declared = builtin("leave-one-out").declared

    def __call__(self, data, scene):
        policy = scene.policy()
        weights = dense(scatter(builtin("leave-one-out")(data, scene), data, policy.probabilities.shape))
        return 2 * np.ravel(gradient(scene.model, policy)) - policy.pullback(weights.reshape(-1, *policy.probabilities.shape))


# Unbiased


def test_leave_one_out_is_acquitted(recorded):
    assert_unbiased(leave_one_out)

    assert [(r.assertion, r.passed, r.name, r.headline) for r in recorded] == [("assert_unbiased", True, "leave_one_out", "UNBIASED")]


def test_own_mean_fails_with_its_verdict(recorded):
    with pytest.raises(AssertionError) as caught:
        assert_unbiased(own_mean)

    assert str(caught.value) == str(recorded[0].found)
    assert str(caught.value).startswith("UNBIASED UP TO A CONSTANT  own_mean")
    assert "(G-1)/G" in str(caught.value)
    assert not recorded[0].passed


def test_own_mean_passes_up_to_scale():
    assert_unbiased(own_mean, up_to_scale=True)


def test_options_reach_the_check(recorded):
    assert_unbiased("group-mean", up_to_scale=True, group=2, name="planted")

    assert recorded[0].name == "planted"
    assert any("G=2" in world for world in recorded[0].worlds)


def test_vacuous_estimator_is_not_unbiased():
    with pytest.raises(AssertionError, match=r"^VACUOUS"):
        assert_unbiased("kl/k1-loss-token")


def test_undecided_is_a_failure_that_says_so():
    with pytest.raises(AssertionError, match=r"^UNDECIDED"):
        assert_unbiased(Single())


# Objectives


def test_pass_at_2_ascends_pass_at_2():
    assert_objective("pass-at-2", "pass@2")
    assert_unbiased("pass-at-2", of="pass@2")


def test_pass_at_2_does_not_ascend_the_return():
    with pytest.raises(AssertionError, match=r"^GRADIENT OF ANOTHER OBJECTIVE.*pass@2"):
        assert_objective("pass-at-2", "J")


def test_k3_loss_is_no_gradient_of_the_reverse_divergence():
    with pytest.raises(AssertionError) as caught:
        assert_objective("kl/k3-loss-sequence", "reverse KL")

    assert "forward KL" in str(caught.value)


# Variance


def test_leave_one_out_has_its_own_variance():
    assert_variance(leave_one_out, equals=1)
    assert_variance(leave_one_out, at_most=1)


def test_own_mean_costs_no_variance_at_matched_scale():
    """On one prompt g is (G-1)/G times leave-one-out: as is, the variance is ((G-1)/G)^2 of its, 4/9 with groups of three."""
    assert_variance(own_mean, equals=1)
    assert_variance(own_mean, equals=4 / 9, at="as is")


def test_variance_that_is_too_large_fails_with_numbers_and_verdict(recorded):
    found = check("leave-one-out").variance

    with pytest.raises(AssertionError) as caught:
        assert_variance("leave-one-out", at_most=1, relative_to="optimal baseline")

    first, *rest = str(caught.value).split("\n")
    ratio = found["matched"] / found["optimal baseline"]
    assert first == f"total variance at matched scale relative to optimal baseline is {ratio:.9g}, expected at most 1, on {found['world']}"
    assert "\n".join(rest) == str(recorded[0].found)


def test_another_variance_fails():
    with pytest.raises(AssertionError, match=r"^total variance as is is 0\.\d+, expected 0\.09, on "):
        assert_variance("leave-one-out", equals=0.09, relative_to=None, at="as is")
    with pytest.raises(AssertionError, match=r"^total variance at matched scale relative to leave-one-out is"):
        assert_variance("group-reward", equals=1)


def test_tolerance_is_relative():
    found = check("leave-one-out").variance["total"]

    assert_variance("leave-one-out", equals=found * 1.009, relative_to=None, tolerance=0.01)
    assert_variance("leave-one-out", at_most=found / 1.009, relative_to=None, tolerance=0.01)
    with pytest.raises(AssertionError, match=r"expected at most"):
        assert_variance("leave-one-out", at_most=found / 1.02, relative_to=None, tolerance=0.01)


def test_trajectories_have_references_of_their_own():
    assert_variance("reward-to-go/optimal-baseline", equals=1, relative_to="optimal baseline")
    with pytest.raises(InvalidArgument, match=r"no reference 'leave-one-out'. It has reward-to-go, value baseline, optimal baseline"):
        assert_variance("reward-to-go", at_most=1)


def test_unknown_variance_fails():
    with pytest.raises(AssertionError, match=r"^undecided: E.g. is zero, and no variance is known\nVACUOUS"):
        assert_variance("kl/k1-loss-token", at_most=1)
    with pytest.raises(AssertionError, match=r"^undecided: .* no matched scale"):
        assert_variance("ppo-clip", at_most=1)


@pytest.mark.parametrize(
    "options, text",
    [
        ({}, "either at_most or equals"),
        ({"at_most": 1, "equals": 1}, "either at_most or equals"),
        ({"at_most": 1, "at": "scale"}, "at is 'scale'"),
        ({"at_most": 1, "tolerance": -1}, "tolerance is -1"),
        ({"at_most": 1, "relative_to": "zero"}, "no reference 'zero'. It has leave-one-out, optimal baseline"),
    ],
)
def test_arguments_of_variance_are_checked(options, text, recorded):
    with pytest.raises(InvalidArgument, match=text):
        assert_variance("leave-one-out", **options)
    assert recorded == []


# Laws


def test_a_rewritten_function_has_the_same_law(recorded):
    assert_same_law(leave_one_out, "leave-one-out")

    assert recorded[0].headline == "SAME LAW"
    assert recorded[0].name == "leave_one_out and leave-one-out"


def test_own_mean_has_another_law(recorded):
    with pytest.raises(AssertionError, match=r"^DIFFERENT LAWS  own_mean and leave-one-out differ on .*total variance") as caught:
        assert_same_law(own_mean, "leave-one-out")

    assert recorded[0].found.text in str(caught.value)


def test_same_mean_with_another_variance_is_another_law():
    with pytest.raises(AssertionError, match=r"have the same mean; total variance"):
        assert_same_law("leave-one-out", "group-reward")


def test_equal_moments_alone_are_undecided(recorded):
    with pytest.raises(AssertionError, match=r"^equal moments alone are undecided\nUNDECIDED  .*equal mean and covariance"):
        assert_same_law("leave-one-out", Reflected(), problem="world:tokens/V=2,T=2,P=1,G=4/binary")
    assert recorded[0].headline == "UNDECIDED"


def test_unknown_option_of_a_comparison_is_refused():
    with pytest.raises(InvalidArgument, match=r"no option 'theta'. Options are: problem, group"):
        assert_same_law("leave-one-out", "leave-one-out", theta=np.zeros(2))


def test_records_are_json(recorded):
    assert_unbiased("leave-one-out")
    assert_same_law("leave-one-out", "leave-one-out")

    rows = json.loads(json.dumps([record.to_dict() for record in recorded]))

    assert [row["assertion"] for row in rows] == ["assert_unbiased", "assert_same_law"]
    assert rows[0]["found"]["exit_code"] == 0
    assert all(row["worlds"] for row in rows)
