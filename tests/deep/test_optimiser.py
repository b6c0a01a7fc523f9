"""Torch optimisers with exact mean gradients, against their formulas written out in numpy."""

import numpy as np
import pytest
import torch

from pgtheory.deep.optimiser import OptimiserUpdate, optimiser_named
from pgtheory.rating import rate
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument, NonTerminating, UserFunctionError
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.classic import two_state
from pgtheory.training import training_step

MODEL = Bandit(r=[1.0, 0.2, 0.5])
STACK = Stack.of([MODEL])
START = np.array([[[0.1, 0.3, -0.2]]])


def path(update, steps):
    return run(update, SoftmaxOracle(STACK), START, steps, watch={"theta": lambda outlook: outlook.theta}).watched["theta"][:, 0, 0]


def exact_gradient(theta):
    """pi (r - J) by hand."""
    pi = np.exp(theta) / np.exp(theta).sum()
    r = np.array([1.0, 0.2, 0.5])
    return pi * (r - pi @ r)


def plain_loss(logprobs, advantages, mask):
    """A torch loss whose mean is the gradient: leave-one-out advantages are completed for it."""
    return -(logprobs * advantages * mask).sum(dim=-1).mean()


def test_sgd_on_an_unbiased_loss_is_gradient_ascent():
    update = training_step(plain_loss, MODEL, optimiser="sgd", learning_rate=0.4, group=3)

    np.testing.assert_allclose(path(update, 6), path(Gradient(Constant(0.4)), 6), rtol=1e-12, atol=1e-14)


def test_sgd_on_group_means_is_gradient_ascent_with_a_smaller_step():
    """(G-1)/G of the step: the learning rate hides the bias."""
    update = training_step("group-mean", MODEL, optimiser="sgd", learning_rate=0.4, group=4)

    np.testing.assert_allclose(path(update, 6), path(Gradient(Constant(0.3)), 6), rtol=1e-12, atol=1e-14)


def test_adam_keeps_its_moments_between_steps():
    update = training_step("leave-one-out", MODEL, optimiser="adam", learning_rate=0.05, group=2)

    theta, m, v = START[0, 0].copy(), 0.0, 0.0
    for t in range(1, 8):
        g = -exact_gradient(theta)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        theta = theta - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    np.testing.assert_allclose(path(update, 7)[-1], theta, rtol=1e-10)


def test_step_is_a_function_of_the_state():
    update = training_step("leave-one-out", MODEL, optimiser="adam", learning_rate=0.05, group=2)
    state = update.step(update.init(SoftmaxOracle(STACK), START))

    np.testing.assert_array_equal(update.step(state).theta, update.step(state).theta)


def test_optimiser_of_ones_own():
    make = lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    update = training_step("leave-one-out", MODEL, optimiser=make, group=2)

    theta, momentum = START[0, 0].copy(), 0.0
    for _ in range(5):
        momentum = 0.9 * momentum - exact_gradient(theta)
        theta = theta - 0.1 * momentum

    np.testing.assert_allclose(path(update, 5)[-1], theta, rtol=1e-12)


def test_theorem_recognises_sgd_as_its_update_and_another_rate_as_rescaled():
    same = rate(training_step("leave-one-out", MODEL, learning_rate=0.4), problem=MODEL, theorem="softmax-bandit", steps=20)
    short = rate(training_step("leave-one-out", MODEL, learning_rate=0.1), problem=MODEL, theorem="softmax-bandit", steps=20)

    assert (same.answer, same.same.kind) == ("HOLDS", "same")
    assert short.same.kind == "rescaled"
    np.testing.assert_allclose(short.same.factor, 0.25, rtol=1e-8)


def test_wrong_sign_of_a_loss_goes_backwards():
    wrong = lambda logprobs, advantages, mask: (logprobs * advantages * mask).sum(dim=-1).mean()

    assert rate(training_step(wrong, MODEL, learning_rate=0.4), problem=MODEL, theorem="softmax-bandit", steps=5).answer == "REFUTED"


def test_bad_use_is_explained():
    with pytest.raises(InvalidArgument, match="no optimiser is called 'newton'"):
        optimiser_named("newton", 0.1)
    with pytest.raises(InvalidArgument, match="learning rate is -1"):
        optimiser_named("sgd", -1)
    with pytest.raises(InvalidArgument, match="unknown options speed"):
        training_step("leave-one-out", MODEL, speed=3)
    two = Stack.of([MODEL, MODEL])
    with pytest.raises(InvalidArgument, match="theta holds 2 problems"):
        training_step("leave-one-out", MODEL).init(SoftmaxOracle(two), np.zeros((2, 1, 3)))


def test_mean_that_is_not_finite_stops_the_run():
    update = OptimiserUpdate(lambda theta: np.full(3, np.nan), optimiser_named("sgd", 0.1))

    with pytest.raises(UserFunctionError, match="not finite at step 0"):
        update.step(update.init(SoftmaxOracle(STACK), START))


def test_episodes_that_never_end_are_refused_by_their_sampling():
    """Without a horizon the data sets of a process that never ends cannot be enumerated."""
    update = training_step("reward-to-go", two_state(), learning_rate=0.1)

    with pytest.raises((InvalidArgument, NonTerminating)):
        update.step(update.init(SoftmaxOracle(Stack.of([two_state()])), np.zeros((1, 2, 2))))
