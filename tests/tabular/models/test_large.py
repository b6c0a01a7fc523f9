"""Large sparse problems: against a loop over states, against Gymnasium's own table, their structure at size, and their errors."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.large import frozen_lake, queue, sparse_garnet, torus
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.solve.optimal import optimal

SUMS = 1e-15
"""A row adds at most five numbers below one: four roundings of 2^-53."""


def table(mdp):
    """P as an array (S, A, S)."""
    return mdp.transition.toarray().reshape(mdp.S, mdp.A, mdp.S)


@pytest.mark.parametrize("mdp", [sparse_garnet(50), queue(50), frozen_lake(8), torus(5)], ids=["garnet", "queue", "lake", "torus"])
def test_models_are_sparse_and_start_uniformly(mdp):
    assert sp.issparse(mdp.P)
    assert (mdp.transition.data > 0).all()
    np.testing.assert_allclose(mdp.mu, 1 / mdp.S, rtol=1e-15)
    assert mdp.horizon is None and mdp.by_pair


# Garnet


def test_garnet_has_rows_that_sum_to_one_and_at_most_b_successors():
    mdp = sparse_garnet(S=300, A=3, b=5)
    count = np.diff(mdp.transition.indptr)

    assert (mdp.S, mdp.A) == (300, 3)
    np.testing.assert_allclose(mdp.transition.sum(axis=1), 1, atol=SUMS)
    assert count.max() == 5, "two draws of one state are one entry, hence at most b"
    assert count.min() < 5, "the draw is with replacement: of 900 rows some have a successor twice"
    assert mdp.transition.has_canonical_format


def test_garnet_reaches_every_part_of_the_state_space_and_weighs_unevenly():
    """Columns uniform over all S states, weights of an exponential law: the largest of five has mean H_5 / 5 = 0.4567, of equal weights it would be 0.2."""
    S, A, b = 10_000, 4, 5
    P = sparse_garnet(S, A, b).transition
    largest = np.maximum.reduceat(P.data, P.indptr[:-1])
    harmonic = sum(1 / k for k in range(1, b + 1)) / b

    assert abs(P.indices.mean() / (S - 1) - 0.5) < 5 / np.sqrt(12 * P.nnz), "five standard deviations of a mean of uniform numbers"
    assert abs(largest.mean() - harmonic) < 5 * largest.std() / np.sqrt(S * A) + b * b / S, "and what merged draws add"


def test_garnet_is_drawn_by_its_seed_alone():
    one, again, other = sparse_garnet(20), sparse_garnet(20), sparse_garnet(20, seed=1)

    assert (one.transition != again.transition).nnz == 0 and (one.r == again.r).all()
    assert (one.transition != other.transition).nnz > 0 and (one.r != other.r).all()


def test_garnet_draw_is_frozen():
    """The id is stable for ever: a change of the draw is a change of the problem."""
    mdp = problem("sparse-garnet/S=4,A=1,b=2,seed=0")

    expected = [[0, 0, 0.7475819446046097, 0.25241805539539025], [0, 0.5285951789651837, 0.4714048210348163, 0], [0.682599179497147, 0.31740082050285306, 0, 0], [1, 0, 0, 0]]  # fmt: skip
    np.testing.assert_allclose(mdp.transition.toarray(), expected, rtol=1e-14)
    np.testing.assert_allclose(mdp.r.ravel(), [0.008574042765875702, 0.00033585575305464385, 0.007296554464299447, 0.0017565562060255918], rtol=1e-14)


@pytest.mark.parametrize("gamma", [0.5, 0.99])
def test_garnet_has_values_between_zero_and_one(gamma):
    mdp = sparse_garnet(200, gamma=gamma)

    assert mdp.r.min() >= 0 and mdp.r.max() <= 1 - gamma
    assert mdp.r.max() > 0.99 * (1 - gamma), "of 800 uniform numbers the largest misses 1 by 1/800"
    found = optimal(mdp)
    assert 0 < found.V.min() <= found.V.max() < 1


def test_garnet_of_one_state_and_one_action():
    mdp = sparse_garnet(S=1, A=1, b=1)

    np.testing.assert_allclose(mdp.transition.toarray(), [[1]], atol=SUMS)
    assert abs(optimal(mdp).J - mdp.r[0, 0] / (1 - mdp.gamma)) < 1e-12


# Queue


def queue_by_hand(S, A, gamma):
    """P and r of the queue, state by state and event by event."""
    P, r = np.zeros((S, A, S)), np.zeros((S, A))
    for s in range(S):
        for a in range(A):
            arrives = 0.4 if s + 1 < S else 0.0
            served = 0.6 * (a + 1) / A if s > 0 else 0.0
            if arrives:
                P[s, a, s + 1] += arrives
            if served:
                P[s, a, s - 1] += served
            P[s, a, s] += 1 - arrives - served
            r[s, a] = -(1 - gamma) * (s / S + 0.5 * (a / (A - 1)) ** 2) / 1.5
    return P, r


@pytest.mark.parametrize(("S", "A"), [(2, 2), (3, 3), (7, 4), (12, 2)])
def test_queue_against_a_loop(S, A):
    mdp = queue(S, A, gamma=0.9)
    P, r = queue_by_hand(S, A, 0.9)

    np.testing.assert_allclose(table(mdp), P, atol=SUMS)
    np.testing.assert_allclose(mdp.r, r, rtol=1e-14)
    assert mdp.gamma == 0.9


@pytest.mark.parametrize("A", [2, 3, 7, 49])
def test_queue_is_tridiagonal_and_never_ends(A):
    mdp = queue(1000, A)
    pair, to = mdp.transition.nonzero()

    assert abs(pair // A - to).max() == 1
    assert mdp.transition.data.min() > 1e-3, "no event of probability zero is stored, not even its rounding"
    np.testing.assert_allclose(mdp.transition.sum(axis=1), 1, atol=SUMS)
    assert mdp.ends.sum() == 0


def test_queue_has_values_between_minus_one_and_zero_and_serves_faster_when_it_is_long():
    found = optimal(queue(200))

    assert -1 < found.V.min() <= found.V.max() < 0
    assert (np.diff(found.V) < 0).all(), "each further customer costs"
    assert (np.diff(found.policy) >= 0).all() and found.policy[0] == 0, "the rate of service is monotone in the queue: Puterman (1994), Section 11.5"


# Frozen lake


def lake_by_hand(hole, n):
    """P and r of the lake from its map, cell by cell and slip by slip; states in the order of the cells that are neither hole nor goal."""
    cells = [c for c in range(n * n) if not hole[c] and c != n * n - 1]
    P, r = np.zeros((len(cells), 4, len(cells))), np.zeros((len(cells), 4))
    ways = ((-1, 0), (0, 1), (1, 0), (0, -1))
    for i, cell in enumerate(cells):
        for a in range(4):
            for turn in (-1, 0, 1):
                up, right = ways[(a + turn) % 4]
                row, column = cell // n + up, cell % n + right
                if not (0 <= row < n and 0 <= column < n):
                    row, column = cell // n, cell % n
                after = row * n + column
                if after == n * n - 1:
                    r[i, a] += 1 / 3
                elif not hole[after]:
                    P[i, a, cells.index(after)] += 1 / 3
    return P, r


def holes_of(n, holes, seed):
    """The map: each cell a hole with this probability, but the first and the last."""
    hole = np.random.default_rng(seed).random(n * n) < holes
    hole[0] = hole[-1] = False
    return hole


@pytest.mark.parametrize(("n", "holes", "seed"), [(2, 0.0, 0), (3, 0.5, 1), (5, 0.3, 2), (6, 0.1, 3), (4, 1.0, 0)])
def test_lake_against_a_loop(n, holes, seed):
    mdp = frozen_lake(n, holes=holes, seed=seed)
    P, r = lake_by_hand(holes_of(n, holes, seed), n)

    np.testing.assert_allclose(table(mdp), P, atol=SUMS)
    np.testing.assert_allclose(mdp.r, r, atol=SUMS)


@pytest.mark.parametrize("seed", [0, 1])
def test_lake_is_gymnasiums_on_the_same_map(seed):
    """Gymnasium keeps holes and goal as states and numbers the actions left, down, right, up."""
    gymnasium = pytest.importorskip("gymnasium")
    n = 6
    hole = holes_of(n, 0.2, seed)
    letters = np.where(hole, "H", "F").reshape(n, n)
    letters[0, 0], letters[-1, -1] = "S", "G"
    given = gymnasium.make("FrozenLake-v1", desc=["".join(row) for row in letters]).unwrapped.P
    states = np.flatnonzero(~hole[:-1])
    mdp = frozen_lake(n, holes=0.2, seed=seed)
    P = table(mdp)

    for i, cell in enumerate(states):
        for ours, theirs in enumerate((3, 2, 1, 0)):
            row, reward = np.zeros(n * n), 0.0
            for chance, after, paid, _ in given[cell][theirs]:
                row[after] += chance
                reward += chance * paid
            np.testing.assert_allclose(P[i, ours], row[states], atol=SUMS)
            assert abs(mdp.r[i, ours] - reward) < SUMS


def test_lake_without_holes_loses_mass_beside_the_goal_only():
    mdp = frozen_lake(5, holes=0)
    beside = sorted({int(s) for s, _ in np.argwhere(mdp.ends)})

    assert mdp.S == 24
    assert beside == [19, 23], "above the goal and to its left"
    np.testing.assert_allclose(mdp.r, mdp.ends, atol=SUMS)


def test_lake_of_holes_alone_is_one_cell():
    mdp = frozen_lake(4, holes=1)

    assert mdp.S == 1
    np.testing.assert_allclose(mdp.ends, [[1 / 3, 2 / 3, 2 / 3, 1 / 3]], atol=SUMS)
    assert optimal(mdp).J == 0


def test_lake_of_four_cells_in_closed_form():
    """One leans on the wall: beside the goal V = 1/3 + 2 gamma V / 3, from the start U = gamma (2 V + U) / 3."""
    gamma = 0.9
    V = 1 / (3 - 2 * gamma)
    U = 2 * gamma * V / (3 - gamma)

    np.testing.assert_allclose(optimal(frozen_lake(2, gamma=gamma, holes=0)).V, [U, V, V], rtol=1e-10)


def test_lake_has_values_of_a_probability_and_its_share_of_holes():
    mdp = frozen_lake(100)
    n, p = 100 * 100, 0.1

    assert abs(n - 1 - mdp.S - p * n) < 5 * np.sqrt(n * p * (1 - p)), "five standard deviations"
    found = optimal(frozen_lake(12))
    assert found.V.min() >= 0 and found.V.max() < 1


def test_lake_is_drawn_by_its_seed_alone():
    assert (frozen_lake(8).transition != frozen_lake(8).transition).nnz == 0
    assert [frozen_lake(8, seed=s).S for s in range(3)] == [int((~holes_of(8, 0.1, s)).sum()) - 1 for s in range(3)]


# Torus


@pytest.mark.parametrize(("n", "slip"), [(3, 0.2), (4, 0.2), (5, 0.0), (4, 1.0)])
def test_torus_against_a_loop(n, slip):
    P = np.zeros((n * n, 4, n * n))
    for i in range(n):
        for j in range(n):
            cells = [((i - 1) % n, j), (i, (j + 1) % n), ((i + 1) % n, j), (i, (j - 1) % n)]
            for a in range(4):
                for turn, chance in [(0, 1 - slip), (1, slip / 2), (3, slip / 2)]:
                    x, y = cells[(a + turn) % 4]
                    P[i * n + j, a, x * n + y] += chance
    mdp = torus(n, slip=slip)

    np.testing.assert_allclose(table(mdp), P, atol=SUMS)
    assert not mdp.ends.any()
    assert mdp.r[0].tolist() == [1 - mdp.gamma] * 4 and not mdp.r[1:].any()


def test_torus_without_slips_in_closed_form():
    """From cell 0 one steps aside and back, V = (1 - gamma) / (1 - gamma^2); d steps away it is gamma^d times as much."""
    n, gamma = 5, 0.9
    found = optimal(torus(n, gamma=gamma, slip=0.0))
    away = np.minimum(np.arange(n), n - np.arange(n))

    np.testing.assert_allclose(found.V, (gamma ** (away[:, None] + away) / (1 + gamma)).ravel(), rtol=1e-12)


# Arguments


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: sparse_garnet(S=0), "S is 0, expected a whole number of at least 1"),
        (lambda: sparse_garnet(A=0), "A is 0"),
        (lambda: sparse_garnet(b=0), "b is 0"),
        (lambda: sparse_garnet(S=3, b=4), "b is 4, but there are only S = 3 states to move to. Give b <= S"),
        (lambda: sparse_garnet(S=2.0), "S is 2.0, expected a whole number"),
        (lambda: sparse_garnet(seed=-1), "seed is -1, expected a whole number of at least 0"),
        (lambda: sparse_garnet(gamma=1.0), "gamma is 1.0; it must lie strictly between 0 and 1"),
        (lambda: sparse_garnet(gamma=float("nan")), "gamma is nan, outside"),
        (lambda: queue(S=1), "S is 1, expected a whole number of at least 2"),
        (lambda: queue(A=1), "A is 1, expected a whole number of at least 2"),
        (lambda: queue(gamma=0), "gamma is 0"),
        (lambda: frozen_lake(n=1), "n is 1, expected a whole number of at least 2"),
        (lambda: frozen_lake(seed=-1), "seed is -1"),
        (lambda: frozen_lake(gamma=1.5), r"gamma is 1.5, outside \[0, 1\]"),
        (lambda: frozen_lake(holes=1.5), r"holes is 1.5, outside \[0, 1\]"),
        (lambda: frozen_lake(holes=-0.1), r"holes is -0.1, outside \[0, 1\]"),
        (lambda: frozen_lake(holes=float("nan")), r"holes is nan, outside \[0, 1\]"),
        (lambda: torus(n=2), "n is 2, expected a whole number of at least 3"),
        (lambda: torus(slip=1.5), r"slip is 1.5, outside \[0, 1\]"),
        (lambda: torus(gamma=0), "gamma is 0"),
    ],
)
def test_bad_arguments(call, text):
    with pytest.raises(InvalidArgument, match=text):
        call()


@pytest.mark.parametrize(
    ("id", "S", "A", "gamma"),
    [
        ("sparse-garnet/S=30,A=2,b=3,gamma=0.9", 30, 2, 0.9),
        ("queue/S=40,A=4", 40, 4, 0.9999),
        ("frozen-lake/n=4,holes=0", 15, 4, 0.99),
        ("torus/n=4", 16, 4, 0.999),
    ],
)
def test_ids(id, S, A, gamma):
    mdp = problem(id)

    assert (mdp.S, mdp.A, mdp.gamma) == (S, A, gamma)
