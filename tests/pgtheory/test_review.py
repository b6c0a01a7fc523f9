"""Mistakes that were made once: each of these functions was accused, acquitted or misread before."""

import numpy as np
import pytest
import torch

from pgtheory.checking import check
from pgtheory.judging.classes import Kind
from pgtheory.tabular.errors import InvalidArgument, UserFunctionError


def score_of(logprobs, mask):
    return (logprobs * mask).sum(1)


def test_order_is_tested_on_every_world():
    """A baseline from the previous row is exact: on the first world alone, or with one episode a batch, its dependence on the order does not show."""

    def previous_return_weights(rewards, mask, gamma):
        total = (rewards * gamma ** np.arange(rewards.shape[1])).sum(axis=1)
        baseline = np.concatenate([[0.0], total[:-1]])
        return (total - baseline)[:, None] * mask / len(rewards)

    def previous_row_from_the_fourth(logprobs, rewards, mask):
        baseline = torch.cat([torch.zeros(min(3, len(rewards))), rewards[2:-1]]) if len(rewards) > 3 else torch.zeros(len(rewards))
        return -(score_of(logprobs, mask) * (rewards - baseline)).mean()

    assert check(previous_return_weights, problem="loop", horizon=3).unbiased
    assert check(previous_row_from_the_fourth).unbiased


def test_one_group_size_does_not_make_a_convention():
    """Own mean with G = 2: (G-1)/G is 1/G there, and only there."""
    found = check("group-mean", problem="world:tokens/V=2,T=1,P=1,G=3/binary")
    assert found.scale["text"] == "(G-1)/G"
    assert check("group-mean", problem="tokens/V=2,T=2", group=2).kind is Kind.SCALED


def test_a_sign_that_changes_is_no_constant():
    """Right for three rows, downhill for others: biased, also up to scale."""

    def sign_flips(logprobs, rewards, mask):
        return -(score_of(logprobs, mask) * rewards).mean() * (1 if len(rewards) == 3 else -1)

    found = check(sign_flips, up_to_scale=True)
    assert found.kind is Kind.BIASED
    assert found.exit_code == 1


def test_constants_that_differ_are_not_accepted_up_to_scale():
    """1 for three rows, 1/7 for others: each is positive, and no one constant."""

    def changing(logprobs, rewards, mask):
        return -(score_of(logprobs, mask) * rewards).mean() * (1 if len(rewards) == 3 else 1 / 7)

    assert check(changing, up_to_scale=True).exit_code == 1


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_small_bias_is_found_at_every_scale(scale):
    """One part in 10^8 of the reward times the length."""

    def longer_is_better(logprobs, rewards, mask):
        return -scale * (score_of(logprobs, mask) * rewards * (1 + 1e-8 * mask.sum(1))).mean()

    def exact(logprobs, rewards, mask):
        return -scale * (score_of(logprobs, mask) * rewards).mean()

    assert check(longer_is_better, up_to_scale=True).exit_code == 1
    assert check(exact, up_to_scale=True).exit_code == 0


@pytest.mark.parametrize("scale", [1e-14, 1e12])
def test_extreme_scales_keep_their_class(scale):
    """Exact, however large or small."""

    def exact(logprobs, rewards, mask):
        return -scale * (score_of(logprobs, mask) * rewards).mean()

    assert check(exact).kind is Kind.SCALED


def test_rewards_with_a_large_offset_are_acquitted():
    """Leave-one-out cancels an offset of 10^4; what is left of its digits is no bias."""

    def shifted(logprobs, rewards, mask):
        r = rewards + 1e4
        n = len(r)
        return -(score_of(logprobs, mask) * (r - r.mean()) * n / (n - 1)).mean()

    assert check(shifted).kind is Kind.UNBIASED


def test_a_rare_bias_is_not_called_the_target():
    """1e-10 more when all rewards are 1: refuted, and not as `the gradient of J`."""

    def rare(logprobs, rewards, mask):
        extra = 1e-10 * (rewards.min() == 1) * torch.arange(1, len(rewards) + 1)
        n = len(rewards)
        return -(score_of(logprobs, mask) * ((rewards - rewards.mean()) * n / (n - 1) + extra)).mean()

    found = check(rare)
    assert found.exit_code == 1
    assert found.objective is None or found.objective["text"] != "J"


def test_a_function_that_is_never_finite():
    """It has no mean: biased, not vacuous, and the text says why."""
    found = check(lambda logprobs, rewards, mask: (score_of(logprobs, mask) * rewards).mean() * float("nan"))
    assert found.kind is Kind.BIASED
    assert "not finite" in str(found)


def test_a_vanishing_target_decides_nothing():
    """The reward is out of reach within the horizon: E[g] and the gradient are both zero."""

    def reinforce_weights(rewards, mask, gamma):
        return (rewards * gamma ** np.arange(rewards.shape[1])).sum(axis=1, keepdims=True) * mask / len(rewards)

    found = check(reinforce_weights, problem="chain/5", horizon=1)
    assert found.kind is Kind.UNDECIDED
    assert any("zero as well" in note for note in found.notes)


