"""Exact evaluation, policy gradient and optimum against definitions: Bellman equations, sums over trajectories, interpolation, all policies."""

import sys
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, InvalidPolicy, NonTerminating
from pgtheory.tabular.exact.rational import RationalMDP, evaluate_exactly, optimal_value, policy_gradient
from pgtheory.tabular.exact.trajectories import trajectories
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree

KINDS = ["discounted", "horizon", "episodic", "forward"]
REWARDS = ["pair", "move", "outcomes"]


# From floats to fractions


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reward", REWARDS)
def test_every_law_of_a_move_sums_to_one_and_is_the_model_number_by_number(model, kind, reward):
    floats = model(3, S=3, kind=kind, reward=reward)
    mdp = RationalMDP.of(floats)

    for s, a in product(range(3), range(2)):
        law = mdp.moves[s][a]
        assert sum(m.chance for m in law) == 1
        assert max(m.chance.denominator for m in law) < 10**6
        for t in range(3):
            assert float(sum(m.chance for m in law if m.following == t)) == pytest.approx(floats.P[s, a, t], abs=1e-16)
        assert float(mdp.mean_reward[s][a]) == pytest.approx(floats.mean_reward[s, a], abs=1e-14)


def test_a_sparse_model_is_the_dense_one():
    tree = TokenTree(vocabulary=2, limit=2, reward=lambda prompt, tokens: len(tokens) + prompt / 3, prompts=2)
    sparse = tree.mdp
    dense = MDP(P=sp.csr_array(sparse.P).toarray().reshape(sparse.S, sparse.A, sparse.S), r=sparse.r, mu=sparse.mu)

    assert RationalMDP.of(tree).moves == RationalMDP.of(dense).moves


def test_a_bernoulli_bandit_has_two_moves_an_arm():
    mdp = RationalMDP.of(Bandit(r=[0.3, 1.0], bernoulli=True))

    assert mdp.moves[0][0] == ((Fraction(7, 10), -1, 0), (Fraction(3, 10), -1, 1))
    assert mdp.moves[0][1] == ((1, -1, 1),)


def test_noise_without_its_law_is_refused():
    noisy = MDP(P=np.zeros((1, 1, 1)), r=[[0.5]], r2=[[1.0]], mu=[1.0])

    with pytest.raises(InvalidModel, match="Give `outcomes`"):
        RationalMDP.of(noisy)


# Evaluation


@pytest.mark.parametrize("kind", ["discounted", "episodic", "forward"])
@pytest.mark.parametrize("reward", REWARDS)
def test_values_and_occupancies_solve_their_equations(model, policy, kind, reward):
    """V = r_pi + gamma P_pi V and d = mu + gamma P_pi' d, written out move by move; both sides of J agree."""
    mdp, pi = RationalMDP.of(model(1, S=3, kind=kind, reward=reward)), policy(2, 3, 2)
    found = evaluate_exactly(mdp, pi)
    V, d = [*found.V, Fraction(0)], found.occupancy

    inflow = list(mdp.mu)
    for s, a in product(range(3), range(2)):
        assert found.Q[s][a] == sum(m.chance * (m.reward + mdp.gamma * V[m.following]) for m in mdp.moves[s][a])
        for m in mdp.moves[s][a]:
            if m.following >= 0:
                inflow[m.following] += mdp.gamma * d[s] * pi[s][a] * m.chance
    assert all(V[s] == sum(pi[s][a] * found.Q[s][a] for a in range(2)) for s in range(3))
    assert inflow == d
    assert sum(d[s] * pi[s][a] * mdp.mean_reward[s][a] for s in range(3) for a in range(2)) == found.J


