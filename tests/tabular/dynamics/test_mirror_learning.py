"""Mirror learning: the argmax against a grid and against policy mirror descent, epochs against differences of the surrogate."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.drifts import Clip, Discovered, Divergence
from pgtheory.tabular.dynamics.mirror import PolicyMirrorDescent
from pgtheory.tabular.dynamics.mirror_learning import DriftAscent, MirrorLearning, surrogate
from pgtheory.tabular.dynamics.oracles import DirectOracle, FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.bandit import Bandit


def problems(N: int = 4, A: int = 3, seed: int = 0) -> Stack:
    rng = np.random.default_rng(seed)
    return Stack(P=rng.dirichlet(np.ones(4), size=(N, 4, A)), r=3 * rng.random((N, 4, A)), mu=np.full((N, 4), 0.25), gamma=np.full(N, 0.8))


def policies(stack: Stack, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(stack.A), size=(stack.N, stack.S))


@pytest.mark.parametrize("drift", [Discovered(), Discovered(0.2, 0.05), Divergence(0.5)], ids=str)
def test_argmax_is_above_every_policy_of_a_grid(drift):
    """All 1326 policies of three actions with probabilities k/50, in every state; and the best of them is nearly as good."""
    stack = problems()
    old = policies(stack)
    oracle = DirectOracle(stack)
    new = MirrorLearning(drift).step(MirrorLearning(drift).init(oracle, old)).theta
    best, outlook = surrogate(oracle(old), new, drift), oracle(old)
    grid = np.array([(i, j, 50 - i - j) for i in range(51) for j in range(51 - i)]) / 50
    found = np.max([surrogate(outlook, np.broadcast_to(p, old.shape), drift) for p in grid], axis=0)

    assert abs(new.sum(axis=2) - 1).max() < 1e-14
    assert (best >= found - 1e-12).all() and (best > 0).all()
    # The grid misses the maximiser by at most 1/50 in each probability; slopes in p are below max|A| = 15.
    assert (best - found).max() < 2 * 15 / 50


def test_without_interior_the_best_is_found_all_the_same():
    """Two arms, the better with probability 1e-12: the price of probability is far below every float64."""
    oracle = DirectOracle(Stack.of([Bandit(r=np.array([1.0, 0.0]))]))
    update = MirrorLearning(Discovered(0.2, 0.1))
    new = update.step(update.init(oracle, np.array([[1e-12, 1 - 1e-12]]))).theta

    # r = r* of the worse arm at A = -1e-12 is near 0: it rolls back at the ratio where tanh(1e-12 |log r| / .1) is sqrt(r).
    assert new.sum() == pytest.approx(1, abs=1e-15) and new[0, 0, 0] > 0.999


def test_with_a_divergence_it_is_policy_mirror_descent():
    stack = problems()
    watch = {"pi": lambda o: o.pi}
    found = run(MirrorLearning(Divergence(0.5)), DirectOracle(stack), policies(stack), 8, watch=watch)
    expected = run(PolicyMirrorDescent(Constant(2.0)), DirectOracle(stack), policies(stack), 8, watch=watch)

    np.testing.assert_allclose(found.watched["pi"], expected.watched["pi"], rtol=0, atol=1e-12)


def test_no_state_gets_worse():
    stack = problems(20)
    V = run(MirrorLearning(Discovered()), DirectOracle(stack), policies(stack), 30, watch={"V": lambda o: o.V}).watched["V"]

    assert np.diff(V, axis=0).min() > -1e-12 and (V[-1] - V[0]).min() > 0


def test_a_probability_of_zero_and_an_optimal_policy_stay():
    stack = problems(2)
    oracle = DirectOracle(stack)
    best = np.eye(3)[oracle.optimum.Q.argmax(axis=2)]
    some = np.where(np.arange(3) == 2, 0.0, 0.5) * np.ones((2, 4, 1))
    update = MirrorLearning(Discovered())

    np.testing.assert_array_equal(update.step(update.init(oracle, best)).theta, best)
    assert (update.step(update.init(oracle, some)).theta[:, :, 2] == 0).all()


def test_equal_best_actions_share_what_a_jump_leaves():
    """Two equal arms and a worse one: at the price of their own advantage they may have any ratio up to one; they end equal."""
    oracle = DirectOracle(Stack.of([Bandit(r=np.array([1.0, 1.0, 0.0]))]))
    update = MirrorLearning(Discovered(100.0, 0.6))
    new = update.step(update.init(oracle, np.full((1, 3), 1 / 3))).theta[0, 0]

    assert new[0] == pytest.approx(new[1], abs=1e-14) and new.sum() == pytest.approx(1, abs=1e-14) and new[2] < 1 / 3


@pytest.mark.parametrize("drift", [Clip(), Discovered(), Divergence(0.5)], ids=str)
def test_first_epoch_is_a_policy_gradient_step(drift):
    stack, theta = problems(), np.random.default_rng(2).normal(size=(4, 4, 3))
    found = run(DriftAscent(drift, 0.3, epochs=1), SoftmaxOracle(stack), theta, 3).theta

    np.testing.assert_allclose(found, run(Gradient(Constant(0.3)), SoftmaxOracle(stack), theta, 3).theta, atol=1e-13)


@pytest.mark.parametrize("drift", [Clip(0.05), Discovered(0.2, 0.05), Divergence(0.5)], ids=str)
def test_later_epochs_follow_the_surrogate(drift):
    """The second epoch against central differences of sum_s d_old(s) G_s(theta)."""
    stack, theta, size, h = problems(2), np.random.default_rng(2).normal(size=(2, 4, 3)), 0.2, 1e-5
    oracle = SoftmaxOracle(stack)
    first, second = (run(DriftAscent(drift, size, epochs=n), oracle, theta, 1).theta for n in (1, 2))
    old = oracle(theta)
    value = lambda x: (old.occupancy * surrogate(old, oracle(x).pi, drift)).sum(axis=1)
    gradient = np.zeros_like(theta)
    for s in range(4):
        for a in range(3):
            bump = np.zeros((4, 3))
            bump[s, a] = h
            gradient[:, s, a] = (value(first + bump) - value(first - bump)) / (2 * h)

    # Differences: h^2 = 1e-10 times third derivatives of size up to 10.
    np.testing.assert_allclose((second - first) / size, gradient, atol=1e-8)
    assert abs((second - first) - (first - theta)).max() > 1e-3


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: MirrorLearning(Discovered()).init(SoftmaxOracle(problems()), np.zeros((4, 3))), "which SoftmaxOracle does not hold"),
        (lambda: MirrorLearning(Clip()).init(DirectOracle(problems()), np.full((4, 3), 1 / 3)), "with Clip many policies are best"),  # type: ignore[arg-type]
        (lambda: DriftAscent(Clip(), 1.0).init(DirectOracle(problems()), np.full((4, 3), 1 / 3)), "which DirectOracle does not hold"),
        (lambda: DriftAscent(Clip(), 1.0).init(FunctionOracle(lambda x: x.sum(axis=1), np.ones_like), np.zeros((1, 2))), "which FunctionOracle does"),
        (lambda: DriftAscent(Clip(), -1.0), "size is -1.0"),
        (lambda: DriftAscent(Clip(), 1.0, epochs=0), "epochs is 0"),
    ],
)
def test_bad_uses_are_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
