"""The arrays that parameters are bound to, entry by entry in plain Python."""

import numpy as np
import pytest

from pgtheory.functions.names import MEANINGS
from pgtheory.functions.quantities import RANKS, SCALARS, TYPES, quantity
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.scene import Scene


def rows(data):
    return [(n, b, range(int(data.mask[n, b].sum()))) for n in range(len(data)) for b in range(data.shape[1])]


@pytest.mark.parametrize(
    ("name", "role"), [("logprobs", "current"), ("old_logprobs", "old"), ("ref_logprobs", "ref"), ("sampler_logprobs", "sampler")]
)
def test_log_probabilities_by_role(probe, name, role):
    """At real steps that of the action taken; at padding that of action 0 in state 0; of a row the sum of its real steps."""
    data, scene = probe("tokens")
    pi = scene.policy(role).probabilities
    steps, whole = quantity(name, "BT", data, scene, "tokens"), quantity(name, "B", data, scene, "tokens")
    for n, b, real in rows(data):
        own = [np.log(pi[data.state[n, b, t], data.action[n, b, t]]) for t in real]
        np.testing.assert_allclose(steps[n, b, : len(own)], own, rtol=1e-14)
        np.testing.assert_allclose(steps[n, b, len(own) :], np.log(pi[0, 0]), rtol=1e-14)
        np.testing.assert_allclose(whole[n, b], sum(own), rtol=1e-14)


def test_roles_differ_in_the_probe(probe):
    """Else the test above could not tell them apart."""
    data, scene = probe("tokens")
    found = [quantity(name, "BT", data, scene, "tokens") for name in ("logprobs", "old_logprobs", "ref_logprobs", "sampler_logprobs")]
    assert all(abs(x - y).max() > 0.01 for i, x in enumerate(found) for y in found[:i])


def test_leave_one_out_advantages(probe):
    data, scene = probe("tokens")
    per_row = quantity("advantages", "B", data, scene, "tokens")
    per_step = quantity("advantages", "BT", data, scene, "tokens")
    for n, b, real in rows(data):
        others = [data.reward[n, c].sum() for c in range(6) if c // 3 == b // 3 and c != b]
        expected = data.reward[n, b].sum() - sum(others) / 2
        assert per_row[n, b] == pytest.approx(expected, abs=1e-15)
        assert per_step[n, b].tolist() == pytest.approx([expected] * len(real) + [0] * (3 - len(real)), abs=1e-15)


def test_values_and_what_follows(probe):
    """V(s_t), V(s_t+1), V at the cut; zero after a termination and at padding."""
    data, scene = probe("episodes")
    V = scene.point["critic"]
    take = lambda name, rank="": quantity(name, rank, data, scene, "episodes")
    now, after, last, longer = take("values", "BT"), take("next_values"), take("last_values"), take("values", "BT+1")
    for n, b, real in rows(data):
        end = 0.0 if data.last[n, b] < 0 else V[data.last[n, b]]
        own = [V[data.state[n, b, t]] for t in real]
        assert last[n, b] == end
        pad = [0.0] * (3 - len(own))
        assert now[n, b].tolist() == own + pad
        assert after[n, b].tolist() == [*own[1:], end, *pad]
        assert longer[n, b].tolist() == [*own, end, *pad]
    assert abs(last).max() > 0
    assert (last == 0).any()


def test_flags_of_the_end(probe):
    """A cut is no termination; `dones` are terminations."""
    data, scene = probe("episodes")
    take = lambda name, rank: quantity(name, rank, data, scene, "episodes")
    for n, b, real in rows(data):
        cut = bool(data.last[n, b] >= 0)
        at = [t == len(real) - 1 for t in range(3)]
        assert take("terminated", "BT")[n, b].tolist() == [x and not cut for x in at] == take("dones", "")[n, b].astype(bool).tolist()
        assert take("truncated", "BT")[n, b].tolist() == [x and cut for x in at]
        assert take("terminated", "B")[n, b] == (not cut)
        assert take("truncated", "B")[n, b] == cut


def test_returns_are_discounted_from_their_own_step(probe):
    data, scene = probe("episodes")
    found = quantity("returns", "BT", data, scene, "episodes")
    for n, b, real in rows(data):
        for t in real:
            assert found[n, b, t] == pytest.approx(sum(0.8 ** (k - t) * data.reward[n, b, k] for k in real if k >= t), abs=1e-14)


@pytest.mark.parametrize(("rank", "kind"), [("int", int), ("object", int), ("str", str)])
def test_group_numbers_as_tensors_integers_or_strings(probe, rank, kind):
    data, scene = probe("tokens")
    found = quantity("group", rank, data, scene, "tokens")
    assert [kind(x) for x in found[0]] == [kind(x) for x in data.index["group"][0]]
    assert (found.dtype == object) == (rank != "int")


@pytest.mark.parametrize("setting", ["tokens", "episodes"])
def test_everything_that_is_listed_exists_with_one_data_set_a_row(probe, setting):
    data, scene = probe(setting)
    for name in MEANINGS:
        if setting == "episodes" and name == "ref_logprobs":
            continue
        for rank in (*RANKS.get(name, ()), *TYPES.get(name, ())) or ("",):
            found = quantity(name, rank, data, scene, setting)
            assert np.ndim(found) == 0 if name in SCALARS else len(found) == len(data)


def test_a_role_that_nobody_plays_is_named(probe):
    data, scene = probe("episodes")
    alone = Scene.of(scene.model, scene.policy())
    with pytest.raises(InvalidArgument, match="ref"):
        quantity("ref_logprobs", "BT", data, alone, "episodes")


def test_scores_give_the_gradient_of_log_probabilities(probe):
    """Against central differences of log pi in theta: error h^2 / 6 times the third derivative, below 1e-9 for h = 1e-5, plus rounding 1e-16 / h."""
    data, scene = probe("episodes")
    scores, theta, h = quantity("scores", "", data, scene, "episodes"), scene.point["theta"], 1e-5
    logprob = lambda table: quantity("logprobs", "BT", data, scene.at(theta=table), "episodes")
    for k in range(theta.size):
        step = np.eye(theta.size)[k].reshape(theta.shape) * h
        slope = (logprob(theta + step) - logprob(theta - step)) / (2 * h)
        np.testing.assert_allclose(scores[..., k], slope * data.mask, atol=1e-9)
