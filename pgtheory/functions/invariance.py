"""Does the order of the rows matter? If not, multisets of rows may be enumerated instead of ordered tuples."""

import numpy as np

from pgtheory.tabular.data import Data
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.scene import Scene

MOST = 32
"""Data sets on which orders are compared: all with ties between rewards come first."""


def invariant(estimator: Estimator, data: Data, scene: Scene) -> bool:
    """Whether weights follow their rows when rows of a group are exchanged: every adjacent swap, and one reversal of each group.

    Adjacent swaps generate all orders. They are tried on the data sets with tied rewards first, where sorting and arg-maxima show.
    """
    B = data.shape[1]
    if B == 1:
        return True
    ties = np.array([len(np.unique(row)) for row in np.round(data.total, 12)])
    some = data.take(np.argsort(ties, kind="stable")[:: max(1, len(data) // MOST)][:MOST])
    group = some.index.get("group", np.zeros((len(some), B), dtype=int))[0]
    base = np.asarray(estimator(some, scene), dtype=float)
    orders = []
    for b in range(B - 1):
        if group[b] == group[b + 1]:
            order = np.arange(B)
            order[[b, b + 1]] = order[[b + 1, b]]
            orders.append(order)
    orders.append(np.concatenate([np.flatnonzero(group == g)[::-1] for g in np.unique(group)]))
    for order in orders:
        shuffled = some.permuted(np.broadcast_to(order, (len(some), B)))
        found = np.asarray(estimator(shuffled, scene), dtype=float)
        expected = base if estimator.form == "whole" else base[:, order]
        if not np.allclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True):
            return False
    return True
