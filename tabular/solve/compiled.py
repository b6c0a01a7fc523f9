"""Loops over the entries of a kernel at the speed of the machine: on threads, and compiled by numba where it is installed (extra `fast`).

scipy holds no lock of the interpreter during a product with a sparse matrix, nor does a compiled loop: ranges of rows run beside each other in one process.

Conventions for whoever adds a compiled loop. It is a plain function over the rows start..stop of a CSR matrix, testable without numba, beside its numpy form,
which is used where `compiler()` is None and where the input is small: compiling costs a second once (then it is cached on disk). Whatever is an
index is without sign, `indptr`, `indices` and actions by `unsigned`, the row that is counted by np.uint64: a signed one is tested for being negative wherever it
is used, which halved the speed here (and mixed with one without sign it becomes a float). It writes what belongs to its
rows only. What it returns is combined in the order of the ranges, which do not depend on the number of threads: the same input gives the same bits.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Int

LEAST = 1_000_000
"""Entries from which on threads, and compiled loops, pay."""

CHUNKS = 4
"""Ranges of rows that work is cut into."""


@cache
def compiler() -> Callable[..., Any] | None:
    """numba.njit, or None where numba is not installed."""
    try:
        from numba import njit
    except ImportError:
        return None
    return njit


@cache
def compiled(loop: Callable[..., Any], *used: Callable[..., Any]) -> Callable[..., Any]:
    """The loop in machine code, with the other loops that it calls; the loop itself without numba."""
    njit = compiler()
    if njit is None:
        return loop
    if used:
        from numba.extending import register_jitable

        for other in used:
            register_jitable(other)
    return njit(cache=True, nogil=True)(loop)


def unsigned(indices: Int[np.ndarray, "n"]) -> np.ndarray:
    """The same numbers, for which compiled code does not test whether they are negative."""
    return indices.view(np.uint32 if indices.itemsize == 4 else np.uint64)


def ranges(rows: int) -> list[tuple[int, int]]:
    """CHUNKS ranges (start, stop) of nearly equal length that cover the rows."""
    edges = [rows * k // CHUNKS for k in range(CHUNKS + 1)]
    return list(pairwise(edges))


def on_threads(call: Callable[..., Any], *arguments: list[Any]) -> list[Any]:
    """call(a, b, ...) for the elements of the lists side by side, in their order; on one thread where there is one core."""
    pool = _pool()
    return list(map(call, *arguments) if pool is None else pool.map(call, *arguments))


@cache
def _pool() -> ThreadPoolExecutor | None:
    cores = min(os.cpu_count() or 1, CHUNKS)
    return ThreadPoolExecutor(cores, thread_name_prefix="pgtheory") if cores > 1 else None
