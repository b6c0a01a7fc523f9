"""Binding: names, ranks, kinds, presets; and every way in which a function can be wrong."""

import functools
import time

import numpy as np
import pytest
import torch

from pgtheory.checking import check
from pgtheory.functions.binding import bind
from pgtheory.functions.invariance import invariant
from pgtheory.functions.load import load_target
from pgtheory.functions.names import ALIASES, CANONICAL, MEANINGS
from pgtheory.judging.subject import probe
from pgtheory.tabular.errors import BindingError, InvalidArgument, MissingFile, UserFunctionError
from pgtheory.worlds.tokens import TokenWorld


def bound(function, **options):
    return bind(function, probe, name=getattr(function, "__name__", "partial"), **options)


def test_aliases_are_unambiguous_and_explained():
    """No name stands for two things; everything that can be bound has a meaning."""
    assert len(CANONICAL) == len(ALIASES) + sum(map(len, ALIASES.values()))
    assert set(MEANINGS) | {"token_level_rewards"} >= set(ALIASES)


def test_ranks_are_settled_by_what_works():
    """(B,) where the function unsqueezes, (B, T) where it multiplies."""
    a = bound(lambda logprobs, advantages, mask: -(logprobs * advantages.unsqueeze(1) * mask).sum(1).mean())
    b = bound(lambda logprobs, advantages, mask: -(logprobs * advantages * mask).sum(1).mean())
    assert (a.ranks["advantages"], b.ranks["advantages"]) == ("B", "BT")


def test_a_rank_that_broadcasts_silently_is_not_taken():
    """(B, T) through unsqueeze(1) gives (B, B, T) without an error: moving row 0 moves all rows, and (B,) is settled instead."""

    def loss(logprobs, advantages, mask):
        return -((logprobs * mask)[None] * advantages.reshape(len(advantages), 1, -1)).sum() / len(logprobs)

    with pytest.raises(BindingError, match="rank is not settled"):
        bound(loss)


def test_masks_are_floats_or_booleans():
    """Boolean indexing needs booleans; arithmetic gets numbers."""
    a = bound(lambda logprobs, rewards, mask: -((logprobs * mask).sum(1) * rewards).mean())
    b = bound(lambda logprobs, rewards, mask: -(torch.where(mask, logprobs, 0.0).sum(1) * rewards).mean())
    assert (a.ranks["mask"], b.ranks["mask"]) == ("float", "bool")


def test_group_ids_are_integers_or_strings():
    """A function that needs text gets text."""

    def advantage(rewards, uid):
        assert all(name.upper() is not None for name in uid)
        return rewards

    assert bound(advantage).ranks["group"] == "str"


def test_defaults_are_kept_listed_and_set():
    """A default stays, --set overrides, an unknown setting is refused."""

    def loss(logprobs, rewards, cliprange=0.2, normalise=False):
        return -(logprobs.sum(1) * rewards).mean() * (2 if normalise else 1) * (cliprange / 0.2)

    assert "cliprange = 0.2, its default" in bound(loss).bindings
    assert check(loss, settings={"cliprange": 0.4}).scale["text"] == "2"
    with pytest.raises(BindingError, match="no parameter 'clip'"):
        bound(loss, settings={"clip": 1})


def test_none_defaults_of_known_names_are_bound():
    """old_logprobs=None is data."""

    def loss(logprobs, rewards, old_logprobs=None):
        ratio = 1 if old_logprobs is None else torch.exp((logprobs - old_logprobs).sum(1))
        return -(ratio * rewards).mean()

    found = bound(loss)
    assert "old_logprobs" in found.uses


def test_partials_and_keywords():
    """functools.partial is looked through; **kwargs stay empty."""

    def loss(logprobs, rewards, scale, **kwargs):
        assert not kwargs
        return -scale * (logprobs.sum(1) * rewards).mean()

    assert check(functools.partial(loss, scale=1.0)).unbiased


