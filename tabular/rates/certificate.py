"""Whether a bound holds at every step of a run, and how tight it is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.errors import InvalidArgument

Side = Literal["upper", "lower", "equal"]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A bound against a run, problem by problem.

    Attributes:
        holds: whether it holds at every step, (N,).
        violated: first step at which it does not, -1 where it always holds, (N,).
        tightness: the quantity over the bound at the last step at which the bound is above rounding, (N,): 1 is tight; for a lower bound it is at least 1.
            NaN where the bound never says anything (infinite, or at most 0).
        closest: the largest such ratio over all steps (upper), or the smallest (lower), (N,).
    """

    holds: np.ndarray
    violated: Int[np.ndarray, "N"]
    tightness: Float[np.ndarray, "N"]
    closest: Float[np.ndarray, "N"]


def against(
    quantity: Float[np.ndarray, "T N"], bound: Float[np.ndarray, "T N"], t: Int[np.ndarray, "T"], *, side: Side = "upper", rounding: float = 0.0
) -> Certificate:
    """The certificate of quantity <= bound (upper), >= bound (lower) or = bound (equal) at every recorded step.

    Args:
        rounding: the proven error of the quantity; a bound that is missed by no more is not violated.

    Raises:
        InvalidArgument: shapes that differ, a bound that is NaN (an infinite bound says nothing, and holds).
    """
    quantity, bound = np.asarray(quantity, dtype=float), np.asarray(bound, dtype=float)
    if quantity.shape != bound.shape or quantity.ndim != 2 or len(quantity) != len(t):
        raise InvalidArgument(f"the quantity has shape {quantity.shape} and the bound {bound.shape}; expected (T, N) with T = {len(t)} for both.")
    if np.isnan(bound).any():
        k, n = (int(i) for i in np.argwhere(np.isnan(bound))[0])
        raise InvalidArgument(f"the bound of problem {n} at step {t[k]} is not a number: a constant of the theorem does not exist there.")
    # `not <=` and not `>`: a quantity that is NaN violates.
    above, below = ~(quantity <= bound + rounding), ~(quantity >= bound - rounding)
    broken = {"upper": above, "lower": below, "equal": above | below}[side]
    first = np.where(broken.any(axis=0), np.asarray(t)[broken.argmax(axis=0)], -1)
    says = (bound > rounding) & np.isfinite(bound)
    ratio = np.divide(quantity, bound, out=np.full(bound.shape, np.inf if side == "lower" else -np.inf), where=says)
    last = np.where(says.any(axis=0), len(t) - 1 - says[::-1].argmax(axis=0), -1)
    tightness = np.where(last >= 0, np.take_along_axis(ratio, np.maximum(last, 0)[None], axis=0)[0], np.nan)
    closest = ratio.min(axis=0) if side == "lower" else ratio.max(axis=0)
    return Certificate(holds=np.asarray(~broken.any(axis=0)), violated=first, tightness=tightness, closest=np.where(last >= 0, closest, np.nan))
