"""Step sizes against their formulas, and what the searching ones promise."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.mirror import Euclidean, MirrorDescent
from pgtheory.tabular.dynamics.oracles import DirectOracle, FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Armijo, Constant, Geometric, Polyak, Power, SignalToNoise
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.models.bandit import Bandit

PARABOLA = FunctionOracle(lambda x: -(x**2).sum(axis=1) / 2, lambda x: -x, optimal_value=0.0)


def sizes(step, steps: int = 4) -> list[list[float]]:
    found = run(Gradient(step), PARABOLA, np.array([[1.0, 2.0], [0.5, 0.0]]), steps)
    return found.size[1:].tolist()


def test_given_sequences():
    assert sizes(Constant(0.25), 2) == [[0.25, 0.25]] * 2
    assert sizes(Constant([0.25, 0.5]), 2) == [[0.25, 0.5]] * 2
    assert sizes(Power(0.5, p=2.0, t0=3.0), 3) == [[0.5 / (t + 3) ** 2] * 2 for t in range(3)]
    assert sizes(Geometric([0.25, 0.5], 0.5), 3) == [[0.25 * 0.5**t, 0.5 * 0.5**t] for t in range(3)]


def test_geometric_beyond_float64_stops_the_run():
    with pytest.raises(NotConverged, match="theta of problem 0 is .*inf after step 31 of size inf|after step 32"):
        run(Gradient(Geometric(1.0, 1e10)), FunctionOracle(lambda x: x[:, 0], np.ones_like), np.zeros((1, 1)), 100)


def test_armijo_takes_the_first_size_that_improves_enough():
    """On -x^2 L / 2 with gradient -L x: improvement eta |g|^2 (1 - L eta / 2) >= slope eta |g|^2 iff eta <= 2 (1 - slope) / L."""
    L = np.array([1.0, 3.0, 10.0, 1000.0])
    oracle = FunctionOracle(lambda x: -L * x[:, 0] ** 2 / 2, lambda x: -L[:, None] * x)
    step = Armijo(1.5, shrink=0.5, slope=0.25)
    found = run(Gradient(step), oracle, np.ones((4, 1)), 1)
    expected = [next(1.5 * 0.5**k for k in range(60) if 1.5 * 0.5**k <= 1.5 / one) for one in L]

    assert found.size[1].tolist() == expected
    assert len(set(expected)) == 4


def test_armijo_along_a_projection_measures_the_step_that_was_taken(stacks):
    """The size is large and the projection cuts the step: the improvement is compared with <gradient, theta' - theta>, not with size |gradient|^2."""
    oracle = DirectOracle(stacks(gammas=(0.9, 0.5)))
    update = MirrorDescent(Armijo(100.0, slope=0.1), Euclidean())
    state = update.init(oracle, np.full((3, 3), 1 / 3))
    for _ in range(20):
        after = update.step(state)
        gain = (state.outlook.gradient * (after.theta - state.theta)).sum(axis=(1, 2))
        assert (after.outlook.value - state.outlook.value >= 0.1 * gain - 1e-13).all()
        state = after
    assert (state.outlook.gap < 1e-12).all()


def test_armijo_gives_up_where_nothing_improves():
    uphill_is_wrong = FunctionOracle(lambda x: -x[:, 0], np.ones_like)

    # What is left is a step whose loss is below the rounding of the value, 16 units of 2^-52.
    assert run(Gradient(Armijo(1.0)), uphill_is_wrong, np.ones((1, 1)), 1).size[1] <= 16 * 2.0**-52
    assert run(Gradient(Armijo(1.0, tries=3)), uphill_is_wrong, np.ones((1, 1)), 1).size[1].tolist() == [0.0]


