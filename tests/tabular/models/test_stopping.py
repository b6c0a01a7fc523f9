"""with_stopping: the values and gradients of the discounted model, and the law of a stopped step from a list of all that can happen in it."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import pgtheory as pg
from pgtheory import strategies as some
from pgtheory.tabular.errors import InvalidArgument, InvalidModel
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.models.stopping import with_stopping
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import return_gradient
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.solve.evaluation import evaluate

CONDITION = 1e-12
"""Values up to 40 with gamma <= 0.9: systems of condition at most 20, a few hundred roundings of size 2^-53."""


def transition_rewards(gamma: float, *, sparse: bool = False, horizon: int | None = None, **rest) -> MDP:
    """Rewards r[s, a, t] and r_end that all differ; two rows end on their own."""
    rng = np.random.default_rng(3)
    P = rng.dirichlet(np.ones(4), size=(3, 2))[..., :3]
    P[0] /= P[0].sum(axis=-1, keepdims=True)
    r, r_end = rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 2))
    wide = lambda x: sp.csr_array(x.reshape(6, 3)) if sparse else x
    if "noise" in rest:
        noise = rest.pop("noise")
        rest |= {"r2": wide(r**2 + noise), "r2_end": r_end**2 + 2 * noise}
    return MDP(P=wide(P), r=wide(r), r_end=r_end, mu=[0.2, 0.3, 0.5], gamma=gamma, horizon=horizon, **rest)


POLICY = Softmax(np.array([[0.5, -1.0], [2.0, 0.0], [0.1, 0.3]]))


@given(model=st.sampled_from(["discounted", "finite", "episodic"]).flatmap(lambda kind: some.mdps(kind=kind)), data=st.data())
def test_value_gradient_and_visits_are_those_of_the_discounted_model(model, data):
    policy = data.draw(some.policies(model.S, model.A))
    stopped = with_stopping(model)
    before, after = evaluate(model, policy), evaluate(stopped.model, stopped.lift(policy))

    assert stopped.model.gamma == 1
    assert stopped.lift(policy) is policy
    for name in ("V", "Q", "occupancy", "J"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=CONDITION, atol=CONDITION)
    np.testing.assert_allclose(return_gradient(stopped.model, policy), return_gradient(model, policy), rtol=CONDITION, atol=CONDITION)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("horizon", [None, 1, 3])
@pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
def test_rewards_of_transitions_are_paid_on_stopped_moves(sparse, horizon, gamma):
    model = transition_rewards(gamma, sparse=sparse, horizon=horizon)
    if gamma == 1 and horizon is None:
        model = MDP(P=model.P * 0.5, r=model.r, r_end=model.r_end, mu=model.mu)
    stopped = with_stopping(model).model

    np.testing.assert_allclose(evaluate(stopped, POLICY).Q, evaluate(model, POLICY).Q, rtol=CONDITION, atol=CONDITION)
    np.testing.assert_allclose(return_gradient(stopped, POLICY), return_gradient(model, POLICY), atol=CONDITION)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.25])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.9])
def test_moments_of_a_step_are_sums_over_all_that_can_happen(sparse, noise, gamma):
    """The move (or the end) and the stop are tossed one after the other; what ends is what is not moved on."""
    model = transition_rewards(gamma, sparse=sparse, **({"noise": noise} if noise else {}))
    P = model.transition.toarray() if sparse else model.transition
    r, r2 = (x.toarray() if sparse else x.reshape(6, 3) for x in (model.r, model.r * model.r + (noise * (model.r != 0))))
    going, ending = np.zeros((3, 3, 2, 3)), np.zeros((3, 3, 2))
    for s, a, target, stops in product(range(3), range(2), [0, 1, 2, None], [True, False]):
        pair = 2 * s + a
        chance = (1 - P[pair].sum() if target is None else P[pair, target]) * (1 - gamma if stops else gamma)
        if target is None:
            moments = np.array([1, model.r_end[s, a], model.r_end[s, a] ** 2 + 2 * noise])
        else:
            moments = np.array([1, r[pair, target], r2[pair, target]])
        if stops or target is None:
            ending[:, s, a] += chance * moments
        else:
            going[:, s, a, target] += chance * moments

    stopped = with_stopping(model).model
    rewards, table = Rewards(stopped), lambda x: (x.toarray() if sp.issparse(x) else x).reshape(3, 2, 3)  # a thin dense P counts as sparse
    np.testing.assert_allclose(stopped.ends, ending[0], atol=1e-15)
    for i, found in enumerate(rewards.at_end, start=1):
        np.testing.assert_allclose(stopped.ends * found, ending[i], atol=1e-14)
    for i, found in enumerate((rewards.transitions().P, rewards.transitions().first, rewards.transitions().second)):
        np.testing.assert_allclose(table(found), going[i], atol=1e-15)
    assert (stopped.r2_end - stopped.r_end**2).min() > 0.01  # the square of the mean would be wrong: this is a mixture


def test_horizon_second_moments_and_outcomes_are_kept():
    outcomes = Outcomes(values=np.array([0.0, 1.0]), chance=np.full((1, 2, 2), 0.5))
    model = with_stopping(MDP(P=np.ones((1, 2, 1)), mu=[1.0], outcomes=outcomes, horizon=2, gamma=0.25)).model
    noisy = with_stopping(MDP(P=np.ones((1, 2, 1)), mu=[1.0], r=np.ones((1, 2)), r2=np.full((1, 2), 3.0), gamma=0.25)).model

    assert model.horizon == 2
    assert model.outcomes is outcomes
    assert (model.r2 == 0.5).all()
    assert (model.ends == 0.75).all()
    assert (noisy.r2 == 3).all()
    assert noisy.horizon is None


HALF, SURE = MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], gamma=0.5, horizon=2), Direct([[1.0]])


@pytest.mark.parametrize(
    "use", [pg.solve, lambda model: pg.value(model, SURE), lambda model: pg.gradient(model, SURE), lambda model: pg.check("reinforce", problem=model)]
)
def test_the_pair_of_model_and_lift_is_no_model_and_says_where_it_is(use):
    with pytest.raises(InvalidModel, match=r"Augmented is a larger model and the lift.*its attribute `model`, and `lift\(policy\)`"):
        use(with_stopping(HALF))
    use(with_stopping(HALF).model)


def test_an_undiscounted_model_is_itself():
    model = TokenTree(vocabulary=2, limit=2, reward=lambda x, tokens: 1.0)

    assert with_stopping(model).model is model.mdp


def test_a_chance_of_stopping_below_the_slack_is_refused():
    with pytest.raises(InvalidArgument, match="which a row of P cannot show"):
        with_stopping(MDP(P=np.ones((1, 1, 1)), r=[[1.0]], mu=[1.0], gamma=1 - 1e-13))
