"""Relations accept what they should, refuse what they should, and never accept a NaN."""

from fractions import Fraction

import numpy as np
import pytest

from pgtheory.proofs.relations import UNIT, Apart, AtMost, Below, Certified, Derived, Equal, Exact, Rounding, gap
from pgtheory.tabular.errors import InvalidArgument


def test_equal_allows_the_stated_roundings_and_no_more():
    relation = Equal(Rounding(4))

    assert relation(8.0, 8.0 + 4 * UNIT * 8).holds
    assert not relation(8.0, 8.0 + 8 * UNIT * 8).holds


def test_scale_is_the_size_of_what_cancels():
    assert not Equal(Rounding(4))(1e-14, 0.0).holds
    assert Equal(Rounding(4, scale=100.0))(1e-14, 0.0).holds


def test_derived_tolerance_is_absolute_and_keeps_its_reason():
    found = Equal(Derived(0.5, "half a unit of the printed decimal"))(1.0, 1.4)

    assert found.holds
    assert found.origin == "half a unit of the printed decimal"


def test_at_most_is_an_upper_bound_entry_by_entry():
    assert AtMost()([1.0, 2.0], [1.0, 3.0]).holds
    assert not AtMost()([1.0, 3.1], [1.0, 3.0]).holds


def test_below_needs_the_whole_gap():
    assert Below(0.5)(1.0, 1.5).holds
    assert not Below(0.5)(1.0, 1.4).holds
    assert not Below(0.5)([1.0, 1.0], [1.4, 9.0]).holds


def test_apart_needs_the_gap_somewhere():
    assert Apart(1.0)([0.0, 0.0], [0.0, 1.0]).holds
    assert not Apart(1.0)([0.0, 0.0], [0.5, 0.9]).holds


@pytest.mark.parametrize(("sign", "holding"), [("=", [2]), ("<=", [2, 3]), (">=", [1, 2])])
def test_exact_holds_without_rounding(sign, holding):
    """Of the second entry, left is 2; the first entries are equal."""
    assert [right for right in (1, 2, 3) if Exact(sign)([0, 2], [0, right]).holds] == holding


def test_exact_misses_by_the_largest_excess():
    left, right = [Fraction(1, 2), 0, 0], [0, Fraction(2, 3), 0]

    assert [gap(Exact(sign), left, right) for sign in ("=", "<=", ">=")] == ["-2/3", "1/2", "2/3"]
    assert [Exact(sign)(left, right).distance for sign in ("=", "<=", ">=")] == [2 / 3, 1 / 2, 2 / 3]


def test_exact_compares_something_and_no_floats():
    assert not any(Exact(sign)([], []).holds for sign in ("=", "<=", ">="))
    with pytest.raises(InvalidArgument, match="is a float"):
        Exact()(0.5, Fraction(1, 2))


@pytest.mark.parametrize("relation", [Equal(), AtMost(), Below(0.1), Apart(0.1), Equal(Derived(1e9, "whatever it may be"))])
@pytest.mark.parametrize(("left", "right"), [(np.nan, 1.0), (1.0, np.nan), ([1.0, np.nan], [1.0, 2.0])])
def test_nan_satisfies_nothing(relation, left, right):
    assert not relation(left, right).holds


def test_shapes_that_do_not_fit_are_an_error():
    with pytest.raises(InvalidArgument, match=r"shapes \(2,\) and \(3,\)"):
        Equal()([1.0, 2.0], [1.0, 2.0, 3.0])


def test_balls_are_compared_for_sure_or_not_at_all():
    from pgtheory.tabular.exact.balls import ball

    third = ball(1.0) / 3
    assert Certified()([third, 1], [third + 1, 1]).holds
    assert not Certified()([third, 1], [third + 1, 0]).holds
    assert not Certified()([third, 1], [third, 0]).holds
    assert not Certified()([], []).holds
    with pytest.raises(InvalidArgument, match="nothing follows"):
        Certified()([third, 0], [third, 1])


def test_ball_that_may_be_anything_decides_nothing():
    from pgtheory.tabular.exact.balls import ball

    with pytest.raises(InvalidArgument, match="nothing follows"):
        Certified()(ball(-1.0).log(), ball(1.0))
