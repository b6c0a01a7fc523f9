"""Functions on a bad day: each gets the library's own error, or is bound with a line that says what is odd about it."""

import sys

import numpy as np
import pytest

from pgtheory.functions.binding import bind
from pgtheory.tabular.errors import BindingError, InvalidArgument, MissingExtra, UserFunctionError


def equal(found, expected):
    """Some twenty operations of unit roundoff on numbers of order one."""
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def leave_one_out(data):
    grouped = data.reward.sum(axis=2).reshape(len(data), 2, 3)
    return (1.5 * (grouped - grouped.mean(axis=2, keepdims=True))).reshape(len(data), 6)


@pytest.mark.parametrize(
    ("target", "error", "text"),
    [
        ("raises", UserFunctionError, r"KeyError: 'temperature'(?s:.*)in helper"),
        ("not_scalar", UserFunctionError, r"shape \(6, 3\), not a scalar(?s:.*)\.mean\(\)"),
        ("unknown", BindingError, "did you mean 'advantages'"),
        ("doubled", BindingError, "two parameters that mean logprobs"),
        ("nothing_to_bind", BindingError, "nothing that can be bound"),
        ("returns_none", UserFunctionError, "Is a return missing"),
        ("numpy_number", UserFunctionError, "plain number, which has no derivative"),
        ("two_readings", BindingError, r"rewards \(B, T\)\) or \(logprobs \(B,\), rewards \(B,\)"),
        ("detached", UserFunctionError, "scalar loss that depends on the log-probabilities"),
        ("exits", UserFunctionError, "SystemExit"),
        ("asks_for_more", BindingError, "'advantage_weights', which is not known. Did you mean 'advantages'"),
    ],
)
def test_bad_input(probe, load, target, error, text):
    with pytest.raises(error, match=text):
        bind(load(f"broken:{target}"), probe)


def test_a_function_that_never_returns(probe, load):
    with pytest.raises(UserFunctionError, match="did not return within"):
        bind(load("broken:never_returns"), probe, time_limit=0.05)


@pytest.mark.parametrize(("rank", "sums"), [("(B,)", 1), ("(B, T)", 0)])
def test_a_pinned_rank_settles_two_readings(probe, load, rank, sums):
    data, scene = probe("tokens")
    found = bind(load("broken:two_readings"), probe, settings={"rewards": rank})(data, scene)
    expected = data.reward.sum(axis=2)[..., None] * data.mask / 6 if sums else data.reward / 18
    equal(found, expected)


def test_a_silent_broadcast_is_bound_and_named(probe, load):
    """sum over tokens (B,) times (B, 1) is an outer product (B, B): the user's bug, which the verdict shall see."""
    data, scene = probe("tokens")
    bound = bind(load("broken:outer_product"), probe)
    assert any("every row alike" in note for note in bound.notes)
    np.testing.assert_allclose(
        bound(data, scene), np.broadcast_to(leave_one_out(data).sum(axis=1)[:, None, None] / 36, data.shape) * data.mask, atol=1e-15
    )


def test_a_batch_mean_is_no_broadcast(probe):
    """It moves all rows as well, but row 0 in its own way."""
    bound = bind(lambda logprobs, rewards, mask: -(logprobs * (rewards - rewards.mean())[:, None] * mask).sum(), probe)
    assert bound.ranks["rewards"] == "B"
    assert not bound.notes


def test_casts_to_float32_are_lifted(probe, load):
    """The weights are exact in float64, not rounded to 24 bits."""
    data, scene = probe("tokens")
    bound = bind(load("broken:single_precision"), probe)
    assert bound.precision == "float64"
    assert any("lifted" in note for note in bound.notes)
    equal(bound(data, scene), leave_one_out(data)[..., None] / 3 * data.mask)


def test_casts_that_cannot_be_lifted_are_said(probe, load):
    assert bind(load("broken:single_precision_list"), probe).precision == "float32"


