"""Torch losses as estimators: the derivative at the leaf for every data set, in one backward where the loss batches, else one by one.

The derivative of a loss with respect to the log-probability of each token is the weight of that token's score, so that the exact engine needs nothing else
of torch. No value is computed here that a test expects: data sets and weights come from the caller.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from pgtheory.tabular.errors import UserFunctionError

Loss = Callable[[Mapping[str, Any]], Any]

LOW = (torch.float32, torch.float16, torch.bfloat16)
"""Types below float64 that are lifted."""

MOVABLE = frozenset({"rewards", "token_level_rewards", "advantages", "returns", "values"})
"""Inputs that are moved a little to see in which precision a loss computes."""

CHUNK = 4096
"""Data sets in one batched backward."""


class Lifted(TorchFunctionMode):
    """Casts to lower precision inside the user's code give float64: `.float()`, `.to(torch.float32)`, `dtype=torch.float32`."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in (torch.Tensor.float, torch.Tensor.half, torch.Tensor.bfloat16):
            return args[0].double()
        if kwargs.get("dtype") in LOW:
            kwargs["dtype"] = torch.float64
        if func in (torch.Tensor.to, torch.Tensor.type):
            args = (args[0], *(torch.float64 if isinstance(a, torch.dtype) and a in LOW else a for a in args[1:]))
        return func(*args, **kwargs)


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """New tensors are float64 inside the block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def tensor(value: object) -> object:
    """A numpy array as a tensor (float64, int64, bool); anything else, strings included, as it is."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return torch.from_numpy(np.array(value))
    return value


def from_loss(call: Loss, *, name: str = "loss") -> "LossDerivative":
    """A torch loss as a function of all data sets: (leaves, constants) -> derivatives at the leaves, and losses. `call` takes one data set's
    arguments by name; see `LossDerivative`."""
    return LossDerivative(call=call, name=name)


