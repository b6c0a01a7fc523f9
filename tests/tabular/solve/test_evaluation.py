"""Evaluation: against fractions, against closed formulas, against the model with time in its state; and its bound against the true error."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, InvalidPolicy, NonTerminating
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import tied
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.linear.dense import Dense

RANDOM = settings(max_examples=40)


def fractions(array) -> list:
    """An array of floats as nested lists of the rational numbers that they are."""
    return [fractions(row) for row in array] if np.ndim(array) else Fraction(float(array))


def rational_value(mdp: MDP, pi: np.ndarray) -> list[Fraction]:
    """V of a model with rewards r[s, a], by Gaussian elimination in fractions: no rounding, no numpy."""
    P, r, p, gamma, S = fractions(np.asarray(mdp.P)), fractions(mdp.r), fractions(pi), Fraction(mdp.gamma), range(mdp.S)
    A = range(mdp.A)
    rows = [[(s == t) - gamma * sum(p[s][a] * P[s][a][t] for a in A) for t in S] + [sum(p[s][a] * r[s][a] for a in A)] for s in S]
    for s in S:
        pivot = next(k for k in S if k >= s and rows[k][s] != 0)
        rows[s], rows[pivot] = rows[pivot], rows[s]
        rows[s] = [x / rows[s][s] for x in rows[s]]
        for k in S:
            if k != s:
                rows[k] = [x - rows[k][s] * y for x, y in zip(rows[k], rows[s], strict=True)]
    return [row[-1] for row in rows]


def error(found: np.ndarray, exact: list[Fraction]) -> Fraction:
    """Largest difference, itself exact."""
    return max(abs(Fraction(float(x)) - y) for x, y in zip(found, exact, strict=True))


def simplex(n: int, *, least: int = 0):
    """Distributions over n values with small denominators."""
    return st.lists(st.integers(least, 6), min_size=n, max_size=n).filter(any).map(lambda w: [x / sum(w) for x in w])


@st.composite
def cases(draw, *, gammas=(0.0, 0.5, 0.9, 0.999, 1.0), horizons=(None,)):
    """A small model and a policy with positive probabilities. With gamma = 1 each pair ends with probability 1/7 at least."""
    S, A = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    gamma = draw(st.sampled_from(gammas))
    end = draw(st.integers(1 if gamma == 1 else 0, 6)) / 7
    P = np.array([[draw(simplex(S)) for _ in range(A)] for _ in range(S)]) * (1 - end)
    r = np.array(draw(st.lists(st.integers(-3, 3), min_size=S * A, max_size=S * A)), dtype=float).reshape(S, A)
    pi = np.array([draw(simplex(A, least=1)) for _ in range(S)])
    return MDP(P=P, r=r, mu=draw(simplex(S)), gamma=gamma, horizon=draw(st.sampled_from(horizons))), pi


def test_two_state_gradient_of_the_style_page():
    found = evaluate(problem("two-state"), Softmax(np.zeros((2, 2))))

    gradient = found.occupancy[:, None] * 0.5 * found.advantage

    assert gradient.round(6).tolist() == [[-0.013346, 0.013346], [0.536551, -0.536551]]


@pytest.mark.parametrize(("gamma", "p"), [(0.5, 0.25), (0.9, 1.0), (1.0, 0.125), (0.0, 0.5)])
def test_one_state_is_a_geometric_series(gamma, p):
    """Stays with probability p, 1 a step: V = 1 / (1 - gamma p) = occupancy."""
    found = evaluate(MDP(P=[[[p]]], r=[[1.0]], mu=[1.0], gamma=gamma), Direct([[1.0]]))

    expected = 1 / (1 - gamma * p)
    assert abs(found.V - expected).max() <= found.bound
    assert found.bound <= 1e-12  # 22 u (1 + 2 V) V at V = 10, doubled
    np.testing.assert_allclose([found.J, *found.occupancy], expected, rtol=1e-14)


@RANDOM
@given(cases())
def test_bound_holds_against_fractions(case):
    mdp, pi = case
    exact = rational_value(mdp, pi)

    found = evaluate(mdp, Direct(pi))

    assert error(found.V, exact) <= found.bound


@pytest.mark.parametrize("gamma", [1 - 1e-3, 1 - 1e-6, 1 - 1e-9])
def test_bound_holds_where_the_system_is_nearly_singular(gamma):
    """The bound grows with the condition, and holds."""
    rng = np.random.default_rng(3)
    P = rng.dirichlet(np.ones(5), size=(5, 2))
    mdp = MDP(P=P, r=rng.standard_normal((5, 2)), mu=np.full(5, 0.2), gamma=gamma)
    pi = rng.dirichlet(np.ones(2), size=5)

    found = evaluate(mdp, Direct(pi))

    assert 0 < error(found.V, rational_value(mdp, pi)) <= found.bound <= 1e-12 / (1 - gamma) ** 2


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_bound_does_not_believe_the_solver(monkeypatch, size):
    """Planted bug: a solver whose answer is off by `size`. The bound covers it, because it is computed from the residual."""
    mdp, pi = problem("two-state"), np.array([[0.25, 0.75], [0.5, 0.5]])
    exact, honest = rational_value(mdp, pi), Dense.solve
    monkeypatch.setattr(Dense, "solve", lambda self, b, *rest: (honest(self, b, *rest)[0] + size * np.arange(1, len(b) + 1), 1))

    found = evaluate(mdp, Direct(pi))

    assert size <= error(found.V, exact) <= found.bound


@pytest.mark.parametrize("factor", [1e-3, 0.7, 1.3, 1.9, 2.1, -1.0, np.nan])
def test_norm_of_the_inverse_does_not_believe_the_solver(monkeypatch, factor):
    """Planted bug: the solution of M x = 1 comes out `factor` times too large. The norm, truly 3, is still bounded, or refused."""
    honest = Dense.solve
    monkeypatch.setattr(Dense, "solve", lambda self, *arguments: (factor * honest(self, *arguments)[0], 1))
    chain = Chain(K=np.array([[0.0, 1.0], [0.0, 0.5]]), gamma=1.0)

    if factor < 2 and factor > 0:
        assert chain.inverse_norm >= 3
    else:
        with pytest.raises(NonTerminating, match="so rarely"):
            chain.inverse_norm  # noqa: B018


@RANDOM
@given(cases(horizons=(None, 1, 3)))
def test_identities(case):
    """J = mu V = d r_pi; the advantage has mean zero; Q is the backup of V; d is the flow of mu. None of them uses how V was computed."""
    mdp, pi = case
    found, T = evaluate(mdp, Direct(pi)), mdp.horizon or 1
    V, Q, d = found.V.reshape(T, mdp.S), found.Q.reshape(T, mdp.S, mdp.A), found.occupancy.reshape(T, mdp.S)
    P = np.asarray(mdp.P)
    after = np.vstack([V[1:], np.zeros(mdp.S)]) if mdp.horizon else V
    inflow = mdp.gamma * np.einsum("ks,sa,sat->kt", d, pi, P)
    start = np.zeros_like(d)
    start[0] = mdp.mu
    if mdp.horizon:
        inflow = np.vstack([np.zeros(mdp.S), inflow[:-1]])
    scale = 1e-10 * (1 + abs(V).max() + d.max())

    assert abs(mdp.mu @ V[0] - found.J) <= scale
    assert abs(np.einsum("ks,sa,sa->", d, pi, mdp.mean_reward) - found.J) <= scale
    assert abs((pi * found.advantage.reshape(T, mdp.S, mdp.A)).sum(axis=-1)).max() <= scale
    assert abs(mdp.r + mdp.gamma * np.einsum("sat,kt->ksa", P, after) - Q).max() <= scale
    assert abs(start + inflow - d).max() <= scale


@RANDOM
@given(cases(gammas=(0.0, 0.5, 0.9, 1.0)))
def test_sparse_agrees_with_dense(case):
    mdp, pi = case
    sparse = MDP(P=sp.csr_array(np.asarray(mdp.P).reshape(-1, mdp.S)), r=mdp.r, mu=mdp.mu, gamma=mdp.gamma)

    dense, other = evaluate(mdp, Direct(pi)), evaluate(sparse, Direct(pi))

    assert abs(dense.V - other.V).max() <= dense.bound + other.bound
    for name in ("Q", "advantage", "occupancy", "J"):
        np.testing.assert_allclose(getattr(other, name), getattr(dense, name), rtol=1e-11, atol=1e-11)


# Finite horizon


@RANDOM
@given(cases(gammas=(0.0, 0.5, 1.0), horizons=(1, 2, 5)))
def test_horizon_agrees_with_the_model_with_time(case):
    """The recursion against the linear solve of the augmented model, to 1e-12: two algorithms, one number."""
    mdp, pi = case
    augmented = with_time(mdp)

    steps, whole = evaluate(mdp, Direct(pi)), evaluate(augmented.model, augmented.lift(Direct(pi)))

    for name in ("V", "Q", "advantage", "occupancy"):
        assert abs(getattr(steps, name).ravel() - getattr(whole, name).ravel()).max() <= 1e-12
    assert abs(steps.J - whole.J) <= 1e-12
    assert max(steps.bound, whole.bound) <= 1e-11


def test_one_table_a_step_is_the_policy_of_the_model_with_time():
    rng = np.random.default_rng(0)
    mdp = problem("loop/T=3")
    policy = Softmax(rng.standard_normal((3 * mdp.S, mdp.A)))

    steps, whole = evaluate(mdp, policy), evaluate(with_time(mdp).model, policy)

    assert steps.V.shape == (3, 2)
    assert abs(steps.V.ravel() - whole.V).max() <= steps.bound + whole.bound
    assert steps.J != evaluate(mdp, Softmax(policy.theta[:2])).J


def test_horizon_of_one_step_pays_the_mean_reward_once():
    mdp = MDP(P=np.ones((1, 1, 1)), r=[[[2.0]]], mu=[1.0], horizon=1)

    assert evaluate(mdp, Direct([[1.0]])).J == 2.0


def test_bound_of_the_recursion_holds_against_fractions():
    rng = np.random.default_rng(5)
    mdp = MDP(P=rng.dirichlet(np.ones(3), size=(3, 2)), r=rng.standard_normal((3, 2)), mu=np.eye(3)[0], gamma=0.97, horizon=30)
    pi = rng.dirichlet(np.ones(2), size=3)
    P, r, p, gamma = fractions(mdp.P), fractions(mdp.r), fractions(pi), Fraction(mdp.gamma)
    V = [Fraction(0)] * 3
    for _ in range(30):
        V = [sum(p[s][a] * (r[s][a] + gamma * sum(P[s][a][t] * V[t] for t in range(3))) for a in range(2)) for s in range(3)]

    found = evaluate(mdp, Direct(pi))

    assert 0 < error(found.V[0], V) <= found.bound <= 1e-11


# Closed formulas of textbooks


def test_gridworld_of_sutton_and_barto():
    found = evaluate(problem("gridworld/4x4"), Softmax(np.zeros((14, 4))))

    np.testing.assert_allclose(found.V, [-14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14], atol=found.bound)


@pytest.mark.parametrize("S", [1, 5, 19])
def test_random_walk_is_linear(S):
    found = evaluate(problem(f"random-walk/{S}"), Softmax(np.zeros((S, 2))))

    np.testing.assert_allclose(found.V, np.arange(1, S + 1) / (S + 1), atol=found.bound)


def test_short_corridor_with_one_table():
    """Sutton and Barto, Example 13.1: right with probability 2 - sqrt 2 is worth -(6 + 4 sqrt 2)."""
    p = 2 - np.sqrt(2)

    found = evaluate(problem("short-corridor"), tied(np.log([[1 - p, p]]), rows=[0, 0, 0]))

    assert abs(found.J + 6 + 4 * np.sqrt(2)) <= found.bound + 1e-14


# The reward forms


def test_reward_of_a_transition_and_of_the_end():
    """r[s, a, t] counts with P, r_end with the mass that ends: 1/2 * 4 + 1/4 * 8 + 1/4 * (-2) = 3.5 from state 0."""
    P, r, r_end = [[[0.0, 0.5]], [[0.0, 0.0]]], [[[9.0, 4.0]], [[9.0, 9.0]]], [[3.0], [6.0]]

    found = evaluate(MDP(P=P, r=r, r_end=r_end, mu=[1.0, 0.0], gamma=0.5), Direct([[1.0], [1.0]]))

    assert found.V.tolist() == [0.5 * 4 + 0.5 * 3 + 0.5 * 0.5 * 6, 6.0]


# gamma = 1


LEAVES = [[[0.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]
"""State 0: end, or to state 1, which never ends."""


def test_state_that_never_ends_is_an_error_that_names_it():
    mdp = MDP(P=LEAVES, r=np.zeros((2, 2)), mu=[1.0, 0.0])

    with pytest.raises(NonTerminating, match=r"from state 0, which is reached from mu.*gamma < 1, a horizon"):
        evaluate(mdp, Softmax(np.zeros((2, 2))))


def test_state_that_never_ends_is_fine_with_a_horizon_or_a_discount():
    for rest in ({"gamma": 0.9}, {"horizon": 4}):
        assert evaluate(MDP(P=LEAVES, r=np.ones((2, 2)), mu=[1.0, 0.0], **rest), Softmax(np.zeros((2, 2)))).J > 1


@pytest.mark.parametrize("form", [np.array, lambda P: sp.csr_array(np.reshape(P, (4, 2)))])
def test_state_that_never_ends_and_is_never_reached_does_not_matter(form):
    """The policy ends in state 0 at once. State 1 has no value: V is 0 there and `ends` says so."""
    mdp = MDP(P=form(LEAVES), r=[[2.0, 5.0], [7.0, 7.0]], mu=[1.0, 0.0])

    found = evaluate(mdp, Direct([[1.0, 0.0], [0.5, 0.5]]))

    assert (found.J, found.V.tolist(), found.ends.tolist(), found.occupancy.tolist()) == (2.0, [2.0, 0.0], [True, False], [1.0, 0.0])
    assert np.isfinite(found.Q).all()
    assert found.bound < 1e-13


def test_detection_is_structural():
    """Ends with probability 1e-9 a step: no error, J = 1e9 within the bound. A sum of rows is not asked, the graph is."""
    found = evaluate(MDP(P=[[[1 - 1e-9]]], r=[[1.0]], mu=[1.0]), Direct([[1.0]]))

    assert abs(found.J - 1 / (1 - (1 - 1e-9))) <= found.bound
    assert found.bound < 1e4  # 20 u (1 + 2 V) V at V = 1e9


@pytest.mark.parametrize("form", [np.array, lambda P: sp.csr_array(np.reshape(P, (2, 1)))])
def test_end_that_float64_cannot_resolve_is_an_error(form):
    """Action 1 ends, and has probability e^-40: 1 - 4e-18 is 1 in float64."""
    mdp = MDP(P=form([[[1.0], [0.0]]]), r=[[1.0, 0.0]], mu=[1.0])

    with pytest.raises(NonTerminating, match="so rarely"):
        evaluate(mdp, Softmax(np.array([[40.0, 0.0]])))


# Bad input


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (Softmax(np.zeros((3, 2))), r"shape \(3, 2\), the model needs \(S, A\) = \(2, 2\)"),
        (np.zeros((2, 2)), "ndarray is not a policy"),
        (tied(np.zeros((1, 3)), rows=[0, 0]), r"shape \(2, 3\)"),
    ],
)
def test_policy_that_does_not_fit(policy, text):
    with pytest.raises(InvalidPolicy, match=text):
        evaluate(problem("two-state"), policy)


def test_policy_that_does_not_fit_a_horizon_is_told_both_shapes():
    with pytest.raises(InvalidPolicy, match=r"\(S, A\) = \(2, 2\) or \(T\*S, A\) = \(8, 2\)"):
        evaluate(problem("loop"), Softmax(np.zeros((6, 2))))


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ([[0.5, 0.6], [0.5, 0.5]], "sums to 1.1"),
        ([[np.nan, 1], [0.5, 0.5]], r"probabilities\[0, 0\] is nan"),
        ([[-0.5, 1.5], [0.5, 0.5]], "negative"),
    ],
)
def test_probabilities_of_any_object_are_checked(table, text):
    policy = type("Mine", (), {"probabilities": np.array(table)})()

    with pytest.raises(InvalidPolicy, match=text):
        evaluate(problem("two-state"), policy)


@pytest.mark.parametrize("method", [["dense"], {}, np.array("dense"), 3])
def test_method_that_is_no_name(method):
    with pytest.raises(InvalidArgument, match="method is .*, expected None or one of dense"):
        evaluate(problem("two-state"), Direct([[0.5, 0.5]] * 2), method=method)


@pytest.mark.parametrize("horizon", [10**9, 10**30])
def test_horizon_whose_tables_do_not_fit_into_memory(horizon):
    mdp = replace(problem("two-state"), horizon=horizon)
    with pytest.raises(InvalidArgument, match=r"the horizon is 10+, and the tables of 2 states and 2 actions.* GB"):
        evaluate(mdp, Direct([[0.5, 0.5]] * 2))


def test_what_is_no_model():
    with pytest.raises(InvalidModel, match="int is not a model"):
        evaluate(3, Direct([[1.0]]))


def test_what_every_policy_shares_is_not_asked_of_one_that_leaves_actions_out():
    """gamma 1: every softmax policy ends; after them a policy that stays for ever is refused, and after it a softmax policy ends as before."""
    model = MDP(P=[[[1.0], [0.0]]], r=[[1.0, 2.0]], mu=[1.0])
    half = Direct(np.array([[0.5, 0.5]]))

    assert abs(evaluate(model, half).J - 3.0) <= 1e-14
    with pytest.raises(NonTerminating, match="from state 0, which is reached from mu"):
        evaluate(model, Direct(np.array([[1.0, 0.0]])))
    assert abs(evaluate(model, half).J - 3.0) <= 1e-14
