"""How long each stage of `slow-chain` takes as its buffers grow, by a compiled loop in which equal copies are one state: figures, and the bound of T82 on each run.

python -m pytest tests/benchmarks/bench_slow_chain.py -s        (five minutes on one core; needs the extra `fast`)
"""

import time
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.models.slow_chain import slow_chain
from pgtheory.tabular.rates.slow_chain import SLOW_CHAIN

GAMMA, ETA = 0.9, 10.0


def backwards(P):
    """The states, each after those it leads to."""
    found: list[int] = []
    while len(found) < len(P):
        found += [i for i in range(len(P)) if i not in found and set(np.flatnonzero(P[i].any(axis=0))) <= set(found)]
    return np.array(found)


@numba.njit(cache=True)
def crossings(P, r, mu, multiple, gamma, eta, order, record):
    """Softmax gradient ascent from theta = 0, where state i stands for multiple[i] equal ones: first steps with pi(1) >= 1/2, and pi, Q, d of the last state at steps `record`."""
    S = len(mu)
    theta, pi, Q, V, d = np.zeros((S, 3)), np.zeros((S, 3)), np.zeros((S, 3)), np.zeros(S), np.zeros(S)
    crossed, book, k = np.full(S, -1), np.zeros((len(record), 7)), 0
    for t in range(record[-1] + 1):
        for i in order:
            top, total = max(theta[i, 0], theta[i, 1], theta[i, 2]), 0.0
            for a in range(3):
                pi[i, a] = np.exp(theta[i, a] - top)
                total += pi[i, a]
            V[i] = 0.0
            for a in range(3):
                pi[i, a] /= total
                Q[i, a] = r[i, a]
                for j in range(S):
                    Q[i, a] += gamma * P[i, a, j] * V[j]
                V[i] += pi[i, a] * Q[i, a]
            if crossed[i] < 0 and pi[i, 1] >= 0.5:
                crossed[i] = t
        d[:] = mu
        for i in order[::-1]:
            for a in range(3):
                for j in range(S):
                    d[j] += gamma * d[i] * pi[i, a] * P[i, a, j]
        if t == record[k]:
            book[k, :3], book[k, 3:6], book[k, 6] = pi[-1], Q[-1], d[-1]
            k += 1
        for i in range(S):
            for a in range(3):
                theta[i, a] += eta * d[i] / multiple[i] * pi[i, a] * (Q[i, a] - V[i])
    return crossed, book


def followed(H, copies, steps):
    """Steps at which action 1 has probability 1/2: of primary stages 3 .. H, of adjoint stages 1 and 2, and the bound of the theorem on the run."""
    model = slow_chain(H, 1, GAMMA)
    multiple = np.ones(model.S)
    multiple[:2] = copies
    record = np.unique(np.concatenate([np.arange(min(steps, 1000)), np.geomspace(1, steps, 4000).astype(int), [steps]]))
    crossed, book = crossings(model.P, model.mean_reward, model.mu, multiple, GAMMA, ETA, backwards(model.P), record)
    seen = SimpleNamespace(
        t=record, size=np.full((len(record), 1), ETA), watched={"pi": book[:, None, :3], "Q": book[:, None, 3:6], "d": book[:, None, 6]}
    )  # fmt: skip
    constants = SLOW_CHAIN.constants(None, seen)  # type: ignore[arg-type]
    odds, bound = SLOW_CHAIN.quantity(seen)[:, 0], SLOW_CHAIN.bound(seen, constants)[:, 0]  # type: ignore[arg-type]
    return SimpleNamespace(
        times=[*crossed[2:4], *crossed[H + 1 :]], odds=odds, bound=bound, constants={name: float(x[0]) for name, x in constants.items()}
    )


def test_equal_copies_are_one_state():
    """The compiled loop on one state for four against the library on four."""
    steps, model = 300, slow_chain(3, 4, GAMMA)
    found = run(
        Gradient(Constant(ETA)), SoftmaxOracle(Stack.of([model])), np.zeros((model.S, 3)), steps, watch={"right": lambda o: o.pi[:, -1, 1]}
    )  # fmt: skip

    assert followed(3, 4, steps).times[-1] == np.flatnonzero(found.watched["right"][:, 0] >= 0.5)[0]


@pytest.mark.parametrize(
    ("H", "copies", "steps"),
    [(3, 10, 10**4), (3, 100, 10**5), (3, 1000, 10**6), (3, 10_000, 10**7), (4, 100, 10**6), (4, 1000, 10**7), (4, 10_000, 10**8)],
)
def test_figures(H, copies, steps):
    start = time.perf_counter()
    found = followed(H, copies, steps)
    k, limit = found.constants, found.constants["odds below 1 until"]
    print(
        f"H = {H}, {copies} copies: t_1, t_2 = {found.times[0]}, {found.times[1]}; " + ", ".join(f"t_{s} = {t}" for s, t in zip(range(3, H + 1), found.times[2:], strict=True))
        + f"; last stage not before {limit:.4g}, {found.times[-1] / limit:.2g} times that, after T_1 = {k['T_1']:.0f}, T = {k['T']:.0f}; {time.perf_counter() - start:.0f} s"
    )  # fmt: skip
    assert (found.odds <= found.bound).all()
    assert found.times[-1] < 0 or found.times[-1] >= limit
