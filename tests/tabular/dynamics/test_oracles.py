"""Oracles against complex steps through the return written out, the objectives, and one problem against many."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.oracles import DirectOracle, FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.objectives.returns import return_gradient
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.policy import fisher
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.solve.evaluation import evaluate

LONG = 100 * 2.0**-53 * 200
"""100 roundings of numbers that a horizon of 1 / (1 - 0.99) makes as large as 200."""

COEFFICIENTS = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (0.3, 0.2)]


def logits(stack: Stack, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=stack.r.shape)


@pytest.mark.parametrize(("tau", "kl"), COEFFICIENTS)
def test_softmax_value_and_gradient_are_those_of_the_return_written_out(stacks, return_of, slope_of, softmax, tau, kl):
    stack = stacks()
    theta, ref = logits(stack), softmax(logits(stack, 4))
    outlook = SoftmaxOracle(stack, tau=tau, kl=kl, ref=ref if kl else None)(theta)

    for n in range(stack.N):
        J = lambda x, n=n: return_of(stack, n, softmax(x), tau=tau, kl=kl, ref=ref[n] if kl else None)
        assert abs(outlook.value[n] - J(theta[n]).real) <= LONG
        assert abs(outlook.gradient[n] - slope_of(J, theta[n])).max() <= LONG


def test_softmax_outlook_is_the_evaluation(stacks):
    stack = stacks()
    outlook = SoftmaxOracle(stack)(logits(stack))

    for n, model in enumerate(stack.models):
        policy = Softmax(outlook.theta[n])
        expected = evaluate(model, policy)
        for name in ("V", "Q", "advantage", "occupancy"):
            assert abs(getattr(outlook, name)[n] - getattr(expected, name)).max() <= LONG
        assert abs(outlook.pi[n] - policy.probabilities).max() <= 1e-15
        assert abs(outlook.log_pi[n] - policy.log_probabilities).max() <= 1e-14
        assert abs(outlook.gradient[n].ravel() - return_gradient(model, policy)).max() <= LONG
        assert abs(outlook.entropy[n] + (policy.probabilities * policy.log_probabilities).sum(axis=1)).max() <= 1e-14


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_closed_natural_gradient_is_the_pseudo_inverse_of_fisher_times_the_gradient(stacks, tau):
    stack = stacks(gammas=(0.9, 0.5))
    mu = np.array(stack.mu)
    P = np.array(stack.P)
    P[0, :, :, 2], mu[0, 2] = 0, 0  # state 2 of problem 0 is never visited
    stack = Stack(P=P, r=stack.r, mu=mu / mu.sum(axis=1, keepdims=True), gamma=stack.gamma)
    outlook = SoftmaxOracle(stack, tau=tau)(logits(stack))

    assert (outlook.occupancy[0, 2], abs(outlook.natural[0, 2]).max()) == (0, 0)
    for n in range(stack.N):
        F = fisher(Softmax(outlook.theta[n]), outlook.occupancy[n])
        expected = np.linalg.pinv(F, hermitian=True) @ outlook.gradient[n].ravel()
        # pinv carries the condition of F, here below 1e4.
        np.testing.assert_allclose(outlook.natural[n].ravel(), expected, rtol=0, atol=1e-10)


def test_direct_gradient_is_the_partial_derivative(stacks, return_of, slope_of, softmax):
    stack = stacks()
    pi = softmax(logits(stack))
    outlook = DirectOracle(stack)(pi)

    for n in range(stack.N):
        tangent = Direct(pi[n]).tangent
        expected = slope_of(lambda x, n=n: return_of(stack, n, x), pi[n])
        assert abs(tangent(outlook.gradient[n].ravel()) - tangent(expected.ravel())).max() <= LONG
        assert abs(outlook.value[n] - return_of(stack, n, pi[n]).real) <= LONG
        # d(s) Q(s, a) without a probability is up to a thousand, not 200: 100 roundings of its own size.
        assert (
            abs(outlook.gradient[n].ravel() - return_gradient(stack.models[n], Direct(pi[n]))).max()
            <= 100 * 2.0**-53 * abs(outlook.gradient[n]).max()
        )


def test_direct_outlook_stands_zeros():
    outlook = DirectOracle(Stack.of([Bandit(r=[1.0, 2.0])]))(np.array([[[1.0, 0.0]]]))

    assert outlook.entropy.tolist() == [[0.0]]
    assert (outlook.value.tolist(), outlook.gap.tolist()) == ([1.0], [1.0])


@pytest.mark.parametrize("make", [lambda s: SoftmaxOracle(s), lambda s: SoftmaxOracle(s, tau=0.2), DirectOracle])
def test_many_problems_are_the_problems_one_by_one(stacks, softmax, make):
    stack = stacks(N=7)
    theta = softmax(logits(stack))
    together = make(stack)(theta)

    for n in range(stack.N):
        alone = make(Stack.of([stack.models[n]]))(theta[n : n + 1])
        for name in ("value", "gradient", "V", "Q", "occupancy", "gap"):
            assert abs(getattr(together, name)[n] - getattr(alone, name)[0]).max() <= LONG


def test_bandit_gap_keeps_its_digits_where_a_difference_would_not():
    """Two arms, gap Delta, logit difference u: the gap is Delta / (1 + exp u), 1e-26 of the value at u = 60."""
    outlook = SoftmaxOracle(Stack.of([Bandit(r=[1.0, 0.75])]))(np.array([[[60.0, 0.0]]]))

    np.testing.assert_allclose(outlook.gap, 0.25 / (1 + np.exp(60.0)), rtol=1e-14)
    assert outlook.oracle.best[0] - outlook.value[0] == 0


@pytest.mark.parametrize("u", [60.0, -60.0])
@pytest.mark.parametrize("make", [SoftmaxOracle, DirectOracle])
def test_gradient_and_advantage_keep_their_digits_on_the_best_arm_and_on_the_worst(u, make):
    """Two arms: the advantage is Delta (1 - p) of the first and -Delta p of the second, the softmax gradient +-Delta p (1 - p), all as small as 1e-27."""
    p, q = 1 / (1 + np.exp(-u)), 1 / (1 + np.exp(u))
    outlook = make(Stack.of([Bandit(r=[1.0, 0.75])]))(np.array([[[u, 0.0]]]) if make is SoftmaxOracle else np.array([[[p, q]]]))

    np.testing.assert_allclose(outlook.advantage[0, 0], [0.25 * q, -0.25 * p], rtol=1e-13)
    if make is SoftmaxOracle:
        np.testing.assert_allclose(outlook.gradient[0, 0], [0.25 * p * q, -0.25 * p * q], rtol=1e-13)


def test_gap_is_the_difference_to_the_best_value(stacks):
    stack = stacks()
    for oracle in (SoftmaxOracle(stack), SoftmaxOracle(stack, tau=0.4)):
        outlook = oracle(logits(stack))
        assert (outlook.gap > 0.01).all()
        assert abs(outlook.gap - (oracle.best - outlook.value)).max() <= LONG


def test_function_oracle_hands_on_what_it_was_given():
    oracle = FunctionOracle(lambda x: -(x**2).sum(axis=1), lambda x: -2 * x, optimal_value=0.0)
    theta = oracle.start([[1.0, 2.0], [0.0, 3.0]])
    outlook = oracle(theta)

    assert outlook.value.tolist() == [-5.0, -9.0]
    assert outlook.gap.tolist() == [5.0, 9.0]
    assert outlook.gradient.tolist() == [[-2.0, -4.0], [0.0, -6.0]]
    assert outlook.gradient_norm.tolist() == [np.sqrt(20.0), 6.0]


def test_gap_without_best_value_is_refused():
    oracle = FunctionOracle(lambda x: x.sum(axis=1), lambda x: np.ones_like(x))

    with pytest.raises(InvalidArgument, match="best value is not known"):
        _ = oracle(np.zeros((1, 1))).gap


def test_repeated_oracle_has_each_problem_several_times_in_a_row(stacks, softmax):
    stack = stacks(N=3)
    ref, theta = softmax(logits(stack)), softmax(logits(stack, 5))
    quadratic = FunctionOracle(lambda x: -(x**2).sum(axis=(1, 2)), lambda x: -2 * x, optimal_value=np.arange(3.0))
    for oracle in (SoftmaxOracle(stack, kl=0.3, ref=ref), SoftmaxOracle(stack, kl=0.3, ref=ref[0]), DirectOracle(stack), quadratic):
        one, two = oracle(theta), oracle.repeated(2)(np.repeat(theta, 2, axis=0))
        for name in ("value", "gap", "gradient"):
            assert abs(getattr(two, name) - np.repeat(getattr(one, name), 2, axis=0)).max() <= LONG
        assert np.ptp(one.gap) > 0.01


def test_one_table_serves_every_problem(stacks):
    stack = stacks()
    table = np.random.default_rng(0).normal(size=(stack.S, stack.A))

    assert (SoftmaxOracle(stack).start(table) == np.broadcast_to(table, stack.r.shape)).all()


BANDIT = Stack.of([Bandit(r=[1.0, 0.0])])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: SoftmaxOracle(BANDIT, tau=-1.0), "tau is -1.0"),
        (lambda: SoftmaxOracle(BANDIT, kl=np.nan, ref=np.full((1, 2), 0.5)), "kl is nan"),
        (lambda: SoftmaxOracle(BANDIT, kl=1.0), "kl is 1 and ref is missing"),
        (lambda: SoftmaxOracle(BANDIT, ref=np.full((1, 2), 0.5)), "kl is 0 and ref is given"),
        (lambda: SoftmaxOracle(BANDIT, kl=1.0, ref=np.full((1, 3), 1 / 3)), "ref has shape (1, 3)"),
        (lambda: SoftmaxOracle(BANDIT, kl=1.0, ref=np.array([[1.0, 0.0]])), "ref gives an action probability 0"),
        (lambda: SoftmaxOracle(BANDIT, kl=1.0, ref=np.array([[0.5, 0.6]])), "ref[0] sums to 1.1"),
        (lambda: SoftmaxOracle(BANDIT).start(np.zeros((2, 2))), "theta has shape (2, 2), expected (N, S, A) = (1, 1, 2) or (1, 2)"),
        (lambda: SoftmaxOracle(BANDIT).start([[0.0, np.inf]]), "theta[0, 1] is inf"),
        (lambda: DirectOracle(BANDIT).start([[0.5, 0.6]]), "theta[0, 0] sums to 1.1"),
        (lambda: FunctionOracle(lambda x: x[:, 0], lambda x: x).start(np.zeros(3)), "theta has shape (3,), expected (N, ...)"),
        (lambda: FunctionOracle(lambda x: x, lambda x: x).start(np.zeros((1, 3))), "value returns shape (1, 3)"),
        (lambda: FunctionOracle(lambda x: x[:, 0], lambda x: x[0]).start(np.zeros((1, 3))), "gradient returns shape (3,)"),
    ],
)
def test_bad_oracles_and_points_are_refused(call, text):
    with pytest.raises((InvalidArgument, InvalidPolicy)) as error:
        call()

    assert text in str(error.value)
