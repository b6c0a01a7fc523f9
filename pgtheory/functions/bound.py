"""A user's function as an estimator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from pgtheory.functions.limits import guarded
from pgtheory.functions.names import EPISODIC, LEAVES, canonical
from pgtheory.functions.presets import Batch
from pgtheory.functions.quantities import SCALARS, quantity
from pgtheory.functions.signature import Signature
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import MissingExtra, UserFunctionError
from pgtheory.tabular.scene import Scene


@dataclass(eq=False, kw_only=True)
class Bound:
    """A function whose parameters are bound to arrays of (Data, Scene): an estimator that ascends.

    Attributes:
        function: the user's function, or what a preset made of it.
        name: for messages.
        signature: what it asks for.
        framework: "torch", "jax" or "numpy".
        setting: "tokens" or "episodes".
        ranks: canonical name -> rank that was settled.
        kind: "loss" (differentiated at the leaf and negated), "advantage" (completed), "gradient" (weights a step, or a gradient).
        form: "local", "table" or "whole".
        seen: canonical names that a batch object was asked for.
        advantage: a bound advantage function whose result replaces `advantages`.
        time_limit: seconds a call may take.
        bindings: one line for each parameter.
        micro: rows of a micro-batch: the function is called on each, and its results are averaged (a loss) or put together (advantages).
        unsettled: whether several ranks worked and the likelier was taken.
    """

    function: Callable
    name: str
    signature: Signature
    framework: str
    setting: str
    ranks: dict[str, str] = field(default_factory=dict)
    kind: str = "loss"
    form: str = "local"
    seen: dict[str, str] = field(default_factory=dict)
    advantage: "Bound | None" = None
    time_limit: float = 10.0
    bindings: tuple[str, ...] = ()
    unsettled: bool = False
    micro: int | None = None
    _derivative: Any = field(default=None, repr=False)

    @property
    def names(self) -> dict[str, str]:
        """Parameter (or key of the batch object) -> canonical name."""
        return self.seen if self.signature.batch else dict(self.signature.data)

    @property
    def uses(self) -> frozenset[str]:
        """Canonical names that the function is given."""
        own = frozenset(self.names.values())
        return own | self.advantage.uses if self.advantage else own

    @property
    def batched(self) -> bool | None:
        """Whether one backward serves all data sets."""
        return getattr(self._derivative, "batched", None)

    @property
    def precision(self) -> str:
        """ "float32" if the function computes in single precision and the casts could not be lifted."""
        return "float32" if getattr(self._derivative, "single", False) else "float64"

    @property
    def leaves(self) -> list[str]:
        """Parameters that are leaves."""
        return [p for p, c in self.names.items() if c in LEAVES]

    def arguments(self, data: Data, scene: Scene) -> dict[str, Any]:
        """Canonical name -> value; arrays have the leading axis of data sets."""
        found: dict[str, Any] = {c: quantity(c, self.ranks.get(c, ""), data, scene, self.setting) for c in dict.fromkeys(self.names.values())}
        if self.advantage is not None and "advantages" in found:
            per_row = self.advantage.values_of(data, scene)
            found["advantages"] = per_row[..., None] * data.mask if per_row.ndim == 2 and self.ranks.get("advantages") == "BT" else per_row
        if "mask" not in found:
            for c in ("logprobs", "old_logprobs", "sampler_logprobs", "ref_logprobs", "entropy"):
                if c in found:
                    found[c] = np.where(data.mask, found[c], 0.0)
        return found

    def call(self, values: Mapping[str, Any]) -> Any:
        """The user's function on one data set; `values` by canonical name. With micro-batches the mean of its losses, or all its rows."""
        if self.micro is None:
            return self.call_once(values)
        rows = next(len(v) for c, v in values.items() if c not in SCALARS)
        parts = []
        for begin in range(0, rows, self.micro):
            found = self.call_once({c: v if c in SCALARS else v[begin : begin + self.micro] for c, v in values.items()})
            parts.append(found[0] if isinstance(found, tuple | list) else found)
        if getattr(parts[0], "ndim", 0) == 0:
            return sum(parts) / len(parts)
        if self.framework == "torch":
            return adapter("torch", self.name).torch.cat(parts)
        return np.concatenate(parts)

    def call_once(self, values: Mapping[str, Any]) -> Any:
        """One call of the user's function."""
        if self.signature.batch:

            def get(key: str) -> Any:
                self.seen.setdefault(key, canonical(key) or key)
                return values[self.seen[key]]

            return guarded(self.name, lambda: self.function(Batch(get), **self.signature.given), self.time_limit)
        by_name = {p: values[c] for p, c in self.signature.data.items()}
        first = [by_name.pop(p) for p in self.signature.positional]
        return guarded(self.name, lambda: self.function(*first, **by_name, **self.signature.given), self.time_limit)

    def derivative(self, data: Data, scene: Scene) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """d loss / d leaf by canonical name, and the losses."""
        values = self.arguments(data, scene)
        leaves = {c: values.pop(c) for c in LEAVES if c in values}
        if self._derivative is None:
            self._derivative = derivative_of(self)
        return self._derivative(leaves, values, frozenset(values) - SCALARS)

    def values_of(self, data: Data, scene: Scene) -> np.ndarray:
        """What a numpy function or an advantage function returns, for each data set."""
        values = self.arguments(data, scene)
        rows = [self.result({c: v if c in SCALARS else v[n] for c, v in values.items()}) for n in range(len(data))]
        try:
            return np.stack([np.asarray(r, dtype=float) for r in rows])
        except (TypeError, ValueError):
            raise UserFunctionError(f"{self.name} returned {rows[0]!r}, which is no array of numbers of one shape for all data sets.") from None

    def result(self, values: Mapping[str, Any]) -> Any:
        """The function's array on one data set; the first item of a tuple."""
        if self.framework == "torch":
            torch = adapter("torch", self.name)
            with torch.double_precision():
                found = torch.plain(self.call({c: torch.tensor(v) for c, v in values.items()}))
        else:
            found = self.call(values)
        if found is None:
            raise UserFunctionError(f"{self.name} returned None. A return statement may be missing.")
        several = isinstance(found, tuple) or (isinstance(found, list) and found and np.ndim(found[0]) > 0)
        return found[0] if several else found

    def losses(self, data: Data, scene: Scene) -> np.ndarray:
        """The loss of each data set."""
        return self.derivative(data, scene)[1]

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        """Weights: minus the derivative of a loss; a gradient as it is; an advantage completed to the plain policy-gradient loss."""
        if self.kind == "loss":
            return -self._weights(self.derivative(data, scene)[0], data, scene)
        found = self.values_of(data, scene)
        if self.form == "whole":
            return found.reshape(len(data), -1)
        if found.ndim == 2:
            found = found[..., None]
        weights = np.where(data.mask, np.broadcast_to(found, data.shape), 0.0)
        if self.kind == "advantage":
            weights = weights * scene.mdp.gamma ** np.arange(data.shape[2]) / data.shape[1]
        return weights

    def _weights(self, slopes: Mapping[str, np.ndarray], data: Data, scene: Scene) -> np.ndarray:
        """Derivatives at the leaves as weights of scores. Without a mask parameter the derivative at padding is not the function's doing."""
        own = data.mask if "mask" not in self.names.values() else np.ones_like(data.mask)
        if self.form == "local":
            return np.where(own, slopes["logprobs"], 0.0)
        pi = scene.policy().probabilities
        total = np.zeros((*data.shape, pi.shape[1]))
        for leaf, slope in slopes.items():
            if leaf == "logprobs":
                np.put_along_axis(
                    total, data.action[..., None], np.take_along_axis(total, data.action[..., None], axis=-1) + slope[..., None], axis=-1
                )
            elif leaf == "entropy":
                total += slope[..., None] * (-pi * (np.log(pi) + 1))[data.state]
            else:
                total += slope * (pi[data.state] if leaf == "probs" else 1.0)
        return np.where(own[..., None], total, 0.0)


def adapter(framework: str, name: str) -> Any:
    """The module that speaks to a framework.

    Raises:
        MissingExtra: the framework is not installed.
    """
    module, extra = {"torch": ("pgtheory.deep.adapt", "deep"), "jax": ("pgtheory.deep.jax_adapt", "jax")}[framework]
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise MissingExtra(f"{name} is a {framework} function and {framework} is not installed: pip install 'pgtheory[{extra}]'.") from None


def derivative_of(bound: Bound) -> Any:
    """The derivative of the bound loss by its framework's adapter."""
    found = adapter(bound.framework, bound.name)
    return found.JaxDerivative(call=bound.call, name=bound.name) if bound.framework == "jax" else found.from_loss(bound.call, name=bound.name)


def setting_of(names: frozenset[str]) -> str:
    """Groups of completions, unless the function asks for what only trajectories have."""
    return "episodes" if names & EPISODIC else "tokens"
