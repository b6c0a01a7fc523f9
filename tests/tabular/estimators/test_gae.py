"""GAE and n-step returns: quadratic-time definitions, exact means, the bias of a wrong critic, truncation."""

from dataclasses import replace

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.baselines import ExactValue
from pgtheory.tabular.estimators.gae import GAE, NStep
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

GAMMA = 0.9
# A path without return: three states and then the end, so that it ends by itself and needs no horizon.
FORWARD = MDP(
    P=[[[0, 1, 0], [0, 0, 1], [0, 0.5, 0.25]], [[0, 0, 1], [0, 0, 0.5], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]],
    r=[[0.5, -1.0, 0.25], [2.0, 0.25, -0.5], [-0.5, 1.5, 0.75]], mu=[0.5, 0.25, 0.25], gamma=GAMMA,
)  # fmt: skip
LOOP = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=GAMMA, horizon=3)
THETA = np.array([[0.2, -0.3, 0.5], [0.1, 0.6, -0.4], [-0.7, 0.3, 0.0]])
WRONG = np.array([0.5, -1.0, 1.5])


def forward():
    return Scene.of(FORWARD, Softmax(THETA), critic=WRONG)


def loop_scene(**point):
    return Scene.of(LOOP, Softmax(np.array([[0.3, -0.5], [0.8, 0.1]])), **point)


def mean_of(advantage, scene, sampling=None):
    return law(PolicyGradient(advantage=advantage), sampling or OnPolicy(), scene).mean


def by_definition(data, V, *, weight, step_discount=True):
    """gamma^t sum_l weight(l) delta_{t+l}, with delta from the definition and V after a cut but not after a termination."""
    N, B, T = data.shape
    found = np.zeros((N, B, T))
    for n in range(N):
        for b in range(B):
            L = int(data.length[n, b])
            values = [V[s] for s in data.state[n, b, :L]] + [V[data.last[n, b]] if data.truncated[n, b] else 0.0]
            delta = [data.reward[n, b, t] + GAMMA * values[t + 1] - values[t] for t in range(L)]
            for t in range(L):
                found[n, b, t] = sum(weight(l) * delta[t + l] for l in range(L - t)) * (GAMMA**t if step_discount else 1) / B
    return found


@pytest.mark.parametrize("step_discount", [True, False])
@pytest.mark.parametrize("lambda_", [0.0, 0.5, 1.0])
def test_gae_equals_its_definition_with_cut_and_ended_rows(lambda_, step_discount):
    scene = loop_scene(critic=np.array([0.5, -1.0]))
    data = OnPolicy(2, horizon=2).datasets(scene).data
    assert data.truncated.any()
    assert not data.truncated.all()
    found = PolicyGradient(advantage=GAE(lambda_=lambda_, step_discount=step_discount))(data, scene)
    expected = by_definition(data, [0.5, -1.0], weight=lambda l: (GAMMA * lambda_) ** l, step_discount=step_discount)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_n_step_equals_its_definition(n):
    scene = loop_scene(critic=np.array([0.5, -1.0]))
    data = OnPolicy(2).datasets(scene).data
    for step_discount in (True, False):
        found = PolicyGradient(advantage=NStep(n=n, step_discount=step_discount))(data, scene)
        expected = by_definition(data, [0.5, -1.0], weight=lambda l: GAMMA**l if l < n else 0.0, step_discount=step_discount)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_the_definition_catches_a_cut_that_counts_as_an_end():
    """Planted bug: a truncated row is treated as terminated."""
    scene = loop_scene(critic=np.array([0.5, -1.0]))
    data = OnPolicy(1, horizon=2).datasets(scene).data
    bugged = PolicyGradient(advantage=GAE(lambda_=0.5))(replace(data, truncated=np.zeros_like(data.truncated)), scene)
    assert abs(bugged - by_definition(data, [0.5, -1.0], weight=lambda l: (GAMMA * 0.5) ** l)).max() > 0.1


