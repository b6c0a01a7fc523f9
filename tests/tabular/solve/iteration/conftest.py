"""The best value in fractions, by trying every policy: an oracle without rounding, without numpy and without an iteration."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import pytest

from pgtheory.tabular.models.mdp import MDP


def value(P: list[list[Fraction]], r: list[Fraction]) -> list[Fraction]:
    """V = r + P V by Gauss and Jordan."""
    n = len(r)
    rows = [[(i == j) - P[i][j] for j in range(n)] + [r[i]] for i in range(n)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        rows = [row if k == i else [x - row[i] * y for x, y in zip(row, rows[i], strict=True)] for k, row in enumerate(rows)]
    return [row[-1] for row in rows]


def best_in_fractions(mdp: MDP) -> list[Fraction]:
    """V* of the floats as they are: the largest of the values of all A^S policies."""
    S, A, gamma = mdp.S, mdp.A, Fraction(mdp.gamma)
    table = mdp.transition.toarray() if hasattr(mdp.transition, "toarray") else mdp.transition
    P = [[[gamma * Fraction(float(x)) for x in table[s * A + a]] for a in range(A)] for s in range(S)]
    r = [[Fraction(float(x)) for x in row] for row in mdp.mean_reward]
    values = [value([P[s][a] for s, a in enumerate(way)], [r[s][a] for s, a in enumerate(way)]) for way in product(range(A), repeat=S)]
    return [max(column) for column in zip(*values, strict=True)]


@pytest.fixture(scope="session")
def best() -> Callable[[MDP], list[Fraction]]:
    """`best_in_fractions`."""
    return best_in_fractions
