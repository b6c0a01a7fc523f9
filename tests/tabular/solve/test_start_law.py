"""The bias of an average over N steps, against that average step by step in fractions."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, Multichain
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve.average import unichain
from pgtheory.tabular.solve.start_law import start_bias

CYCLE = MDP(P=[[[0.0, 1.0]], [[1.0, 0.0]]], r=[[1.0], [0.0]], mu=[1.0, 0.0])
ALONE = Direct([[1.0], [1.0]])


def mean_so_far(mdp: MDP, P: list[list[Fraction]], f: list[Fraction], N: int) -> Fraction:
    """(1/N) sum_{t<N} mu P^t f, one step after the other."""
    S, law, total = range(mdp.S), [Fraction(float(x)) for x in mdp.mu], Fraction(0)
    for _ in range(N):
        total += sum(x * y for x, y in zip(law, f, strict=True))
        law = [sum(law[s] * P[s][t] for s in S) for t in S]
    return total / N


@settings(max_examples=40)
@given(seed=st.integers(0, 2**16), N=st.integers(1, 9), bare=st.booleans(), sparse=st.booleans())
def test_against_the_average_step_by_step(seed, N, bare, sparse, exact_average):
    """Also for periodic chains: bare cycles of 1 to 4 states."""
    rng = np.random.default_rng(seed)
    S, A = rng.integers(1, 5), rng.integers(1, 3)
    weights = np.zeros((S, A, S)) if bare else rng.integers(0, 3, size=(S, A, S)).astype(float)
    weights[range(S), :, [(s + 1) % S for s in range(S)]] += 1
    P = weights / weights.sum(axis=-1, keepdims=True)
    mdp = MDP(P=sp.csr_array(P.reshape(S * A, S)) if sparse else P, r=rng.integers(-3, 4, size=(S, A)).astype(float), mu=rng.dirichlet(np.ones(S)))
    pi, f = rng.dirichlet(np.ones(A), size=S), rng.integers(-3, 4, size=S).astype(float)
    true = exact_average(mdp, pi)
    of = [Fraction(x) for x in f.tolist()]

    bias, bound = start_bias(mdp, Direct(pi), N, f=f)

    expected = mean_so_far(mdp, true.P, of, N) - sum(x * y for x, y in zip(true.d, of, strict=True))
    assert abs(Fraction(bias) - expected) <= 1e-13
    assert abs(bias) <= bound * (1 + 1e-12) + 1e-15
    D = [sum(x * y for x, y in zip(row, of, strict=True)) for row in true.D]
    assert abs(N * Fraction(bound) - (max(D) - min(D))) <= 1e-12
    assert bound <= 2 * abs(unichain(mdp, Direct(pi)).deviation(f)).max() / N
    reward = [sum(Fraction(x) * Fraction(y) for x, y in zip(pi[s], mdp.mean_reward[s], strict=True)) / sum(map(Fraction, pi[s])) for s in range(S)]
    of_reward = mean_so_far(mdp, true.P, reward, N) - true.J
    assert abs(Fraction(start_bias(mdp, Direct(pi), N)[0]) - of_reward) <= 1e-13


def test_cycle_of_two():
    """P074.C4: from state 0, where f = 1: 0 at N = 2 and 4, 1/2 / 3 at N = 3, against the mean 1/2. The chain never mixes, the bias goes to zero as 1/N."""
    assert [start_bias(CYCLE, ALONE, N)[0] for N in (1, 2, 4)] == [0.5, 0.0, 0.0]
    assert abs(start_bias(CYCLE, ALONE, 3)[0] - (2 / 3 - 1 / 2)) < 1e-15


def test_total_over_three_steps_of_the_cycle_is_half_a_reward_more():
    """The number 0.5 of the claim at N = 3: N times the bias, 2 rewards in three steps against 3/2."""
    assert abs(3 * start_bias(CYCLE, ALONE, 3)[0] - 0.5) < 1e-15


def test_bound_is_reached_from_the_worst_start():
    """Odd N on the cycle: the chain is at the other end of D f."""
    for N in (1, 3, 9):
        bias, bound = start_bias(CYCLE, ALONE, N)
        assert abs(bias - bound) < 1e-15


def test_start_in_the_stationary_law_has_no_bias():
    steady = MDP(P=CYCLE.P, r=CYCLE.r, mu=[0.5, 0.5])
    assert [start_bias(steady, ALONE, N)[0] for N in (1, 2, 3)] == [0.0, 0.0, 0.0]


def test_bad_input():
    with pytest.raises(InvalidArgument, match="N is 0"):
        start_bias(CYCLE, ALONE, 0)
    with pytest.raises(InvalidArgument, match=r"f has shape \(3,\), expected \(2,\)"):
        start_bias(CYCLE, ALONE, 1, f=np.zeros(3))
    with pytest.raises(InvalidArgument, match=r"f\[1\] is nan"):
        start_bias(CYCLE, ALONE, 1, f=np.array([0.0, np.nan]))
    with pytest.raises(Multichain):
        start_bias(MDP(P=np.eye(2)[:, None], r=CYCLE.r, mu=CYCLE.mu), ALONE, 1)
