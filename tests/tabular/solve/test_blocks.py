"""Products by blocks of columns against scipy's, with a matrix and with its transpose."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.solve import blocks as module
from pgtheory.tabular.solve import compiled
from pgtheory.tabular.solve.blocks import Blocks

UNIT = {np.float64: 2.0**-53, np.float32: 2.0**-24}


def scattered(shape, kind=np.float64, index=np.int32):
    """Empty rows and columns, entries of a row in any order, some of them repeated."""
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 6, size=shape[0]) * (shape[1] > 0)
    columns = rng.integers(0, max(shape[1], 1), size=counts.sum(), dtype=index)
    return sp.csr_array((rng.normal(size=counts.sum()).astype(kind), columns, np.concatenate([[0], np.cumsum(counts)]).astype(index)), shape=shape)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("bits", [0, 2, module.BITS])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 30), (5, 40), (4, 0)])
def test_products_are_those_of_scipy(monkeypatch, kind, index, bits, shape):
    """Blocks of one column, of four with a narrower last one, of all. A sum of n terms of one matrix errs by n units of what it adds up."""
    monkeypatch.setattr(module, "BITS", bits)
    K, rng = scattered(shape, kind, index), np.random.default_rng(1)
    table = sp.csr_array((K.data.astype(float), K.indices, K.indptr), shape=shape).toarray()
    sizes = sp.csr_array((abs(K.data.astype(float)), K.indices, K.indptr), shape=shape).toarray()

    found = Blocks.of(K)

    assert found.longest_column == np.bincount(K.indices, minlength=1).max()
    for transposed, M, size in ((False, table, sizes), (True, table.T, sizes.T)):
        for columns in ((), (3,), (0,)):
            x = rng.normal(size=(M.shape[1], *columns)).astype(kind)
            y = found.product(x, transposed)
            assert y.dtype == kind and y.shape == (M.shape[0], *columns)
            assert (abs(y - M @ x) <= 40 * UNIT[kind] * (size @ abs(x))).all()


def test_more_rows_than_two_bytes_count():
    found = Blocks.of(sp.csr_array(np.ones((70_000, 1))))

    assert (found.product(np.array([2.0]), False) == 2).all()
    assert found.product(np.arange(70_000.0), True).tolist() == [70_000 * 69_999 / 2]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("rows", [0, 4, 6, 9])
def test_a_factor_of_another_length_is_refused(transposed, rows):
    """Compiled loops would read beyond it."""
    with pytest.raises(InvalidArgument, match=rf"x has shape \({rows}, 2\), expected \({8 if transposed else 5}, 2\)"):
        Blocks.of(scattered((8, 5))).product(np.ones((rows, 2)), transposed)


def test_a_column_in_its_block_fits_two_bytes():
    """A block of 2**17 columns would take one for another."""
    assert 0 <= module.BITS <= 16


def test_more_columns_than_a_block_has():
    """Three blocks of the real width, the last of one column."""
    width = 2**module.BITS
    columns = np.array([2 * width, 0, width - 1, width, 2 * width, 7, width], dtype=np.int32)
    K = sp.csr_array((np.arange(1.0, 8.0), columns, np.array([0, 3, 3, 7], dtype=np.int32)), shape=(3, 2 * width + 1))
    found, x = Blocks.of(K), np.zeros(2 * width + 1)
    x[[0, 7, width - 1, width, 2 * width]] = [1, 10, 100, 1000, 10000]

    assert found.product(x, False).tolist() == [10000 + 2 + 300, 0, 4000 + 50000 + 60 + 7000]
    back = found.product(np.array([1.0, 5.0, 10.0]), True)
    assert back[[0, 7, width - 1, width, 2 * width]].tolist() == [2, 60, 3, 110, 51] and np.count_nonzero(back) == 5
    assert found.longest_column == 2


def test_entries_of_a_block_stand_in_the_order_of_the_rows(monkeypatch):
    """Hence the sums do not depend on the ranges that count them, nor on the threads that add them."""
    monkeypatch.setattr(module, "BITS", 2)
    K = scattered((40, 30))
    found = Blocks.of(K)

    for start, stop in zip(*found.of_blocks, strict=True):
        assert (np.diff(found.rows[start:stop].astype(int)) >= 0).all()
    x = np.random.default_rng(2).normal(size=40)
    monkeypatch.setattr(compiled, "_pool", lambda: None)
    alone = found.product(x, True), found.product(x[:30], False)
    monkeypatch.undo()
    np.testing.assert_array_equal(found.product(x, True), alone[0])
    np.testing.assert_array_equal(found.product(x[:30], False), alone[1])


def test_single_precision_shares_the_places():
    found = Blocks.of(scattered((40, 30)))

    assert found.single.values.dtype == np.float32 and found.single.rows is found.rows and found.single.within is found.within
    np.testing.assert_array_equal(found.single.values, found.values.astype(np.float32))


@pytest.mark.parametrize("transposed", [False, True])
def test_the_loops_without_a_compiler(monkeypatch, transposed):
    """The plain functions, which is what is compiled."""
    monkeypatch.setattr(module, "compiled", lambda loop: loop)
    monkeypatch.setattr(module, "BITS", 2)
    K = scattered((12, 9))
    x = np.random.default_rng(3).normal(size=12 if transposed else 9)

    np.testing.assert_allclose(Blocks.of(K).product(x, transposed), (K.T if transposed else K) @ x, rtol=0, atol=1e-14)
