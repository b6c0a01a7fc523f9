"""Mirror-descent value iteration against its averaged form, its special cases and its bound."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.oracles import DirectOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.value_iteration import MirrorValueIteration
from pgtheory.tabular.errors import InvalidArgument


def problems(N: int = 3, gamma: float = 0.9, seed: int = 0) -> Stack:
    rng = np.random.default_rng(seed)
    return Stack(P=rng.dirichlet(np.ones(4), size=(N, 4, 3)), r=rng.random((N, 4, 3)), mu=np.full((N, 4), 0.25), gamma=np.full(N, gamma))


def iterates(update: MirrorValueIteration, stack: Stack, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """q_k and pi_k, k = 0..steps."""
    state = update.init(DirectOracle(stack), np.full((stack.S, stack.A), 1 / stack.A))
    q, pi = [state.memory.q], [state.theta]
    for _ in range(steps):
        state = update.step(state)
        q.append(state.memory.q)
        pi.append(state.theta)
    return np.array(q), np.array(pi)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("lam", [0.1, 2.0])
def test_without_entropy_the_policy_is_the_softmax_of_the_sum_of_all_tables(softmax, lam, kind):
    stack = problems()
    errors = np.random.default_rng(1).normal(size=(25, *stack.r.shape))
    q, pi = iterates(MirrorValueIteration(lam, kind=kind, errors=errors), stack, 25)

    total = np.cumsum(q, axis=0)[:-1]
    # Logits reach 2000 at lam 0.1: their rounding is what the probabilities carry.
    np.testing.assert_allclose(pi[1:], softmax((total - total.max(axis=3, keepdims=True)) / lam), rtol=1e-10, atol=1e-300)


def test_with_entropy_the_policy_is_the_softmax_of_a_moving_average(softmax):
    stack, lam, tau = problems(), 0.5, 0.2
    q, pi = iterates(MirrorValueIteration(lam, tau), stack, 25)
    beta, h = lam / (lam + tau), np.zeros(stack.r.shape)
    for k in range(25):
        h = beta * h + (1 - beta) * q[k]
        np.testing.assert_allclose(pi[k + 1], softmax(h / tau), rtol=1e-11)


@pytest.mark.parametrize(("lam", "tau"), [(0.0, 0.0), (0.0, 0.3), (0.4, 0.0), (0.4, 0.3)])
@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("applications", [1, 3])
def test_second_line_is_one_backup_of_the_new_policy(lam, tau, kind, applications):
    stack = problems()
    error = np.random.default_rng(2).normal(size=(12, stack.S, stack.A))
    q, pi = iterates(MirrorValueIteration(lam, tau, kind=kind, errors=lambda k: error[k], applications=applications), stack, 10)
    xlogx = lambda p: np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0)
    for k in range(10):
        KL = (xlogx(pi[k + 1]) - pi[k + 1] * np.log(np.maximum(pi[k], 1e-300))).sum(axis=2) if lam else 0.0
        price = lam * KL + tau * xlogx(pi[k + 1]).sum(axis=2) if kind == 1 else 0.0
        table = q[k]
        for _ in range(applications):
            v = (pi[k + 1] * table).sum(axis=2) - price
            table = stack.r + stack.gamma[:, None, None] * np.einsum("nsat,nt->nsa", stack.P, v)
        assert abs(q[k + 1] - table - error[k + 1]).max() <= 1e-12


def test_no_price_is_value_iteration():
    stack = problems()
    q, pi = iterates(MirrorValueIteration(0.0), stack, 10)
    table = np.zeros(stack.r.shape)
    for k in range(10):
        assert (pi[k + 1].argmax(axis=2) == table.argmax(axis=2)).all() and (pi[k + 1].max(axis=2) == 1).all()
        table = stack.r + 0.9 * np.einsum("nsat,nt->nsa", stack.P, table.max(axis=2))
        assert abs(q[k + 1] - table).max() <= 1e-13


@pytest.mark.parametrize("lam", [0.2, 1.0, 2.0])
def test_limit_with_entropy_is_the_soft_optimum_whatever_the_divergence(lam):
    stack, tau = problems(), 0.2
    _, pi = iterates(MirrorValueIteration(lam, tau), stack, 400)

    assert abs(pi[-1] - np.exp(SoftmaxOracle(stack, tau=tau).optimum.log_pi)).max() <= 1e-12


@pytest.mark.parametrize("lam", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("kind", ["none", "alternating", "random"])
def test_errors_average_within_the_bound(lam, kind):
    """|q* - q_pi| <= 2 |mean of eps| / (1 - gamma) + 4 v / ((1 - gamma)(k + 1)), v at least all |q_j|. Vieillard et al. (2020), theorem 1, with its own v."""
    stack, rng = problems(N=2), np.random.default_rng(5)
    K, sign = 300, (-1.0) ** np.arange(300)
    errors = {"none": np.zeros((K, 4, 3)), "alternating": sign[:, None, None] * rng.random((4, 3)), "random": rng.normal(size=(K, 4, 3))}[kind]
    q, pi = iterates(MirrorValueIteration(lam, errors=errors), stack, K)
    v = max((1 + lam * np.log(3)) / 0.1, abs(q).max())
    oracle = DirectOracle(stack)
    best = np.array([np.inf])
    for k in range(K):
        gap = abs(oracle.optimum.Q - oracle(pi[k + 1]).Q).max()
        mean = abs(errors[:k].sum(axis=0)).max() / (k + 1)
        assert gap <= 2 * mean / 0.1 + 4 * v / (0.1 * (k + 1))
        best = gap
    assert best < 0.5


def test_without_divergence_errors_do_not_average():
    stack = problems(N=1)
    e = np.random.default_rng(0).choice([-1.0, 1.0], size=(4, 3))
    errors = lambda k: (-1) ** k * 0.5 * e
    oracle, start = DirectOracle(stack), np.full((4, 3), 1 / 3)
    held = run(MirrorValueIteration(1.0, errors=errors), oracle, start, 2000, record=[1998, 1999])
    greedy = run(MirrorValueIteration(0.0, errors=errors), oracle, start, 2000, record=[1998, 1999])

    assert held.gap[-3:].max() < 1e-12 and greedy.gap[-3:].max() > 0.1


START = np.full((4, 3), 1 / 3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: MirrorValueIteration(-1.0), "lam is -1.0"),
        (lambda: MirrorValueIteration(1.0, np.nan), "tau is nan"),
        (lambda: MirrorValueIteration(1.0, kind=3), "kind is 3"),
        (lambda: MirrorValueIteration(1.0, applications=0), "applications is 0"),
        (lambda: MirrorValueIteration(1.0, errors=[np.nan]), "errors[0] is nan"),
        (lambda: MirrorValueIteration(1.0).init(SoftmaxOracle(problems()), START), "which SoftmaxOracle does not hold"),
        (lambda: MirrorValueIteration(1.0).init(DirectOracle(problems()), np.eye(3)[[0, 1, 2, 0]]), "theta has a probability 0"),
        (lambda: MirrorValueIteration(1.0, q=np.zeros(3)).init(DirectOracle(problems()), START), "q has shape (3,)"),
        (lambda: MirrorValueIteration(1.0, errors=np.zeros((5, 3))).init(DirectOracle(problems()), START), "an error has shape (3,)"),
        (lambda: run(MirrorValueIteration(1.0, errors=np.zeros((2, 4, 3))), DirectOracle(problems()), START, 3), "step 3 needs another one"),
    ],
)
def test_bad_iterations_are_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
