"""Ascent-descent: one step by hand, fixed points, and the last iterate with and without optimism."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.lagrangian import LagrangianOracle
from pgtheory.tabular.dynamics.momentum import Optimistic
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.primal_dual import AscentDescent, NaturalAscentDescent
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.bandit import Bandit

TWO_ARMS = LagrangianOracle(Stack.of([Bandit(r=[1.0, 0.0])]), np.array([[[0.0, 1.0]]]), np.array([0.5]))
"""max p_1 with p_2 >= 1/2."""


def recursion(steps: int, eta: float, *, optimistic: tuple[bool, bool], natural: bool = True, u: float = 0.0, m: float = 0.0) -> np.ndarray:
    """(p_2, m) of the two arms, written out for the logit difference u of the first over the second arm."""
    rows, last = [], None
    for _ in range(steps + 1):
        p = 1 / (1 + np.exp(-u))
        rows.append((1 - p, m))
        now = np.array([(1 - m) if natural else 2 * p * (1 - p) * (1 - m), 0.5 - (1 - p)])
        step = now + np.array(optimistic) * (now - (now if last is None else last))
        last = now
        u, m = u + eta * step[0], max(0.0, m + eta * step[1])
    return np.array(rows)


WATCH = {"p": lambda o: o.pi[:, 0, 1], "m": lambda o: o.multipliers[:, 0]}


@pytest.mark.parametrize("natural", [True, False])
@pytest.mark.parametrize("optimistic", [(False, False), (True, True), (True, False), (False, True)])
@pytest.mark.parametrize("start", [0.0, 3.0])
def test_two_arms_follow_the_recursion_written_out(optimistic, natural, start):
    base = (NaturalAscentDescent if natural else AscentDescent)(Constant(0.1))
    update = Optimistic(base, TWO_ARMS.weights(policy=optimistic[0], multipliers=optimistic[1])) if any(optimistic) else base
    found = run(update, TWO_ARMS, np.array([start, 0.0, 0.0]), 200, watch=WATCH)
    expected = recursion(200, 0.1, optimistic=optimistic, natural=natural, u=start)

    np.testing.assert_allclose(found.watched["p"][:, 0], expected[:, 0], rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.watched["m"][:, 0], expected[:, 1], rtol=0, atol=1e-11)


def test_last_iterate_orbits_without_optimism_and_converges_with_it():
    """r = (1, 0), c = (0, 1), bound 1/2, both steps 0.1, from zero: after 5000 steps p_2 still spans 0.82 in the last 500; with optimism 0.004."""
    # Two equal problems at once; the weight of optimism is 0 in the first, where it leaves the base as it is.
    update, oracle = Optimistic(NaturalAscentDescent(Constant(0.1)), np.array([[0.0], [1.0]])), TWO_ARMS.repeated(2)
    found = run(update, oracle, np.zeros((1, 2)), 5000, record=range(4500, 5001), watch=WATCH).watched
    plain, calm = found["p"][1:].T

    assert abs(np.ptp(plain) - 0.82) <= 0.005
    assert np.ptp(calm) <= 0.0045
    assert abs(calm[-1] - 0.4994) <= 5e-5 and abs(found["m"][-1, 1] - 1.0019) <= 5e-5  # the printed digits


def test_saddle_of_a_constrained_process_is_reached_by_the_last_iterate():
    rng = np.random.default_rng(0)
    stack = Stack(P=rng.dirichlet(np.ones(3), size=(3, 3, 2)), r=rng.random((3, 3, 2)), mu=np.full((3, 3), 1 / 3), gamma=np.full(3, 0.8))
    payoffs = rng.random((3, 1, 3, 2))
    free = LagrangianOracle(stack, payoffs, np.zeros((3, 1)))
    # A bound between what the best policy earns and what can be earned at most: the constraint is active.
    unconstrained = np.einsum("nsa,nisa->ni", free.optimum.occupancy, payoffs)
    most = LagrangianOracle(Stack(P=stack.P, r=payoffs[:, 0], mu=stack.mu, gamma=stack.gamma), payoffs, np.zeros((3, 1))).optimum.J
    oracle = LagrangianOracle(stack, payoffs, 0.5 * unconstrained + 0.5 * most[:, None])
    found = run(Optimistic(NaturalAscentDescent(Constant(1.0))), oracle, np.zeros((3, 2)), 2500, record=[])
    outlook = found.final.outlook

    assert (oracle.optimum.multipliers > 0.01).all()
    # HiGHS keeps constraints to 1e-7; its vertices are better than that. What is left of the run after 2500 steps is below 1e-8.
    assert abs(outlook.missing).max() <= 1e-8
    assert abs(outlook.value - oracle.optimum.J).max() <= 1e-7
    assert abs(outlook.multipliers - oracle.optimum.multipliers).max() <= 1e-6
    after = AscentDescent(Constant(1.0)).init(oracle, found.theta)
    assert abs(AscentDescent(Constant(1.0)).step(after).theta - found.theta).max() <= 1e-7  # a fixed point of the other update, too


def test_ratio_is_the_step_of_the_multipliers_over_that_of_the_policy():
    slow, fast = (run(NaturalAscentDescent(Constant(0.1), ratio=k), TWO_ARMS, np.array([2.0, 0.0, 1.0]), 1).theta[0] for k in (1.0, 3.0))

    assert (slow[:2] == fast[:2]).all()
    assert fast[2] - 1 == pytest.approx(3 * (slow[2] - 1), rel=1e-13)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: AscentDescent(Constant(0.1), ratio=0.0), "ratio is 0.0"),
        (lambda: NaturalAscentDescent(Constant(0.1), ratio=np.nan), "ratio is nan"),
        (
            lambda: AscentDescent(Constant(0.1)).init(SoftmaxOracle(TWO_ARMS.stack), np.zeros((1, 2))),
            "needs multipliers, which SoftmaxOracle does not have",
        ),
        (lambda: Optimistic(AscentDescent(Constant(0.1)), np.nan), "weight is nan"),
    ],
)
def test_bad_games_are_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
