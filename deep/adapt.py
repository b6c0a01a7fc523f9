"""Torch functions as estimators: the derivative at the leaf for every data set, in one backward where the loss batches, else one by one.

The derivative of a loss with respect to the log-probability of each token is the weight of that token's score, so that the exact engine needs nothing else
of torch. No value is computed here that a test expects: data sets and weights come from the caller.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from pgtheory.tabular.errors import UserFunctionError

Call = Callable[[Mapping[str, Any]], Any]
"""One data set's arguments by name -> what counts in the function's result."""

Found = tuple[dict[str, np.ndarray], np.ndarray]
"""Derivatives (N, ...) by leaf, and losses (N,)."""

LOW = (torch.float32, torch.float16, torch.bfloat16)
"""Types below float64 that are lifted."""

CHUNK = 4096
"""Data sets in one batched backward."""

FEW = 3
"""Data sets that are not worth a batched backward, and on which one is compared with the loop."""


class Lifted(TorchFunctionMode):
    """Casts to lower precision inside the user's code give float64: `.float()`, `.to(torch.float32)`, `dtype=torch.float32`, `.type("torch.FloatTensor")`."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in (torch.Tensor.float, torch.Tensor.half, torch.Tensor.bfloat16):
            return args[0].double()
        if func is torch.Tensor.type and len(args) > 1 and any(word in str(args[1]) for word in ("FloatTensor", "HalfTensor", "BFloat16Tensor")):
            return args[0].double()
        kwargs = {name: torch.float64 if _is_low(value) else value for name, value in (kwargs or {}).items()}
        return func(*(torch.float64 if _is_low(value) else value for value in args), **kwargs)


def _is_low(value: object) -> bool:
    return isinstance(value, torch.dtype) and value in LOW


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """New tensors are float64 inside the block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def precision(lifted: bool) -> Iterator[None]:
    """Double precision, and casts to less lifted if so wished."""
    with double_precision(), Lifted() if lifted else contextlib.nullcontext():
        yield


def tensor(value: object) -> object:
    """A copy of a numpy array as a tensor (float64, int64, bool); anything else, arrays of objects included, as it is."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return torch.from_numpy(np.array(value))
    return value


def from_loss(call: Call, *, name: str = "loss") -> "LossDerivative":
    """A torch loss as a function of all data sets: (leaves, constants) -> derivatives at the leaves, and losses. `call` takes one data set's
    arguments by name; see `LossDerivative`."""
    return LossDerivative(call=call, name=name)


@dataclass(eq=False)
class LossDerivative:
    """d loss / d leaf for N data sets, and the N losses.

    `call` takes one data set's arguments by name and returns the loss. With more than FEW data sets the batched backward (vmap of grad) is tried, and
    compared with the loop on a few of them whenever the shape is new; a loss with data-dependent control flow, `.item()` or lists falls back to the loop.
    Arguments are copies: functions may write into them.

    Cost: one forward and backward of N-fold size where the loss batches, else N small ones of about 0.15 ms.

    Attributes:
        batched: whether one backward serves all data sets; None before it was tried.
        lifted: whether casts to lower precision inside the function are lifted to float64.
    """

    call: Call
    name: str
    batched: bool | None = None
    lifted: bool = False
    _compared: set[tuple[int, ...]] = field(default_factory=set, repr=False)

    def __call__(self, leaves: Mapping[str, np.ndarray], constants: Mapping[str, Any], arrays: frozenset[str]) -> Found:
        """Derivatives (N, ...) a leaf, and losses (N,). `arrays` names the constants with a leading axis of data sets.

        Raises:
            UserFunctionError: the loss is not a scalar.
        """
        leaf = {c: torch.from_numpy(np.array(value, dtype=np.float64)) for c, value in leaves.items()}
        varying = {c: tensor(constants[c]) for c in arrays}
        fixed = {c: value for c, value in constants.items() if c not in arrays}
        first = next(iter(leaf.values()))
        n, shape = len(first), tuple(first.shape[1:])
        scalar = lambda values: _scalar(self.call(values), self.name)
        with precision(self.lifted):
            if n > FEW and self.batched is not False:
                try:
                    parts = [slice(begin, begin + CHUNK) for begin in range(0, n, CHUNK)]
                    found = [_batched(scalar, _cut(leaf, part), _cut(varying, part), fixed) for part in parts]
                    slopes, losses = {c: np.concatenate([f[0][c] for f in found]) for c in leaf}, np.concatenate([f[1] for f in found])
                    which = np.linspace(0, n - 1, FEW).astype(int)
                    if shape not in self._compared and not _same(
                        (_cut(slopes, which), losses[which]), _loop(scalar, _cut(leaf, which), _cut(varying, which), fixed)
                    ):
                        raise ValueError("the batched derivative differs from the loop")
                except Exception:  # whatever vmap cannot do; an error of the user's own comes again in the loop
                    self.batched = False
                else:
                    self.batched = True
                    self._compared.add(shape)
                    return slopes, losses
            return _loop(scalar, leaf, varying, fixed)


