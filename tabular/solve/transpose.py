"""The transpose of a large sparse matrix by rows, on threads."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from pgtheory.tabular.solve.compiled import compiled, compiler, on_threads, ranges, unsigned


def transposed_rows(K: sp.csr_array) -> sp.csr_array:
    """K' as CSR; entries of a row in the order of the rows of K, so that the sums of a product do not depend on the number of threads.

    A sort by counting: each range of rows of K counts its entries of every column, which says where it may write. Without numba scipy does the same on one
    core. Cost: two passes over the entries, S counters for each range.
    """
    if compiler() is None:
        return sp.csr_array(K.T.tocsr())
    spans, columns = ranges(K.shape[0]), K.shape[1]
    kind = np.int32 if K.nnz < 2**31 else np.int64
    indptr, indices, data = unsigned(K.indptr), unsigned(K.indices), K.data
    counts = np.zeros((len(spans), columns), dtype=kind)
    on_threads(lambda span, own: compiled(count)(*span, indptr, indices, own), spans, list(counts))
    ends = np.zeros(columns + 1, dtype=kind)
    np.cumsum(counts.sum(axis=0, dtype=kind), out=ends[1:])
    places = ends[:-1] + np.cumsum(counts, axis=0, dtype=kind) - counts
    rows, values = np.empty(K.nnz, dtype=kind), np.empty(K.nnz, dtype=data.dtype)
    on_threads(lambda span, own: compiled(scatter)(*span, indptr, indices, data, unsigned(own), unsigned(rows), values), spans, list(places))
    flipped: Any = sp.csr_array((values, rows, ends), shape=(columns, K.shape[0]))
    return flipped


# The loops that are compiled, over the rows start..stop


def count(start, stop, indptr, indices, counts):
    for j in range(indptr[start], indptr[stop]):
        counts[indices[j]] += 1


def scatter(start, stop, indptr, indices, data, places, rows, values):
    one = np.uint64(1)
    for i in range(np.uint64(start), np.uint64(stop)):
        for j in range(indptr[i], indptr[i + one]):
            place = places[indices[j]]
            rows[place], values[place] = i, data[j]
            places[indices[j]] = place + one
