"""Presets for signatures that names alone do not settle: one batch object, or a method of a trainer.

A preset turns the user's function into one that takes a lazy mapping of names; it imports nothing of the library that it serves.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from pgtheory.functions.names import canonical
from pgtheory.tabular.errors import InvalidArgument


class Batch(Mapping):
    """A mapping, and an object with attributes, whose entries are computed when they are asked for under any known name; unknown ones are absent."""

    def __init__(self, get: Callable[[str], Any]) -> None:
        object.__setattr__(self, "_get", get)

    def __getitem__(self, key: str) -> Any:
        if canonical(key) is None:
            raise KeyError(key)
        return self._get(key)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__") or canonical(key) is None:
            raise AttributeError(key)
        return self._get(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and canonical(key) is not None

    def __iter__(self):
        raise TypeError("a batch whose entries are bound by name cannot be iterated over: ask for names")

    def __len__(self) -> int:
        return 1


def batch_object(function: Callable) -> Callable[[Batch], Any]:
    """loss(batch): one dict or batch object."""
    return function


def trl(function: Callable) -> Callable[[Batch], Any]:
    """compute_loss(self, model, inputs): the trainer's attributes at their defaults; log-probabilities come from the usual method."""
    logps = lambda batch: lambda *_, **__: (batch["logprobs"], None)

    def call(batch: Batch) -> Any:
        trainer = SimpleNamespace(
            epsilon_low=0.2, epsilon_high=0.2, epsilon=0.2, beta=0.0, temperature=1.0, loss_type="grpo", scale_rewards=False, num_iterations=1,
            importance_sampling_level="token", max_completion_length=2, use_liger_loss=False, args=SimpleNamespace(beta=0.0, epsilon=0.2),
            _get_per_token_logps_and_entropies=logps(batch), _get_per_token_logps=lambda *_, **__: batch["logprobs"],
        )  # fmt: skip
        return function(trainer, SimpleNamespace(training=True), batch)

    return call


def verl(function: Callable) -> Callable[[Batch], Any]:
    """loss(config, model_output, data): a dict of log-probabilities, and a batch."""
    config = SimpleNamespace(
        clip_ratio=0.2, clip_ratio_low=0.2, clip_ratio_high=0.2, clip_ratio_c=3.0, loss_agg_mode="token-mean", entropy_coeff=0.0, use_kl_loss=False
    )
    return lambda batch: function(config, batch, batch)


def openrlhf(function: Callable) -> Callable[[Batch], Any]:
    """forward(self, log_probs, old_log_probs, advantages, action_mask): a loss module as a method."""
    module = SimpleNamespace(clip_eps_low=0.2, clip_eps_high=0.2, token_level_loss=True, dual_clip=None, policy_loss_type="ppo")
    return lambda batch: function(module, batch["log_probs"], batch["old_log_probs"], batch["advantages"], batch["action_mask"])


PRESETS: dict[str, Callable] = {"trl": trl, "verl": verl, "openrlhf": openrlhf, "batch": batch_object}


def preset(name: str) -> Callable:
    """The preset with this name.

    Raises:
        InvalidArgument: there is none.
    """
    if name not in PRESETS:
        raise InvalidArgument(f"no convention is called {name!r}. There are: {', '.join(PRESETS)}.")
    return PRESETS[name]