@pytest.mark.parametrize(
    "advantage", [GAE(lambda_=0.3, critic=ExactValue()), GAE(lambda_=1.0), NStep(n=2, critic=ExactValue()), NStep(n=9)], ids=repr
)
@pytest.mark.parametrize("scene", [forward(), loop_scene(critic=np.array([0.5, -1.0]))], ids=["forward", "loop"])
def test_an_exact_critic_or_the_whole_return_is_unbiased(advantage, scene):
    np.testing.assert_allclose(mean_of(advantage, scene), Return().gradient(scene), rtol=0, atol=1e-13)


def tail():
    """After one step the episode stays in a tail that no action influences."""
    P = [[[0, 1], [0.5, 0.5], [0, 0]], [[0, 1], [0, 1], [0, 1]]]
    return Scene.of(MDP(P=P, r=[[0.5, -1, 2], [1, 1, 1]], mu=[1, 0], gamma=GAMMA), Softmax(THETA[:2]))


@pytest.mark.parametrize("lambda_", [0.0, 0.7, 1.0])
def test_bootstrapping_at_the_cut_carries_what_lies_behind_it(lambda_):
    """Steps t < 3 of the infinite episode have E[g] = sum_{t<3} gamma^t d_t pi A score; the planted bug ends the episode there."""
    scene = tail()
    policy, found = scene.policy(), evaluate(scene.model, scene.policy())
    kernel, visits, expected = scene.mdp.kernel(policy.probabilities), scene.mdp.mu, 0.0
    for _ in range(3):
        expected = expected + policy.pullback(visits[:, None] * policy.probabilities * found.advantage)
        visits = GAMMA * kernel.T @ visits
    sampling = OnPolicy(horizon=3)
    np.testing.assert_allclose(mean_of(GAE(lambda_=lambda_, critic=ExactValue()), scene, sampling), expected, rtol=0, atol=1e-12)

    class Ended:
        def __call__(self, data, scene):
            return GAE(lambda_=lambda_, critic=ExactValue())(replace(data, truncated=np.zeros_like(data.truncated)), scene)

    assert abs(mean_of(Ended(), scene, sampling) - expected).max() > 1e-2


@pytest.mark.parametrize("lambda_", [0.0, 0.6, 0.95, 1.0])
def test_the_bias_of_a_wrong_critic_is_its_closed_form(lambda_):
    """P015.C1-C2: E[g] - grad J = sum_s d(s) sum_a pi b score with b = gamma (1 - lambda) P M e, M = (I - gamma lambda P_pi)^-1."""
    scene = forward()
    policy, found = scene.policy(), evaluate(scene.model, scene.policy())
    e = WRONG - found.V
    M = np.linalg.inv(np.eye(3) - GAMMA * lambda_ * scene.mdp.kernel(policy.probabilities))
    b = GAMMA * (1 - lambda_) * (scene.mdp.transition @ (M @ e)).reshape(3, 3)
    bias = policy.pullback(found.occupancy[:, None] * policy.probabilities * b)
    np.testing.assert_allclose(mean_of(GAE(lambda_=lambda_), scene) - Return().gradient(scene), bias, rtol=0, atol=1e-14)
    assert abs(bias).max() > 1e-3 or lambda_ == 1.0


def test_a_critic_that_is_wrong_enough_points_downhill():
    """No lambda below 1 is safe: with a large error of the critic E[g] has a negative inner product with the gradient."""
    scene = forward()
    product = lambda c: mean_of(GAE(lambda_=0.95), scene.at(critic=c * WRONG)) @ Return().gradient(scene)
    assert product(1.0) > 0 > min(product(-1000.0), product(1000.0))


@pytest.mark.parametrize("lambda_", [-0.1, 1.1, float("nan")])
def test_lambda_outside_the_unit_interval_is_refused(lambda_):
    with pytest.raises(InvalidArgument, match="lambda"):
        GAE(lambda_=lambda_)


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_a_number_of_steps_that_is_no_count_is_refused(n):
    with pytest.raises(InvalidArgument, match="n is"):
        NStep(n=n)