def test_batch_objects_are_asked_for_their_names():
    """A dict, an object with attributes, and .get of something absent."""

    def loss(batch):
        assert batch.get("pixel_values") is None
        return -((batch["log_probs"] * batch.response_mask).sum(1) * batch["rewards"]).mean()

    found = check(loss)
    assert found.unbiased
    assert any(line.startswith("response_mask") for line in found.bindings)


def test_tables_of_logits_probabilities_and_entropy():
    """The same estimator through logits, through probabilities, and an entropy bonus through its leaf."""

    def through_logits(logits, actions, rewards, mask):
        logp = torch.log_softmax(logits, -1).gather(-1, actions[..., None])[..., 0]
        n = len(rewards)
        return -((logp * mask).sum(1) * (rewards - rewards.mean()) * n / (n - 1)).mean()

    def through_probs(probs, actions, rewards, mask):
        logp = torch.log(probs.gather(-1, actions[..., None])[..., 0])
        return -((logp * mask).sum(1) * rewards).mean()

    def bonus(logprobs, entropy, rewards, mask):
        return -((logprobs * mask).sum(1) * rewards).mean() - 0.0 * (entropy * mask).sum()

    for function in (through_logits, through_probs, bonus):
        found = check(function)
        assert found.unbiased, str(found)
    assert bound(bonus).form == "table"


def test_the_entropy_leaf_is_the_entropy():
    """Its weights pull back to the gradient of sum over steps of the state entropy, in closed form."""
    data, scene = probe("tokens")
    found = bound(lambda logprobs, entropy, mask: -(entropy * mask).sum() + 0.0 * logprobs.sum())
    pi = scene.policy().probabilities
    expected = np.zeros((len(data), *pi.shape))
    for n, b, t in np.argwhere(data.mask):
        s = data.state[n, b, t]
        expected[n, s] += -pi[s] * (np.log(pi[s]) + 1)
    from pgtheory.tabular.laws.moments import dense, scatter

    assert found.form == "table"
    weights = dense(scatter(found(data, scene), data, pi.shape)).reshape(expected.shape)
    np.testing.assert_allclose(scene.policy().pullback(weights), scene.policy().pullback(expected), atol=1e-13)


def test_a_forgotten_mask_is_a_bias_and_no_mask_is_none():
    """The function that is given the mask and ignores it at padding is biased; the one that never asks is given zeros there."""

    def forgotten(logprobs, rewards, mask):
        return -(logprobs.sum(1) * rewards).mean() + 0 * mask.sum()

    def never_asked(logprobs, rewards):
        return -(logprobs.sum(1) * rewards).mean()

    found = check(forgotten)
    assert not found.unbiased
    assert any("mask" in cure["text"] for cure in found.cures)
    assert check(never_asked).unbiased


def test_readings_of_an_array_where_gamma_matters():
    """The name decides, --as decides, else both readings are shown."""

    def mystery(rewards, mask, gamma):
        weights = np.cumsum((rewards * gamma ** np.arange(rewards.shape[1]))[:, ::-1], axis=1)[:, ::-1]
        return weights * mask / len(rewards)

    with pytest.raises(BindingError, match=r"--as advantage.*--as gradient"):
        check(mystery)
    assert check(mystery, kind="gradient").unbiased
    assert not check(mystery, kind="advantage").unbiased


def test_order_dependence_is_found():
    """A baseline from the previous row depends on the order: tuples are enumerated, and it is unbiased (the previous row is independent)."""

    def previous(logprobs, rewards, mask):
        baseline = torch.cat([torch.zeros(1, dtype=rewards.dtype), rewards[:-1]])
        return -((logprobs * mask).sum(1) * (rewards - baseline)).mean()

    data, scene = probe("tokens")
    assert not invariant(bound(previous), data, scene)
    assert check(previous, problem="world:tokens/V=2,T=2,P=1,G=3/binary").unbiased


def test_micro_batches_depend_on_the_order():
    """The mean of two halves' own means: not invariant."""

    def halves(logprobs, rewards, mask):
        n = len(rewards) // 2
        parts = [-((logprobs[i] * mask[i]).sum(1) * (rewards[i] - rewards[i].mean())).mean() for i in (slice(0, n), slice(n, None))]
        return sum(parts) / 2

    world = TokenWorld(vocabulary=2, group=4).build()
    assert not invariant(bound(halves), world.sampling.datasets(world.scene()).data, world.scene())


