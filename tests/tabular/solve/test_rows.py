"""Compiled sweeps against the product with the whole table, in double and in single precision."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.solve import rows as module
from pgtheory.tabular.solve.iteration.modified import modified_policy_iteration
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import COMPILED, Play
from pgtheory.tabular.solve.rows import Rows, best_rows, policy_rows


def test_loops_are_the_backup_and_the_sweep_of_a_policy():
    model = sparse_garnet(S=7, A=3, b=2, seed=1)
    P, r, gamma = model.P, model.mean_reward, model.gamma
    V = np.random.default_rng(0).normal(size=7)
    Q = r + gamma * (P @ V).reshape(7, 3)
    after, policy = np.full(7, np.nan), np.zeros(7, dtype=np.uint32)

    low, high = best_rows(0, 7, P.indptr, P.indices, P.data, r, gamma, V, after, policy)

    np.testing.assert_allclose(after, Q.max(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(policy, Q.argmax(axis=1))
    np.testing.assert_allclose((low, high), ((Q.max(axis=1) - V).min(), (Q.max(axis=1) - V).max()), rtol=1e-13)
    policy[:] = [2, 0, 1, 1, 2, 0, 0]
    part = np.full(7, np.nan)
    low, high, size, sweeps = policy_rows(2, 5, P.indptr, P.indices, P.data, r, gamma, V, part, policy, 0.0, 1)
    own = Q[np.arange(7), policy]
    np.testing.assert_allclose(part[2:5], own[2:5], rtol=1e-14)
    assert np.isnan(part[[0, 1, 5, 6]]).all()
    np.testing.assert_allclose((low, high), ((own - V)[2:5].min(), (own - V)[2:5].max()), rtol=1e-13)
    assert (size, sweeps) == ((high - low) / 2, 1)


@pytest.mark.parametrize(("aim", "limit", "end"), [(0.0, 6, 6), (0.02, 100, None), (1e9, 100, 1)])
def test_sweeps_of_one_call_are_single_ones_with_the_constant_between(aim, limit, end):
    """V <- T V + gamma c 1 with c = middle / (1 - gamma), until half the span of T V - V is small enough or the sweeps are over. What was given stays."""
    model = sparse_garnet(S=40, seed=2)
    rows, policy = Rows.of(model.P, model.mean_reward, model.gamma), np.arange(40) % model.A
    V = np.random.default_rng(0).normal(size=40)
    given, K, b = V.copy(), model.P[np.arange(40) * model.A + policy], model.mean_reward[np.arange(40), policy]

    after, low, high, first, n = rows.repeated(V, policy, aim, limit)

    np.testing.assert_array_equal(V, given)
    sizes = []
    while True:
        stepped = b + model.gamma * (K @ given)
        change = stepped - given
        sizes.append(np.ptp(change) / 2)
        if len(sizes) == limit or sizes[-1] <= aim:
            break
        given = stepped + model.gamma * (change.min() + change.max()) / 2 / (1 - model.gamma)
    assert n == len(sizes) and (end is None or n == end)
    assert end is not None or 3 <= n < limit
    np.testing.assert_allclose((first, (high - low) / 2), (sizes[0], sizes[-1]), rtol=1e-9)
    np.testing.assert_allclose(after, stepped, rtol=1e-12)


def test_sweeps_of_one_call_end_where_the_residual_grows():
    """Rows that sum to more than one: no policy has such, but rounding may feign growth, and then sweeps must end. Twice the first size is too much, less is not."""
    r, start, policy = np.array([[0.0], [1.0]]), np.zeros(2), np.zeros(2, dtype=np.intp)
    for growth, sweeps in ((3.0, 2), (1.5, 3)):
        rows = Rows.of(sp.csr_array(growth / 0.5 * np.eye(2)), r, 0.5)

        _, low, high, first, n = rows.repeated(start, policy, 0.0, 50)

        assert (first, n) == (0.5, sweeps) and (high - low) / 2 == growth ** (sweeps - 1) * first


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("least", [1, 10**9])
def test_steps_on_threads_and_not(monkeypatch, kind, least):
    monkeypatch.setattr(module, "LEAST", least)
    model = sparse_garnet(S=50, seed=3)
    rows = Rows.of(model.P, model.mean_reward, model.gamma, kind)
    assert len(rows.starts) == (4 if least == 1 else 1)
    assert {rows.entries[2].dtype, rows.r.dtype, rows.gamma.dtype} == {np.dtype(kind)}
    V, policy = np.random.default_rng(1).normal(size=50).astype(kind), np.empty(50, dtype=np.intp)
    Q, unit = model.backup(V.astype(float)), np.finfo(kind).eps

    best, low, high = rows.best(V, policy)

    np.testing.assert_array_equal(policy, Q.argmax(axis=1))
    assert best.dtype == kind
    np.testing.assert_allclose(best, Q.max(axis=1), atol=20 * unit * abs(V).max())
    np.testing.assert_allclose((low, high), ((Q.max(axis=1) - V).min(), (Q.max(axis=1) - V).max()), atol=20 * unit * abs(V).max())
    policy[:] = np.arange(50) % model.A
    own, low, high = rows.own(V, policy)
    taken = Q[np.arange(50), policy]
    np.testing.assert_allclose(own, taken, atol=20 * unit * abs(V).max())
    np.testing.assert_allclose((low, high), ((taken - V).min(), (taken - V).max()), atol=20 * unit * abs(V).max())


@pytest.mark.parametrize("gamma", [0.9, 0.999])
def test_modified_policy_iteration_in_one_call(gamma):
    """It ends at the wanted size or at the limit of sweeps, and its value lies within size / (1 - gamma) of the best; the loop in Python finds the same."""
    model = sparse_garnet(S=60, gamma=gamma, seed=4)
    rows, V = Rows.of(model.P, model.mean_reward, gamma), np.random.default_rng(1).normal(size=60)
    best, goal = optimal(model, method="policy-iteration").V, 1e-9 * (1 - gamma)

    found, Q, steps = rows.modified(V, goal, 500)
    early, _, few = rows.modified(V, goal, 5)

    assert abs(found - best).max() <= 2 * goal / (1 - gamma) < abs(early - best).max()
    assert abs(model.backup(found).max(axis=1) - found).max() <= goal + 1e-15
    np.testing.assert_allclose(Q, model.backup(found), rtol=0, atol=20 * 2.0**-53 * abs(found).max())
    assert 10 < steps < 100 and 5 <= few <= 5 + module.SWEEPS + 1
    plain, spare, policy, table = V.copy(), np.empty(60), np.zeros(60, dtype=np.uint64), np.empty_like(Q)
    indptr, indices, data = rows.entries
    assert module.modified_rows(indptr, indices, data, rows.r, gamma, plain, spare, policy, table, goal, 500) == steps
    np.testing.assert_allclose(plain, found, rtol=1e-12)
    np.testing.assert_allclose(table, Q, rtol=1e-12)


@pytest.mark.parametrize("limit", [1, 20, 500])
def test_one_call_is_its_steps_one_by_one(limit):
    """A best-action step, then sweeps of that policy, the constant given back after each; all of them count."""
    model, gamma, goal = sparse_garnet(S=60, seed=4), 0.99, 1e-10
    rows, V, policy = Rows.of(model.P, model.mean_reward, gamma), np.random.default_rng(1).normal(size=60), np.empty(60, dtype=np.intp)
    shifted = lambda after, low, high: after + gamma * (low + high) / 2 / (1 - gamma)

    found, _, steps = rows.modified(V, goal, limit)

    count = 0
    while True:
        after, low, high = rows.best(V, policy)
        V, size, count = shifted(after, low, high), (high - low) / 2, count + 1
        if size <= goal or count >= limit:
            break
        for _ in range(module.SWEEPS):
            after, low, high = rows.own(V, policy)
            V, count = shifted(after, low, high), count + 1
            if (high - low) / 2 <= max(module.FALL * size, 0.3 * goal):
                break
    assert steps == count
    np.testing.assert_allclose(found, V, rtol=1e-11)


def test_modified_policy_iteration_in_one_call_ends_at_rounding():
    model = sparse_garnet(S=60, seed=4)
    _, _, steps = Rows.of(model.P, model.mean_reward, model.gamma).modified(np.zeros(60), 0.0, 10**6)

    assert steps < 200


def test_ties_go_to_the_first_action():
    """As with argmax: three copies of an action, then a worse one."""
    P = sp.csr_array(np.tile(np.full((1, 2), 0.5), (8, 1)))
    policy = np.full(2, -1)

    Rows.of(P, np.array([[1.0, 1, 1, 0], [0, 2, 2, 2]]), 0.5).best(np.array([3.0, 4.0]), policy)

    assert policy.tolist() == [0, 1]


def test_modified_policy_iteration_is_the_same_without_a_compiler():
    model = sparse_garnet(S=300)
    assert model.P.nnz >= COMPILED
    compiled, plain = Play.of(model), Play.of(model)
    assert compiled.compiled is not None
    plain.__dict__["compiled"] = None

    V, policy, steps, _ = modified_policy_iteration(compiled, 1e-9)
    expected, best, number, _ = modified_policy_iteration(plain, 1e-9)

    assert steps == number
    np.testing.assert_array_equal(policy, best)
    np.testing.assert_allclose(V, expected, atol=1e-14)
