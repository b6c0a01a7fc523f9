"""Episodes from one stage: their law by recursion over every episode in plain Python, its mean against the gradient of the stage's bandit, what is merged, and whose turn it is."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.backward import Backward
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.rollouts import Rollouts, StageByStage
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.stochastic import paths
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.classic import lock
from pgtheory.tabular.models.mdp import MDP

H, S = 3, 2


def stack(n=2, gamma=0.8):
    """Two states, two actions, three stages; an episode may end early, with chances that differ from pair to pair."""
    rng = np.random.default_rng(0)
    shorter = lambda: rng.dirichlet(np.ones(2), size=(2, 2)) * rng.uniform(0.5, 1, size=(2, 2, 1))
    return Stack.of([with_time(MDP(P=shorter(), r=rng.random((2, 2)), mu=[0.5, 0.5], horizon=H, gamma=gamma)).model for _ in range(n)])


def outlook(models):
    return SoftmaxOracle(models)(np.random.default_rng(1).normal(size=models.r.shape))


def every_episode(model, pi, state, discount=1.0):
    """(probability, return) of every episode from a state, the policy's and the model's probabilities multiplied along it."""
    for a in range(model.r.shape[1]):
        rest = 1 - model.P[state, a].sum()
        yield pi[state, a] * rest, discount * model.r[state, a], a
        for after in np.flatnonzero(model.P[state, a]):
            for chance, later, _ in every_episode(model, pi, after, discount * model.gamma):
                yield pi[state, a] * model.P[state, a, after] * chance, discount * model.r[state, a] + later, a


@pytest.mark.parametrize("h", range(H))
def test_mean_is_the_gradient_of_the_stage_and_second_moments_are_those_of_all_episodes(h):
    models = stack()
    here = outlook(models)
    chance, gradient = Rollouts(models, H, h)(here)

    np.testing.assert_allclose(chance.sum(axis=1), 1, rtol=1e-14)
    mean = np.einsum("nk,nksa->nsa", chance, gradient)
    bandit = Backward(Gradient(Constant(1.0)), H, 1).begin(h, here).state.outlook
    np.testing.assert_allclose(mean[:, h * S : (h + 1) * S], bandit.gradient, atol=1e-15)
    assert not np.delete(gradient, np.s_[h * S : (h + 1) * S], axis=2).any()
    for n, model in enumerate(models.models):
        pi = here.pi[n]
        expected = sum(
            chance / S * G**2 * ((np.arange(2) == a) - pi[s]) @ ((np.arange(2) == a) - pi[s])
            for s in range(h * S, (h + 1) * S)
            for chance, G, a in every_episode(dense(model), pi, s)
        )
        assert np.einsum("nk,nksa->n", chance, gradient**2)[n] == pytest.approx(expected, rel=1e-12)


def dense(model):
    """With P as an array, which a stack's models have."""
    assert isinstance(model.P, np.ndarray)
    return model


def test_policies_of_later_stages_matter_and_of_earlier_ones_do_not():
    models = stack()
    theta = outlook(models).theta
    law, changed = Rollouts(models, H, 1), theta.copy()
    changed[:, :S] += [1.0, 0.0]
    assert all((a == b).all() for a, b in zip(law(SoftmaxOracle(models)(theta)), law(SoftmaxOracle(models)(changed)), strict=True))
    changed[:, 2 * S :] += [1.0, 0.0]
    assert (law(SoftmaxOracle(models)(theta)).chance != law(SoftmaxOracle(models)(changed)).chance).any()


def test_episodes_that_return_nothing_are_one_outcome():
    """Of a lock only the episode that opens it moves theta; of random rewards every pair and return is another outcome."""
    assert Rollouts(Stack.of([lock(3)]), 3, 0)(outlook(Stack.of([lock(3)]))).chance.shape == (1, 2)
    # 2 states, 2 actions at the stage; a return is known by what follows: end, or 4 pairs and 1 + 4 more
    assert Rollouts(stack(), H, 2)(outlook(stack())).chance.shape == (2, 4)
    assert Rollouts(stack(), H, 1)(outlook(stack())).chance.shape == (2, 4 * 5)


def test_stages_take_turns_and_nothing_moves_afterwards():
    models = stack(n=1)
    moved, last = [], np.zeros(models.r.shape)
    for found in paths(Gradient(Constant(0.1)), SoftmaxOracle(models), StageByStage(models, H, 1), last, 5):
        moved.append((found.outlook.theta != last[:1]).any(axis=(0, 2)).nonzero()[0].tolist())
    assert moved == [[], [4, 5], [2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]
    assert found.weight.shape == (1, len(found.outlook.theta))


def test_lock_of_two_stages_by_hand():
    """One step of size eta a stage: the last stage is opened with chance 1/2 and then has p = e^eta/(1 + e^eta); the first moves with chance p/2 or 1/4, by p in all."""
    eta = 0.7
    p = 1 / (1 + np.exp(-eta))
    *_, end = paths(Gradient(Constant(eta)), SoftmaxOracle(Stack.of([lock(2)])), StageByStage(Stack.of([lock(2)]), 2, 1), np.zeros((1, 2, 2)), 2)

    expected = 0.5 * (p / 2 * p + (1 - p / 2) / 2) * p + 0.5 * (0.25 * p + 0.75 / 2) / 2
    assert end.mean(end.outlook.value)[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "made", [lambda m: Rollouts(m, H, H), lambda m: Rollouts(m, 4, 0), lambda m: Rollouts(m, H, -1), lambda m: StageByStage(m, H, 0)]
)
def test_stages_that_are_none_are_refused(made):
    with pytest.raises(InvalidArgument):
        made(stack())
