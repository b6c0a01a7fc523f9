"""What a pattern says, against the dense matrix; products on threads against products without."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.solve import structure as module
from pgtheory.tabular.solve.structure import Structure, bandwidth


@pytest.mark.parametrize("form", ["dense", "fortran", "csr", "repeated"])
def test_every_form_of_a_kernel_says_the_same(kernel, forms, form):
    K = kernel(36)
    s = Structure(forms[form](K), 0.9)
    i, j = np.nonzero(K)

    assert s.bandwidth == (max((i - j).max(), 0), max((j - i).max(), 0))
    np.testing.assert_allclose(s.row_sums, K.sum(axis=1), atol=1e-15)
    assert 0.9 * K.sum(axis=1).max() <= s.contraction <= 0.9 * K.sum(axis=1).max() * (1 + 1e-13)
    assert s.longest_row >= np.count_nonzero(K, axis=1).max()
    assert s.longest_column >= np.count_nonzero(K, axis=0).max()
    for x in (np.arange(36.0), np.arange(72.0).reshape(36, 2)):
        np.testing.assert_allclose(s.product(x, False), K @ x, rtol=1e-13)
        np.testing.assert_allclose(s.product(x, True), K.T @ x, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "constant"), [("garnet", True), ("walk", True), ("cycle", True), ("grid", False), ("absorbing", False), ("tree", False)]
)
def test_rows_of_one_sum(structures, name, constant):
    """The corner cells of the grid have the same sums as the others: it is the only one whose sums are constant and below one."""
    K = structures[name](36, np.random.default_rng(0))

    assert Structure(K, 0.9).constant_sum == (constant or name == "grid")


def test_a_row_that_misses_by_little_more_than_rounding_is_seen():
    K = np.full((4, 4), 0.25)
    K[2] *= 1 - 1e-13

    assert not Structure(K, 0.9).constant_sum


def test_the_contraction_covers_the_exact_sum():
    """The exact sum of ten times the float nearest 0.1 is above 1, the rounded one may be below."""
    K = np.zeros((10, 10))
    K[:] = 0.1
    assert Structure(K, 1.0).contraction > 1


def test_the_order_narrows_a_shuffled_walk(structures):
    rng = np.random.default_rng(0)
    shuffle = rng.permutation(300)
    s = Structure(sp.csr_array(structures["walk"](300, rng)[np.ix_(shuffle, shuffle)]), 0.9)

    assert sorted(s.order) == list(range(300))
    assert max(s.bandwidth) > 100 and max(s.ordered_bandwidth) <= 2


@pytest.mark.parametrize("K", [np.zeros((3, 3)), sp.csr_array((3, 3)), np.zeros((0, 0)), sp.csr_array((0, 0))])
def test_no_entries(K):
    s = Structure(K, 0.9)

    assert bandwidth(K) == (0, 0) == s.bandwidth
    assert s.contraction == 0 and s.product(np.ones(K.shape[0]), True).tolist() == [0] * K.shape[0]


def test_products_on_threads_are_the_same(monkeypatch, structures):
    """K x in the same bits, K' x to rounding: its parts are added in another order. Twice the same bits."""
    K, rng = sp.csr_array(structures["garnet"](101, np.random.default_rng(0))), np.random.default_rng(1)
    for x in (rng.standard_normal(101), rng.standard_normal((101, 3))):
        alone = Structure(K, 0.9)
        plain, plain_t = alone.product(x, False), alone.product(x, True)
        monkeypatch.setattr(module, "LEAST", 1)
        threaded = Structure(K, 0.9)

        assert (threaded.product(x, False) == plain).all()
        np.testing.assert_allclose(threaded.product(x, True), plain_t, rtol=1e-13, atol=1e-15)
        assert (threaded.product(x, True) == threaded.product(x, True)).all()
        monkeypatch.undo()


@pytest.mark.parametrize("numba", [True, False])
def test_transposed_product_by_blocks_is_the_same(monkeypatch, numba):
    """Above LEAST entries, if compiled, K is kept by blocks besides; the sums are the same numbers in another order."""
    K = sparse_garnet(S=400, A=1).P
    x = np.random.default_rng(0).normal(size=400)
    plain = K.T @ x
    monkeypatch.setattr(module, "LEAST", 1)
    if not numba:
        monkeypatch.setattr(module, "compiler", lambda: None)

    found = Structure(K, 0.9)

    # 400 numbers of size one with at most a few dozen in a sum
    np.testing.assert_allclose(found.product(x, True), plain, rtol=0, atol=1e-14)
    assert ("blocks" in vars(found)) == numba
    assert found.longest_column == np.bincount(K.indices).max()
    two = np.stack([x, 2 * x], axis=1)
    np.testing.assert_allclose(found.product(two, True), np.stack([plain, 2 * plain], axis=1), rtol=0, atol=1e-14)
    for transposed, M in ((False, K), (True, K.T)):
        single = found.single.product(x.astype(np.float32), transposed)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, M @ x, rtol=0, atol=1e-5)
