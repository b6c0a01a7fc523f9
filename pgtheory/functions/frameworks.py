"""How functions of one framework are called and differentiated."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from pgtheory.tabular.errors import InvalidArgument, MissingExtra, UserFunctionError

Call = Callable[[Mapping[str, Any]], Any]
"""From the arguments of one data set, by canonical name, to what counts in the function's result (`first`)."""

HOMES = {"torch": ("pgtheory.deep.adapt", "TorchAdapter", "deep"), "jax": ("pgtheory.deep.jax_adapt", "JaxAdapter", "jax")}


class Adapter(Protocol):
    """One framework.

    Attributes:
        framework: "torch", "jax" or "numpy".
        batched: whether one backward serves all data sets; None before it was tried.
        lifted: whether casts to lower precision are lifted to float64.
    """

    framework: str
    batched: bool | None
    lifted: bool

    def peek(self, call: Call, leaves: Mapping[str, Any], rest: Mapping[str, Any]) -> tuple[tuple[int, ...] | None, frozenset[str] | None]:
        """(shape of the result on one data set, or None if it is no array; the leaves that its derivative meets, or None if it is of another framework)."""
        ...

    def result(self, call: Call, name: str, values: Mapping[str, Any]) -> np.ndarray:
        """The function's array on one data set, detached, in float64."""
        ...

    def derivative(
        self, call: Call, name: str, leaves: Mapping[str, np.ndarray], rest: Mapping[str, Any], arrays: frozenset[str]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """d loss / d leaf for N data sets, and the N losses; `arrays` names what has a leading axis of data sets in `rest`."""
        ...

    def concatenate(self, parts: Sequence[Any]) -> Any:
        """Arrays of the framework, end to end."""
        ...

    def forget(self) -> None:
        """The arguments get another rank or type: whether the function batches is open again."""
        ...


class NumpyAdapter:
    """Plain numpy: arrays in, arrays out, nothing is differentiated. Every call gets its own copies: functions may write into them."""

    framework = "numpy"
    batched: bool | None = None
    lifted = False

    def peek(self, call: Call, leaves: Mapping[str, Any], rest: Mapping[str, Any]) -> tuple[tuple[int, ...] | None, frozenset[str] | None]:
        """Shape of the result; nothing is differentiated."""
        found = call(_copies({**leaves, **rest}))
        try:
            return None if found is None else np.asarray(found, dtype=np.float64).shape, None
        except (TypeError, ValueError):
            return None, None

    def result(self, call: Call, name: str, values: Mapping[str, Any]) -> np.ndarray:
        """The function's array on one data set."""
        return as_array(call(_copies(values)), name)

    def derivative(
        self, call: Call, name: str, leaves: Mapping[str, np.ndarray], rest: Mapping[str, Any], arrays: frozenset[str]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """A number that numpy computed cannot be differentiated."""
        raise UserFunctionError(
            f"{name} returns a number that numpy computed, which has no derivative. Write the loss in torch or JAX, or return advantages (B,) or weights (B, T)."
        )

    def concatenate(self, parts: Sequence[Any]) -> np.ndarray:
        """Arrays, end to end."""
        return np.concatenate(parts)

    def forget(self) -> None:
        """Nothing is remembered."""


def _copies(values: Mapping[str, Any]) -> dict[str, Any]:
    return {c: v.copy() if isinstance(v, np.ndarray) else v for c, v in values.items()}


def first(result: object) -> object:
    """What counts in a result: the first item of a tuple, or of a list of more than numbers; the loss or the advantages of a dict; else all of it."""
    if isinstance(result, dict):
        return next((result[key] for key in ("loss", "advantages") if key in result), result)
    several = isinstance(result, tuple) or (
        isinstance(result, list) and not all(isinstance(x, int | float) or getattr(x, "ndim", 1) == 0 for x in result)
    )
    return result[0] if several and result else result  # type: ignore[index]


def as_array(found: object, name: str) -> np.ndarray:
    """A result as a float64 array.

    Raises:
        UserFunctionError: it is none.
    """
    try:
        if found is not None:
            return np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    raise UserFunctionError(f"{name} returned {type(found).__name__}, not an array of numbers. Is a return missing?")


def adapter_of(framework: str, name: str) -> Adapter:
    """The adapter of a framework.

    Raises:
        MissingExtra: the framework is not installed.
        InvalidArgument: it is not known.
    """
    if framework == "numpy":
        return NumpyAdapter()
    if framework not in HOMES:
        raise InvalidArgument(f"framework is {framework!r}; known are torch, jax, numpy.")
    module, attribute, extra = HOMES[framework]
    try:
        return getattr(importlib.import_module(module), attribute)()
    except ModuleNotFoundError as problem:
        raise MissingExtra(f"{name} is a function of {framework}, and {problem.name} is not installed: pip install 'pgtheory[{extra}]'.") from None