class TorchAdapter:
    """Calls of torch functions by the names of their arguments, and their derivatives.

    Attributes:
        lifted: whether casts to lower precision are lifted to float64.
    """

    framework = "torch"

    def __init__(self) -> None:
        self.lifted = False
        self._derivative: LossDerivative | None = None

    @property
    def batched(self) -> bool | None:
        """Whether one backward serves all data sets; None before it was tried."""
        return None if self._derivative is None else self._derivative.batched

    def concatenate(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """Tensors, end to end."""
        return torch.cat(list(parts))

    def forget(self) -> None:
        """The arguments get another rank or type: whether the function batches is open again."""
        self._derivative = None

    def peek(self, call: Call, leaves: Mapping[str, Any], rest: Mapping[str, Any]) -> tuple[tuple[int, ...] | None, frozenset[str] | None]:
        """(shape of the result on one data set, or None if it is no array; the leaves that its graph contains, or None if it is no tensor)."""
        with precision(self.lifted):
            roots = {c: torch.from_numpy(np.array(v, dtype=np.float64)).requires_grad_() for c, v in leaves.items()}
            found = call({**{c: root.clone() for c, root in roots.items()}, **{c: tensor(v) for c, v in rest.items()}})
            if isinstance(found, torch.Tensor):
                if not found.requires_grad:
                    return tuple(found.shape), frozenset()
                slopes = torch.autograd.grad(found.sum(), list(roots.values()), allow_unused=True)
                return tuple(found.shape), frozenset(c for c, slope in zip(roots, slopes, strict=True) if slope is not None)
        try:
            return None if found is None else np.asarray(found, dtype=np.float64).shape, None
        except (TypeError, ValueError, RuntimeError):
            return None, None

    def result(self, call: Call, name: str, values: Mapping[str, Any]) -> np.ndarray:
        """The function's array on one data set, detached, in float64.

        Raises:
            UserFunctionError: it is no array.
        """
        with precision(self.lifted):
            found = call({c: tensor(v) for c, v in values.items()})
        if isinstance(found, torch.Tensor):
            return found.detach().cpu().numpy().astype(np.float64)
        try:
            if found is not None:
                return np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError, RuntimeError):
            pass
        raise UserFunctionError(f"{name} returned {type(found).__name__}, not an array of numbers. Is a return missing?")

    def derivative(self, call: Call, name: str, leaves: Mapping[str, np.ndarray], rest: Mapping[str, Any], arrays: frozenset[str]) -> Found:
        """Derivatives of a loss at its leaves, and the losses; see `LossDerivative`."""
        if self._derivative is None:
            self._derivative = from_loss(call, name=name)
        self._derivative.lifted = self.lifted
        return self._derivative(leaves, rest, arrays)


def _cut(values: Mapping[str, Any], part: Any) -> dict[str, Any]:
    return {c: v[part] for c, v in values.items()}


def _scalar(loss: object, name: str) -> torch.Tensor:
    if isinstance(loss, int | float):
        return torch.tensor(float(loss))  # a loss that starts at 0.0 and adds nothing on this data set
    if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
        what = f"shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else type(loss).__name__
        raise UserFunctionError(
            f"{name} returned {what}, not a scalar loss. Reduce it, for instance with .mean() or .sum(), or return the loss first."
        )
    return loss.reshape(())


def _loop(scalar: Call, leaf: Mapping[str, torch.Tensor], varying: Mapping[str, Any], fixed: Mapping[str, Any]) -> Found:
    names, n = list(leaf), len(next(iter(leaf.values())))
    slopes = {c: torch.zeros_like(value) for c, value in leaf.items()}
    losses = np.zeros(n)
    columns = [(c, value) for c, value in varying.items()]
    for i in range(n):
        roots = [leaf[c][i].detach().requires_grad_() for c in names]
        own = {
            c: root.clone() for c, root in zip(names, roots, strict=True)
        }  # not the leaf itself: user code may write into it, as it may in training
        own.update((c, value[i].clone() if isinstance(value, torch.Tensor) else value[i].copy()) for c, value in columns)
        own.update(fixed)
        loss = scalar(own)
        losses[i] = float(loss.detach())
        if not loss.requires_grad:
            continue  # constant on this data set, for instance zero when every row is filtered out
        for c, slope in zip(names, torch.autograd.grad(loss, roots, allow_unused=True), strict=True):
            if slope is not None:
                slopes[c][i] = slope
    return {c: value.numpy() for c, value in slopes.items()}, losses


def _batched(scalar: Call, leaf: Mapping[str, torch.Tensor], varying: Mapping[str, Any], fixed: Mapping[str, Any]) -> Found:
    alike = {c for c, value in varying.items() if not _is_float(value) and bool((value == value[:1]).all())}
    shared = {**fixed, **{c: varying[c][0] for c in alike}}  # groups and masks that all data sets have in common may steer the control flow
    copies = lambda: {c: v.clone() if isinstance(v, torch.Tensor) else v.copy() if isinstance(v, np.ndarray) else v for c, v in shared.items()}
    loss = lambda own, others: scalar({**own, **others, **copies()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # operations without a batching rule are slow, not wrong
        others = {c: v.clone() for c, v in varying.items() if c not in alike}  # vmap writes through to what it is given
        slopes, losses = torch.func.vmap(torch.func.grad_and_value(loss))(dict(leaf), others)
    return {c: value.detach().numpy() for c, value in slopes.items()}, losses.detach().cpu().numpy().astype(float)


def _is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point() and not bool(((value == 0) | (value == 1)).all())


def _same(found: Found, expected: Found) -> bool:
    """Equal up to the order of sums; NaN at the same places."""
    close = lambda x, y: np.allclose(x, y, rtol=1e-10, atol=1e-13, equal_nan=True)
    return close(found[1], expected[1]) and all(close(found[0][c], expected[0][c]) for c in expected[0])
