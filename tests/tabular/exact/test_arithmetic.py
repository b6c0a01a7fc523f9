"""From floats to fractions, and linear systems without rounding."""

import math
import sys
from fractions import Fraction
from random import Random

import pytest

from pgtheory.tabular.errors import InvalidArgument, InvalidModel
from pgtheory.tabular.exact.arithmetic import as_fraction, exact, exact_distribution, fast_field, solve_exactly


@pytest.mark.parametrize("fraction", [Fraction(0), Fraction(1, 10), Fraction(-7, 3), Fraction(999_999, 1_000_000), Fraction(123_456)])
def test_a_float_next_to_a_simple_fraction_is_that_fraction(fraction):
    assert exact("x", float(fraction)) == fraction
    assert exact("x", math.nextafter(float(fraction), 10.0 * float(fraction))) == fraction


def test_probabilities_that_went_through_a_logarithm_come_back():
    for n in range(1, 60):
        assert exact("p", math.exp(math.log(n / 60))) == Fraction(n, 60)


@pytest.mark.parametrize("number", [math.pi, 1e-9, 1 / 3 + 1e-14])
def test_a_float_without_a_simple_fraction_stays_what_the_computer_holds(number):
    """1e-9 has denominator 10^9, and 1/3 + 1e-14 is further from 1/3 than roundings go."""
    assert exact("x", number) == Fraction(number)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_refused(number):
    with pytest.raises(InvalidArgument, match=r"reward is (nan|inf)"):
        exact("reward", number)


def test_rounding_of_a_row_is_divided_away():
    row = [0.1] * 10
    assert sum(row) != 1

    assert exact_distribution("row", row) == (Fraction(1, 10),) * 10
    assert sum(exact_distribution("row", [math.pi / 4, 1 - math.pi / 4])) == 1


@pytest.mark.parametrize("row", [[0.5, 0.5 + 1e-9], [Fraction(1, 2), Fraction(1, 2) + Fraction(1, 10**15)], [1.5, -0.5]])
def test_a_row_that_is_no_distribution_is_refused(row):
    with pytest.raises(InvalidModel, match=r"mu is .* sum to 1"):
        exact_distribution("mu", row, error=InvalidModel)


@pytest.fixture(params=["flint", "fractions"])
def backend(request, monkeypatch):
    """Both ways to compute: with python-flint where it is installed, and as if it were not."""
    if request.param == "flint":
        pytest.importorskip("flint")
    else:
        monkeypatch.setitem(sys.modules, "flint", None)
    return request.param


def test_the_solution_of_a_system_solves_it(backend):
    """The residual is zero, not small; with one right-hand side in the first system and three in the others."""
    rng = Random(1)
    for n, m in [(1, 1), (3, 3), (6, 3)]:
        draw = lambda rows, columns: [[Fraction(rng.randint(-9, 9), rng.randint(1, 9)) for _ in range(columns)] for _ in range(rows)]
        A, B = draw(n, n), draw(n, m)
        A[0][0] = Fraction(0) if n > 1 else Fraction(2)  # a pivot that must be looked for

        X = solve_exactly(A, B)

        assert [[sum(A[i][k] * X[k][j] for k in range(n)) for j in range(m)] for i in range(n)] == B
        assert all(isinstance(x, Fraction) for row in X for x in row)


def test_a_singular_system_is_refused(backend):
    with pytest.raises(ZeroDivisionError):
        solve_exactly([[Fraction(1), Fraction(2)], [Fraction(2), Fraction(4)]], [[Fraction(1)], [Fraction(0)]])


def test_the_fast_field_is_the_field_of_fractions(backend):
    number = fast_field()
    x, y = Fraction(-7, 12), Fraction(5, 18)

    assert type(number(x)).__name__ == {"flint": "fmpq", "fractions": "Fraction"}[backend]
    assert as_fraction(number(x) * number(y) + number(x) / number(y)) == x * y + x / y
