"""Reading signatures and settings."""

import functools

import numpy as np
import pytest

from pgtheory.functions.signature import frameworks_of, instantiate, parse_settings, rank_in, read
from pgtheory.tabular.errors import BindingError, InvalidArgument


def test_data_defaults_and_settings():
    def loss(log_probs, rewards, /, mask, cliprange=0.2, mode="mean", *, gamma=0.5, old_logprobs=None, **kwargs): ...

    found = read(loss, {"mode": "sum", "extra": 1}, name="loss")
    assert found.data == {"log_probs": "logprobs", "rewards": "rewards", "mask": "mask", "gamma": "gamma", "old_logprobs": "old_logprobs"}
    assert found.kept == {"cliprange": 0.2}
    assert found.given == {"mode": "sum", "extra": 1}
    assert found.positional == ("log_probs", "rewards")


def test_partial_fixes_what_it_fixes():
    def loss(logprobs, rewards, gamma=1.0): ...

    found = read(functools.partial(loss, gamma=0.5), {}, name="loss")
    assert found.data == {"logprobs": "logprobs", "rewards": "rewards"}
    assert found.kept == {"gamma": 0.5}


def test_a_setting_of_a_data_parameter_replaces_the_data():
    found = read(lambda logprobs, gamma: None, {"gamma": 0.5}, name="loss")
    assert found.given == {"gamma": 0.5}
    assert "gamma" not in found.data


def test_a_rank_is_no_value():
    found = read(lambda logprobs, rewards: None, {"rewards": "(B, T)"}, name="loss")
    assert found.pinned == {"rewards": "BT"}
    assert found.given == {}
    assert "rewards" in found.data


def test_the_sampling_and_the_old_policy_are_two():
    found = read(lambda logprobs, old_logprobs, rollout_log_probs=None: None, {}, name="loss").data
    assert (found["old_logprobs"], found["rollout_log_probs"]) == ("old_logprobs", "sampler_logprobs")


def test_config_none_stays_none_without_a_convention():
    def loss(logprobs, rewards, config=None): ...

    assert read(loss, {}, name="loss").kept == {"config": None}
    assert read(loss, {}, name="loss", convention=True).trainers == ("config",)


def test_a_setting_that_names_nothing():
    with pytest.raises(BindingError, match=r"no parameter 'clip_range' to set\. Did you mean 'cliprange'"):
        read(lambda logprobs, cliprange=0.2: None, {"clip_range": 0.1}, name="loss")


def test_unknown_required_parameters_list_what_there_is(load):
    with pytest.raises(BindingError, match=r"'adventages' \(did you mean 'advantages'\?\)(?s:.*)token_level_rewards"):
        read(load("broken:unknown"), {}, name="unknown")


def test_two_parameters_of_one_meaning(load):
    with pytest.raises(BindingError, match="logprobs, new_logprobs"):
        read(load("broken:doubled"), {}, name="doubled")


def test_nothing_to_bind(load):
    with pytest.raises(BindingError, match="takes nothing that can be bound"):
        read(load("broken:nothing_to_bind"), {}, name="nothing_to_bind")


def test_no_signature():
    with pytest.raises(BindingError, match="no signature"):
        read(np.add, {}, name="add") if not hasattr(np.add, "__signature__") else read(dict, {}, name="dict")


def test_a_class_is_called_with_its_settings(load):
    module, rest = instantiate(load("openrlhf_names:PolicyLoss"), {"clip_eps": 0.5, "other": 1}, "PolicyLoss")
    assert vars(module)["clip_eps"] == 0.5
    assert rest == {"other": 1}


def test_a_class_that_needs_more():
    class Loss:
        def __init__(self, scale):
            self.scale = scale

    with pytest.raises(BindingError, match="needs scale"):
        instantiate(Loss, {}, "Loss")


@pytest.mark.parametrize(
    ("text", "value"), [("a=.2", 0.2), ("a=None", None), ("a=true", True), ("a=seq-mean", "seq-mean"), ("a=(1, 2)", (1, 2)), ("a=x=y", "x=y")]
)
def test_settings_of_the_command_line(text, value):
    assert parse_settings([text]) == {"a": value}


@pytest.mark.parametrize("text", ["a", "=1", "a b=1"])
def test_settings_that_are_none(text):
    with pytest.raises(InvalidArgument, match="NAME=VALUE"):
        parse_settings([text])


@pytest.mark.parametrize(("text", "rank"), [("(B,)", "B"), ("B", "B"), ("(B, T)", "BT"), ("B,T", "BT"), ("mean", None), (0.5, None)])
def test_ranks_as_texts(text, rank):
    assert rank_in(text) == rank


@pytest.mark.parametrize(
    ("target", "first"),
    [
        ("trl_names:grpo", "torch"), ("verl_names:grpo_advantage", "torch"), ("verl_names:policy_loss", "torch"), ("openrlhf_names:PolicyLoss", "torch"),
        ("trajectories_by_name:gae_advantages", "numpy"), ("advantages:batch_mean", "numpy"), ("jax_clipped:clipped", "jax"), ("jax_clipped:helped", "jax"),
        ("broken:ordinary", "torch"),
    ],
)  # fmt: skip
def test_the_framework_of_a_function(load, target, first):
    """By what it refers to, directly or in a helper of its own file; else by what its file imports."""
    function, _ = instantiate(load(target), {}, target)
    assert frameworks_of(function, frozenset(read(function, {}, name=target).data.values()))[0] == first


def test_the_framework_of_a_function_that_refers_to_none():
    space: dict = {"__name__": "nobody"}
    exec("def loss(logprobs, rewards): return -(logprobs * rewards).mean()\ndef centred(rewards): return rewards - rewards.mean()", space)
    assert frameworks_of(space["loss"], frozenset({"logprobs", "rewards"}))[0] == "torch"
    assert frameworks_of(space["centred"], frozenset({"rewards"}))[0] == "numpy"
