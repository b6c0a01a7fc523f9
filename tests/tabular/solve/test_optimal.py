"""The optimal solution: against the maximum over all deterministic policies, between methods, and its certificates against true errors."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, NonTerminating, NotConverged
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve import optimal as module
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.iteration.choice import chosen
from pgtheory.tabular.solve.iteration.greedy import Found
from pgtheory.tabular.solve.optimal import METHODS, optimal
from pgtheory.tabular.solve.play import Play

RANDOM = settings(max_examples=30)


@st.composite
def models(draw, *, gammas=(0.0, 0.5, 0.9, 1.0)):
    """Models with up to 3 states and 3 actions, small whole rewards (so that ties are frequent); with gamma = 1 each pair ends with 1/4 or more."""
    S, A = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    gamma = draw(st.sampled_from(gammas))
    weights = np.array(draw(st.lists(st.integers(0, 2), min_size=S * A * S, max_size=S * A * S)), dtype=float).reshape(S, A, S)
    P = weights / (weights.sum(axis=-1, keepdims=True) + (1 + weights.sum(axis=-1, keepdims=True) / 3 if gamma == 1 else 1))
    r = np.array(draw(st.lists(st.integers(-2, 2), min_size=S * A, max_size=S * A)), dtype=float).reshape(S, A)
    return MDP(P=P, r=r, mu=np.full(S, 1 / S), gamma=gamma)


def best_of_all(mdp: MDP) -> np.ndarray:
    """V* as the maximum over all A^S deterministic policies."""
    tables = (np.eye(mdp.A)[list(actions)] for actions in product(range(mdp.A), repeat=mdp.S))
    return np.max([evaluate(mdp, Direct(table)).V for table in tables], axis=0)


@RANDOM
@given(models())
@pytest.mark.parametrize("method", METHODS)
def test_optimal_is_the_best_of_all_policies(method, mdp):
    """Both certificates hold; 1e-11 is the error of the enumeration itself."""
    true = best_of_all(mdp)

    found = optimal(mdp, method=method)

    assert abs(found.V - true).max() <= found.bound + 1e-11
    assert (true - evaluate(mdp, found.as_policy()).V).max() <= found.gap + 1e-11
    digits = 1e-10 * abs(true).max() + 1e-11  # ten digits and rounding; a policy loses what V errs by, twice, and what a tie may cost
    assert found.bound <= digits
    assert found.gap <= 2.5 * digits
    assert abs(found.J - mdp.mu @ true) <= found.bound + 1e-11
    assert found.method == method


@RANDOM
@given(models(gammas=(0.5, 1.0)), st.integers(1, 3))
def test_backward_induction_is_optimal_in_the_model_with_time(mdp, T):
    finite = MDP(P=mdp.P, r=mdp.r, mu=mdp.mu, gamma=mdp.gamma, horizon=T)

    found, whole = optimal(finite), optimal(with_time(finite).model)

    assert found.V.shape == found.policy.shape == (T, mdp.S)
    assert abs(found.V.ravel() - whole.V).max() <= found.bound + whole.bound <= 1e-11
    assert (found.V - evaluate(finite, found.as_policy()).V).max() <= found.gap + found.bound <= 1e-11
    assert {optimal(finite, method=method).J for method in METHODS} == {found.J}


@pytest.mark.parametrize(
    ("id", "J"),
    [
        ("chain/5", 0.9**4),
        ("gridworld/4x4", -28 / 14),
        ("cliff/4x12", -13),
        ("deep-sea/10", 0.99),
        ("short-corridor", -3),
        ("coin/T=4", 4),
        ("bandit/K=3", 1),
        ("tokens/V=3,T=2", 1),
        ("random-walk/5", 1),
    ],
)
@pytest.mark.parametrize("method", ["policy-iteration", "linear-programming"])
def test_optimal_return_in_closed_form(id, J, method):
    """gridworld: 28 is the sum of the distances to the nearest of the two corners."""
    found = optimal(problem(id), method=method)

    assert abs(found.J - J) <= min(found.bound, 1e-11)


@pytest.mark.parametrize("id", ["two-state", "river-swim/6", "garnet/S=30,A=3,b=3,seed=1", "cliff/3x4", "deep-sea/5"])
def test_methods_agree_within_their_bounds(id):
    found = [optimal(problem(id), method=method) for method in METHODS]

    for a, b in product(found, repeat=2):
        assert abs(a.V - b.V).max() <= a.bound + b.bound
        assert (a.policy == b.policy).all()


@pytest.mark.parametrize("gamma", [0.5, 1.0])
@pytest.mark.parametrize("method", [None, *METHODS])
def test_value_of_zero_is_found_although_ten_digits_of_it_are_none(method, gamma):
    """One step that ends, for 0 or for -1: rounding is all that a bound can be."""
    found = optimal(MDP(P=np.zeros((1, 2, 1)), r=[[0.0, -1.0]], mu=[1.0], gamma=gamma), method=method)

    assert (found.J, found.policy.tolist()) == (0, [0])
    assert 0 < found.bound < 1e-13 and 0 < found.gap < 1e-13


def test_sparse_agrees_with_dense():
    mdp = as_mdp(problem("garnet/S=40,A=3,b=4,seed=2"))
    sparse = MDP(P=sp.csr_array(mdp.transition), r=mdp.r, mu=mdp.mu, gamma=mdp.gamma)

    for method in METHODS:
        a, b = optimal(mdp, method=method), optimal(sparse, method=method)
        assert abs(a.V - b.V).max() <= a.bound + b.bound
        assert (a.policy == b.policy).all()


def test_ties_go_to_the_lowest_action():
    """Three copies of each action: all are best, and the first is named, whatever rounding says."""
    mdp = as_mdp(problem("garnet/S=20,A=2,b=3,seed=3"))
    copies = MDP(P=np.repeat(mdp.P, 3, axis=1), r=np.repeat(mdp.r, 3, axis=1) , mu=mdp.mu, gamma=mdp.gamma)  # fmt: skip

    for method in METHODS:
        assert (optimal(copies, method=method).policy == 3 * optimal(mdp).policy).all()


def test_ties_in_rounding_do_not_cycle():
    """Two actions whose values differ by rounding only, in every state."""
    rng = np.random.default_rng(0)
    P, r = rng.dirichlet(np.ones(8), size=8), rng.standard_normal(8)
    mixed = 0.1 * P + 0.2 * P + 0.7 * P
    mdp = MDP(P=np.stack([P, mixed / mixed.sum(axis=1, keepdims=True)], axis=1), r=np.stack([r, r], axis=1), mu=np.full(8, 1 / 8), gamma=0.99)

    found = optimal(mdp)

    assert found.policy.tolist() == [0] * 8
    assert found.steps <= 2


# Certificates are checked after the fact


@pytest.mark.parametrize("id", ["two-state", "short-corridor", "gridworld/3x3"])
@pytest.mark.parametrize("size", [-1.0, 1e-3, 2.0])
def test_certificate_does_not_believe_the_value(id, size):
    """Planted bug: a method that returns V + size in one state, or everywhere."""
    mdp = as_mdp(problem(id))
    play, true = Play.of(mdp), optimal(mdp)

    for shift in (size * np.eye(mdp.S)[0], np.full(mdp.S, size)):
        proof = certify(play, true.V + shift, true.policy)
        assert abs(size) <= proof.bound


@pytest.mark.parametrize("id", ["two-state", "short-corridor", "gridworld/3x3", "cliff/3x4"])
def test_certificate_does_not_believe_the_policy(id):
    """Planted bug: the right value with a policy that is worse."""
    mdp = as_mdp(problem(id))
    play, true = Play.of(mdp), optimal(mdp)
    worse = true.policy.copy()
    for action in range(mdp.A):
        worse[0] = action
        if not play.ends(worse):
            assert certify(play, true.V, worse).gap == np.inf
            continue
        loss = (true.V - evaluate(mdp, Direct(np.eye(mdp.A)[worse])).V).max()
        assert loss <= certify(play, true.V, worse).gap


def test_method_that_stops_early_is_found_out(monkeypatch):
    """Planted bug: policy iteration that returns its first policy as if it were the best."""
    V = evaluate(problem("two-state"), Direct(np.eye(2)[[0, 1]])).V
    lazy = lambda play, tolerance: Found(V, np.array([0, 1]), 1, play.backup(V))
    true = optimal(problem("two-state"))
    monkeypatch.setitem(module.METHODS, "policy-iteration", lazy)

    found = optimal(problem("two-state"), method="policy-iteration")

    assert true.J - found.J > 0.1
    assert abs(found.V - true.V).max() <= found.bound
    assert abs(found.V - true.V).max() <= found.gap


@pytest.mark.parametrize("id", ["two-state", "sparse-garnet/S=300", "frozen-lake/n=18", "queue/S=300,gamma=0.99"])
@pytest.mark.parametrize("method", [None, *METHODS])
def test_every_method_hands_over_the_backup_of_its_own_value(id, method):
    """What is proven rests on Q: one of another V would prove something of that V."""
    model = problem(id)
    play = Play.of(model)

    found = chosen(play, 1e-8)[1] if method is None else METHODS[method](play, 1e-8)

    np.testing.assert_allclose(found.Q, model.backup(found.V), rtol=0, atol=2 * play.rounding(found.V))


@pytest.mark.parametrize("id", ["sparse-garnet/S=300", "frozen-lake/n=18", "queue/S=300"])
def test_certificate_of_a_sparse_model_believes_neither_value_nor_policy(id):
    """Planted bugs: noise on the value, a tenth of the actions changed, no number at all."""
    mdp, rng = as_mdp(problem(id)), np.random.default_rng(0)
    play, true = Play.of(mdp), optimal(mdp, method="policy-iteration")
    noise = 1e-3 * rng.standard_normal(mdp.S)
    worse = np.where(rng.random(mdp.S) < 0.1, rng.integers(0, mdp.A, mdp.S), true.policy)
    loss = (true.V - evaluate(mdp, Direct(np.eye(mdp.A)[worse])).V).max()

    proof = certify(play, true.V + noise, worse)

    assert abs(noise).max() <= proof.bound + true.bound
    assert 1e-6 < loss <= proof.gap + 1e-11
    assert certify(play, np.full(mdp.S, np.nan), worse).bound == np.inf


@pytest.mark.parametrize("method", METHODS)
def test_tolerance_that_rounding_forbids_is_an_error_with_the_best_value(method):
    """Every method: `best` is near the optimum, and `bound` says how near for certain."""
    mdp = as_mdp(problem("garnet/S=20,A=2,b=3,seed=1"))
    with pytest.raises(NotConverged, match="rounding in float64|came to a stop") as caught:
        optimal(mdp, method=method, tolerance=1e-17)

    true = optimal(mdp)
    assert 1e-17 < caught.value.bound <= 1e-9
    assert abs(caught.value.best - true.V).max() <= caught.value.bound + true.bound


def test_tolerance_that_nothing_proves_without_discount_is_an_error():
    """Stay for nothing, or end and pay 1: see below. No bound is finite."""
    with pytest.raises(NotConverged, match="as good as the best run for ever"):
        optimal(MDP(P=[[[1.0], [0.0]]], r=[[0.0, -1.0]], mu=[1.0]), tolerance=1e-3)


# gamma = 1


def test_loop_that_costs_nothing_does_not_tempt():
    """Stay for nothing, or end and pay 1. All policies that end are worth -1; staying is as good at V = -1, and is not chosen."""
    mdp = MDP(P=[[[1.0], [0.0]]], r=[[0.0, -1.0]], mu=[1.0])

    for method in ("policy-iteration", "linear-programming"):
        found = optimal(mdp, method=method)
        assert (found.J, found.policy.tolist()) == (-1.0, [1])
        assert found.bound == found.gap == np.inf
    with pytest.raises(NotConverged, match="no contraction") as caught:
        optimal(mdp, method="value-iteration")
    assert (caught.value.best.tolist(), caught.value.bound) == ([-1.0], np.inf)


@pytest.mark.parametrize("method", ["policy-iteration", "linear-programming"])
def test_loop_that_pays_is_an_error(method):
    with pytest.raises(NonTerminating, match="infinite: some loop earns"):
        optimal(MDP(P=[[[1.0], [0.0]]], r=[[1.0, 0.0]], mu=[1.0]), method=method)


def test_loop_that_pays_does_not_converge_by_value_iteration():
    with pytest.raises(NotConverged):
        optimal(MDP(P=[[[1.0], [0.0]]], r=[[1.0, 0.0]], mu=[1.0]), method="value-iteration")


TRAP = [[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]]
"""0: to 1, which ends, or to the trap 2, which never does."""


@pytest.mark.parametrize("method", METHODS)
def test_action_into_a_trap_is_not_allowed_however_much_it_pays(method):
    found = optimal(MDP(P=TRAP, r=[[0.0, 100.0], [1.0, 2.0], [5.0, 5.0]], mu=[1.0, 0.0, 0.0]), method=method)

    assert found.policy.tolist()[:2] == [0, 1]
    assert found.V.tolist() == [2.0, 2.0, -np.inf]
    assert found.Q[0].tolist() == [2.0, -np.inf]
    assert (found.J, found.bound < 1e-11) == (2.0, True)


@pytest.mark.parametrize("method", METHODS)
def test_start_from_which_no_policy_ends_is_an_error_that_names_it(method):
    with pytest.raises(NonTerminating, match="no policy ends almost surely from state 2"):
        optimal(MDP(P=TRAP, r=np.zeros((3, 2)), mu=[0.5, 0.0, 0.5]), method=method)


# Value iteration


def test_value_iteration_certifies_its_tolerance():
    true = optimal(problem("two-state"))
    for tolerance in (1e-2, 1e-6, 1e-10):
        found = optimal(problem("two-state"), method="value-iteration", tolerance=tolerance)
        assert abs(found.V - true.V).max() - true.bound <= found.bound <= tolerance


def test_value_iteration_says_when_rounding_forbids_the_tolerance():
    with pytest.raises(NotConverged, match="rounding in float64") as caught:
        optimal(problem("two-state"), method="value-iteration", tolerance=1e-16)

    true = optimal(problem("two-state")).V
    assert abs(caught.value.best - true).max() <= caught.value.bound <= 1e-12


def test_discount_zero_and_no_reward_at_all():
    for mdp in (MDP(P=np.ones((1, 2, 1)), r=[[1.0, 2.0]], mu=[1.0], gamma=0.0), MDP(P=np.ones((1, 2, 1)), r=[[0.0, 0.0]], mu=[1.0], gamma=0.5)):
        assert {optimal(mdp, method=method).J for method in METHODS} == {float(np.asarray(mdp.r).max())}


# Bad input


def test_unknown_method():
    with pytest.raises(
        InvalidArgument,
        match="'newton', expected one of policy-iteration, modified-policy-iteration, gauss-seidel, inexact-policy-iteration, value-iteration, linear-programming",
    ):
        optimal(problem("two-state"), method="newton")


@pytest.mark.parametrize("method", [["policy-iteration"], {}, np.array("policy-iteration"), 3])
@pytest.mark.parametrize("criterion", ["return", "average"])
def test_method_that_is_no_name(method, criterion):
    with pytest.raises(InvalidArgument, match="method is .*, expected one of policy-iteration"):
        optimal(problem("two-state"), method=method, criterion=criterion)


def test_horizon_whose_tables_do_not_fit_into_memory():
    """Each step has its own value and policy. It is refused at once, and what is as good is named."""
    mdp = replace(problem("chain/3"), horizon=10**9)
    with pytest.raises(InvalidArgument, match=r"the horizon is 1000000000.*3 states and 2 actions.* GB.*Give a smaller horizon, or none"):
        optimal(mdp)


def test_tolerance_with_a_horizon_is_proven_or_refused():
    """Backward induction is as exact as rounding allows, and says so when that does not suffice."""
    mdp = replace(problem("two-state"), horizon=5)
    found = optimal(mdp)

    assert optimal(mdp, tolerance=found.bound).bound == found.bound
    with pytest.raises(NotConverged, match="backward-induction reached the proven bound .* after 5 steps, not 1e-18") as caught:
        optimal(mdp, tolerance=1e-18)
    assert caught.value.bound == found.bound
    assert np.array_equal(np.asarray(caught.value.best), found.V)


@pytest.mark.parametrize("tolerance", [0, -1e-3, float("nan"), float("inf"), True, "a"])
def test_tolerance_that_is_not_positive(tolerance):
    with pytest.raises(InvalidArgument, match="expected a positive number"):
        optimal(problem("two-state"), tolerance=tolerance)
