"""Sweeps: against the linear system, the textbook's loops, and each other with and without a compiler."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.models.large import frozen_lake
from pgtheory.tabular.solve.iteration.sweeps import Directed, Shifted, best_actions, best_rows, extremes, gauss_seidel_rows, middle
from pgtheory.tabular.solve.play import Play


def kernel(S: int, *, ends: float = 0.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    K = rng.dirichlet(np.ones(S), size=S) * (rng.random((S, S)) < 0.5)
    K[np.arange(S), np.arange(S)] += 0.1
    return (1 - ends) * K / K.sum(axis=1, keepdims=True)


def textbook(K, gamma, b, V, backward, w=1.0):
    """SOR on M = I - gamma K, M = D - L - U, with dense matrices: (D / w - L) V' = b + (U + (1 / w - 1) D) V, or with L and U exchanged; Gauss-Seidel at w = 1."""
    M = np.eye(len(b)) - gamma * K
    near = (np.triu(M) if backward else np.tril(M)) + (1 / w - 1) * np.diag(np.diag(M))
    return np.linalg.solve(near, b - (M - near) @ V)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("ends", [0.0, 0.3])
@pytest.mark.parametrize("w", [1.0, 1.3])
def test_directed_sweep_is_the_splitting_of_the_textbook(backward, compile, ends, w):
    K, rng = kernel(12, ends=ends), np.random.default_rng(1)
    b, V = rng.standard_normal(12), rng.standard_normal(12)
    expected = textbook(K, 0.9, b, V, backward, w)

    after, size = Directed(sp.csr_array(K), 0.9, b, backward, compile, w)(V.copy())

    np.testing.assert_allclose(after, expected, rtol=1e-13)
    np.testing.assert_allclose(size, abs(expected - V).max(), rtol=1e-13)


@pytest.mark.parametrize("backward", [False, True])
def test_loop_is_the_same_before_it_is_compiled(backward):
    K, b = sp.csr_array(kernel(9, ends=0.1)), np.arange(9.0)
    one, two = np.ones(9), np.ones(9)

    size = gauss_seidel_rows(K.indptr, K.indices, K.data, 0.8, b, one, backward, 1.0)

    assert size == Directed(K, 0.8, b, backward, True)(two)[1]
    assert one.tolist() == two.tolist()


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("w", [1.0, 1.3])
def test_state_that_never_leaves_itself_earns_its_reward_in_each_sweep(compile, backward, w):
    """gamma = 1: 1 - K(s, s) is 0. From V = 7 a reward of 2 makes 9, as one step does; 2 alone would be the value of ending there."""
    K = sp.csr_array([[1.0, 0.0], [0.5, 0.0]])

    after, size = Directed(K, 1.0, np.array([2.0, 1.0]), backward, compile, w)(np.array([7.0, 0.0]))

    first = 7 + 2 * w
    np.testing.assert_allclose(after, [first, w * (1 + (3.5 if backward else first / 2))], rtol=1e-15)
    assert size == max(abs(after - [7, 0]))


def test_sweep_with_the_constant_taken_away_by_its_formula():
    K, rng = kernel(7), np.random.default_rng(2)
    b, V = rng.standard_normal(7), rng.standard_normal(7)
    d = b + 0.9 * K @ V - V

    after, size = Shifted(K, 0.9, b, True)(V)

    np.testing.assert_allclose(after, V + d + 0.9 / 0.1 * (d.max() + d.min()) / 2, rtol=1e-12)
    np.testing.assert_allclose(size, (d.max() - d.min()) / 2, rtol=1e-12)


def test_constant_leaves_half_of_the_span():
    K, rng = kernel(7), np.random.default_rng(3)
    b, V = 5 + rng.standard_normal(7), rng.standard_normal(7)
    residual = lambda V: b + 0.99 * K @ V - V

    size, constant = middle(*extremes(residual(V)), 0.99, True)

    np.testing.assert_allclose(abs(residual(V + constant)).max(), size, rtol=1e-11)
    assert size < 0.5 * abs(residual(V)).max()


def iterated(K, gamma, b, stochastic, n):
    sweep, V, size = Shifted(np.asarray(K), gamma, b, stochastic), np.zeros(len(b)), 0.0
    for _ in range(n):
        V, size = sweep(V)
    return V, size


def test_constant_makes_sweeps_as_fast_as_the_chain_forgets():
    """The same 60 sweeps: without the constant gamma^60 = 0.55 of the error is left."""
    K, b = kernel(20), np.random.default_rng(4).random(20)
    V = np.linalg.solve(np.eye(20) - 0.99 * K, b)

    assert abs(iterated(K, 0.99, b, True, 60)[0] - V).max() < 1e-10
    assert abs(iterated(K, 0.99, b, False, 60)[0] - V).max() > 0.3 * abs(V).max()


def test_constant_diverges_where_rows_sum_to_less():
    """Why `stochastic` is asked: dropped, the sweeps of this chain explode."""
    K, b = np.array([[0.9, 0.1], [0.0, 0.2]]), np.array([1.0, 0.0])

    assert iterated(K, 0.99, b, False, 60)[1] < 0.1
    assert iterated(K, 0.99, b, True, 60)[1] > 1e6


def dense_best(mdp, V, backward):
    """T V in the order of the states, each value used at once."""
    P, V, policy = mdp.transition.toarray().reshape(mdp.S, mdp.A, mdp.S), V.copy(), []
    order = range(mdp.S)[::-1] if backward else range(mdp.S)
    for s in order:
        Q = mdp.mean_reward[s] + mdp.gamma * P[s] @ V
        V[s] = Q.max()
        policy.append(int(Q.argmax()))
    return V, policy[::-1] if backward else policy


@pytest.mark.parametrize("backward", [False, True])
def test_best_actions_in_one_direction(monkeypatch, backward):
    mdp = frozen_lake(6, holes=0.2)
    V = np.random.default_rng(5).random(mdp.S)
    expected, taken = dense_best(mdp, V, backward)
    play = Play.of(mdp)
    monkeypatch.setattr(Play, "transition", mdp.transition)
    monkeypatch.setattr(Play, "worth_compiling", True)

    after, size, policy = best_actions(play, V.copy(), backward)

    np.testing.assert_allclose(after, expected, rtol=1e-14)
    np.testing.assert_allclose(size, mdp.gamma * abs(expected - V).max(), rtol=1e-14)
    assert policy.tolist() == taken
    # The bound of the residual that is stated.
    assert abs(mdp.backup(after).max(axis=1) - after).max() <= size * (1 + 1e-12)


def test_best_actions_pass_over_what_is_not_allowed():
    P = sp.csr_array(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    V, policy, kept = np.zeros(2), np.array([0, 0]), np.array([[False, True], [False, False]])

    size = best_rows(P.indptr, P.indices, P.data, 0.5, np.array([[9.0, -1.0], [9.0, 9.0]]), kept, V, policy, False)

    assert (V.tolist(), policy.tolist(), size) == ([-1.0, 0.0], [1, 0], 1.0)


def test_all_at_once_is_the_backup():
    mdp = frozen_lake(5)
    V = np.random.default_rng(6).random(mdp.S)
    Q = mdp.backup(V)

    after, size, policy = best_actions(Play.of(mdp), V.copy(), None)

    np.testing.assert_allclose(after, Q.max(axis=1), rtol=1e-14)
    assert size == pytest.approx(abs(Q.max(axis=1) - V).max(), rel=1e-13)
    assert (policy == Q.argmax(axis=1)).all()
