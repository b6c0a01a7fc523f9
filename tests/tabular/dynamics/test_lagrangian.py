"""The field of a constrained problem against complex steps, its saddle against duality."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.lagrangian import LagrangianOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidArgument, InvalidModel, InvalidPolicy
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.solve.optimal import optimal

TWO_ARMS = LagrangianOracle(Stack.of([Bandit(r=[1.0, 0.0])]), np.array([[[0.0, 1.0]]]), np.array([0.5]))


def constrained(stack: Stack, seed: int = 1) -> LagrangianOracle:
    payoffs = np.random.default_rng(seed).normal(size=(stack.N, 2, stack.S, stack.A))
    return LagrangianOracle(stack, payoffs, np.array([0.1, -0.3]))


def test_field_is_the_gradient_of_the_lagrangian(stacks, return_of, slope_of, softmax):
    stack = stacks()
    oracle = constrained(stack)
    rng = np.random.default_rng(2)
    theta = np.concatenate([rng.normal(size=(stack.N, 9)), rng.random((stack.N, 2))], axis=1)
    outlook = oracle(theta)
    for n in range(stack.N):

        def L(x: np.ndarray, n: int = n) -> complex:
            pi, m = softmax(x[:9].reshape(3, 3)), x[9:]
            with_reward = lambda r: return_of(Stack(P=stack.P, r=np.broadcast_to(r, stack.r.shape), mu=stack.mu, gamma=stack.gamma), n, pi)
            return with_reward(stack.r[n]) + sum(m[i] * (with_reward(oracle.payoffs[n, i]) - oracle.least[n, i]) for i in range(2))

        slope = slope_of(L, theta[n])
        assert abs(outlook.gradient[n] - np.concatenate([slope[:9], -slope[9:]])).max() <= 1e-11
        assert abs(outlook.lagrangian[n] - L(theta[n]).real) <= 1e-11
        assert abs((outlook.pi * outlook.advantage).sum(axis=2)).max() <= 1e-12


def test_two_arms_have_the_saddle_of_the_closed_form():
    """max p_1 with p_2 >= 1/2: p = (1/2, 1/2), price 1."""
    saddle = TWO_ARMS.optimum

    np.testing.assert_allclose(saddle.J, [0.5], atol=1e-12)
    np.testing.assert_allclose(saddle.multipliers, [[1.0]], atol=1e-12)
    np.testing.assert_allclose(saddle.occupancy, [[[0.5, 0.5]]], atol=1e-12)


def test_multipliers_are_shadow_prices_and_close_the_duality_gap(stacks):
    stack = stacks()
    oracle = constrained(stack)
    h = 1e-6  # the value of a linear program is piecewise linear in its bounds: differences are exact off the kinks
    for i in range(2):
        moved = np.array(oracle.least)
        moved[:, i] += h
        slope = (LagrangianOracle(stack, oracle.payoffs, moved).optimum.J - oracle.optimum.J) / h
        assert abs(slope + oracle.optimum.multipliers[:, i]).max() <= 1e-6
    # max over pi of L at the prices is the best return of the mixed reward.
    mixed = stack.r + np.einsum("ni,nisa->nsa", oracle.optimum.multipliers, oracle.payoffs)
    best = np.array([optimal(m).J for m in Stack(P=stack.P, r=mixed, mu=stack.mu, gamma=stack.gamma).models])
    assert (
        abs(best - (oracle.optimum.multipliers * oracle.least).sum(axis=1) - oracle.optimum.J).max() <= 1e-8
    )  # the tolerance of HiGHS is 1e-9 a variable
    assert (oracle.optimum.multipliers > 1e-3).any() and (oracle.optimum.multipliers >= -1e-12).all()


def test_start_takes_a_table_or_everything():
    assert TWO_ARMS.start(np.array([[1.0, 2.0]])).tolist() == [[1.0, 2.0, 0.0]]
    assert TWO_ARMS.start(np.array([[[1.0, 2.0]]])).tolist() == [[1.0, 2.0, 0.0]]
    assert TWO_ARMS.start(np.array([1.0, 2.0, 3.0])).tolist() == [[1.0, 2.0, 3.0]]


def test_repeated_oracle_has_each_problem_several_times_in_a_row(stacks):
    oracle = constrained(stacks(N=2))
    theta = np.random.default_rng(0).random((2, 11))
    one, two = oracle(theta), oracle.repeated(2)(np.repeat(theta, 2, axis=0))

    assert abs(two.gradient - np.repeat(one.gradient, 2, axis=0)).max() <= 1e-12
    assert abs(one.gradient[0] - one.gradient[1]).max() > 0.1


def test_weights_tell_the_players_apart():
    assert TWO_ARMS.weights(policy=2.0, multipliers=0.5).tolist() == [2.0, 2.0, 0.5]


STACK = TWO_ARMS.stack


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: LagrangianOracle(STACK, np.zeros((1, 3)), np.zeros(1)), "payoffs has shape (1, 3), expected (I, S, A) or (N, I, S, A)"),
        (lambda: LagrangianOracle(STACK, np.zeros((2, 1, 1, 2)), np.zeros(1)), "payoffs has shape (2, 1, 1, 2), expected (1, 1, 1, 2)"),
        (lambda: LagrangianOracle(STACK, np.zeros((1, 1, 2)), np.zeros(2)), "least has shape (2,), expected (1,) or (1, 1)"),
        (lambda: LagrangianOracle(STACK, np.full((1, 1, 2), np.nan), np.zeros(1)), "payoffs[0, 0, 0] is nan"),
        (lambda: LagrangianOracle(STACK, np.zeros((1, 1, 2)), np.ones(1)).best, "problem 0: no policy reaches least = [1.0]"),
        (lambda: TWO_ARMS.start(np.zeros(2)), "theta has shape (2,), expected (3,) or (1, 3)"),
        (lambda: TWO_ARMS.start(np.array([0.0, 0.0, -0.5])), "theta has the multiplier -0.5"),
    ],
)
def test_bad_constraints_are_refused(call, text):
    with pytest.raises((InvalidModel, InvalidPolicy, InvalidArgument)) as error:
        call()

    assert text in str(error.value)