# ---------------------------------------------------------------- bad input


def test_unknown_parameters_are_listed_with_what_can_be_bound():
    """Close match and table."""
    with pytest.raises(BindingError, match=r"'rewrds' \(did you mean 'rewards'\?\)") as caught:
        bound(lambda logprobs, rewrds: 0)
    assert all(name in str(caught.value) for name in ("old_logprobs", "mask", "--set"))


def test_two_names_for_one_thing_are_refused():
    """Which one is meant cannot be known."""
    with pytest.raises(BindingError, match="two parameters"):
        bound(lambda logprobs, log_probs: 0)


def test_losses_that_are_no_scalar():
    """The shape and the cure."""
    with pytest.raises(UserFunctionError, match=r"\(6,\).*\.mean\(\)"):
        bound(lambda logprobs, rewards: -logprobs.sum(1) * rewards)


def test_losses_that_raise_show_the_users_own_lines():
    """Type, text and the user's frame; nothing of the library or of torch."""

    def broken(logprobs, rewards):
        return logprobs @ rewards.undefined_attribute

    with pytest.raises(UserFunctionError) as caught:
        bound(broken)
    text = str(caught.value)
    assert "AttributeError" in text
    assert "rewards.undefined_attribute" in text
    assert "site-packages" not in text


def test_losses_that_never_return_are_stopped():
    """Within the limit, and the alarm is put back."""

    def endless(logprobs, rewards):
        while True:
            pass

    begin = time.perf_counter()
    with pytest.raises(UserFunctionError, match=r"did not return within 0\.3 s"):
        bound(endless, time_limit=0.3)
    assert time.perf_counter() - begin < 3


def test_losses_that_do_not_depend_on_the_log_probabilities():
    """A detached loss has no gradient: what came back is no advantage either."""
    with pytest.raises(UserFunctionError, match="scalar loss that depends"):
        bound(lambda logprobs, rewards: (logprobs.detach().sum(1) * rewards).mean())


def test_nan_on_some_data_sets_is_measured():
    """0/0 for groups without two different rewards: the exact probability is reported, and it is no error."""

    def divides(logprobs, rewards, mask):
        return -((logprobs * mask).sum(1) * (rewards - rewards.mean()) / rewards.std()).mean()

    found = check(divides, problem="world:tokens/V=2,T=1,P=1,G=3/binary")
    assert found.events["not finite"] == pytest.approx((1 / 3) ** 3 + (2 / 3) ** 3, abs=1e-12)
    assert found.exit_code == 1
    assert "not finite" in str(found)


@pytest.mark.parametrize(
    "target, match", [("nowhere.py:f", "no file"), ("math:nothing", "no function"), ("no_such_package:f", "no module"), ("lonely", "no built-in")]
)
def test_targets_that_do_not_exist(target, match):
    """File, function, module, built-in name."""
    with pytest.raises(MissingFile, match=match):
        load_target(target)


def test_a_file_that_fails_to_import(tmp_path):
    """The user's own error."""
    path = tmp_path / "broken.py"
    path.write_text("import not_installed_anywhere\n")
    with pytest.raises(UserFunctionError, match="not_installed_anywhere"):
        load_target(f"{path}:f")


def test_something_that_is_no_function(tmp_path):
    """Its type is named."""
    path = tmp_path / "constants.py"
    path.write_text("x = 3\n")
    with pytest.raises(MissingFile, match="int, not a function"):
        load_target(f"{path}:x")


def test_unknown_kinds_and_conventions():
    """The known ones are listed."""
    with pytest.raises(InvalidArgument, match="loss, gradient, advantage"):
        bound(lambda logprobs: 0, kind="magic")
    with pytest.raises(InvalidArgument, match="verl"):
        bound(lambda batch: 0, convention="magic")