@dataclass(eq=False)
class LossDerivative:
    """d loss / d leaf for N data sets, and the N losses.

    `call` takes one data set's arguments by name and returns what the user's function returned. At the first use the batched form (vmap, one backward of the summed losses) is
    tried on a few data sets and compared with the plain one; a loss with data-dependent control flow, `.item()` or lists falls back to the loop.

    Attributes:
        batched: whether one backward serves all data sets; None before the first use.
        lifted: whether the function casts to lower precision, and the casts are lifted.
        single: whether results still carry float32 rounding.
    """

    call: Loss
    name: str
    batched: bool | None = None
    lifted: bool | None = None
    single: bool = False

    def __call__(
        self, leaves: Mapping[str, np.ndarray], constants: Mapping[str, Any], arrays: frozenset[str]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Derivatives (N, ...) a leaf, and losses (N,). `arrays` names the constants with a leading axis of data sets.

        Raises:
            UserFunctionError: the loss is not a scalar, or does not depend on the leaf.
        """
        leaf = {name: torch.from_numpy(np.array(value, dtype=np.float64)) for name, value in leaves.items()}
        rest: dict[str, Any] = {name: tensor(value) if name in arrays else value for name, value in constants.items()}
        n = len(next(iter(leaf.values())))
        with double_precision():
            if self.lifted is None:
                self._settle_precision(leaf, rest, arrays)
            with Lifted() if self.lifted else contextlib.nullcontext():
                if self.batched is None:
                    self.batched = self._batches(*_few(leaf, rest, arrays), arrays)
                if not self.batched:
                    return self._loop(leaf, rest, arrays)
                parts = [self._vmap(_part(leaf, cut), {k: v[cut] if k in arrays else v for k, v in rest.items()}, arrays) for cut in _cuts(n)]
        return {k: np.concatenate([p[0][k] for p in parts]) for k in leaf}, np.concatenate([p[1] for p in parts])

    def scalar(self, result: object) -> torch.Tensor:
        """The loss in what the function returned: a scalar, or the first item of a tuple."""
        loss = result[0] if isinstance(result, tuple | list) else result
        if isinstance(loss, dict) and "loss" in loss:
            loss = loss["loss"]
        if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
            shape = tuple(loss.shape) if isinstance(loss, torch.Tensor) else type(loss).__name__
            raise UserFunctionError(
                f"{self.name} returned {shape}, not a scalar loss. Reduce it, for instance with .mean() or .sum(), or return the loss first."
            )
        return loss.reshape(())

    def _loop(self, leaf: dict[str, torch.Tensor], rest: dict[str, Any], arrays: frozenset[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        names, n = list(leaf), len(next(iter(leaf.values())))
        found = {name: torch.zeros_like(value) for name, value in leaf.items()}
        losses = np.zeros(n)
        fixed = {name: value for name, value in rest.items() if name not in arrays}
        varying = [(name, value) for name, value in rest.items() if name in arrays]
        for i in range(n):
            own = [leaf[name][i].detach().requires_grad_() for name in names]
            loss = self.scalar(self.call({**dict(zip(names, own, strict=True)), **{name: value[i] for name, value in varying}, **fixed}))
            losses[i] = float(loss.detach())
            if not loss.requires_grad:
                continue  # constant on this data set, for instance zero when every row is filtered out
            for name, slope in zip(names, torch.autograd.grad(loss, own, allow_unused=True), strict=True):
                if slope is not None:
                    found[name][i] = slope
        return {name: value.numpy() for name, value in found.items()}, losses

    def _vmap(self, leaf: dict[str, torch.Tensor], rest: dict[str, Any], arrays: frozenset[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        fixed = {name: value for name, value in rest.items() if name not in arrays}
        varying = {name: value for name, value in rest.items() if name in arrays}

        def loss(own: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> torch.Tensor:
            return self.scalar(self.call({**own, **others, **fixed}))

        # vmap of the forward pass and one plain backward: the losses are independent, so that the gradient of their sum holds each one's.
        own = {name: value.detach().requires_grad_() for name, value in leaf.items()}
        losses = torch.func.vmap(loss)(own, varying)
        slopes = torch.autograd.grad(losses.sum(), list(own.values()), allow_unused=True) if losses.requires_grad else [None] * len(own)
        found = {name: np.zeros(tuple(own[name].shape)) if slope is None else slope.numpy() for name, slope in zip(own, slopes, strict=True)}
        return found, losses.detach().numpy().astype(float)

    def _batches(self, leaf: dict[str, torch.Tensor], rest: dict[str, Any], arrays: frozenset[str]) -> bool:
        expected, values = self._loop(leaf, rest, arrays)
        try:
            found, losses = self._vmap(leaf, rest, arrays)
        except Exception:
            return False
        same = np.allclose(losses, values, rtol=1e-12, atol=1e-14, equal_nan=True)
        return same and all(np.allclose(found[k], expected[k], rtol=1e-10, atol=1e-13, equal_nan=True) for k in expected)

    def _settle_precision(self, leaf: dict[str, torch.Tensor], rest: dict[str, Any], arrays: frozenset[str]) -> None:
        few, some = _few(leaf, rest, arrays)
        plain, _ = self._loop(few, some, arrays)
        try:
            with Lifted():
                lifted, _ = self._loop(few, some, arrays)
        except Exception:
            lifted = plain
        self.lifted = any(not np.array_equal(plain[k], lifted[k], equal_nan=True) for k in plain)
        with Lifted() if self.lifted else contextlib.nullcontext():
            self.single = self._quantised(few, some, arrays)

    def _quantised(self, leaf: dict[str, torch.Tensor], rest: dict[str, Any], arrays: frozenset[str]) -> bool:
        """Whether the derivatives answer a change of the rewards (or of the leaves) by 1e-10 as single precision does: not at all, or by a jump of 1e-8 or
        more, although a change by 1e-3 moves them; on every data set that answers at all, because ties make a sound function jump on some."""
        rewards = {k for k in arrays & MOVABLE if isinstance(rest[k], torch.Tensor)}

        def moved(size: float, names: set[str]) -> np.ndarray:
            step = lambda v: v * (1 + size * torch.cos(torch.arange(v.numel(), dtype=torch.float64)).reshape(v.shape))
            some = {k: step(v) if k in names else v for k, v in rest.items()}
            found, _ = self._loop({k: step(v) if k in names else v for k, v in leaf.items()}, some, arrays)
            return np.nan_to_num(np.concatenate([value.reshape(len(value), -1) for value in found.values()], axis=1))

        for names in (rewards, set(leaf)):
            try:
                base, coarse, fine = (moved(size, names) for size in (0.0, 1e-3, 1e-10))
            except UserFunctionError:
                return False
            size, answer = abs(base).max(axis=1), abs(fine - base).max(axis=1)
            responding = (abs(coarse - base).max(axis=1) > 1e-6 * size) & (size > 0)
            if responding.sum() > 1 and ((answer == 0) | (answer > 1e-8 * size))[responding].all():
                return True
        return False


def _few(leaf: dict[str, torch.Tensor], rest: dict[str, Any], arrays: frozenset[str]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Up to eight data sets spread over all of them: the first ones are often degenerate."""
    n = len(next(iter(leaf.values())))
    which = np.unique(np.linspace(0, n - 1, 8).astype(int))
    return {k: v[which] for k, v in leaf.items()}, {k: v[which] if k in arrays else v for k, v in rest.items()}


def _part(leaf: dict[str, torch.Tensor], cut: slice) -> dict[str, torch.Tensor]:
    return {name: value[cut] for name, value in leaf.items()}


def _cuts(n: int) -> list[slice]:
    return [slice(begin, begin + CHUNK) for begin in range(0, n, CHUNK)]


def plain(result: object) -> object:
    """A torch result (or a tuple of them) as numpy, detached."""
    if isinstance(result, tuple | list):
        return tuple(plain(r) for r in result)
    return result.detach().cpu().numpy() if isinstance(result, torch.Tensor) else result


def requires_grad(result: object) -> bool:
    """Whether a result (or the first item of a tuple) depends on the leaf."""
    first = result[0] if isinstance(result, tuple | list) and result else result
    return isinstance(first, torch.Tensor) and first.requires_grad


def leaf_tensor(value: np.ndarray) -> torch.Tensor:
    """A leaf that records its derivative."""
    return torch.from_numpy(np.array(value, dtype=np.float64)).requires_grad_()
