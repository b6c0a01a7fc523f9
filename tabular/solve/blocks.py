"""A large sparse matrix by blocks of columns, for products with it and with its transpose that read and write at random within the cache only."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import require_shape
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.solve.compiled import compiled, on_threads, ranges, unsigned

BITS = 15
"""A block has 2**BITS columns: 128 kB of a vector in single precision. At most 16, for a column within its block has two bytes."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """The entries (N,) of a CSR matrix, those of a block of columns side by side, in a block in the order of the rows.

    By rows, a product reads the vector anywhere, and one with the transpose writes anywhere: what does not fit into the nearest cache costs a line of it an entry. Here
    either is done in a block at a time, which makes a product of a million states faster by a half, and of the transpose by ten times. Threads share out the blocks
    for the transpose, ranges of rows else; the sums do not depend on how many there are. Compiled only. Cost of a product: one pass over the entries.

    Attributes:
        within: column of an entry, less the first one of its block.
        rows: its row.
        values: its value.
        starts: the first entry of each range of rows and each block.
        stops: one past the last one.
        shape: (rows, columns).
        bits: a block has 2**bits columns.
    """

    within: Int[np.ndarray, "N"]
    rows: Int[np.ndarray, "N"]
    values: Float[np.ndarray, "N"]
    starts: Int[np.ndarray, "ranges blocks"]
    stops: Int[np.ndarray, "ranges blocks"]
    shape: tuple[int, int]
    bits: int

    @classmethod
    def of(cls, K: sp.csr_array) -> Self:
        """A copy of K. Each range of rows counts its entries of every block, which says where it may write. Cost: a pass over the columns, and one over the entries."""
        spans, (_, columns) = ranges(K.shape[0]), K.shape
        indptr, indices = unsigned(K.indptr), unsigned(K.indices)
        counts = np.zeros((len(spans), -(-columns >> BITS)), dtype=np.int64)
        on_threads(lambda span, own: compiled(count)(*span, indptr, indices, BITS, own), spans, list(counts))
        stops = np.cumsum(counts.T).reshape(counts.T.shape).T  # block after block, in each the ranges
        starts = stops - counts
        within, rows = np.empty(K.nnz, dtype=np.uint16), np.empty(K.nnz, dtype=np.uint32 if K.shape[0] <= 2**32 else np.uint64)
        values = np.empty(K.nnz, dtype=K.dtype)
        on_threads(
            lambda span, own: compiled(gather)(*span, indptr, indices, K.data, BITS, unsigned(own), within, rows, values),
            spans,
            list(starts.copy("C")),
        )
        return cls(within, rows, values, starts, stops, K.shape, BITS)

    @cached_property
    def single(self) -> Self:
        """The same in single precision, the places on the same memory."""
        values = np.empty(len(self.values), dtype=np.float32)
        parts = [slice(*span) for span in ranges(len(values))]
        on_threads(lambda part: np.copyto(values[part], self.values[part], casting="same_kind"), parts)
        return replace(self, values=values)

    @cached_property
    def longest_column(self) -> int:
        """Largest number of entries of a column."""
        lengths = on_threads(lambda start, stop: int(np.bincount(self.within[start:stop], minlength=1).max()), *self.of_blocks)
        return max(lengths, default=0)

    @property
    def of_blocks(self) -> tuple[list[int], list[int]]:
        """First entry, and one past the last one, of each block."""
        return self.starts[0].tolist(), self.stops[-1].tolist()

    def product(self, x: Float[np.ndarray, "n *k"], transposed: bool) -> Float[np.ndarray, "m *k"]:
        """K x, or K' x.

        Raises:
            InvalidArgument: x is too short or too long, which the compiled loops would not notice.
        """
        require_shape("x", x, (self.shape[not transposed], *x.shape[1:]), "as many rows as K, or K', has columns", error=InvalidArgument)
        sums = np.zeros((self.shape[transposed], *x.shape[1:]), dtype=self.values.dtype)
        if x.ndim == 2:
            for k, column in enumerate(x.T):
                sums[:, k] = self.product(np.ascontiguousarray(column), transposed)
            return sums
        if transposed:
            first = list(range(0, self.shape[1], 1 << self.bits))
            on_threads(
                lambda block, start, stop: compiled(add_transposed)(start, stop, self.within, self.rows, self.values, x, sums[block:]),
                first,
                *self.of_blocks,
            )
        else:
            on_threads(
                lambda starts, stops: compiled(add)(starts, stops, self.within, self.rows, self.values, self.bits, x, sums),
                list(self.starts.astype(np.uint64)),
                list(self.stops.astype(np.uint64)),
            )
        return sums


# The loops that are compiled: two over the rows start..stop, one over the entries of a range of rows, one over the entries start..stop of a block


def count(start, stop, indptr, indices, bits, counts):
    shift = np.uint32(bits)
    for j in range(indptr[start], indptr[stop]):
        counts[indices[j] >> shift] += 1


def gather(start, stop, indptr, indices, data, bits, places, within, rows, values):
    one, shift = np.uint64(1), np.uint32(bits)
    last = (np.uint32(1) << shift) - np.uint32(1)
    for i in range(np.uint64(start), np.uint64(stop)):
        for j in range(indptr[i], indptr[i + one]):
            block = indices[j] >> shift
            place = places[block]
            within[place], rows[place], values[place] = indices[j] & last, i, data[j]
            places[block] = place + one


def add(starts, stops, within, rows, values, bits, x, sums):
    for block in range(len(starts)):
        own = x[block << bits :]
        for j in range(starts[block], stops[block]):
            sums[rows[j]] += values[j] * own[within[j]]


def add_transposed(start, stop, within, rows, values, x, sums):
    for j in range(np.uint64(start), np.uint64(stop)):
        sums[within[j]] += values[j] * x[rows[j]]
