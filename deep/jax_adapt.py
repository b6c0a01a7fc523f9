"""JAX losses as estimators: `jax.vmap(jax.grad(loss))` over all data sets, else one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from pgtheory.tabular.errors import UserFunctionError


@dataclass(eq=False)
class JaxDerivative:
    """d loss / d leaf for N data sets, and the N losses, in float64; see `pgtheory.deep.adapt.LossDerivative`."""

    call: Any
    name: str
    batched: bool | None = None
    single: bool = False
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    def __call__(
        self, leaves: Mapping[str, np.ndarray], constants: Mapping[str, Any], arrays: frozenset[str]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Derivatives (N, ...) a leaf, and losses (N,).

        Raises:
            UserFunctionError: the loss is not a scalar.
        """
        with jax.enable_x64(True):
            leaf = {name: jax.numpy.asarray(value) for name, value in leaves.items()}
            varying = {name: jax.numpy.asarray(value) if value.dtype != object else value for name, value in constants.items() if name in arrays}
            fixed = {name: value for name, value in constants.items() if name not in arrays}
            slope = jax.value_and_grad(lambda own, others: self.scalar(self.call({**own, **others, **fixed})))
            if self.batched is None:
                self.batched = self._batches(slope, {k: v[:2] for k, v in leaf.items()}, {k: v[:2] for k, v in varying.items()})
            if self.batched:
                n = len(next(iter(leaf.values())))
                losses, found = self._compiled(fixed)(padded(leaf), padded(varying))
                return {k: np.asarray(v, dtype=float)[:n] for k, v in found.items()}, np.asarray(losses, dtype=float)[:n]
            return self._loop(slope, leaf, varying)

    def _compiled(self, fixed: Mapping[str, Any]) -> Any:
        """The compiled batched derivative for given scalars; XLA compiles it once a shape, and numbers of data sets are padded to few of them."""
        key = repr(sorted(fixed.items()))
        if key not in self._kept:
            values = dict(fixed)
            self._kept[key] = jax.jit(jax.vmap(jax.value_and_grad(lambda own, others: self.scalar(self.call({**own, **others, **values})))))
        return self._kept[key]

    def scalar(self, result: object) -> Any:
        """The loss in what the function returned: a scalar, or the first item of a tuple."""
        loss: Any = result[0] if isinstance(result, tuple | list) else result
        if getattr(loss, "size", 0) != 1:
            raise UserFunctionError(
                f"{self.name} returned shape {getattr(loss, 'shape', type(loss).__name__)}, not a scalar loss. Reduce it, for instance with .mean()."
            )
        return loss.reshape(())

    @staticmethod
    def _loop(slope: Any, leaf: Mapping[str, Any], varying: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        rows = [slope({k: v[i] for k, v in leaf.items()}, {k: v[i] for k, v in varying.items()}) for i in range(len(next(iter(leaf.values()))))]
        return {k: np.stack([np.asarray(g[k], dtype=float) for _, g in rows]) for k in leaf}, np.array([float(v) for v, _ in rows])

    def _batches(self, slope: Any, leaf: Mapping[str, Any], varying: Mapping[str, Any]) -> bool:
        expected, _ = self._loop(slope, leaf, varying)
        try:
            _, found = jax.vmap(slope)(leaf, varying)
        except Exception:
            return False
        return all(np.allclose(found[k], expected[k], rtol=1e-10, atol=1e-13, equal_nan=True) for k in expected)


def padded(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays with their leading axis filled up to a power of two, at least 32, by copies of the last entry."""
    n = len(next(iter(arrays.values()), ()))
    size = max(32, 1 << (n - 1).bit_length()) if n else 0
    return {k: jax.numpy.concatenate([v, jax.numpy.repeat(v[-1:], size - n, axis=0)]) for k, v in arrays.items()}