@pytest.mark.parametrize("floor", [-3.0])
def test_thresholds_on_rare_tokens_are_seen(floor):
    """Log-probabilities clamped at -3: a token of probability 1/50 has no gradient."""
    found = check(lambda logprobs, rewards, mask: -(score_of(logprobs.clamp(min=floor), mask) * rewards).mean())
    assert found.exit_code == 1


def test_caps_of_large_sequence_ratios_are_seen():
    """A cap of 10 on the ratio of the whole completion."""

    def capped(logprobs, old_logprobs, rewards, mask):
        ratio = torch.exp(((logprobs - old_logprobs) * mask).sum(1))
        return -(ratio.clamp(max=10) * rewards).mean()

    assert check(capped).exit_code == 1


def test_a_hard_coded_discount_is_seen():
    """gamma is asked for and 0.9 is used."""

    def hard_coded_weights(rewards, mask, gamma):
        return (rewards * 0.9 ** np.arange(rewards.shape[1])).sum(axis=1, keepdims=True) * mask / len(rewards) + 0 * gamma

    assert check(hard_coded_weights).exit_code == 1


def test_a_negative_half_is_undone_by_minus_two():
    """Sign and factor, in words that say both."""
    found = check(lambda logprobs, rewards, mask: 0.5 * (score_of(logprobs, mask) * rewards).mean())
    assert found.scale["text"] == "-1/2"
    assert [cure["text"] for cure in found.cures] == ["change the sign and multiply by 2"]


def test_a_minus_in_front_of_a_sum_is_a_sign():
    """c = -B."""
    found = check(lambda logprobs, rewards, mask: (score_of(logprobs, mask) * rewards).sum())
    assert found.scale["text"] == "-B"
    assert [cure["text"] for cure in found.cures] == ["change the sign"]


def test_random_and_stateful_functions_are_refused():
    """The same data, two answers."""
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(UserFunctionError, match="two ways"):
        check(lambda logprobs, rewards, mask: -(score_of(logprobs, mask) * rewards).mean() * (1 + 0.1 * torch.randn((), generator=generator)))


def test_functions_that_leave_the_program_are_caught():
    """SystemExit is no verdict."""

    def leaves(logprobs, rewards):
        raise SystemExit(0)

    with pytest.raises(UserFunctionError, match="SystemExit"):
        check(leaves)


def test_printing_does_not_reach_the_answer(capsys):
    """What the function prints goes to the error stream."""

    def talks(logprobs, rewards, mask):
        print("debugging")
        return -(score_of(logprobs, mask) * rewards).mean()

    check(talks, problem="world:tokens/V=2,T=1,P=1,G=3/binary")
    assert "debugging" not in capsys.readouterr().out


@pytest.mark.parametrize("value", [None, "abc"])
def test_results_that_are_no_numbers(value):
    """None and text are named for what they are not."""
    with pytest.raises(UserFunctionError, match="no array of numbers"):
        check(lambda rewards, group: value)


def test_lists_are_arrays():
    """A list of numbers is an advantage for each row."""
    assert check(lambda rewards, group: [float(r) for r in rewards]).unbiased


@pytest.mark.parametrize("options", [{"theta": np.zeros(2)}, {"horizon": 3}, {"gamma": 0.5}])
def test_options_without_effect_are_refused(options):
    """Nothing is ignored in silence."""
    with pytest.raises(InvalidArgument, match="has no effect"):
        check("leave-one-out", **options)
    with pytest.raises(InvalidArgument, match="outside"):
        check("reward-to-go", gamma=float("nan"))


def test_time_limits_are_positive():
    """Before anything runs."""
    with pytest.raises(InvalidArgument, match="positive"):
        check(lambda logprobs, rewards: 0, time_limit=-1)


def test_the_printed_command_repeats_what_was_asked():
    """Settings and objective stand in it."""

    def scaled(logprobs, rewards, factor):
        return -factor * (logprobs.sum(1) * rewards).mean()

    found = check(scaled, settings={"factor": 3}, objective="entropy")
    assert "--set factor=3" in found.counterexample["command"]
    assert "--objective 'entropy'" in found.counterexample["command"]


def test_a_known_preconditioner_needs_more_than_one_dimension():
    """With two outcomes at one point every multiple of the gradient is F^+ grad."""
    found = check("group-mean", problem="coin/p=0.3", group=4, objective="pass@2")
    assert "Fisher" not in (found.preconditioner or "")


def test_a_mean_that_does_not_exist_has_no_closed_form_and_no_field():
    """A loss that is NaN on every data set: the numbers leave all of them out, so that nothing of what is left is called a gradient."""

    def broken(logprobs, rewards, mask):
        return (logprobs * rewards[:, None] * mask).sum() * float("nan")

    found = check(broken)

    assert found.kind is Kind.BIASED and found.events["not finite"] == pytest.approx(1)
    assert (found.identity, found.conservative, found.objective, found.weight) == (None, None, None, None)
    assert "does not exist" in str(found) and "closed form" not in str(found) and "the gradient of some function" not in str(found)