@pytest.mark.parametrize("delta", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("c", [0.5, 1.0, 3.0])
def test_polyak_moves_the_logit_difference_of_two_arms_by_one_over_c_p(delta, c):
    found = run(Gradient(Polyak(c)), SoftmaxOracle(Stack.of([Bandit(r=[delta, 0.0])])), np.zeros((1, 2)), 5, watch={"theta": lambda o: o.theta})
    u = found.watched["theta"][:, 0, 0, 0] - found.watched["theta"][:, 0, 0, 1]
    p = 1 / (1 + np.exp(-u))

    np.testing.assert_allclose(np.diff(u), 1 / (c * p[:-1]), rtol=1e-14)


def test_polyak_is_capped_and_takes_a_best_value_of_ones_own():
    theta = np.array([[1.0, 2.0], [0.5, 0.0]])  # values -2.5, -0.125; squared gradients 5, 0.25
    once = lambda step: run(Gradient(step), PARABOLA, theta, 1).size[1].tolist()

    assert once(Polyak()) == pytest.approx([0.5, 0.5], rel=4e-16 * 4)
    assert once(Polyak(cap=0.3)) == [0.3, 0.3]
    assert once(Polyak(best=2.5)) == pytest.approx([1.0, 2.625 / 0.25], rel=4e-16 * 4)
    assert once(Polyak(best=np.array([2.5, 0.0]))) == pytest.approx([1.0, 0.5], rel=4e-16 * 4)
    assert once(Polyak(best=lambda outlook: outlook.value + 1)) == pytest.approx([0.2, 4.0], rel=4e-16 * 4)
    assert once(Polyak(best=-1.0)) == pytest.approx([0.3, 0.0], rel=4e-16 * 4)  # value above best: no step
    assert run(Gradient(Polyak(best=1.0)), PARABOLA, np.zeros((1, 2)), 1).size[1].tolist() == [0.0]  # no direction


def test_polyak_above_the_best_value_has_no_bound():
    """Best value 1.1 of a bandit whose best is 1, no cap: u moves by (1.1 - p) / (p (1 - p)), ever faster: within nine steps past where exp(-u) is 0 and with it the direction."""
    found = run(Gradient(Polyak(best=1.1)), SoftmaxOracle(Stack.of([Bandit(r=[1.0, 0.0])])), np.zeros((1, 2)), 9)

    assert found.theta[0, 0, 0] > 1e6
    assert found.value[-1] == 1
    assert abs(run(Gradient(Polyak(best=1.1, cap=1.0)), found.final.outlook.oracle, np.zeros((1, 2)), 9).theta).max() < 9


def test_polyak_is_linear_down_to_the_smallest_float():
    """1 - p falls by exp(-1 / (c p)) a step, to 1e-300: neither gap nor gradient cancels, no square underflows."""
    found = run(Gradient(Polyak()), SoftmaxOracle(Stack.of([Bandit(r=[0.7, 0.2])])), np.zeros((1, 2)), 650)
    u = 0.0
    for _ in range(650):
        u += 1 + np.exp(-u)

    np.testing.assert_allclose(found.gap[-1], 0.5 * np.exp(-u) / (1 + np.exp(-u)), rtol=1e-11)
    assert found.gap[-1] < 1e-280


def test_polyak_below_one_half_warns():
    with pytest.warns(UserWarning, match=r"c = 0.4 < 1/2"):
        Polyak(0.4)


def test_signal_to_noise_is_the_maximiser_of_the_guaranteed_gain():
    """eta |g|^2 - L eta^2 (|g|^2 + v) / 2 over a grid of eta."""
    L, v = 3.0, np.array([2.0, 0.0])
    theta = np.array([[1.0, 2.0], [0.5, 0.0]])
    square = np.array([5.0, 0.25])
    eta = np.linspace(0, 1, 100001)[:, None]
    expected = eta[(eta * square - L * eta**2 * (square + v) / 2).argmax(axis=0), 0]
    once = lambda step, at=theta: run(Gradient(step), PARABOLA, at, 1).size[1]

    np.testing.assert_allclose(once(SignalToNoise(L, v)), expected, atol=1e-5)  # the grid
    assert (once(SignalToNoise(L, lambda outlook: v)) == once(SignalToNoise(L, v))).all()
    assert once(SignalToNoise(L, 0.0), np.zeros((1, 2))).tolist() == [0.0]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Constant(0.0), "c is 0.0, expected a positive finite number"),
        (lambda: Constant(np.array([1.0, np.nan])), "c is [ 1. nan]"),
        (lambda: Constant(np.ones((2, 2))), "one a problem (N,)"),
        (lambda: Power(-1.0), "c is -1.0"),
        (lambda: Power(1.0, t0=0.0), "t0 is 0.0"),
        (lambda: Power(1.0, p=-0.5), "p is -0.5"),
        (lambda: Geometric(1.0, np.inf), "growth is inf"),
        (lambda: Armijo(1.0, shrink=1.0), "shrink is 1.0"),
        (lambda: Armijo(1.0, slope=0.0), "slope is 0.0"),
        (lambda: Armijo(np.nan), "c is nan"),
        (lambda: Polyak(0.0), "c is 0.0"),
        (lambda: Polyak(cap=0.0), "cap is 0.0"),
        (lambda: Polyak(cap=np.nan), "cap is nan"),
        (lambda: SignalToNoise(0.0, 1.0), "L is 0.0"),
        (lambda: SignalToNoise(1.0, -1.0), "variance is -1.0"),
    ],
)
def test_bad_step_sizes_are_refused(make, text):
    with pytest.raises(InvalidArgument) as error:
        make()

    assert text in str(error.value)