@pytest.mark.parametrize(("low", "precision"), [(np.float32, "float32"), (np.float64, "float64")])
def test_precision_of_an_advantage_function(probe, low, precision):
    """Scaled by its own spread: blind to one common factor of the rewards."""

    def standardised(rewards):
        r = rewards.astype(low)
        return ((r - r.mean()) / r.std()).astype(float)

    assert bind(standardised, probe, framework="numpy").precision == precision


def test_functions_may_write_into_their_arguments(probe, load):
    data, scene = probe("tokens")
    bound = bind(load("broken:writes_into_arguments"), probe)
    A = leave_one_out(data)
    expected = (A - A.mean(axis=1, keepdims=True))[..., None] * data.mask
    for _ in range(2):
        equal(bound(data, scene), expected)


def test_control_flow_in_python(probe, load):
    data, scene = probe("tokens")
    bound = bind(load("broken:counts_in_python"), probe)
    assert bound.batched is False
    equal(bound(data, scene), leave_one_out(data)[..., None] * data.mask)


def test_jax_in_a_helper_and_in_float64(probe, load):
    data, scene = probe("tokens")
    R = data.reward.sum(axis=2)
    bound = bind(load("jax_clipped:helped"), probe)
    assert (bound.framework, bound.batched) == ("jax", True)
    equal(bound(data, scene), (R - R.mean(axis=1, keepdims=True))[..., None] * data.mask / 6)
    third = bind(load("jax_clipped:advantage_third"), probe)
    equal(third(data, scene), (R / 3)[..., None] * data.mask / 6)


def test_jax_result_that_is_no_scalar(probe, load):
    with pytest.raises(UserFunctionError, match="not a scalar"):
        bind(load("jax_clipped:not_scalar"), probe)


@pytest.mark.parametrize(
    ("target", "package", "extra"), [("broken:ordinary", "pgtheory.deep.adapt", "deep"), ("jax_clipped:clipped", "pgtheory.deep.jax_adapt", "jax")]
)
def test_a_missing_extra_is_named(probe, load, monkeypatch, target, package, extra):
    function = load(target)
    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setitem(sys.modules, "torch" if extra == "deep" else "jax", None)
    with pytest.raises(MissingExtra, match=rf"pgtheory\[{extra}\]"):
        bind(function, probe)


@pytest.mark.parametrize("bad", [{"kind": "lose"}, {"convention": "nobody"}, {"framework": "tensorflow"}])
def test_unknown_words(probe, load, bad):
    with pytest.raises(InvalidArgument, match=r"known are|There are"):
        bind(load("broken:ordinary"), probe, **bad)


def test_the_framework_can_be_named(probe):
    """A function that refers to none: std() divides by n - 1 in torch, by n in numpy."""
    data, scene = probe("tokens")
    space: dict = {"__name__": "nobody"}
    exec("def scaled(rewards): return rewards / rewards.std()", space)
    R = data.reward.sum(axis=2)
    for framework, ddof in (("torch", 1), ("numpy", 0)):
        bound = bind(space["scaled"], probe, framework=framework)
        spread = R.std(axis=1, ddof=ddof, keepdims=True)
        equal(bound(data, scene), (R / spread)[..., None] * data.mask / 6)


def test_a_loss_needs_a_leaf(probe, load):
    with pytest.raises(BindingError, match="none of logprobs"):
        bind(load("advantages:batch_mean"), probe, kind="loss")


def test_every_parameter_has_a_line(probe, load):
    bound = bind(load("verl_names:policy_loss"), probe)
    for parameter in (
        "old_log_prob",
        "log_prob",
        "advantages",
        "response_mask",
        "cliprange",
        "cliprange_low",
        "loss_agg_mode",
        "config",
        "rollout_is_weights",
    ):
        assert any(line.startswith(f"{parameter} = ") for line in bound.bindings)
