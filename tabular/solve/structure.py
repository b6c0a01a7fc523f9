"""What the pattern of a kernel says about the linear system M x = b, M = I - gamma K, before anything is solved."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int
from scipy.sparse.csgraph import reverse_cuthill_mckee

from pgtheory.tabular.models.mdp import nonzeros, row_sums
from pgtheory.tabular.solve.blocks import Blocks
from pgtheory.tabular.solve.compiled import LEAST, compiler, on_threads, ranges

UNIT = 2.0**-53
"""Unit roundoff of float64."""


LARGE = 10_000_000
"""Entries from which on the memory limits a product: sweeps read K in single precision. Below, all stays in the cache."""


@dataclass(frozen=True, eq=False)
class Structure:
    """A kernel K (S, S) without negative entries, dense, CSR (entries of a row in any order, also repeated) or by diagonals, and the discount of M = I - gamma K.

    Everything is computed when first asked for. Cost: one pass over the entries each; `order` a sort of the neighbours of each state.
    """

    K: Any  # np.ndarray | sp.csr_array: no type checker follows `sparse`
    gamma: float

    @property
    def size(self) -> int:
        """Number of states S."""
        return self.K.shape[0]

    @cached_property
    def sparse(self) -> bool:
        """Whether K is stored by its nonzero entries."""
        return sp.issparse(self.K)

    @cached_property
    def by_diagonals(self) -> bool:
        """Whether K is a dia_array."""
        return self.sparse and self.K.format == "dia"

    @property
    def entries(self) -> int:
        """Number of stored entries, zeros included."""
        return self.K.nnz if self.sparse else self.K.size

    @cached_property
    def longest_row(self) -> int:
        """Largest number of entries of a row."""
        if self.by_diagonals:
            return len(self.K.offsets)
        return int(nonzeros(self.K).max(initial=0)) if self.sparse else self.size

    @cached_property
    def longest_column(self) -> int:
        """Largest number of entries of a column."""
        if self.by_diagonals:
            return len(self.K.offsets)
        if "blocks" in self.__dict__:
            return self.blocks.longest_column
        return int(np.bincount(self.K.indices, minlength=1).max()) if self.sparse else self.size

    def product(self, x: Float[np.ndarray, "S *k"], transposed: bool) -> Float[np.ndarray, "S *k"]:
        """K x, or K' x; on threads where K is sparse and large, K' by blocks if compiled. Cost: one pass over the entries, memory of K' x a few times that of x."""
        if not self.sparse or self.by_diagonals or self.entries < LEAST:
            return (self.transposed if transposed else self.K) @ x
        starts, parts = self.parts
        if not transposed:
            return np.concatenate(on_threads(lambda part: part @ x, parts))
        if compiler():
            return self.blocks.product(x, True)
        sums = on_threads(lambda start, part: part.T @ x[start : start + part.shape[0]], starts, parts)
        return np.add.reduce(sums)

    @cached_property
    def transposed(self) -> Any:
        """K' on the same memory."""
        return self.K.T

    @cached_property
    def parts(self) -> tuple[list[int], list[sp.csr_array]]:
        """Ranges of rows of a sparse K, without a copy: their first rows, and the matrices."""
        K, rows = self.K, ranges(self.size)
        return [i for i, _ in rows], [view(K, i, j) for i, j in rows]

    @cached_property
    def blocks(self) -> Blocks:
        """K by blocks of columns, compiled. It costs as much as a handful of products."""
        return Blocks.of(self.K)

    @cached_property
    def single(self) -> "Structure | Blocks":
        """K in single precision, for products: by blocks if compiled; else its pattern on the same memory (`astype` of scipy would sort the entries of each row
        before, which takes as long as ten products)."""
        if self.by_diagonals:
            return Structure(self.K.astype(np.float32), self.gamma)
        if compiler():
            return self.blocks.single
        single = view(self.K, 0, self.size)
        single.data = self.K.data.astype(np.float32)
        return Structure(single, self.gamma)

    @cached_property
    def row_sums(self) -> Float[np.ndarray, "S"]:
        """K 1."""
        return row_sums(self.K) if self.sparse and not self.by_diagonals else self.product(np.ones(self.K.shape[1]), False)

    @cached_property
    def contraction(self) -> float:
        """At least |gamma K|_inf: the largest row sum of gamma K, with the rounding of that sum."""
        return self.gamma * float(self.row_sums.max(initial=0)) * (1 + 2 * (self.longest_row + 2) * UNIT)

    @cached_property
    def constant_sum(self) -> bool:
        """Whether all rows have one sum, so that K 1 is a multiple of 1."""
        low, high = self.row_sums.min(initial=np.inf), self.row_sums.max(initial=0)
        return bool(high - low <= 4 * (self.longest_row + 2) * UNIT)

    @cached_property
    def bandwidth(self) -> tuple[int, int]:
        """Largest distance of an entry below and above the diagonal."""
        return bandwidth(self.K)

    @cached_property
    def order(self) -> Int[np.ndarray, "S"]:
        """The states in reverse Cuthill-McKee order, which keeps neighbours close (George and Liu 1981, Section 4.3)."""
        return reverse_cuthill_mckee(sp.csr_array(self.K), symmetric_mode=False)

    @cached_property
    def ordered(self) -> sp.csr_array:
        """K with rows and columns in that order."""
        return sp.csr_array(self.K)[self.order][:, self.order]

    @cached_property
    def ordered_bandwidth(self) -> tuple[int, int]:
        """The bandwidth of `ordered`."""
        return bandwidth(self.ordered)


def view(K: sp.csr_array, start: int, stop: int) -> sp.csr_array:
    """Rows start..stop of K, on the same memory: the constructor would copy a part of less than half of it."""
    part = sp.csr_array((stop - start, K.shape[1]), dtype=K.dtype)
    first, last = K.indptr[start], K.indptr[stop]
    part.data, part.indices, part.indptr = K.data[first:last], K.indices[first:last], K.indptr[start : stop + 1] - first
    return part


def bandwidth(K: Any) -> tuple[int, int]:
    """(l, u) with K[i, j] = 0 unless -u <= i - j <= l; (0, 0) without entries."""
    if not sp.issparse(K):
        i, j = np.nonzero(K)
        return (int((i - j).max(initial=0)), int((j - i).max(initial=0)))
    if K.format == "dia":
        return max(-int(K.offsets.min()), 0), max(int(K.offsets.max()), 0)
    filled = np.flatnonzero(np.diff(K.indptr))
    if not len(filled):
        return 0, 0
    starts, stops = K.indptr[filled], K.indptr[filled + 1]
    if K.has_sorted_indices:
        left, right = K.indices[starts], K.indices[stops - 1]
    else:
        left, right = np.minimum.reduceat(K.indices, starts), np.maximum.reduceat(K.indices, starts)
    return int((filled - left).max(initial=0)), int((right - filled).max(initial=0))
