"""The transpose by rows against scipy's, with numba and without."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.solve import transpose as module
from pgtheory.tabular.solve.transpose import transposed_rows


@pytest.mark.parametrize("compiler", ["numba", "none"])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 30), (5, 40)])
def test_entries_stand_in_the_order_of_the_rows(monkeypatch, compiler, kind, shape):
    """Empty rows and columns, entries of a row in any order, some of them repeated."""
    if compiler == "none":
        monkeypatch.setattr(module, "compiler", lambda: None)
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 6, size=shape[0])
    K = sp.csr_array(
        (rng.random(counts.sum()).astype(kind), rng.integers(0, shape[1], size=counts.sum()), np.concatenate([[0], np.cumsum(counts)])), shape=shape
    )

    found, expected = transposed_rows(K), K.T.tocsr()

    assert found.shape == (shape[1], shape[0]) and found.dtype == kind
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.data, expected.data)


def test_indices_take_four_bytes_and_count_beyond_two():
    """70 000 rows that lead to one column: the last place is beyond 16 bits; wider indices would double what a product reads."""
    found = transposed_rows(sp.csr_array(np.ones((70_000, 1))))

    assert found.indptr.tolist() == [0, 70_000] and (found.indices == np.arange(70_000)).all()
    assert found.indices.dtype == found.indptr.dtype == np.int32
