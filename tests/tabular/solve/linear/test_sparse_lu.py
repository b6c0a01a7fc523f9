"""SuperLU in the order that suits the pattern."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from pgtheory.tabular.solve.linear.solver import Refused
from pgtheory.tabular.solve.linear.sparse_lu import SparseLU
from pgtheory.tabular.solve.structure import Structure


def fill(factors):
    return factors.L.nnz + factors.U.nnz


def test_a_grid_fills_half_as_much_as_in_the_default_order(structures):
    K = sp.csr_array(structures["grid"](2500, np.random.default_rng(0)))

    mine, default = SparseLU(Structure(K, 0.99)).factors, splu((sp.eye_array(2500) - 0.99 * K).tocsc())

    assert fill(mine) <= 0.7 * fill(default)


def test_a_tree_fills_nothing(structures):
    K = sp.csr_array(structures["tree"](300, np.random.default_rng(0)))

    assert fill(SparseLU(Structure(K, 0.9)).factors) == K.nnz + 2 * 300


def test_a_singular_matrix_is_refused():
    with pytest.raises(Refused, match="singular"):
        SparseLU(Structure(sp.csr_array(np.eye(2)), 1.0))
