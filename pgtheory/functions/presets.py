"""Conventions of well-known libraries for what names alone do not settle: batch objects, methods of a trainer, config objects.

A convention imports nothing of the library that it serves.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from pgtheory.functions.names import CANONICAL, MEANINGS
from pgtheory.functions.quantities import SCALARS
from pgtheory.tabular.errors import BindingError, InvalidArgument
from pgtheory.tabular.spelling import did_you_mean

NESTED = frozenset({"batch", "non_tensor_batch", "info", "meta_info", "extra_info"})
"""Parts of a batch object that are looked through: data.batch["log_prob"] is data["log_prob"]."""


@dataclass(frozen=True, kw_only=True)
class Convention:
    """What the library passes to the user's function beside the data.

    Attributes:
        batch: key of the batch object -> canonical name, where the key alone says otherwise.
        methods: method of `self` -> canonical names that it returns.
        settings: attributes of `self` and of config objects; --set NAME=VALUE replaces and adds.
    """

    batch: Mapping[str, str] = field(default_factory=dict)
    methods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


_CLIP = {"clip_ratio": 0.2, "clip_ratio_low": 0.2, "clip_ratio_high": 0.2, "clip_ratio_c": 3.0}

CONVENTIONS: dict[str, Convention] = {
    "trl": Convention(
        methods={
            "_get_per_token_logps": ("logprobs",),
            "_get_per_token_logps_and_entropies": ("logprobs", "entropy"),
        },
        settings={
            "epsilon": 0.2, "epsilon_low": 0.2, "epsilon_high": 0.2, "beta": 0.0, "temperature": 1.0, "num_iterations": 1, "loss_type": "grpo",
            "importance_sampling_level": "token", "scale_rewards": False, "use_liger_loss": False, "use_liger_kernel": False, "use_vllm": False, "delta": None,
            "top_entropy_quantile": 1.0, "current_gradient_accumulation_steps": 1, "off_policy_mask_threshold": None,
        },
    ),
    "verl": Convention(
        settings={**_CLIP, "loss_agg_mode": "token-mean", "entropy_coeff": 0.0, "use_kl_loss": False, "kl_loss_coef": 0.0, "policy_loss": {"loss_mode": "vanilla"}},
    ),
    "openrlhf": Convention(
        batch={"action_log_probs": "old_logprobs", "base_action_log_probs": "ref_logprobs", "reward": "rewards"},
        settings={"clip_eps": 0.2, "clip_eps_low": 0.2, "clip_eps_high": 0.2, "dual_clip": None, "token_level_loss": True, "policy_loss_type": "ppo"},
    ),
    "batch": Convention(),
}  # fmt: skip
"""Known conventions; "batch" is a function of one dict or batch object and nothing else."""


def convention_named(name: str | None) -> Convention:
    """The convention with this name; without a name, the one that adds nothing.

    Raises:
        InvalidArgument: there is none.
    """
    if name is None:
        return CONVENTIONS["batch"]
    if name not in CONVENTIONS:
        raise InvalidArgument(f"no convention is called {name!r}. There are: {', '.join(CONVENTIONS)}.")
    return CONVENTIONS[name]


class UnknownKey(BindingError, KeyError, AttributeError):
    """A batch object or a trainer has nothing under this name. It is also a KeyError and an AttributeError: `get`, `getattr` and `hasattr` with
    a default work as they do on a dict or an object."""

    __str__ = Exception.__str__  # KeyError quotes its text


class Batch(Mapping):
    """A mapping, and an object with attributes, whose entries are computed when they are asked for under any known name."""

    def __init__(self, get: Callable[[str], Any], known: Mapping[str, str], function: str) -> None:
        self.__dict__.update(_get=get, _known=known, _function=function)

    def __getitem__(self, key: str) -> Any:
        if key in NESTED and key not in self._known:
            return self
        if key not in self._known:
            raise UnknownKey(unknown_key(key, "its batch", self._function, self._known))
        return self._get(key)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return self[key]

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def __iter__(self) -> Iterator[str]:
        raise TypeError("a batch whose entries are bound by name cannot be iterated over: ask for names")

    def __len__(self) -> int:
        return len(self._known)

    def to(self, *_: Any, **__: Any) -> "Batch":
        """Itself: there is one device."""
        return self


class Trainer(SimpleNamespace):
    """What a method gets as `self`, and a function as `config`: settings as attributes and keys, methods that return data, metrics that go nowhere."""

    def __init__(self, batch: Batch, convention: Convention, settings: Mapping[str, Any], function: str) -> None:
        methods = {name: _returns(batch, names) for name, names in convention.methods.items()}
        same = lambda x, *_, **__: x
        parts = {
            "accelerator": SimpleNamespace(gather=same, gather_for_metrics=same, num_processes=1, device="cpu"),
            "model": SimpleNamespace(training=True),
        }
        super().__init__(**{**parts, "_metrics": Sink(), "_batch": batch, "_function": function, **methods, **convention.settings, **settings})

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        if key in ("args", "config", "cfg"):
            return self
        if CANONICAL.get(key) in SCALARS:
            return self._batch[key]
        cure = "Name" if key.startswith("_") else f"Set it (--set {key}=VALUE), or name"
        raise UnknownKey(
            f"{self._function} asks its trainer or config for {key!r}, which has no value. {cure} the library whose conventions it follows "
            f"(--convention {'|'.join(CONVENTIONS)})."
        )

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """The setting, or the default."""
        return getattr(self, key, default)


class Sink:
    """Metrics that a loss writes on the way: every key and method leads to another sink."""

    def __getitem__(self, key: object) -> "Sink":
        return self

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, value: object) -> None:
        """Forget the value."""

    def update(self, *_: object, **__: object) -> None:
        """Forget the values."""


def _returns(batch: Batch, names: tuple[str, ...]) -> Callable[..., Any]:
    def method(*_: Any, **__: Any) -> Any:
        found = [batch[name] for name in names]
        return found.pop() if len(found) == 1 else tuple(found)

    return method


def unknown_key(key: object, where: str, function: str, known: Mapping[str, str]) -> str:
    """Error text for something that a batch object does not have."""
    return f"{function} asks {where} for {key!r}, which is not known.{did_you_mean(str(key), known)} What can be bound, with many aliases: {', '.join(MEANINGS)}."
