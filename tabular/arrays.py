"""Validation and freezing of arrays at the door of the library. Every message names the value, the place, the rule and the cure."""

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, PgtheoryError

ROUNDING = 1e-12
"""Slack of a sum of probabilities: 4096 terms of unit roundoff 2^-53, rounded up."""

COARSE = 1e-3
"""Excess of a sum up to which its error text takes it for the rounding of a shorter type: entries of float16 are wrong by up to 2^-11 of themselves."""


def freeze(name: str, values: object, *, dtype: type = np.float64, error: type[PgtheoryError] = InvalidModel) -> np.ndarray:
    """A read-only copy of `values` as an array of `dtype`; NaN, infinities, complex numbers and sparse matrices are refused."""
    if sp.issparse(values):
        raise error(f"{name} is a sparse matrix, which is not taken here. Give a full array: {name}.toarray().")
    try:
        if np.iscomplexobj(values):  # pyright: ignore[reportArgumentType]
            raise TypeError("its numbers are complex; take the real part if that is meant")
        array = np.array(values, dtype=dtype)
    except (TypeError, ValueError, RuntimeError) as problem:  # RuntimeError: a tensor that requires its gradient
        raise error(f"{name} is not an array of numbers ({problem}). Give nested lists or a numpy array of one shape.") from None
    if not np.isfinite(array).all():
        where = first(~np.isfinite(array))
        found = values if values is None else array[tuple(where)]
        raise error(f"{name}{where or ''} is {found}. Every entry must be a finite number: check how the array was built.")
    array.setflags(write=False)
    return array


def distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(first, same): numbers of the rows (N, X) that differ from every row before them, in order, and for each row which of these it equals, to the last bit.

    Minus zero is zero. Cost O(N log N) comparisons of rows.
    """
    rows = np.ascontiguousarray(rows + 0.0)
    _, index, same = np.unique(rows.view(np.dtype((np.void, rows.strides[0]))).ravel(), return_index=True, return_inverse=True)
    order = np.argsort(index)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return index[order], rank[same.ravel()]


def first(wrong: np.ndarray) -> list[int]:
    """Index of the first True of `wrong`, as a list that prints as `[3, 1]`."""
    return [int(i) for i in np.argwhere(wrong)[0]]


def largest(table: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "S"]:
    """The largest entry of each row, a column at a time: numpy is slow along short rows."""
    if table.shape[1] > 16:
        return table.max(axis=1)
    best = table[:, 0].copy()
    for a in range(1, table.shape[1]):
        np.maximum(best, table[:, a], out=best)
    return best


def require_shape(
    name: str, array: np.ndarray | sp.sparray, shape: tuple[int, ...], meaning: str, *, error: type[PgtheoryError] = InvalidModel
) -> None:
    """Refuse an array whose shape is not `shape`; `meaning` names the axes."""
    if tuple(array.shape) != shape:
        raise error(f"{name} has shape {tuple(array.shape)}, expected {shape} ({meaning}).")


def require_nonnegative(name: str, array: np.ndarray, *, error: type[PgtheoryError] = InvalidModel) -> None:
    """Refuse a negative probability."""
    if (array < 0).any():
        where = first(array < 0)
        raise error(f"{name}{where} is {array[tuple(where)]}, a negative probability. Probabilities are at least 0: clip rounding errors before.")


def require_substochastic(name: str, sums: np.ndarray) -> None:
    """Refuse row sums above one. `sums` has the leading axes of the rows."""
    if (sums > 1 + ROUNDING).any():
        where = first(sums > 1 + ROUNDING)
        total = sums[tuple(where)]
        cure = "For visit counts use MDP.from_counts." if total > 1 + COARSE else "Rounding, as of float32: divide each row by its sum, in float64."
        raise InvalidModel(
            f"{name}{where} sums to {total:.12g}, more than one. A row of {name} is a distribution over next states; "
            f"it may sum to less than one (the rest ends the episode) but not to more. {cure}"
        )


def require_distribution(name: str, array: np.ndarray, *, error: type[PgtheoryError] = InvalidModel) -> None:
    """Refuse an array whose last axis is not a distribution."""
    require_nonnegative(name, array, error=error)
    sums = np.asarray(array.sum(axis=-1))
    if (abs(sums - 1) > ROUNDING).any():
        index = tuple(first(abs(sums - 1) > ROUNDING))
        where, total = list(index) if index else "", sums[index]
        raise error(f"{name}{where} sums to {total:.12g}, not to one. Each row of {name} is a distribution: divide it by its sum, in float64.")


def require_between(name: str, value: float, low: float, high: float) -> float:
    """`value` as a float if low <= value <= high, else an error."""
    try:
        number = None if isinstance(value, str | bool | np.bool_) else float(value)
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise InvalidArgument(f"{name} is {value!r}, expected a number between {low:g} and {high:g}.")
    if not low <= number <= high:
        raise InvalidArgument(f"{name} is {value}, outside [{low:g}, {high:g}].")
    return number


def require_generator(rng: object) -> np.random.Generator:
    """`rng` if it is a generator, else an error."""
    if not isinstance(rng, np.random.Generator):
        raise InvalidArgument(f"rng is {rng!r}, expected a numpy Generator. Give np.random.default_rng(seed).")
    return rng


def require_count(name: str, value: object, *, least: int = 1) -> int:
    """`value` as an int if it is a whole number of at least `least`, else an error."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidArgument(f"{name} is {value!r}, expected a whole number of at least {least}.")
    return int(value)
