"""Columns: every kind against the explicit table of scores, sums over states and actions written out."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.columns import Own, Table, columns_of, directions, to_parameters
from pgtheory.tabular.laws.forms import form_of
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear, tied
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.scene import Scene

RNG = np.random.default_rng(3)
S, A = 3, 2
MODEL = MDP(P=RNG.dirichlet(np.ones(S), size=(S, A)), r=RNG.normal(size=(S, A)), mu=np.full(S, 1 / S), gamma=0.9)
TABLE = RNG.dirichlet(np.ones(A), size=S)
POLICIES = {
    "softmax": Softmax.of(TABLE),
    "direct": Direct(TABLE),
    "tied": tied(RNG.normal(size=(2, A)), rows=[0, 1, 0]),
    "log-linear": LogLinear(RNG.normal(size=4), RNG.normal(size=(S, A, 4))),
    "more parameters than pairs": LogLinear(RNG.normal(size=9), RNG.normal(size=(S, A, 9))),
}


def case(name, off_policy):
    policy = POLICIES[name]
    sampler = Softmax(np.array([[0.3, -0.2], [0.0, 1.0], [-1.0, 0.4]])) if off_policy else None
    scene = Scene.of(MODEL, policy, sampler=sampler)
    estimator = PolicyGradient(advantage=RewardToGo(), ratio=TokenRatio() if off_policy else None)
    form = form_of(estimator, OffPolicy() if off_policy else OnPolicy(), scene)
    psi = score(policy) * (policy.probabilities / sampler.probabilities if off_policy else np.ones((S, A)))[..., None]
    return form, policy, psi, columns_of(form, policy)


@pytest.mark.parametrize("off_policy", [False, True])
@pytest.mark.parametrize("name", POLICIES)
def test_sums_over_scores_are_those_of_the_explicit_table(name, off_policy):
    """Means, squares and products in the parameters, whatever space the columns live in; the ratio multiplies each score."""
    form, policy, psi, columns = case(name, off_policy)
    x, W = RNG.normal(size=(S, A)), RNG.normal(size=(S * A, S * A))
    k = columns.size
    square, table = np.zeros((k, k)), np.zeros((S, k))
    columns.add_squares(square, x)
    columns.add_mean(table, x)
    mean, square = to_parameters(columns, policy, columns.total(x), square)
    weight = form.actions * x
    np.testing.assert_allclose(mean, np.einsum("sa,sad->d", weight, psi), atol=1e-13)
    np.testing.assert_allclose(square, np.einsum("sa,sad,sae->de", weight, psi, psi), atol=1e-13)
    np.testing.assert_allclose(table.sum(axis=0), columns.total(x), atol=1e-13)
    np.testing.assert_allclose(to_parameters(columns, policy, table[1], np.zeros((k, k)))[0], np.einsum("a,ad->d", weight[1], psi[1]), atol=1e-13)
    if isinstance(columns, Table) or isinstance(policy, Softmax):
        np.testing.assert_allclose(columns.across(W), np.einsum("sad,sam->dm", psi, W.reshape(S, A, -1)), atol=1e-13)
    else:
        np.testing.assert_allclose(columns.across(W), W * form.ratio.reshape(-1, 1), atol=1e-15)


@pytest.mark.parametrize(("name", "kind"), [("softmax", Own), ("direct", Own), ("tied", Table), ("more parameters than pairs", Own)])
def test_few_parameters_are_a_table_and_others_live_in_their_own_state(name, kind):
    """The number of columns is never more than the smaller of D and S A."""
    columns = case(name, False)[3]
    assert type(columns) is kind
    assert columns.size == min(POLICIES[name].theta.size, S * A)


@pytest.mark.parametrize("name", ["softmax", "log-linear"])
@pytest.mark.parametrize("width", [1, 2, 3, 100])
def test_blocks_are_the_columns_cut_apart(name, width):
    """Every column stands in one block, with the same means."""
    columns = case(name, True)[3]
    x = RNG.normal(size=(S, A))
    table, parts = np.zeros((S, columns.size)), np.full((S, columns.size), np.nan)
    columns.add_mean(table, x)
    for place, block in columns.blocks(width):
        assert block.size == place.stop - place.start
        part = np.zeros((S, block.size))
        block.add_mean(part, x)
        parts[:, place] = part
        np.testing.assert_allclose(block.total(x), columns.total(x)[place], atol=1e-15)
    np.testing.assert_allclose(parts, table, atol=1e-15)


@pytest.mark.parametrize("name", POLICIES)
def test_directions_are_scores_times_vectors(name):
    """The ratio included."""
    form, policy, psi, _ = case(name, True)
    X = RNG.normal(size=(3, policy.theta.size))
    np.testing.assert_allclose(directions(form, policy, X).psi, psi @ X.T, atol=1e-13)


def test_scores_of_actions_that_are_never_taken_are_zero():
    """A probability of zero on the simplex has an infinite partial derivative, but no data."""
    policy = Direct([[1.0, 0.0]] * S)
    form = form_of(PolicyGradient(advantage=RewardToGo()), OnPolicy(), Scene.of(MODEL, policy))
    found = directions(form, policy, np.eye(S * A)).psi
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[0, 0], [1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(found[0, 1], np.zeros(6))


def test_data_without_a_score_are_refused():
    """The pair and the probability are in the text."""
    policy = Direct([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    scene = Scene.of(MODEL, policy, sampler=Softmax(np.zeros((S, A))))
    form = form_of(PolicyGradient(advantage=RewardToGo()), OffPolicy(), scene)
    with pytest.raises(InvalidPolicy, match="never takes action 1 in state 0"):
        columns_of(form, policy)
    with pytest.raises(InvalidPolicy, match="log 0"):
        directions(form, policy, np.eye(6))
