"""Updates against closed forms and against steps written out."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.oracles import DirectOracle, FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import FunctionUpdate, Gradient, Natural, Normalised
from pgtheory.tabular.errors import InvalidArgument, UserFunctionError
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.objectives.returns import return_gradient
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.policy import fisher
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

TWO_ARMS = SoftmaxOracle(Stack.of([Bandit(r=[0.7, 0.2])]))


def differences_of_logits(update, steps: int = 5) -> np.ndarray:
    found = run(update, TWO_ARMS, np.array([[0.3, 0.0]]), steps, watch={"theta": lambda o: o.theta})
    return found.watched["theta"][:, 0, 0, 0] - found.watched["theta"][:, 0, 0, 1]


def by_hand(step) -> list[float]:
    u = [0.3]
    for _ in range(5):
        u.append(step(u[-1], 1 / (1 + np.exp(-u[-1]))))
    return u


@pytest.mark.parametrize(
    ("update", "step"),
    [
        (Gradient(Constant(0.4)), lambda u, p: u + 2 * 0.4 * 0.5 * p * (1 - p)),  # both logits move by eta Delta p (1 - p)
        (Normalised(Constant(0.4)), lambda u, p: u + 0.4 * np.sqrt(2)),  # along (1, -1) / sqrt 2
        (Natural(Constant(0.4)), lambda u, p: u + 0.4 * 0.5),  # eta Delta
    ],
)
def test_two_arms_move_as_in_closed_form(update, step):
    np.testing.assert_allclose(differences_of_logits(update), by_hand(step), rtol=0, atol=1e-14)


def test_gradient_steps_are_those_of_the_objective(stacks):
    stack = stacks()
    found = run(Gradient(Constant(0.3)), SoftmaxOracle(stack), np.zeros((3, 3)), 10)

    for n, model in enumerate(stack.models):
        theta = np.zeros(9)
        for _ in range(10):
            theta = theta + 0.3 * return_gradient(model, Softmax(theta.reshape(3, 3)))
        assert abs(found.theta[n].ravel() - theta).max() <= 1e-11


def test_zero_gradient_stays_where_it_is():
    oracle = FunctionOracle(lambda x: -(x**2).sum(axis=1), lambda x: -2 * x)
    found = run(Normalised(Constant(0.5)), oracle, np.array([[0.0, 0.0], [3.0, 4.0]]), 1)

    np.testing.assert_allclose(found.theta, [[0.0, 0.0], [2.7, 3.6]], rtol=1e-15)


@pytest.mark.parametrize("normalised", [False, True])
def test_natural_step_of_any_parametrisation_solves_with_fisher(normalised):
    model = Stack.of([Bandit(r=[[1.0, 0.0, 0.3], [0.2, 0.5, 0.1]])]).models[0]
    policy = LogLinear(np.array([0.2, -0.4]), np.random.default_rng(0).normal(size=(2, 3, 2)))
    found = run(Natural(Constant(0.1), normalised=normalised), SceneOracle(Scene.of(model, policy)), policy.theta, 1)
    d = evaluate(model, policy).occupancy
    F = fisher(policy, d / d.sum() if normalised else d)

    assert abs(F @ (found.theta[0] - policy.theta) - 0.1 * return_gradient(model, policy)).max() <= 1e-14


def test_normalised_occupancy_makes_the_natural_step_longer_by_the_expected_length(stacks):
    """P077: F under the normalised visits has the step (1 - gamma) / lambda where no episode ends."""
    rng = np.random.default_rng(0)
    stack = Stack(
        P=rng.dirichlet(np.ones(3), size=(2, 3, 2)), r=rng.normal(size=(2, 3, 2)), mu=rng.dirichlet(np.ones(3), size=2), gamma=np.array([0.9, 0.5])
    )
    theta = rng.normal(size=(2, 3, 2))
    plain = run(Natural(Constant(0.1)), SoftmaxOracle(stack), theta, 1).theta - theta
    longer = run(Natural(Constant(0.1), normalised=True), SoftmaxOracle(stack), theta, 1).theta - theta

    np.testing.assert_allclose(longer, plain / (1 - stack.gamma)[:, None, None], rtol=1e-12, atol=1e-14)


def test_natural_gradient_with_entropy_has_the_policy_of_the_closed_form(stacks, softmax):
    """pi^(1 - eta tau) exp(eta Q), normalised, with the soft Q of value iteration for this policy: Cen et al. (2022), equation 15."""
    stack, tau, eta = stacks(gammas=(0.9, 0.5)), 0.3, 0.7
    theta = np.random.default_rng(1).normal(size=stack.r.shape)
    found = run(Natural(Constant(eta)), SoftmaxOracle(stack, tau=tau), theta, 1)
    pi = softmax(theta)
    V = np.zeros((stack.N, stack.S))
    for _ in range(400):  # 0.9^400 is 5e-19
        Q = stack.r + stack.gamma[:, None, None] * np.einsum("nsat,nt->nsa", stack.P, V)
        V = (pi * (Q - tau * np.log(pi))).sum(axis=2)
    expected = pi ** (1 - eta * tau) * np.exp(eta * Q)

    np.testing.assert_allclose(softmax(found.theta), expected / expected.sum(axis=2, keepdims=True), rtol=1e-12)


def test_a_function_is_an_update():
    grad = lambda theta: 0.5 * (p := np.exp(theta) / np.exp(theta).sum(axis=2, keepdims=True)) * (1 - p) * np.array([1, -1])
    own = FunctionUpdate(lambda theta: theta + 0.4 * grad(theta))

    np.testing.assert_allclose(differences_of_logits(own), differences_of_logits(Gradient(Constant(0.4))), rtol=0, atol=1e-14)
    size = run(own, TWO_ARMS, np.zeros((1, 2)), 1).size
    np.testing.assert_allclose(size[1], 0.4 * 0.5 * 0.25 * np.sqrt(2), rtol=1e-14)


def test_a_function_that_works_in_place_does_not_change_the_past():
    def double(theta: np.ndarray) -> np.ndarray:
        theta *= 2
        return theta

    update = FunctionUpdate(double)
    state = update.init(TWO_ARMS, np.array([[1.0, 0.0]]))
    after = update.step(state)

    assert (state.theta.ravel().tolist(), after.theta.ravel().tolist(), after.size.tolist()) == ([1.0, 0.0], [2.0, 0.0], [1.0])


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda theta: theta[0], "returned shape (1, 2) for theta of shape (1, 1, 2)"),
        (lambda theta: 1 / 0, "raised ZeroDivisionError at step 0"),
    ],
)
def test_functions_that_are_no_update_are_refused(function, text):
    with pytest.raises(UserFunctionError) as error:
        run(FunctionUpdate(function), TWO_ARMS, np.zeros((1, 2)), 1)

    assert text in str(error.value)


@pytest.mark.parametrize(
    ("update", "oracle", "text"),
    [
        (
            Natural(Constant(1.0)),
            FunctionOracle(lambda x: x[:, 0, 0], lambda x: x),
            "Natural needs natural, occupancy, which FunctionOracle does not show",
        ),
        (Natural(Constant(1.0)), DirectOracle(TWO_ARMS.stack), "Natural needs natural, which DirectOracle does not show"),
        (Gradient(Constant(1.0)), DirectOracle(TWO_ARMS.stack), "it would leave the simplex. Use MirrorDescent"),
        (Normalised(Constant(1.0)), DirectOracle(TWO_ARMS.stack), "it would leave the simplex. Use MirrorDescent"),
    ],
)
def test_pairs_that_make_no_sense_are_refused_at_the_start(update, oracle, text):
    with pytest.raises(InvalidArgument) as error:
        update.init(oracle, np.full((1, 1, 2), 0.5))

    assert text in str(error.value)


@pytest.mark.parametrize("update", [Gradient(Constant(0.3)), Normalised(Constant(0.1)), Natural(Constant(0.3))])
def test_many_problems_are_the_problems_one_by_one(stacks, update):
    stack = stacks(N=4)
    theta = np.random.default_rng(5).normal(size=stack.r.shape)
    together = run(update, SoftmaxOracle(stack), theta, 30)

    for n, model in enumerate(stack.models):
        alone = run(update, SoftmaxOracle(Stack.of([model])), theta[n : n + 1], 30)
        assert abs(together.theta[n] - alone.theta[0]).max() <= 1e-10
        assert abs(together.gap[:, n] - alone.gap[:, 0]).max() <= 1e-10


@pytest.mark.parametrize("update", [Gradient(Constant(0.3)), Normalised(Constant(0.1)), Natural(Constant(0.3))])
def test_problems_stay_next_to_each_other_in_memory(stacks, update):
    """A thousand problems are fast only if no step changes the layout: sums over a few actions then run along the problems."""
    found = run(update, SoftmaxOracle(stacks(N=4), tau=0.1), np.zeros((3, 3)), 3)

    assert found.theta.flags.f_contiguous and found.final.outlook.pi.flags.f_contiguous and found.final.outlook.gradient.flags.f_contiguous
