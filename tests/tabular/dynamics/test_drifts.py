"""Drifts: values and slopes against differences, decimals of the paper, and what `reach` says against the slopes themselves."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.drifts import Clip, Discovered, Divergence, Learned
from pgtheory.tabular.errors import InvalidArgument


def learned(seed: int) -> Learned:
    rng = np.random.default_rng(seed)
    return Learned(hidden=rng.normal(size=(5, 8)) / 8, output=rng.normal(size=5))


DRIFTS = [Clip(), Clip(0.5), Discovered(), Discovered(0.5, 2.0), Divergence(0.7), learned(0), learned(1), learned(2)]
ADVANTAGES = np.array([-3.0, -1.0, -0.2, 0.2, 1.0, 3.0])
STEP = 1e-6


@pytest.mark.parametrize("drift", DRIFTS, ids=str)
def test_slope_is_the_derivative_and_the_drift_is_valid(drift):
    r, A = np.meshgrid(np.linspace(0.05, 4, 301) + 1e-4, ADVANTAGES)  # off the kinks
    slope = (drift(r + STEP, A) - drift(r - STEP, A)) / (2 * STEP)

    # Central differences: STEP^2 times third derivatives up to 1e4 (|A| / r^3 and so on), rounding 1e-16 / STEP. Learned drifts have kinks of their own.
    smooth = (drift(r - STEP, A) > 0) == (drift(r + STEP, A) > 0)
    assert (~smooth).sum() < 10
    np.testing.assert_allclose(drift.slope(r, A)[smooth], slope[smooth], rtol=0, atol=1e-7)
    assert (drift(r, A) >= 0).all()
    one = np.ones_like(ADVANTAGES)
    assert (drift(one, ADVANTAGES) == 0).all() and (drift.slope(one, ADVANTAGES) == 0).all()


def test_decimals():
    """f(1.5, 2) = 1 - 2 tanh(1/2), f(1.5, 1) = 1/2 - 2 tanh(1/4), and on the bad side nothing."""
    found = Discovered()(np.array([1.5, 1.5, 0.5, 2.0]), np.array([2.0, 1.0, 2.0, -1.0]))

    np.testing.assert_allclose(found, [1 - 2 * np.tanh(0.5), 0.5 - 2 * np.tanh(0.25), 0, 0], rtol=1e-14)
    assert found[:2].round(4).tolist() == [0.0758, 0.0102]


def test_learned_drift_is_the_network_of_its_eight_inputs():
    """Written out for one point; a third or so of all points are charged."""
    drift, r, A = learned(0), 1.7, -0.4
    x = [1 - r, (1 - r) ** 2, (1 - r) * A, (1 - r) ** 2 * A, np.log(r), np.log(r) ** 2, A * np.log(r), A * np.log(r) ** 2]
    net = sum(o * np.tanh(sum(w * y for w, y in zip(row, x, strict=True))) for o, row in zip(drift.output, drift.hidden, strict=True))
    r_grid, A_grid = np.meshgrid(np.linspace(0.05, 4, 50), ADVANTAGES)

    assert drift(np.array(r), np.array(A)) == pytest.approx(max(net - 1e-6, 0), abs=1e-15)
    assert Learned(hidden=drift.hidden, output=-drift.output)(np.array(r), np.array(A)) == pytest.approx(max(-net - 1e-6, 0), abs=1e-15)
    assert 0.05 < np.mean([learned(seed)(r_grid, A_grid) > 0 for seed in range(10)]) < 0.95


def test_clip_is_what_ppo_subtracts():
    r, A = np.meshgrid(np.linspace(0.05, 3, 60), ADVANTAGES)
    ppo = np.minimum(r * A, np.clip(r, 0.8, 1.2) * A)

    np.testing.assert_allclose(r * A - Clip(0.2)(r, A), ppo, atol=1e-15)


@pytest.mark.parametrize("drift", [Discovered(), Discovered(0.5, 2.0), Divergence(0.7)], ids=str)
def test_at_the_reach_the_surrogate_has_the_slope_of_the_price(drift):
    A, price = np.meshgrid(ADVANTAGES, [1e-12, 1e-3, 0.1, 0.9, 2.5])
    r = drift.reach(np.log(price), A)
    slope = A - drift.slope(r, A)

    inner = r > 0
    np.testing.assert_allclose(slope[inner], price[inner], rtol=1e-9, atol=1e-14)
    if isinstance(drift, Discovered):
        assert (inner == ((price < A) | (A < 0))).all()
        assert (r[A < 0] < 1).all() and (r[inner & (A > 0)] > 1).all()


def test_prices_below_the_smallest_float_are_prices_all_the_same():
    """artanh sqrt(1 - x) is log(2) - log(x) / 2 for x = e^-2000, and a bad action stops where the surrogate has slope 0."""
    good, bad = Discovered().reach(np.array([-2000.0, -np.inf]), np.array([1.0, -1.0]))

    assert good == pytest.approx(1 + 2 * (np.log(2) + 1000), rel=1e-14)
    assert np.tanh(-np.log(bad) / 0.6) ** 2 == pytest.approx(bad, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Clip(0.0), "epsilon is 0.0"),
        (lambda: Clip(np.nan), "epsilon is nan"),
        (lambda: Discovered(alpha=0.0), "alpha is 0.0"),
        (lambda: Discovered(beta=-1.0), "beta is -1.0"),
        (lambda: Divergence(np.inf), "tau is inf"),
        (lambda: Learned(hidden=np.zeros((3, 7)), output=np.zeros(3)), "shapes (3, 7) and (3,)"),
        (lambda: Learned(hidden=np.zeros((3, 8)), output=np.zeros(3), margin=0.0), "margin is 0.0"),
    ],
)
def test_bad_constants_are_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
