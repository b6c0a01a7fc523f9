"""JAX losses as estimators: `jax.vmap(jax.grad(loss))` over all data sets, else one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
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
                losses, found = jax.vmap(slope)(leaf, varying)
                return {k: np.asarray(v, dtype=float) for k, v in found.items()}, np.asarray(losses, dtype=float)
            return self._loop(slope, leaf, varying)

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
