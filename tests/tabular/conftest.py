"""The average reward in fractions: an oracle without rounding, numpy or a state that is taken away."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from pgtheory.tabular.models.mdp import MDP


@dataclass(frozen=True)
class Exact:
    """Gain, bias (S,), stationary law (S,) and deviation matrix (S, S) of one policy, as fractions; P its moves."""

    J: Fraction
    h: list[Fraction]
    d: list[Fraction]
    D: list[list[Fraction]]
    P: list[list[Fraction]]


def solved(M: list[list[Fraction]], B: list[list[Fraction]]) -> list[list[Fraction]] | None:
    """X with M X = B by Gauss and Jordan; None if M is singular."""
    n = len(M)
    rows = [[*M[i], *B[i]] for i in range(n)]
    for i in range(n):
        pivot = next((k for k in range(i, n) if rows[k][i] != 0), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        rows = [row if k == i else [x - row[i] * y for x, y in zip(row, rows[i], strict=True)] for k, row in enumerate(rows)]
    return [row[n:] for row in rows]


def average_in_fractions(mdp: MDP, pi: np.ndarray) -> Exact | None:
    """d from d (I - P) = 0, sum d = 1; D = (I - P + 1 d)^-1 - 1 d; J = d r; h = D r. Rows are divided by their sums. None: d is not unique, a multichain policy."""
    S, A = range(mdp.S), range(mdp.A)
    share = lambda row: [x / sum(row) for x in row]
    dense = np.asarray(mdp.transition.todense() if hasattr(mdp.transition, "todense") else mdp.transition).reshape(mdp.S, mdp.A, mdp.S)
    rows = [[share([Fraction(float(x)) for x in dense[s, a]]) for a in A] for s in S]
    p = [share([Fraction(float(x)) for x in pi[s]]) for s in S]
    P = [[sum(p[s][a] * rows[s][a][t] for a in A) for t in S] for s in S]
    r = [sum(p[s][a] * Fraction(float(mdp.mean_reward[s, a])) for a in A) for s in S]
    balance = [*([Fraction(s == t) - P[s][t] for s in S] for t in S[:-1]), [Fraction(1)] * mdp.S]
    found = solved(balance, [*[[Fraction(0)]] * (mdp.S - 1), [Fraction(1)]])
    if found is None:
        return None
    d = [row[0] for row in found]
    identity = [[Fraction(s == t) for t in S] for s in S]
    Z = solved([[Fraction(s == t) - P[s][t] + d[t] for t in S] for s in S], identity)
    assert Z is not None
    D = [[Z[s][t] - d[t] for t in S] for s in S]
    J = sum((x * y for x, y in zip(d, r, strict=True)), Fraction(0))
    return Exact(J=J, h=[sum((D[s][t] * r[t] for t in S), Fraction(0)) for s in S], d=d, D=D, P=P)


@pytest.fixture(scope="session")
def exact_average() -> Callable[[MDP, np.ndarray], Exact | None]:
    """`average_in_fractions`."""
    return average_in_fractions


@pytest.fixture(scope="session")
def largest_error() -> Callable:
    """Largest difference of an array of floats and nested lists of fractions, itself exact."""

    def error(found, true) -> Fraction:
        if not isinstance(true, list):
            return abs(Fraction(float(found)) - true)
        return max(error(x, y) for x, y in zip(found, true, strict=True))

    return error
