"""A user's function as an estimator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pgtheory.functions.frameworks import Adapter, first
from pgtheory.functions.limits import guarded
from pgtheory.functions.names import CANONICAL, EPISODIC, LEAVES
from pgtheory.functions.presets import Batch, Convention, Trainer
from pgtheory.functions.quantities import LOGPROBS, RANKS, SCALARS, quantity
from pgtheory.functions.signature import Signature
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import UserFunctionError
from pgtheory.tabular.scene import Scene


class NotSupplied(BaseException):
    """The function asks its batch for a known name that it was not given yet; no `except Exception` of the user catches it."""


@dataclass(eq=False, kw_only=True)
class Bound:
    """A function whose parameters are bound to arrays of (Data, Scene): an estimator that ascends.

    Attributes:
        function: the user's function.
        name: for messages.
        signature: what it asks for.
        convention: what a library passes beside the data.
        adapter: calls and differentiates functions of one framework.
        setting: "tokens" or "episodes".
        ranks: canonical name -> rank, or type, that was settled.
        kind: "loss" (differentiated at the leaf and negated), "advantage" (completed), "gradient" (weights a step, or a gradient).
        form: "local", "table" or "whole".
        seen: "batch.key" that a batch object was asked for -> canonical name.
        logged: leaves that the loss is given and its derivative never meets, such as an entropy for the log: constants.
        advantage: a bound advantage function whose result replaces `advantages`.
        time_limit: seconds a call may take.
        micro: rows of a micro-batch: the function is called on each, and its results are averaged (a loss) or put together (advantages).
        precision: "float32" if the function computes in single precision and the casts could not be lifted.
        notes: what settling found out, for people.
        bindings: one line for each parameter.
    """

    function: Callable
    name: str
    signature: Signature
    convention: Convention
    adapter: Adapter
    setting: str
    ranks: dict[str, str] = field(default_factory=dict)
    kind: str = "loss"
    form: str = "local"
    seen: dict[str, str] = field(default_factory=dict)
    logged: frozenset[str] = frozenset()
    advantage: "Bound | None" = None
    time_limit: float = 10.0
    micro: int | None = None
    precision: str = "float64"
    notes: tuple[str, ...] = ()
    bindings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.known = {**CANONICAL, **self.convention.batch}

    @property
    def framework(self) -> str:
        """ "torch", "jax" or "numpy"."""
        return self.adapter.framework

    @property
    def names(self) -> dict[str, str]:
        """Parameter (or key of the batch object) -> canonical name."""
        return {**self.signature.data, **self.seen}

    @property
    def uses(self) -> frozenset[str]:
        """Canonical names that the function is given."""
        own = frozenset(self.names.values())
        return own | self.advantage.uses if self.advantage else own

    @property
    def batched(self) -> bool | None:
        """Whether one backward serves all data sets; None where nothing is differentiated."""
        return self.adapter.batched if self.kind == "loss" else None

    @property
    def leaves(self) -> tuple[str, ...]:
        """Canonical names that a loss is differentiated at: log-probabilities in their forms, else theta itself."""
        names = set(self.names.values()) - self.logged
        return tuple(c for c in LEAVES if c in names) or (("theta",) if "theta" in names else ())

    def arguments(self, data: Data, scene: Scene) -> dict[str, Any]:
        """Canonical name -> value; arrays have the leading axis of data sets."""
        found = {c: quantity(c, self.ranks.get(c, ""), data, scene, self.setting) for c in dict.fromkeys(self.names.values())}
        if self.advantage is not None and "advantages" in found:
            per_row = self.advantage.values_of(self.advantage.arguments(data, scene), len(data))
            found["advantages"] = per_row[..., None] * data.mask if per_row.ndim == 2 and self.ranks.get("advantages") == "BT" else per_row
        if "mask" not in found:
            for c in (*LOGPROBS, "entropy"):
                if c in found and np.ndim(found[c]) == 3:
                    found[c] = np.where(data.mask, found[c], 0.0)
        return found

    def call(self, values: Mapping[str, Any]) -> Any:
        """What counts in the result of the user's function on one data set; `values` by canonical name. With micro-batches the mean of its losses, or
        all its rows.

        Raises:
            UserFunctionError: it raises, or does not return in time.
        """
        if self.micro is None:
            return self.call_once(values)
        rows = next(len(v) for c, v in values.items() if c not in SCALARS)
        cuts = [slice(begin, begin + self.micro) for begin in range(0, rows, self.micro)]
        parts = [self.call_once({c: v if c in SCALARS else v[cut] for c, v in values.items()}) for cut in cuts]
        return self.adapter.concatenate(parts) if np.ndim(parts[0]) else sum(parts) / len(parts)

    def call_once(self, values: Mapping[str, Any]) -> Any:
        """One call of the user's function."""
        signature = self.signature
        arguments = {p: values[c] for p, c in signature.data.items()}
        arguments.update(signature.given)
        if signature.batches or signature.trainers:
            batch = Batch(lambda key: self._lookup(key, values), self.known, self.name)
            arguments.update(dict.fromkeys(signature.batches, batch))
            if signature.trainers:
                trainer = Trainer(batch, self.convention, signature.settings, self.name)
                arguments.update(dict.fromkeys(signature.trainers, trainer) | dict.fromkeys(signature.models, trainer.model))
        leading = [arguments.pop(p) for p in signature.positional]
        return first(guarded(self.name, lambda: self.function(*leading, **arguments), self.time_limit))

    def _lookup(self, key: str, values: Mapping[str, Any]) -> Any:
        canonical = self.known[key]
        self.seen.setdefault(f"batch.{key}", canonical)
        if canonical not in values:
            raise NotSupplied(canonical)
        return values[canonical]

    def derivative(self, values: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """d loss / d leaf by canonical name, and the losses, from `arguments`."""
        rest = dict(values)
        leaves = {c: rest.pop(c) for c in self.leaves}
        return self.adapter.derivative(self.call, self.name, leaves, rest, frozenset(rest) - SCALARS)

    def values_of(self, values: Mapping[str, Any], n: int) -> np.ndarray:
        """What a numpy function or an advantage function returns for each of n data sets, (n, ...).

        Raises:
            UserFunctionError: results of different shapes.
        """
        rows = [self.adapter.result(self.call, self.name, {c: v if c in SCALARS else v[i] for c, v in values.items()}) for i in range(n)]
        if len({row.shape for row in rows}) > 1:
            raise UserFunctionError(
                f"{self.name} returns arrays of different shapes on data sets of one shape: {sorted({row.shape for row in rows})}."
            )
        return np.stack(rows)

    def losses(self, data: Data, scene: Scene) -> np.ndarray:
        """The loss of each data set."""
        return self.derivative(self.arguments(data, scene))[1]

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        """Weights: minus the derivative of a loss; a gradient as it is; an advantage completed to the plain policy-gradient loss."""
        while True:
            try:
                return self.weights(self.arguments(data, scene), data, scene)
            except NotSupplied:  # a branch that no data set took before asks for more
                continue

    def weights(self, values: Mapping[str, Any], data: Data, scene: Scene) -> np.ndarray:
        """The estimator from given arguments."""
        if self.kind == "loss":
            return -self._weights(self.derivative(values)[0], data, scene)
        found = self.values_of(values, len(data))
        if self.form == "whole":
            return found.reshape(len(data), -1)
        per_row = found.reshape(len(data), data.shape[1], -1).shape[2] == 1 and found.shape[1:] != data.shape[1:]
        steps = np.broadcast_to(found.reshape(*data.shape[:2], -1), data.shape)
        weights = np.where(data.mask, steps, 0.0)
        if self.kind == "advantage":  # one advantage a row is that of the whole trajectory, so that no step is discounted
            weights = weights * (1.0 if per_row else scene.mdp.gamma ** np.arange(data.shape[2])) / data.shape[1]
        return weights

    def _weights(self, slopes: Mapping[str, np.ndarray], data: Data, scene: Scene) -> np.ndarray:
        """Derivatives at the leaves as weights of scores. Without a mask parameter the derivative at padding is not the function's doing."""
        if self.form == "whole":
            return slopes["theta"].reshape(len(data), -1)
        if "logprobs" in slopes and slopes["logprobs"].ndim == 2:
            slopes = {**slopes, "logprobs": slopes["logprobs"][..., None] * data.mask}
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

    def pin(self, ranks: Mapping[str, str]) -> None:
        """Take these ranks; names that settling never saw keep the first of theirs."""
        self.ranks = {**self.ranks, **ranks}
        self.adapter.forget()

    def ambiguous(self) -> list[str]:
        """Canonical names in use whose rank the name does not settle."""
        return [c for c in dict.fromkeys(self.names.values()) if c in RANKS]


def setting_of(names: frozenset[str]) -> str:
    """Groups of completions, unless the function asks for what only trajectories have."""
    return "episodes" if names & EPISODIC else "tokens"
