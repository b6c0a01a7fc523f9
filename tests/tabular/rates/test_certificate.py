"""A bound is held against every step; one violated step is enough."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.rates.certificate import against

T = np.arange(1, 101)
GAP = np.stack([1.0 / T, 2.0 / T], axis=1)


def test_upper_bound_that_holds_is_tight_where_it_touches():
    found = against(GAP, np.repeat(2.0 / T[:, None], 2, axis=1), T)

    assert found.holds.all()
    assert found.violated.tolist() == [-1, -1]
    np.testing.assert_allclose(found.tightness, [0.5, 1.0])


def test_one_step_violates():
    bound = np.repeat(2.0 / T[:, None], 2, axis=1)
    bound[40, 1] *= 0.999

    found = against(GAP, bound, T)

    assert found.holds.tolist() == [True, False]
    assert found.violated[1] == T[40]


def test_wrong_constant_is_caught():
    assert not against(GAP, 0.9 * GAP, T).holds.any()
    assert not against(GAP, 1.1 * GAP, T, side="lower").holds.any()


def test_lower_bound_reads_the_other_way():
    found = against(GAP, 0.5 / T[:, None] * np.ones((1, 2)), T, side="lower")

    assert found.holds.all()
    np.testing.assert_allclose(found.closest, [2.0, 4.0])


def test_rounding_of_the_quantity_is_forgiven_and_no_more():
    assert against(GAP, GAP - 1e-12, T, rounding=1e-12).holds.all()
    assert not against(GAP, GAP - 2e-12, T, rounding=1e-12).holds.any()


def test_nan_is_no_bound_and_no_gap():
    broken = GAP.copy()
    broken[3, 0] = np.nan

    assert not against(broken, GAP, T).holds[0]
    with pytest.raises(InvalidArgument, match="problem 0 at step 4"):
        against(GAP, broken, T)


def test_infinite_bound_holds_and_says_nothing():
    found = against(GAP, np.full_like(GAP, np.inf), T)

    assert found.holds.all()
    assert np.isnan(found.tightness).all()


def test_tightness_is_read_where_the_bound_is_above_rounding():
    bound = 2 * GAP
    bound[-10:] = 1e-18
    quantity = GAP.copy()
    quantity[-10:] = 1e-16

    found = against(quantity, bound, T, rounding=1e-15)

    assert found.holds.all()
    np.testing.assert_allclose(found.tightness, 0.5)
    np.testing.assert_allclose(found.closest, 0.5)


def test_identity_is_violated_from_either_side():
    assert against(GAP, GAP, T, side="equal").holds.all()
    assert not against(GAP, 1.01 * GAP, T, side="equal").holds.any()
    assert not against(GAP, 0.99 * GAP, T, side="equal").holds.any()


def test_shapes_must_fit():
    with pytest.raises(InvalidArgument, match="T = 100"):
        against(GAP, GAP[:, :1], T)
