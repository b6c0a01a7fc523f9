"""Best values against value iteration and closed forms; divergences against a series in exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from pgtheory.tabular.dynamics import optimum
from pgtheory.tabular.dynamics.optimum import divergence, hard_optimum, soft_optimum
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.solve.optimal import optimal


def iterate(stack: Stack, tau: float, sweeps: int = 3500) -> np.ndarray:
    """Value iteration with max, or with tau log sum exp."""
    V = np.zeros((stack.N, stack.S))
    for _ in range(sweeps):
        Q = stack.r + stack.gamma[:, None, None] * np.einsum("nsat,nt->nsa", stack.P, V)
        top = Q.max(axis=2)
        V = top if tau == 0 else top + tau * np.log(np.exp((Q - top[..., None]) / tau).sum(axis=2))
    return V


@pytest.mark.parametrize("tau", [0.0, 0.05, 1.0, 50.0])
def test_best_values_are_the_limit_of_value_iteration(stacks, tau):
    stack = stacks()
    V = iterate(stack, tau)  # 0.99^3500 is 5e-16
    oracle = SoftmaxOracle(stack, tau=tau)
    size = 1 + abs(V).max()

    assert abs(oracle.optimum.V - V).max() <= 1e-13 * size * 100
    assert abs(oracle.best - (stack.mu * V).sum(axis=1)).max() <= 1e-13 * size * 100


def test_best_policy_with_temperature_and_reference_has_no_gradient_and_no_gap(stacks, softmax):
    stack = stacks()
    ref = softmax(np.random.default_rng(2).normal(size=stack.r.shape))
    oracle = SoftmaxOracle(stack, tau=0.2, kl=0.1, ref=ref)
    outlook = oracle(oracle.optimum.log_pi)

    assert abs(outlook.gradient).max() <= 1e-10
    assert (outlook.gap <= 1e-25).all()


def test_bandit_with_reference_has_the_closed_form():
    """max E[r] - kl KL(pi, ref): pi proportional to ref exp(r / kl), value kl log sum ref exp(r / kl)."""
    r, ref, kl = np.array([1.0, 0.0, -2.0]), np.array([0.5, 0.25, 0.25]), 0.5
    oracle = SoftmaxOracle(Stack.of([Bandit(r=r)]), kl=kl, ref=ref[None])

    np.testing.assert_allclose(oracle.best, kl * np.log((ref * np.exp(r / kl)).sum()), rtol=1e-14)
    weights = ref * np.exp(r / kl)
    np.testing.assert_allclose(np.exp(oracle.optimum.log_pi[0, 0]), weights / weights.sum(), rtol=1e-13)


def test_ties_miss_nothing():
    """Two actions of equal value by different roads: 0.1 and then 0.2, or 0.3; in float64 the sum is larger by one unit of the last place."""
    P = np.zeros((1, 2, 2, 2))
    P[0, 0, 0, 1] = 1.0
    stack = Stack(P=P, r=np.array([[[0.1, 0.3], [0.2, -1.0]]]), mu=np.array([[1.0, 0.0]]), gamma=np.array([1.0]))

    assert (hard_optimum(stack).missing[0, 0] == 0).all()
    assert hard_optimum(stack).missing[0, 1, 1] == 1.2


def test_a_loop_that_costs_nothing_hides_no_other_loss():
    """gamma 1: in state 0 staying is free, so that no error of V* can be proven; in state 1 the second action still misses 1/2."""
    P = np.zeros((1, 2, 2, 2))
    P[0, 0, 0, 0] = 1.0
    stack = Stack(P=P, r=np.array([[[0.0, 1.0], [1.0, 0.5]]]), mu=np.full((1, 2), 0.5), gamma=np.array([1.0]))
    oracle = SoftmaxOracle(stack)

    assert optimal(stack.models[0]).bound == np.inf
    assert oracle.optimum.missing[0].tolist() == [[0.0, 0.0], [0.0, 0.5]]
    np.testing.assert_allclose(oracle(np.zeros((1, 2, 2))).gap, [0.5 * 0.25], rtol=1e-14)


def test_equal_problems_have_equal_optima(stacks):
    stack = stacks(N=2)
    four = Stack.of([stack.models[i] for i in (0, 1, 1, 0)])
    found = hard_optimum(four)

    assert (found.J[[0, 1]] == found.J[[3, 2]]).all() and found.J[0] != found.J[1]


def test_different_problems_are_solved_once_and_together_where_they_can_be(stacks, monkeypatch):
    """Without a discount and with actions that never end, or with a discount that rounding may undo, `optimal` is asked: each different problem one time."""
    stack, asked = stacks(N=4, gammas=(0.9, 1.0, 0.5, 1 - 1e-13)), []
    P = np.zeros((2, *stack.P.shape[1:]))
    P[0, :, 0, 0] = 1.0
    P[0, 0, 0] = 0.0  # the last two: everybody may go to state 0, which ends; and no action leads anywhere
    stack = Stack(
        **{
            name: np.concatenate([getattr(stack, name), more])
            for name, more in (("P", P), ("r", stack.r[:2] - 5), ("mu", stack.mu[:2]), ("gamma", np.ones(2)))
        }
    )
    monkeypatch.setattr(optimum, "optimal", lambda model: asked.append(model.gamma) or optimal(model))
    found = hard_optimum(stack.repeated(3))

    assert asked == [1 - 1e-13, 1.0]  # problem 1 may end at every step
    for n, model in enumerate(stack.models):
        alone = optimal(model)
        assert (found.J[3 * n : 3 * n + 3] == found.J[3 * n]).all()
        assert abs(found.V[3 * n] - alone.V).max() <= 2 * alone.bound + 1e-15
        assert abs(found.J[3 * n] - alone.J) <= 2 * alone.bound + 1e-15


def exact_divergence(x: Fraction) -> float:
    """KL of two rows (1/2 +- x/2) and (1/2, 1/2): sum over k of x^2k / (2k (2k - 1)), exactly."""
    return float(sum(x ** (2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 40)))


@pytest.mark.parametrize("x", [Fraction(1, 2), Fraction(1, 10), Fraction(1, 64), Fraction(1, 100), Fraction(1, 10**5), Fraction(1, 10**7)])
def test_divergence_keeps_its_digits(x):
    p = np.array([0.5 + float(x) / 2, 0.5 - float(x) / 2])
    log_p = np.array([math.log1p(float(x)), math.log1p(-float(x))]) - math.log(2)

    # log p carries a rounding of 1e-16, which the divergence sees relative to x.
    np.testing.assert_allclose(divergence(log_p, np.full(2, -math.log(2))), exact_divergence(x), rtol=4e-16 / float(x) + 1e-14)
    assert divergence(np.log(p), np.log(p)) == 0


def test_divergence_stands_zeros():
    zero = -np.inf
    assert abs(divergence(np.array([0.0, zero]), np.log([0.25, 0.75])) - np.log(4)) <= 1e-15
    assert divergence(np.log([0.25, 0.75]), np.array([0.0, zero])) == np.inf
    assert divergence(np.array([0.0, zero]), np.array([0.0, zero])) == 0


def test_divergence_of_far_policies_is_the_plain_sum():
    rng = np.random.default_rng(0)
    log_p, log_q = (x - np.log(np.exp(x).sum(axis=1, keepdims=True)) for x in rng.normal(scale=8, size=(2, 50, 4)))

    np.testing.assert_allclose(divergence(log_p, log_q), (np.exp(log_p) * (log_p - log_q)).sum(axis=1), rtol=1e-12)


def test_soft_optimum_takes_the_oracle_as_its_evaluation(stacks):
    stack = stacks(N=2)
    oracle = SoftmaxOracle(stack, tau=0.3)

    assert abs(soft_optimum(stack, 0.3, oracle).J - oracle.best).max() == 0
