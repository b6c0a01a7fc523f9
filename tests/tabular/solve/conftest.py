"""Chains of every structure, and the exact solution of a small one."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp


def garnet(S, rng):
    """Three successors each, drawn anywhere: forgets within a few steps."""
    K = np.zeros((S, S))
    np.add.at(K, (np.repeat(np.arange(S), 3), rng.integers(0, S, 3 * S)), 1 / 3)
    return K


def walk(S, rng):
    """One to the left or to the right, with the walls holding back: three diagonals, slow to mix."""
    K = np.zeros((S, S))
    s, p = np.arange(S), rng.uniform(0.2, 0.8, S)
    np.add.at(K, (s, np.minimum(s + 1, S - 1)), p)
    np.add.at(K, (s, np.maximum(s - 1, 0)), 1 - p)
    return K


def grid(S, rng):
    """A walk on a square of cells that ends with probability 1/20 a step: rows that sum to less than one."""
    n = int(S**0.5)
    line = walk(n, rng)
    return 0.95 * (np.kron(line, np.eye(n)) + np.kron(np.eye(n), line)) / 2


def cycle(S, rng):
    """A permutation with one cycle: periodic, sweeps never mix."""
    order, K = rng.permutation(S), np.zeros((S, S))
    K[order, np.roll(order, 1)] = 1
    return K


def clusters(S, rng):
    """Two fast parts that rarely meet: nearly decomposable."""
    half, eps = S // 2, 1e-4
    K = np.zeros((S, S))
    K[:half, :half], K[half:, half:] = garnet(half, rng), garnet(S - half, rng)
    K *= 1 - eps
    K[:half, -1] += eps
    K[half:, 0] += eps
    return K


def absorbing(S, rng):
    """A garnet in which every tenth state is a trap with reward, and every seventh row ends at once: zero rows."""
    K = garnet(S, rng)
    K[::10] = np.eye(S)[::10]
    K[::7] = 0
    return K


def tree(S, rng):
    """Each state moves to later ones only, the last ones end: triangular."""
    K = np.triu(rng.random((S, S)) < 4 / S, 1) * rng.random((S, S))
    return K / np.maximum(K.sum(axis=1, keepdims=True), 1)


STRUCTURES = {make.__name__: make for make in (garnet, walk, grid, cycle, clusters, absorbing, tree)}


@pytest.fixture(params=STRUCTURES)
def kernel(request):
    """A function of the size that makes a chain of one structure."""
    return lambda S, seed=0: STRUCTURES[request.param](S, np.random.default_rng(seed))


def repeated(K):
    """A CSR form with every entry in two halves, and rows in descending order: what `MDP.kernel` may give."""
    csr = sp.csr_array(K)
    indices, data = np.repeat(csr.indices[::-1], 2), np.repeat(csr.data[::-1] / 2, 2)
    lengths = 2 * np.diff(csr.indptr)[::-1]
    backwards = sp.csr_array((data, indices, np.concatenate([[0], np.cumsum(lengths)])), shape=csr.shape)
    return backwards[::-1]


FORMS = {"dense": np.array, "fortran": np.asfortranarray, "csr": sp.csr_array, "repeated": repeated}


def exact_solution(K, gamma, b, transposed=False):
    """x with (I - gamma K) x = b for the float64 numbers or fractions given, by elimination in fractions."""
    S = range(len(b))
    M = [[(i == j) - Fraction(gamma) * Fraction(K[j, i] if transposed else K[i, j]) for j in S] + [Fraction(b[i])] for i in S]
    for s in S:
        pivot = next(k for k in S if k >= s and M[k][s] != 0)
        M[s], M[pivot] = M[pivot], M[s]
        M[s] = [x / M[s][s] for x in M[s]]
        for k in S:
            if k != s and M[k][s] != 0:
                M[k] = [x - M[k][s] * y for x, y in zip(M[k], M[s], strict=True)]
    return [row[-1] for row in M]


@pytest.fixture
def exact():
    return exact_solution


@pytest.fixture
def forms():
    return FORMS


@pytest.fixture
def structures():
    return STRUCTURES
