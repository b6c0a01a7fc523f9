"""Mirror descent against projections found by bisection, closed forms, and policy iteration."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.mirror import DualMap, Euclidean, MirrorDescent, NegativeEntropy, PolicyIteration, PolicyMirrorDescent, project
from pgtheory.tabular.dynamics.oracles import DirectOracle, FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Geometric
from pgtheory.tabular.dynamics.updates import Natural
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.solve.optimal import optimal


def bisected(x: np.ndarray) -> np.ndarray:
    """max(x - nu, 0) with nu between max x - 1 and max x such that the sum is one."""
    low, high = x.max() - 1, x.max()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(x - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(x - low, 0)


def test_projection_is_the_nearest_distribution():
    rng = np.random.default_rng(0)
    for A in (1, 2, 3, 7):
        x = np.concatenate([rng.normal(scale=s, size=(12, A)) for s in (0.1, 1.0, 10.0)] + [np.zeros((1, A)), np.full((1, A), 5.0)])
        np.testing.assert_allclose(project(x), [bisected(row) for row in x], rtol=0, atol=1e-14)


def test_projection_leaves_distributions_alone():
    p = np.random.default_rng(0).dirichlet(np.ones(4), size=(5, 3))

    assert abs(project(p) - p).max() <= 1e-15
    assert project(np.array([[[0.0, 1.0]]])).tolist() == [[[0.0, 1.0]]]


def test_euclidean_mirror_descent_is_projected_gradient(stacks):
    stack = stacks()
    oracle = DirectOracle(stack)
    start = np.full(stack.r.shape, 1 / 3)
    found = run(MirrorDescent(Constant(0.2), Euclidean()), oracle, start, 3)
    pi = start
    for _ in range(3):
        g = oracle(pi).gradient
        pi = np.array([[bisected(row) for row in table] for table in pi + 0.2 * g])

    assert abs(found.theta - pi).max() <= 1e-12


def test_negative_entropy_is_exponentiated_gradient_and_a_dual_map(stacks, softmax):
    oracle = DirectOracle(stacks())
    start = softmax(np.random.default_rng(0).normal(size=(5, 3, 3)))
    closed = run(MirrorDescent(Constant(0.2), NegativeEntropy()), oracle, start, 4)
    dual = run(MirrorDescent(Constant(0.2), DualMap(np.log, softmax)), oracle, start, 4)

    np.testing.assert_allclose(closed.theta, dual.theta, rtol=1e-11)


def test_dual_map_on_free_parameters():
    """h = x^4 / 4: theta' = cbrt(theta^3 + change)."""
    oracle = FunctionOracle(lambda x: -(x**2).sum(axis=1) / 2, lambda x: -x)
    found = run(MirrorDescent(Constant(0.5), DualMap(lambda x: x**3, np.cbrt)), oracle, np.array([[2.0]]), 1)

    np.testing.assert_allclose(found.theta, [[np.cbrt(8.0 - 1.0)]], rtol=1e-15)


def test_entropy_step_stands_zeros_and_huge_changes():
    step = NegativeEntropy().step

    assert step(np.array([0.5, 0.5, 0.0]), np.array([0.0, -1e9, 1e9])).tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(step(np.array([0.25, 0.75]), np.array([1e5, 1e5])), [0.25, 0.75], rtol=1e-15)


def test_policy_mirror_descent_on_logits_and_on_probabilities_is_one_thing(stacks, softmax):
    stack = stacks()
    theta = np.random.default_rng(0).normal(size=stack.r.shape)
    update = PolicyMirrorDescent(Constant(0.5))
    on_logits = run(update, SoftmaxOracle(stack), theta, 6)
    on_probabilities = run(update, DirectOracle(stack), softmax(theta), 6)

    np.testing.assert_allclose(softmax(on_logits.theta), on_probabilities.theta, rtol=1e-10)
    np.testing.assert_allclose(on_logits.gap, on_probabilities.gap, rtol=1e-10)


def test_policy_mirror_descent_is_natural_gradient_where_every_state_is_visited(stacks, softmax):
    stack = stacks(gammas=(0.9, 0.5))
    found = [run(u, SoftmaxOracle(stack), np.zeros((3, 3)), 5).theta for u in (PolicyMirrorDescent(Constant(0.5)), Natural(Constant(0.5)))]

    np.testing.assert_allclose(*map(softmax, found), rtol=1e-11)


@pytest.mark.parametrize("bregman", [NegativeEntropy(), Euclidean()])
def test_policy_iteration_is_the_limit_of_large_steps(stacks, bregman):
    oracle = DirectOracle(stacks())
    start = np.full((3, 3), 1 / 3)
    greedy = run(PolicyIteration(), oracle, start, 1)

    assert abs(run(PolicyMirrorDescent(Constant(1e6), bregman), oracle, start, 1).theta - greedy.theta).max() == 0
    assert abs(run(PolicyMirrorDescent(Constant(0.1), bregman), oracle, start, 1).theta - greedy.theta).max() > 0.1


def test_policy_iteration_reaches_the_best_policy_and_stays(stacks):
    stack = stacks(N=8)
    found = run(PolicyIteration(), DirectOracle(stack), np.full((3, 3), 1 / 3), 12)

    assert (found.gap[-1] == 0).all() and (found.gap[0] > 0).all()
    for n, model in enumerate(stack.models):
        assert abs(found.value[-1, n] - optimal(model).J) <= 1e-12
        assert (np.diff(found.value[:, n]) >= -1e-12).all()


def test_growing_steps_contract_at_the_rate_gamma():
    """Xiao (2022), theorem 10 with eta_t = eta_0 gamma^-t and a start with all states: gap_t <= gamma^t (gap_0 + KL_0 / (eta_0 gamma ...)): the slope."""
    rng = np.random.default_rng(3)
    stack = Stack(P=rng.dirichlet(np.ones(4), size=(6, 4, 3)), r=rng.random((6, 4, 3)), mu=np.full((6, 4), 0.25), gamma=np.full(6, 0.8))
    found = run(PolicyMirrorDescent(Geometric(1.0, 1 / 0.8)), SoftmaxOracle(stack), np.zeros((4, 3)), 60)
    constant = np.log(3) / (1 - 0.8) + found.gap[0]

    assert (found.gap <= 0.8 ** found.t[:, None] * constant).all()


@pytest.mark.parametrize(
    ("update", "oracle", "text"),
    [
        (
            MirrorDescent(Constant(1.0), Euclidean()),
            "softmax",
            "Euclidean keeps rows of theta on the simplex, where theta of SoftmaxOracle does not live",
        ),
        (MirrorDescent(Constant(1.0), NegativeEntropy()), "function", "NegativeEntropy keeps rows of theta on the simplex"),
        (PolicyMirrorDescent(Constant(1.0), Euclidean()), "softmax", "moves probabilities, and theta of SoftmaxOracle is none"),
        (PolicyMirrorDescent(Constant(1.0)), "function", "PolicyMirrorDescent needs advantage, which FunctionOracle does not show"),
        (PolicyIteration(), "softmax", "PolicyIteration sets probabilities to 0 and 1, which SoftmaxOracle does not hold"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(update, oracle, text):
    made = SoftmaxOracle(Stack.of([Bandit(r=[1.0, 0.0])])) if oracle == "softmax" else FunctionOracle(lambda x: x[:, 0, 0], lambda x: x)

    with pytest.raises(InvalidArgument) as error:
        update.init(made, np.zeros((1, 1, 2)))

    assert text in str(error.value)
