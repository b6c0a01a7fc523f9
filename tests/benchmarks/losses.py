"""The losses that the benchmarks check: one that batches under vmap, and one that must be called data set by data set."""

import torch


def grpo(logprobs, old_logprobs, rewards, mask):
    """Rewards standardised over the batch, clipped ratio, mean over the tokens of a completion, then over completions."""
    advantages = ((rewards - rewards.mean()) / (rewards.std() + 1e-4))[:, None]
    ratio = torch.exp(logprobs - old_logprobs)
    objective = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    return -((objective * mask).sum(-1) / mask.sum(-1)).mean()


def grpo_looped(logprobs, old_logprobs, rewards, mask):
    """The same with a branch on a value, which vmap refuses."""
    if rewards.std().item() == 0:
        return 0.0 * logprobs.sum()
    return grpo(logprobs, old_logprobs, rewards, mask)
