"""The torch adapter: vmap against the loop, casts lifted, single precision noticed."""

import numpy as np
import torch

from pgtheory.checking import check
from pgtheory.deep.adapt import Lifted, LossDerivative
from pgtheory.judging.classes import Kind


def arguments(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return {"logprobs": rng.normal(size=(n, 4, 3))}, {"rewards": rng.normal(size=(n, 4)), "mask": (rng.random((n, 4, 3)) > 0.3) * 1.0}


def loss(values):
    logprobs, rewards, mask = values["logprobs"], values["rewards"], values["mask"]
    return -(logprobs * mask * rewards[:, None]).sum() / 4 + 0 * torch.sin(logprobs).sum()


def test_one_backward_equals_the_loop_and_the_closed_form():
    """d loss / d logprobs = -mask * reward / 4 up to the vanishing part; both roads, many data sets."""
    leaves, rest = arguments()
    both = []
    for batched in (True, False):
        derivative = LossDerivative(call=loss, name="loss", batched=batched, lifted=False)
        both.append(derivative(leaves, rest, frozenset(rest)))
    np.testing.assert_allclose(both[0][0]["logprobs"], both[1][0]["logprobs"], atol=1e-14)
    np.testing.assert_allclose(both[0][1], both[1][1], atol=1e-13)
    np.testing.assert_allclose(both[1][0]["logprobs"], -rest["mask"] * rest["rewards"][..., None] / 4, atol=1e-14)


def test_control_flow_falls_back_to_the_loop():
    """.item() cannot be batched; the weights are the same."""

    def stubborn(values):
        return loss(values) if values["rewards"].sum().item() > -1e9 else values["logprobs"].sum()

    leaves, rest = arguments()
    derivative = LossDerivative(call=stubborn, name="loss")
    found, _ = derivative(leaves, rest, frozenset(rest))
    assert derivative.batched is False
    np.testing.assert_allclose(found["logprobs"], -rest["mask"] * rest["rewards"][..., None] / 4, atol=1e-14)


def test_a_batch_that_lies_is_caught():
    """A loss whose batched form differs (it swallows the error of .item()) is run one by one."""

    def different(values):
        try:
            values["rewards"].sum().item()
        except RuntimeError:
            return 2 * loss(values)
        return loss(values)

    leaves, rest = arguments()
    derivative = LossDerivative(call=different, name="loss")
    derivative(leaves, rest, frozenset(rest))
    assert derivative.batched is False


def test_casts_are_lifted():
    """.float(), .to(torch.float32), .half() and dtype= give float64 inside the mode."""
    with Lifted():
        x = torch.ones(2, dtype=torch.float64)
        assert {x.float().dtype, x.to(torch.float32).dtype, x.half().dtype, torch.zeros(2, dtype=torch.float32).dtype} == {torch.float64}
    assert x.float().dtype is torch.float32


def test_an_exact_loss_in_float32_is_acquitted_once_its_casts_are_lifted():
    """Without lifting it is off by 1e-8."""

    def single(logprobs, rewards, mask):
        n = len(rewards)
        advantages = ((rewards - rewards.mean()) * n / (n - 1)).float()
        return -((logprobs.float() * mask.float()).sum(1) * advantages).mean()

    assert check(single).kind is Kind.UNBIASED


def test_single_precision_that_cannot_be_lifted_is_never_called_a_bias():
    """numpy float32 inside: noise of 1e-8 is below the precision, so the verdict is undecided, exit code 3."""

    def through_numpy(logprobs, rewards, mask):
        r = rewards.numpy().astype(np.float32)
        n = np.float32(len(r))
        advantages = torch.from_numpy((r - r.mean(dtype=np.float32)) * (n / (n - 1))).double()
        weights = torch.from_numpy((advantages.numpy() / 3).astype(np.float32)).double() * 3
        return -((logprobs * mask).sum(1) * weights.detach().float().double()).mean()

    found = check(through_numpy)
    assert found.kind is Kind.UNDECIDED
    assert found.exit_code == 3


def test_a_real_bias_in_single_precision_is_still_found():
    """Own mean: far above the noise."""

    def biased(logprobs, rewards, mask):
        r = rewards.numpy().astype(np.float32)
        advantages = torch.from_numpy(((r - r.mean()) / np.float32(3)).astype(np.float32)).double()
        return -((logprobs * mask).sum(1) * advantages / logprobs.shape[1] * 1.7).mean()

    assert check(biased).unbiased is not True
