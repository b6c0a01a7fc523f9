"""Best values where no state is visited twice: bandits, models with the time in their states, trees."""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.stack import Stack


def acyclic_values(stack: Stack) -> tuple[Float[np.ndarray, "N S"], Float[np.ndarray, "N"]] | None:
    """Best values and bounds of their errors, by at most S backups; None if in some problem a state may be visited twice.

    A backup adds up S + 2 terms at most, each with its rounding, and passes on the errors of what it backs up; the first has nothing to add up.
    Cost: O(N S^2 A) a step of the longest episode.
    """
    moves, on_the_way, depth = (stack.P > 0).any(axis=2), np.ones((stack.N, stack.S), dtype=bool), 0
    while on_the_way.any():  # the states from which some path has more than `depth` steps
        on_the_way, depth = np.asarray((moves & on_the_way[:, None, :]).any(axis=2)), depth + 1
        if depth > stack.S:
            return None
    V = np.zeros(stack.mu.shape)
    for _ in range(depth):
        V = stack.backup(V).max(axis=2)
    return V, (depth - 1) * (stack.S + 2) * 2.0**-53 * (abs(stack.r).max(axis=(1, 2)) + abs(V).max(axis=1))
