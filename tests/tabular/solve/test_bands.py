"""Transitions by diagonals against the same as a dense table."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.bands import Bands
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.iteration.policy import policy_iteration
from pgtheory.tabular.solve.play import SMALL, Play
from pgtheory.tabular.solve.structure import Structure


def table(S: int, A: int, below: int, above: int, seed: int = 0) -> np.ndarray:
    """Random rows (S, A, S) between those diagonals, some of them ending the episode; the corners are cut off, so that the first and last rows are shorter."""
    rng = np.random.default_rng(seed)
    s, t = np.arange(S)[:, None], np.arange(S)[None]
    P = rng.random((S, A, S)) * ((t - s >= -below) & (t - s <= above))[:, None]
    return P / (P.sum(axis=2, keepdims=True) + 0.2 * rng.random((S, A, 1)))


BANDS = [(1, 1), (2, 1), (1, 2), (0, 3), (3, 0), (0, 0)]


@pytest.mark.parametrize(("below", "above"), BANDS)
def test_chains_and_expectations_against_the_dense_table(below, above):
    P, rng = table(30, 3, below, above), np.random.default_rng(1)
    bands = Bands.of(sp.csr_array(P.reshape(90, 30)), 3, 16)
    policy, V = rng.integers(0, 3, 30), rng.normal(size=30)
    np.testing.assert_array_equal(bands.chain(policy).toarray(), P[np.arange(30), policy])
    np.testing.assert_allclose(bands.expectation(V), P @ V, atol=1e-15 * 8 * abs(V).max(), rtol=0)


def test_states_fewer_than_diagonals():
    P = table(2, 2, 1, 1)
    bands = Bands.of(sp.csr_array(P.reshape(4, 2)), 2, 16)
    np.testing.assert_array_equal(bands.chain(np.array([1, 0])).toarray(), np.array([P[0, 1], P[1, 0]]))


def test_refused_where_the_band_is_wide_or_mostly_empty():
    wide = sp.csr_array(table(30, 2, 4, 4).reshape(60, 30))
    assert Bands.of(wide, 2, 16) is None and Bands.of(wide, 2, 32) is not None
    far = np.zeros((30, 2, 30))
    far[np.arange(20), :, np.arange(10, 30)] = 1  # nothing below the diagonal, and ten above of which nine are empty
    assert Bands.of(sp.csr_array(far.reshape(60, 30)), 2, 16) is None


def test_share_that_is_filled_is_that_of_all_actions():
    """Three diagonals that one action of four fills: a quarter. Three fill more than half."""
    P = table(30, 4, 1, 1)
    for first, kept in ((3, False), (1, True)):
        some = P.copy()
        some[:, 4 - first :] = 0
        assert (Bands.of(sp.csr_array(some.reshape(120, 30)), 4, 16) is not None) == kept


@pytest.mark.parametrize(("below", "above"), BANDS[:5])
def test_the_structure_of_a_chain_by_diagonals_is_that_of_its_rows(below, above):
    P = table(30, 1, below, above)
    K = Bands.of(sp.csr_array(P[:, 0]), 1, 16).chain(np.zeros(30, dtype=int))
    ours, rows = Structure(K, 0.9), Structure(sp.csr_array(P[:, 0]), 0.9)
    x = np.random.default_rng(2).normal(size=30)
    assert ours.bandwidth == rows.bandwidth == (below, above)
    assert ours.entries == rows.entries and ours.longest_row >= rows.longest_row and ours.longest_column >= rows.longest_column
    assert ours.contraction >= 0.9 * P.sum(axis=2).max()
    for transposed in (False, True):
        np.testing.assert_allclose(ours.product(x, transposed), rows.product(x, transposed), atol=1e-14, rtol=0)


@pytest.mark.parametrize(("below", "above"), [(1, 1), (2, 3), (0, 4)])
@pytest.mark.parametrize("gamma", [0.95, 1.0])
def test_policy_iteration_by_diagonals_against_the_dense_model(below, above, gamma):
    S, A = SMALL + 30, 3
    P, r = table(S, A, below, above, seed=3), np.random.default_rng(4).normal(size=(S, A))
    mu = np.full(S, 1 / S)
    narrow = Play.of(MDP(P=sp.csr_array(P.reshape(S * A, S)), r=r, mu=mu, gamma=gamma))
    assert narrow.bands is not None and narrow.linear == "banded" and narrow.chain(narrow.first).K.format == "dia"
    dense = Play.of(MDP(P=P, r=r, mu=mu, gamma=gamma))
    V, policy, _, _ = policy_iteration(narrow)
    expected, best, _, _ = policy_iteration(dense)
    bound = certify(dense, expected, best).bound
    assert abs(V - expected).max() <= bound + certify(dense, V, policy).bound <= 1e-8
