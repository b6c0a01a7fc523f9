"""Rates of sequences whose rate is known in closed form."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.rates.fit import change_point, identify, local_exponents

T = np.arange(20_001)


@pytest.mark.parametrize("p", [0.5, 2 / 3, 1.0, 2.0])
@pytest.mark.parametrize("shift", [1.0, 30.0])
def test_power_is_named_with_its_exponent(p, shift):
    found = identify(3.0 / (T + shift) ** p)

    assert found.kind == "power"
    # the local exponent of (t + s)^-p over [T/2, T] is off by the relative amount s / T at most
    assert found.exponent[0] == pytest.approx(p, rel=2 * shift / T[-1])
    assert found.exponent[1] <= found.exponent[0] <= found.exponent[2]


@pytest.mark.parametrize("rho", [0.5, 0.9, 0.999])
def test_linear_is_named_with_its_factor(rho):
    t = np.arange(int(-600 / np.log(rho)) if rho < 0.99 else 20_001)

    found = identify(5.0 * rho**t)

    assert found.kind == "linear"
    assert found.factor[0] == pytest.approx(rho, rel=1e-12)


def test_linear_with_a_power_in_front_is_linear():
    t = np.arange(1, 4001)

    assert identify(0.99**t / t, t).kind == "linear"


def test_quadratic_convergence_is_superlinear():
    t = np.arange(10)

    assert identify(0.9 ** (2.0**t), t).kind == "superlinear"


def test_constant_gap_is_stalled():
    assert identify(np.full(1000, 0.3)).kind == "stalled"


@pytest.mark.parametrize(
    ("gap", "kind"),
    [
        (1 - 0.5 * 0.9**T, "growing"),  # to a plateau above the start
        (0.5 + 1e-3 * T, "growing"),
        (0.3 + 1e-9 * (T > 0), "growing"),  # ever so little: the sequences are exact
        (0.3 + 1e-16 * (T > 0), "stalled"),  # within the floor
        (np.where(T < 100, 0.3, 2.0) / (1 + T / 2000), "undecided"),  # above the start at the end, and falling
        (1 / (1 + T) + 1e-5 * T, "undecided"),  # fallen, and growing again
    ],
)
def test_gap_that_ends_above_its_start_grows_unless_it_falls(gap, kind):
    found = identify(gap, floor=1e-14)

    assert found.kind == kind
    assert ("grows" in found.text) == (kind == "growing" or "grows again" in found.text)


def test_gap_that_leaves_the_optimum_grows():
    assert identify(np.array([0.0, 0.1, 0.2, 0.3]), floor=1e-15).kind == "growing"


def test_gap_that_has_fallen_and_grows_again_says_so():
    assert "grows again by a factor of 2 over" in identify(1 / (1 + T) + 1e-5 * T).text


@pytest.mark.parametrize(("rho", "text"), [(0.612345, "0.612^t"), (0.9876543, "0.9877^t"), (0.99987654, "0.999877^t")])
def test_factor_is_shown_with_three_digits_of_its_distance_from_one(rho, text):
    assert identify(rho ** np.arange(int(-200 / np.log(rho)))).text.startswith(text)


def test_growing_exponent_that_does_not_double_is_undecided():
    """gap = exp(-sqrt t): between every power and every linear rate."""
    assert identify(np.exp(-np.sqrt(T))).kind == "undecided"


def test_beginning_of_a_descent_is_no_linear_rate():
    """1 / (1 + t / 10^5) up to t = 2 10^4 looks like exp(-t / 10^5); it is a power."""
    assert identify(1 / (1 + T / 1e5)).kind == "undecided"


def test_floor_cuts_the_noise_off():
    """A linear rate that ends in rounding: with the floor it is linear, and without it would be no rate at all."""
    gap = np.maximum(0.9 ** np.arange(1000.0), 1e-16)

    assert identify(gap, floor=1e-15).kind == "linear"
    assert identify(gap).kind == "stalled"


def test_optimum_reached_at_once():
    found = identify(np.array([0.5, 0.0, 0.0]))

    assert found.kind == "reached"
    assert "after 1 steps" in found.text


def test_recorded_steps_may_be_sparse():
    t = np.unique(np.geomspace(1, 10_000, 100).astype(int))

    found = identify(1.0 / t, t)

    assert found.kind == "power"
    assert found.exponent[0] == pytest.approx(1.0, rel=1e-12)


def test_plateau_ends_where_the_slope_breaks():
    """Constant to step 300, then 1/t: the break of the line is the step."""
    t = np.arange(1, 30_001)

    assert change_point(np.minimum(1.0, 300.0 / t), t) == pytest.approx(300, rel=0.1)


def test_local_exponent_of_a_power_is_its_exponent():
    t = np.arange(1, 100)

    np.testing.assert_allclose(local_exponents(t**-1.5, t), 1.5, rtol=1e-10)


@pytest.mark.parametrize(
    ("gap", "t", "text"),
    [
        ([1.0, -0.1], None, "gap[1] is -0.1"),
        ([1.0, np.nan], None, "gap[1] is nan"),
        ([1.0, 0.5], [1, 1], "increasing steps"),
        ([[1.0]], None, "one gap a step"),
    ],
)
def test_bad_sequences_are_refused(gap, t, text):
    with pytest.raises(InvalidArgument) as caught:
        identify(np.array(gap), None if t is None else np.array(t))

    assert text in str(caught.value)


def test_break_needs_five_points():
    with pytest.raises(InvalidArgument, match="needs 5"):
        change_point(np.array([1.0, 0.5]), np.array([1, 2]))
