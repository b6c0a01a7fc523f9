"""Functions as users bring them, bound unchanged; the weights against closed formulas written out here."""

import functools

import numpy as np
import pytest

from pgtheory.functions.binding import bind
from pgtheory.tabular.errors import BindingError


def equal(found, expected):
    """Some twenty operations of unit roundoff on numbers of order one."""
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def logs(data, scene, role):
    return scene.policy(role).log_probabilities[data.state, data.action]


def leave_one_out(data):
    grouped = data.reward.sum(axis=2).reshape(len(data), 2, 3)
    return (1.5 * (grouped - grouped.mean(axis=2, keepdims=True))).reshape(len(data), 6)


def clipped_weights(data, scene, advantage, low=0.2, high=0.2):
    """d/dl of min(rho A, clip(rho) A): rho A where it is the smaller one, else zero."""
    ratio = np.exp(logs(data, scene, "current") - logs(data, scene, "old"))
    A = np.broadcast_to(advantage, ratio.shape)
    active = ratio * A <= np.clip(ratio, 1 - low, 1 + high) * A
    return np.where(active, ratio * A, 0.0)


def per_sequence(data):
    return data.mask / data.mask.sum(axis=2, keepdims=True) / 6


def per_token(data):
    return data.mask / data.mask.sum(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize(
    ("target", "convention", "normaliser"),
    [
        ("trl_names:grpo", None, per_sequence), ("trl_names:Trainer.compute_loss", "trl", per_sequence), ("openrlhf_names:PolicyLoss", None, per_sequence),
        ("verl_names:policy_loss", None, per_token), ("verl_names:policy_loss_with_config", "verl", per_token), ("jax_clipped:clipped", None, per_sequence),
    ],
)  # fmt: skip
def test_clipped_losses_of_several_libraries(probe, load, target, convention, normaliser):
    """The same clipped weights, averaged as the library does it; ratios beyond both edges and both signs occur."""
    data, scene = probe("tokens")
    bound = bind(load(target), probe, convention=convention)
    expected = clipped_weights(data, scene, leave_one_out(data)[..., None]) * normaliser(data)
    assert (bound.kind, bound.form, bound.setting, bound.precision) == ("loss", "local", "tokens", "float64")
    equal(bound(data, scene), expected)
    ratio = np.exp(logs(data, scene, "current") - logs(data, scene, "old"))[data.mask]
    assert ratio.min() < 0.8 < 1.2 < ratio.max()
    assert any("leave-one-out" in line for line in bound.bindings)


def test_own_mean_by_group_size(probe, load):
    data, scene = probe("tokens")
    bound = bind(load("trl_names:reinforce_own_mean"), probe)
    equal(bound(data, scene), (leave_one_out(data) * 2 / 3)[..., None] * data.mask / 6)
    assert bound.batched


def test_old_log_probabilities_with_default_none_are_bound(probe, load):
    """A k3 penalty against the reference, and a ratio to the old policy."""
    data, scene = probe("tokens")
    bound = bind(load("trl_names:grpo_with_kl"), probe)
    now, old, ref = (logs(data, scene, role) for role in ("current", "old", "ref"))
    expected = (np.exp(now - old) * leave_one_out(data)[..., None] - 0.04 * (1 - np.exp(ref - now))) * per_token(data)
    equal(bound(data, scene), expected)
    assert "beta = 0.04, its default" in bound.bindings


def test_settings_change_what_they_name(probe, load):
    data, scene = probe("tokens")
    bound = bind(load("verl_names:policy_loss"), probe, settings={"cliprange": 0.05, "loss_agg_mode": "seq-mean-token-sum"})
    expected = clipped_weights(data, scene, leave_one_out(data)[..., None], 0.05, 0.05) * data.mask / 6
    equal(bound(data, scene), expected)
    assert "cliprange = 0.05, as set" in bound.bindings


def test_settings_of_a_trainer(probe, load):
    """beta and loss_type are attributes of `self`; max_completion_length is the padded length of the problem."""
    data, scene = probe("tokens")
    bound = bind(load("trl_names:Trainer.compute_loss"), probe, convention="trl", settings={"beta": 0.3, "loss_type": "dr_grpo"})
    now, ref = logs(data, scene, "current"), logs(data, scene, "ref")
    expected = (clipped_weights(data, scene, leave_one_out(data)[..., None]) - 0.3 * (1 - np.exp(ref - now))) * data.mask / 18
    equal(bound(data, scene), expected)


def test_settings_of_a_class(probe, load):
    data, scene = probe("tokens")
    bound = bind(load("openrlhf_names:PolicyLoss"), probe, settings={"clip_eps": 0.5, "token_level_loss": True})
    expected = clipped_weights(data, scene, leave_one_out(data)[..., None], 0.5, 0.5) * per_token(data)
    equal(bound(data, scene), expected)


def test_batch_objects(probe, load):
    """Two batch objects, parts that are looked through, and a config."""
    data, scene = probe("tokens")
    bound = bind(load("verl_names:batch_loss"), probe, convention="verl")
    ratio = np.exp(logs(data, scene, "current") - logs(data, scene, "old"))
    equal(bound(data, scene), ratio * leave_one_out(data)[..., None] * per_token(data))
    assert bound.uses == {"logprobs", "old_logprobs", "mask", "advantages"}


def test_a_name_of_the_batch_may_differ_from_the_parameter(probe, load):
    """In an experience object `action_log_probs` are the old ones."""
    data, scene = probe("tokens")
    bound = bind(load("openrlhf_names:training_step"), probe, convention="openrlhf")
    now, old, ref = (logs(data, scene, role) for role in ("current", "old", "ref"))
    R = data.reward.sum(axis=2)
    A = (R - R.mean(axis=1, keepdims=True))[..., None]
    equal(bound(data, scene), (np.exp(now - old) * A - 0.01 * (now - ref)) * data.mask / 6)


@pytest.mark.parametrize("target", ["verl_names:grpo_advantage", "verl_names:counted_group_mean"])
def test_groups_as_keys_of_a_dict(probe, load, target):
    """Tensors are keys by identity: with them every row would silently be a group of its own."""
    data, scene = probe("tokens")
    bound = bind(load(target), probe, settings={"norm_by_std": False} if "grpo" in target else {})
    assert bound.ranks["group"] in ("object", "str")
    assert bound.kind == "advantage"
    equal(bound(data, scene), (leave_one_out(data) * 2 / 3)[..., None] * data.mask / 6)


def test_groups_as_keys_under_a_name_that_suggests_tensors(probe, load):
    """Tensors are tried first for `group`; the weights do not follow the groups, so that another type is taken."""
    data, scene = probe("tokens")
    inner = load("verl_names:counted_group_mean")
    bound = bind(lambda token_level_rewards, mask, group: inner(token_level_rewards, mask, group), probe, framework="torch")
    assert bound.ranks["group"] == "object"
    equal(bound(data, scene), (leave_one_out(data) * 2 / 3)[..., None] * data.mask / 6)


def test_std_of_the_framework(probe, load):
    """torch.std divides by n - 1; the epsilon belongs to the estimator."""
    data, scene = probe("tokens")
    grouped = data.reward.sum(axis=2).reshape(-1, 2, 3)
    A = (grouped - grouped.mean(axis=2, keepdims=True)) / (grouped.std(axis=2, ddof=1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(
        bind(load("verl_names:grpo_advantage"), probe)(data, scene), A.reshape(-1, 6, 1) * data.mask / 6, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(
    ("target", "rank"), [("leave_one_out", "B"), ("batch_mean", "B"), ("centred_in_place", "B"), ("per_step", "BT"), ("standardised", "B")]
)
def test_advantage_functions(probe, load, target, rank):
    data, scene = probe("tokens")
    before = data.reward.copy()
    bound = bind(load(f"advantages:{target}"), probe)
    R = data.reward.sum(axis=2)
    grouped = R.reshape(-1, 2, 3)
    expected = {
        "leave_one_out": leave_one_out(data),
        "batch_mean": R - R.mean(axis=1, keepdims=True),
        "centred_in_place": R - R.mean(axis=1, keepdims=True),
        "per_step": R,
        "standardised": ((grouped - grouped.mean(axis=2, keepdims=True)) / (grouped.std(axis=2, ddof=1, keepdims=True) + 1e-4)).reshape(-1, 6),
    }[target]
    assert (bound.kind, bound.form, bound.framework, bound.ranks["rewards"]) == ("advantage", "local", "numpy", rank)
    np.testing.assert_allclose(bound(data, scene), expected[..., None] * data.mask / 6, rtol=1e-9, atol=1e-12)
    assert (data.reward == before).all()


def test_numpy_weights_of_trajectories(probe, load):
    data, scene = probe("episodes")
    bound = bind(load("trajectories_by_name:reinforce_weights"), probe)
    expected = np.zeros(data.shape)
    for n, b, t in np.argwhere(data.mask):
        expected[n, b, t] = 0.8**t * sum(0.8 ** (k - t) * data.reward[n, b, k] for k in range(t, 3)) / 2
    assert (bound.kind, bound.form, bound.setting) == ("gradient", "local", "episodes")
    equal(bound(data, scene), expected)


def test_advantages_of_trajectories_get_their_gamma_to_the_t(probe, load):
    """GAE with lambda = 1 telescopes to the return with the value of the cut, minus the value now."""
    data, scene = probe("episodes")
    V = scene.point["critic"]
    expected = np.zeros(data.shape)
    for n, b, t in np.argwhere(data.mask):
        length = int(data.mask[n, b].sum())
        end = 0.0 if data.last[n, b] < 0 else 0.8 ** (length - t) * V[data.last[n, b]]
        A = sum(0.8 ** (k - t) * data.reward[n, b, k] for k in range(t, length)) + end - V[data.state[n, b, t]]
        expected[n, b, t] = 0.8**t * A / 2
    bound = bind(load("trajectories_by_name:gae_advantages"), probe)
    assert (bound.kind, bound.setting) == ("advantage", "episodes")
    np.testing.assert_allclose(bound(data, scene), expected, rtol=1e-12, atol=1e-13)


def test_a_gradient_in_parameter_space(probe, load):
    """Pulling the weights back through the score gives the same as the function that does it itself."""
    data, scene = probe("episodes")
    bound = bind(load("trajectories_by_name:gradient"), probe)
    weights = bind(load("trajectories_by_name:reinforce_weights"), probe)(data, scene)
    W = np.zeros((len(data), scene.mdp.S, scene.mdp.A))
    for n, b, t in np.argwhere(data.mask):
        W[n, data.state[n, b, t], data.action[n, b, t]] += weights[n, b, t]
    assert (bound.kind, bound.form) == ("gradient", "whole")
    np.testing.assert_allclose(bound(data, scene), scene.policy().pullback(W), rtol=1e-11, atol=1e-13)


def test_two_readings_of_an_array_are_an_error_and_as_settles_them(probe, load):
    data, scene = probe("episodes")
    with pytest.raises(BindingError, match=r"--as advantage(?s:.*)--as gradient"):
        bind(load("trajectories_by_name:to_go"), probe)
    as_weights = bind(load("trajectories_by_name:to_go"), probe, kind="gradient")(data, scene)
    as_advantage = bind(load("trajectories_by_name:to_go"), probe, kind="advantage")(data, scene)
    equal(as_advantage, as_weights * 0.8 ** np.arange(3) / 2)


def test_values_with_one_entry_more(probe, load):
    bound = bind(load("trajectories_by_name:bootstrapped"), probe, kind="advantage")
    assert bound.ranks["values"] == "BT+1"


def test_gae_in_the_names_of_verl(probe, load):
    """Without a value at the cut it takes every end for a termination: A = delta, summed to the end."""
    data, scene = probe("episodes")
    V = scene.point["critic"]
    bound = bind(load("verl_names:gae"), probe)
    expected = np.zeros(data.shape)
    for n, b, t in np.argwhere(data.mask):
        expected[n, b, t] = 0.8**t * (sum(0.8 ** (k - t) * data.reward[n, b, k] for k in range(t, 3)) - V[data.state[n, b, t]]) / 2
    np.testing.assert_allclose(bound(data, scene), expected, rtol=1e-12, atol=1e-13)


def test_an_advantage_function_composed_with_a_loss(probe, load):
    """numpy advantages in a torch loss, detached; its settings are its own."""
    data, scene = probe("tokens")
    bound = bind(load("broken:ordinary"), probe, advantage=load("advantages:standardised"), settings={"ddof": 0})
    grouped = data.reward.sum(axis=2).reshape(-1, 2, 3)
    A = ((grouped - grouped.mean(axis=2, keepdims=True)) / (grouped.std(axis=2, keepdims=True) + 1e-4)).reshape(-1, 6, 1)
    np.testing.assert_allclose(bound(data, scene), A * data.mask / 6, rtol=1e-9, atol=1e-12)
    assert {"group", "rewards", "logprobs"} <= bound.uses
    assert "advantages = what standardised returns as (B,), detached" in bound.bindings


def test_an_advantage_function_that_has_nowhere_to_go(probe, load):
    with pytest.raises(BindingError, match="no parameter for advantages"):
        bind(load("trl_names:reinforce_own_mean"), probe, advantage=load("advantages:batch_mean"))


@pytest.mark.parametrize("wrap", [lambda x: (x, {}), lambda x: [x, x + 1], lambda x: {"advantages": x, "returns": 0}, lambda x: x.tolist()])
def test_what_counts_in_a_result(probe, wrap):
    """The first of several, the named entry of a dict, a list of numbers."""
    data, scene = probe("tokens")
    R = data.reward.sum(axis=2)
    bound = bind(lambda rewards: wrap(rewards), probe, kind="advantage", framework="numpy")
    equal(bound(data, scene), R[..., None] * data.mask / 6)


def test_micro_batches_are_averaged_or_put_together(probe, load):
    """The mean of two halves' losses; the advantages of two halves, each with a mean of its own."""
    data, scene = probe("tokens")
    R = data.reward.sum(axis=2)
    halves = R.reshape(-1, 2, 3)
    A = (halves - halves.mean(axis=2, keepdims=True)).reshape(-1, 6, 1) * data.mask
    loss = lambda logprobs, rewards, mask: -(logprobs * (rewards - rewards.mean())[:, None] * mask).sum()
    equal(bind(loss, probe, micro=3)(data, scene), A / 2)
    equal(bind(load("advantages:batch_mean"), probe, micro=3)(data, scene), A / 6)


def test_partial_and_lambda(probe, load):
    data, scene = probe("tokens")
    inner = load("trl_names:grpo")
    plain = bind(functools.partial(inner, epsilon=0.05), probe)
    equal(plain(data, scene), clipped_weights(data, scene, leave_one_out(data)[..., None], 0.05, 0.05) * per_sequence(data))
    assert plain.name == "grpo"
    shifted = bind(lambda logprobs, rewards, mask: -(logprobs * rewards[:, None] * mask).sum(), probe)
    equal(shifted(data, scene), data.reward.sum(axis=2)[..., None] * data.mask)


def test_a_forgotten_mask_shows_and_no_mask_does_not(probe):
    """A function that is given a mask answers for what it does at padding; one without a mask sees zeros there."""
    data, scene = probe("tokens")
    forgets = bind(lambda logprobs, rewards, mask: -(logprobs * rewards[:, None]).sum() + 0 * mask.sum(), probe)
    assert abs(forgets(data, scene)[~data.mask]).max() > 0
    without = bind(lambda logprobs, rewards: -(logprobs.sum(1).exp() * rewards).sum(), probe)
    R = data.reward.sum(axis=2)
    sequence = np.exp(np.where(data.mask, logs(data, scene, "current"), 0).sum(axis=2))
    equal(without(data, scene), (sequence * R)[..., None] * data.mask)
    assert any("constant zeros" in line for line in without.bindings)


def test_nan_on_some_data_sets_stays_there(probe, load):
    """The fourth data set has two groups without spread, the others do not."""
    data, scene = probe("tokens")
    found = bind(load("broken:nan_without_spread"), probe)(data, scene)
    spread = np.ptp(data.reward.sum(axis=2).reshape(-1, 2, 3), axis=2).min(axis=1) > 0
    assert np.isfinite(found[spread]).all()
    assert np.isnan(found[~spread]).any(axis=(1, 2)).all()
    assert spread.any()
    assert not spread.all()


def test_losses_are_the_values_of_the_function(probe, load):
    data, scene = probe("tokens")
    found = bind(load("broken:ordinary"), probe).losses(data, scene)
    expected = -(logs(data, scene, "current") * leave_one_out(data)[..., None] * data.mask).sum(axis=2).mean(axis=1)
    equal(found, expected)


def test_probabilities_logits_entropy_and_theta_agree_with_differences_of_the_loss(probe):
    """The weights, pulled back to theta, against central differences of the loss itself: error below 1e-8 for h = 1e-5 and third derivatives of order one."""
    import torch

    space = {
        "probs": lambda probs, actions, rewards: (
            -(torch.gather(probs, 2, actions[..., None])[..., 0].log() * rewards[:, None]).sum() + (probs**2).sum()
        ),
        "logits": lambda logits, actions, rewards, mask: (
            torch.nn.functional.cross_entropy(logits.reshape(-1, 3), actions.reshape(-1), reduction="none").sum() * rewards[0]
        ),
        "entropy": lambda logprobs, entropy, rewards, mask: -(logprobs * rewards[:, None] * mask).sum() - 0.3 * (entropy**2 * mask).sum(),
        "theta": lambda theta, states, actions, rewards: -(torch.log_softmax(theta, 1)[states, actions] * rewards).sum(),
    }
    for name, loss in space.items():
        data, scene = probe("episodes" if name == "theta" else "tokens")
        bound = bind(loss, probe)
        assert bound.form == ("whole" if name == "theta" else "table")
        found = bound(data, scene)
        theta, h = scene.point["theta"], 1e-5
        if bound.form == "table":
            W = np.zeros((len(data), scene.mdp.S, scene.mdp.A))
            for n, b, t in np.argwhere(np.ones(data.shape, bool)):
                W[n, data.state[n, b, t]] += found[n, b, t]
            found = scene.policy().pullback(W)
        for k in range(theta.size):
            step = np.eye(theta.size)[k].reshape(theta.shape) * h
            slope = (bound.losses(data, scene.at(theta=theta + step)) - bound.losses(data, scene.at(theta=theta - step))) / (2 * h)
            if name == "probs":
                continue  # without a mask its padding is left out of the weights and stays in the loss; its real steps are checked below
            np.testing.assert_allclose(found[:, k], -slope, atol=1e-8)
    data, scene = probe("tokens")
    weights = bind(space["probs"], probe)(data, scene)
    pi = scene.policy().probabilities[data.state]
    taken = np.eye(3)[data.action] * data.reward.sum(axis=2)[..., None, None]
    equal(weights, (taken - 2 * pi**2) * data.mask[..., None])


def test_an_entropy_for_the_log_is_no_leaf(probe, load):
    bound = bind(load("trl_names:Trainer.compute_loss"), probe, convention="trl")
    assert "entropy" in bound.uses
    assert bound.leaves == ("logprobs",)