@pytest.mark.parametrize(("kind", "S"), [("horizon", 2), ("forward", 4)])
@pytest.mark.parametrize("reward", REWARDS)
def test_return_and_occupancy_are_sums_over_trajectories(model, policy, kind, S, reward):
    mdp, pi = RationalMDP.of(model(5, S=S, kind=kind, reward=reward)), policy(6, S, 2)
    found = evaluate_exactly(mdp, pi)
    paths = [(mdp.mu[path.start] * path.probability(pi), path) for path in trajectories(mdp)]
    visits = lambda s, t: sum((p for p, path in paths if len(path.steps) > t and path.steps[t].state == s), Fraction(0)) * mdp.gamma**t

    assert sum(p for p, _ in paths) == 1
    assert sum(p * path.total(mdp.gamma) for p, path in paths) == found.J
    if kind == "horizon":
        assert found.occupancy == [[visits(s, t) for s in range(S)] for t in range(3)]
    else:
        assert found.occupancy == [sum(visits(s, t) for t in range(S)) for s in range(S)]


def test_the_discounted_return_is_the_limit_of_finite_horizons(model, policy):
    """|J - J_T| <= gamma^T max|r| / (1 - gamma), an inequality between fractions."""
    mdp, pi = RationalMDP.of(model(4, S=2)), policy(4, 2, 2)
    cut = RationalMDP(moves=mdp.moves, mu=mdp.mu, gamma=mdp.gamma, horizon=40)
    largest = max(abs(x) for row in mdp.mean_reward for x in row)

    gap = abs(evaluate_exactly(mdp, pi).J - evaluate_exactly(cut, pi).J)

    assert 0 < gap <= mdp.gamma**40 * largest / (1 - mdp.gamma)


def test_results_do_not_depend_on_flint(model, policy, monkeypatch):
    mdp, pi = RationalMDP.of(model(8, S=4)), policy(8, 4, 2)
    fast = evaluate_exactly(mdp, pi)
    monkeypatch.setitem(sys.modules, "flint", None)
    slow = evaluate_exactly(mdp, pi)

    assert (fast.V, fast.Q, fast.occupancy, fast.J) == (slow.V, slow.Q, slow.occupancy, slow.J)


def test_an_episode_that_never_ends_is_refused():
    loop = RationalMDP.of(MDP(P=[[[1.0], [0.5]]], r=[[0.0, 1.0]], mu=[1.0]))

    assert evaluate_exactly(loop, [[Fraction(1, 2), Fraction(1, 2)]]).J == 2
    with pytest.raises(NonTerminating, match="never ends under pi"):
        evaluate_exactly(loop, [[Fraction(1), Fraction(0)]])


@pytest.mark.parametrize("pi", [[[1]], [[Fraction(1, 2)] * 2] * 3])
def test_a_policy_of_the_wrong_shape_is_refused(model, pi):
    with pytest.raises(InvalidPolicy, match=r"\(S, A\) = \(2, 2\)"):
        evaluate_exactly(RationalMDP.of(model(0)), pi)


# Gradient


def interpolated_slope(values, nodes):
    """Derivative at 0 of the polynomial through (node, value), exact when its degree is below the number of nodes: Lagrange's formula."""
    total = Fraction(0)
    for i, x in enumerate(nodes):
        others = [y for j, y in enumerate(nodes) if j != i]
        whole = Fraction(1)
        for y in others:
            whole *= x - y
        partial = Fraction(0)
        for skipped in range(len(others)):
            term = Fraction(1)
            for j, y in enumerate(others):
                term *= 1 if j == skipped else -y
            partial += term
        total += values[i] * partial / whole
    return total


def determinant(M):
    if len(M) == 1:
        return M[0][0]
    return sum((-1) ** j * M[0][j] * determinant([row[:j] + row[j + 1 :] for row in M[1:]]) for j in range(len(M)))


