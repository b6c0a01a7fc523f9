"""What the methods share: how small an error is wanted, and which of several actions that are as good as the best is taken."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.arrays import largest
from pgtheory.tabular.solve.play import Play
from pgtheory.tabular.solve.reachability import endable, proper_policy


class Found(NamedTuple):
    """A value, a policy, the number of steps, and Q, which is the backup of V itself: what is proven rests on it."""

    V: Float[np.ndarray, "S"]
    policy: Int[np.ndarray, "S"]
    steps: int
    Q: Float[np.ndarray, "S A"]

    def after(self, steps: int) -> "Found":
        """The same, found after that many steps of other methods."""
        return self._replace(steps=self.steps + steps)


DIGITS = 1e-10
"""Error relative to the largest value at which an iteration stops where no tolerance is given and rounding allows it."""


def wanted(V: Float[np.ndarray, "S"], tolerance: float | None) -> float:
    """The error of V that is wanted: the tolerance, or ten digits of the largest value."""
    return DIGITS * float(abs(V).max()) if tolerance is None else tolerance


def tie(play: Play, V: Float[np.ndarray, "S"], norm: float, tolerance: float | None) -> float:
    """Actions within this of the best count as ties: what rounding may feign, or what costs a quarter of the error that is wanted.

    `norm` bounds the expected discounted length, by which a loss in every step is multiplied.
    """
    return max(4 * play.rounding(V), wanted(V, tolerance) / (4 * norm))


def lowest(play: Play, values: Float[np.ndarray, "S A"], policy: Int[np.ndarray, "S"], margin: float) -> Int[np.ndarray, "S"]:
    """In each state the first action within `margin` of the best; with gamma = 1, if that runs for ever, the shortest way out among them, else `policy`."""
    tied: Bool[np.ndarray, "S A"] = values >= (largest(values) - margin)[:, None]
    if not play.everything:
        tied &= play.kept
    first = tied.argmax(axis=1)
    if play.ends(first):
        return first
    inside, kept = endable(play.mdp, tied)
    return proper_policy(play.mdp, kept) if (inside | ~play.inside).all() else policy
