"""Losses that do their work on a GPU: the same derivatives, in one backward, and the same verdict as on the processor."""

import numpy as np
import pytest
import torch

from pgtheory.checking import check
from pgtheory.deep.adapt import LossDerivative

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def on(device):
    """A clipped loss with group-relative advantages whose tensors are moved to the device first."""

    def loss(logprobs, old_logprobs, rewards, mask):
        logprobs, old_logprobs, rewards, mask = (x.to(device) for x in (logprobs, old_logprobs, rewards, mask))
        advantage = (rewards - rewards.mean(-1, keepdim=True))[..., None]
        ratio = torch.exp(logprobs - old_logprobs)
        gain = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
        return -(gain * mask).sum() / mask.sum()

    return loss


def test_derivatives_of_a_batch_equal_those_on_the_processor():
    rng = np.random.default_rng(0)
    leaves = {"logprobs": rng.normal(size=(200, 4, 3))}
    rest = {"old_logprobs": rng.normal(size=(200, 4, 3)), "rewards": rng.normal(size=(200, 4)), "mask": (rng.random((200, 4, 3)) > 0.3) * 1.0}
    made = {device: LossDerivative(call=lambda values, device=device: on(device)(**values), name="loss") for device in ("cpu", "cuda")}

    found = {device: derivative(leaves, rest, frozenset(rest)) for device, derivative in made.items()}

    assert made["cuda"].batched is True, "a result on the device is no reason to go one by one"
    np.testing.assert_allclose(found["cuda"][0]["logprobs"], found["cpu"][0]["logprobs"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found["cuda"][1], found["cpu"][1], rtol=1e-12, atol=1e-15)


def test_verdict_is_that_on_the_processor():
    cpu, cuda = check(on("cpu")), check(on("cuda"))

    assert (cuda.kind, cuda.headline, cuda.count) == (cpu.kind, cpu.headline, cpu.count)
    np.testing.assert_allclose(cuda.mean, cpu.mean, rtol=1e-12, atol=1e-15)
    assert cuda.variance["total"] == pytest.approx(cpu.variance["total"], rel=1e-12)
