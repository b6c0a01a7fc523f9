"""JAX functions as estimators: `jax.vmap(jax.grad(loss))` over all data sets, else one by one, in float64."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from pgtheory.tabular.errors import UserFunctionError

Call = Callable[[Mapping[str, Any]], Any]
"""One data set's arguments by name -> what counts in the function's result."""

Found = tuple[dict[str, np.ndarray], np.ndarray]
"""Derivatives (N, ...) by leaf, and losses (N,)."""

FEW = 3
"""Data sets that are not worth a batched derivative, and on which one is compared with the loop."""


class JaxAdapter:
    """Calls and derivatives of JAX functions; see `pgtheory.deep.adapt.TorchAdapter`. An explicit cast to float32 stays one."""

    framework = "jax"
    lifted = False

    def __init__(self) -> None:
        self.batched: bool | None = None
        self.compiles = True
        self._compared: set[tuple[int, ...]] = set()
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def concatenate(self, parts: Sequence[Any]) -> Any:
        """Arrays, end to end."""
        return jax.numpy.concatenate(list(parts))

    def forget(self) -> None:
        """The arguments get another rank or type: whether the function batches is open again."""
        self.batched, self.compiles = None, True
        self._compared.clear()
        self._compiled.clear()

    def peek(self, call: Call, leaves: Mapping[str, Any], rest: Mapping[str, Any]) -> tuple[tuple[int, ...] | None, frozenset[str] | None]:
        """(shape of the result on one data set, or None if it is no array; the leaves at which its derivative is not zero, or None if it is no JAX array)."""
        with jax.enable_x64(True):
            own, others = _arrays(leaves), _arrays(rest)
            found = call({**own, **others})
            if not isinstance(found, jax.Array):
                return (np.shape(found) if isinstance(found, np.ndarray | float | int) else None), None
            total = lambda own: jax.numpy.sum(jax.numpy.asarray(call({**own, **others}), dtype=float))
            slopes = jax.grad(total)(own) if own else {}
            return found.shape, frozenset(c for c, slope in slopes.items() if bool((slope != 0).any()))

    def result(self, call: Call, name: str, values: Mapping[str, Any]) -> np.ndarray:
        """The function's array on one data set.

        Raises:
            UserFunctionError: it is no array.
        """
        with jax.enable_x64(True):
            found = call(_arrays(values))
        try:
            if found is not None:
                return np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError):
            pass
        raise UserFunctionError(f"{name} returned {type(found).__name__}, not an array of numbers. Is a return missing?")

    def derivative(self, call: Call, name: str, leaves: Mapping[str, np.ndarray], rest: Mapping[str, Any], arrays: frozenset[str]) -> Found:
        """Derivatives (N, ...) by leaf, and losses (N,). `arrays` names what has a leading axis of data sets in `rest`.

        Cost: one compilation a shape, of about 0.2 s, then one call.

        Raises:
            UserFunctionError: the loss is not a scalar.
        """
        with jax.enable_x64(True):
            leaf, varying = {c: np.asarray(v, dtype=np.float64) for c, v in leaves.items()}, {c: np.asarray(rest[c]) for c in arrays}
            fixed = {c: value for c, value in rest.items() if c not in arrays}
            first = next(iter(leaf.values()))
            if len(first) <= FEW or self.batched is False:
                return self._loop(call, name, leaf, varying, fixed)
            try:
                slopes, losses = self._batched(call, name, leaf, varying, fixed)
                if first.shape[1:] not in self._compared:
                    which = np.linspace(0, len(first) - 1, FEW).astype(int)
                    some, expected = self._loop(call, name, {c: v[which] for c, v in leaf.items()}, {c: v[which] for c, v in varying.items()}, fixed)
                    close = lambda x, y: np.allclose(x, y, rtol=1e-10, atol=1e-13, equal_nan=True)
                    if not (close(losses[which], expected) and all(close(slopes[c][which], some[c]) for c in some)):
                        raise ValueError("the batched derivative differs from the loop")
            except Exception:  # whatever vmap cannot do; an error of the user's own comes again in the loop
                self.batched = False
                return self._loop(call, name, leaf, varying, fixed)
            self._compared.add(first.shape[1:])
            self.batched = True
            return slopes, losses

    def _slope(self, call: Call, name: str, fixed: Mapping[str, Any], *, batched: bool) -> Any:
        """The compiled function (leaves, others) -> (loss, derivatives). Compiled once for the same constants; jax itself keeps one for each shape."""
        key = (call, batched, *((c, _fingerprint(v)) for c, v in sorted(fixed.items())))
        if key not in self._compiled:
            slope = jax.value_and_grad(lambda own, others: _scalar(call({**own, **others, **_arrays(fixed)}), name))
            self._compiled[key] = jax.jit(jax.vmap(slope) if batched else slope)
        return self._compiled[key]

    def _batched(self, call: Call, name: str, leaf: Mapping[str, Any], varying: Mapping[str, Any], fixed: Mapping[str, Any]) -> Found:
        alike = {c for c, v in varying.items() if v.dtype.kind != "f" and bool((v == v[:1]).all())}
        shared = {**fixed, **{c: varying[c][0] for c in alike}}  # groups that all data sets have in common may steer the control flow
        own, others = _arrays(_padded(leaf)), _arrays(_padded({c: v for c, v in varying.items() if c not in alike}))
        losses, slopes = self._slope(call, name, shared, batched=True)(own, others)
        n = len(next(iter(leaf.values())))
        return {c: np.asarray(v, dtype=float)[:n] for c, v in slopes.items()}, np.asarray(losses, dtype=float)[:n]

    def _loop(self, call: Call, name: str, leaf: Mapping[str, Any], varying: Mapping[str, Any], fixed: Mapping[str, Any]) -> Found:
        """One by one: compiled where the function lets itself be compiled, else operation by operation."""
        n = len(next(iter(leaf.values())))
        rows = [(_arrays({c: v[i] for c, v in leaf.items()}), _arrays({c: v[i] for c, v in varying.items()})) for i in range(n)]
        if self.compiles and all(v.dtype != object for v in varying.values()):
            try:
                slope = self._slope(call, name, fixed, batched=False)
                return _collected([slope(*row) for row in rows], leaf)
            except Exception:  # control flow on data
                self.compiles = False
        return _collected([jax.value_and_grad(lambda own, o=o: _scalar(call({**own, **o, **fixed}), name))(own) for own, o in rows], leaf)


def _collected(found: list[tuple[Any, Mapping[str, Any]]], leaf: Mapping[str, Any]) -> Found:
    return {c: np.stack([np.asarray(slopes[c], dtype=float) for _, slopes in found]) for c in leaf}, np.array([float(loss) for loss, _ in found])


def _fingerprint(value: Any) -> Any:
    if isinstance(value, jax.Array | np.ndarray):
        array = np.asarray(value)
        return (array.shape, str(array.dtype), str(array.tolist()))
    return value


def _padded(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays with their leading axis filled up to a power of two, at least 32, by copies of the last entry: few shapes are few compilations."""
    n = max((len(v) for v in values.values()), default=1)
    fill = max(32, 1 << (n - 1).bit_length()) - n
    return {c: np.concatenate([v, np.repeat(v[-1:], fill, axis=0)]) for c, v in values.items()}


def _arrays(values: Mapping[str, Any]) -> dict[str, Any]:
    """JAX arrays; scalars and arrays of objects as they are."""
    return {c: jax.numpy.asarray(v) if isinstance(v, np.ndarray) and v.dtype != object else v for c, v in values.items()}


def _scalar(loss: Any, name: str) -> Any:
    if np.size(loss) != 1 if not hasattr(loss, "size") else loss.size != 1:
        raise UserFunctionError(f"{name} returned shape {np.shape(loss)}, not a scalar loss. Reduce it, for instance with .mean() or .sum().")
    return jax.numpy.asarray(loss, dtype=float).reshape(())