def slope_along(mdp, pi, s):
    """dJ/dt along pi + t u, u = (1, -1) in state s. J is a polynomial in t of degree at most 3 (horizon), or a quotient N(t)/D(t) of polynomials of degree
    at most S = 3 with D = det(I - gamma P_pi): interpolate both at rational nodes and differentiate."""
    nodes = [Fraction(k, 50) for k in range(5)]
    moved = [[[pi[x][a] + (t * (1 - 2 * a) if x == s else 0) for a in range(2)] for x in range(3)] for t in nodes]
    J = [evaluate_exactly(mdp, table).J for table in moved]
    if mdp.horizon is not None:
        return interpolated_slope(J, nodes)
    kernels = [mdp.kernel(table) for table in moved]
    D = [determinant([[int(x == y) - mdp.gamma * K[x][y] for y in range(3)] for x in range(3)]) for K in kernels]
    dN = interpolated_slope([j * x for j, x in zip(J, D, strict=True)], nodes)
    return (dN - J[0] * interpolated_slope(D, nodes)) / D[0]


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_slope_along_every_direction(model, policy, kind):
    mdp, pi = RationalMDP.of(model(11, S=3, kind=kind, reward="move")), policy(12, 3, 2)
    direct, logits = policy_gradient(mdp, pi, coordinates="direct"), policy_gradient(mdp, pi)

    for s in range(3):
        slope = slope_along(mdp, pi, s)
        assert direct[s][0] - direct[s][1] == slope
        assert logits[s][0] == -logits[s][1] == pi[s][0] * pi[s][1] * slope


def test_a_gradient_with_normalised_occupancy_is_caught(model, policy):
    """The planted bug: d summed to one. It is not the slope."""
    mdp, pi = RationalMDP.of(model(11, S=3)), policy(12, 3, 2)
    total = sum(evaluate_exactly(mdp, pi).occupancy)

    direct = policy_gradient(mdp, pi, coordinates="direct")

    assert all((direct[s][0] - direct[s][1]) / total != slope_along(mdp, pi, s) for s in range(3))


def test_unknown_coordinates_are_refused(model, policy):
    with pytest.raises(InvalidArgument, match="'logits' and 'direct'"):
        policy_gradient(RationalMDP.of(model(0)), policy(0, 2, 2), coordinates="natural")


# Optimum


@pytest.mark.parametrize("kind", ["discounted", "episodic", "forward"])
@pytest.mark.parametrize("seed", range(3))
def test_no_deterministic_policy_beats_the_optimal_one(model, kind, seed):
    mdp = RationalMDP.of(model(seed, S=3, A=3, kind=kind))
    V, actions = optimal_value(mdp)

    table = lambda plan: [[Fraction(a == plan[s]) for a in range(3)] for s in range(3)]
    every = [evaluate_exactly(mdp, table(plan)).V for plan in product(range(3), repeat=3)]

    assert [max(other[s] for other in every) for s in range(3)] == V
    assert evaluate_exactly(mdp, table(actions)).V == V
    assert all(optimal_value(mdp, start=plan) == (V, actions) for plan in product(range(3), repeat=3))


def test_backward_induction_beats_every_plan_of_every_step(model):
    """2 states, 2 actions, 3 steps: all 64 plans, each valued by hand-made recursion."""
    mdp = RationalMDP.of(model(2, kind="horizon", reward="move"))
    V, plan = optimal_value(mdp)
    best = [None, None]
    for choice in product(range(2), repeat=6):
        value = [Fraction(0), Fraction(0)]
        for t in (2, 1, 0):
            Q = mdp.backup(value)
            value = [Q[s][choice[2 * t + s]] for s in range(2)]
        best = [v if b is None else max(b, v) for b, v in zip(best, value, strict=True)]

    assert best == V
    assert len(plan) == 3


def test_policy_iteration_that_starts_from_a_loop_is_refused():
    loop = RationalMDP.of(MDP(P=np.array([[[1.0], [0.5]]]), r=np.array([[-1.0, 1.0]]), mu=np.ones(1)))

    assert optimal_value(loop, start=[1]) == ([2], [1])
    with pytest.raises(NonTerminating):
        optimal_value(loop, start=[0])


def test_ties_do_not_cycle():
    """All actions alike: the first policy stays."""
    mdp = RationalMDP.of(MDP(P=np.full((2, 3, 2), 0.5), r=np.ones((2, 3)), mu=[0.5, 0.5], gamma=0.5))

    assert optimal_value(mdp) == ([2, 2], [0, 0])
