"""Whether two updates are the same on policies, up to the length of their steps.

From one point both make a step. The change of log pi, centred over the actions of each visited state, does not see what leaves the policy alone: a constant
added to the logits of a state, a direction in the kernel of the Fisher information. If the two changes are proportional, the factor is the ratio of the step sizes.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.updates import State, Update

Kind = Literal["same", "rescaled", "backwards", "other"]

TOLERANCE = 1e-8
"""Relative size of a difference that is rounding: changes of log pi are differences of numbers of order one, at steps that are not below 1e-6."""


@dataclass(frozen=True, kw_only=True)
class Sameness:
    """How an update compares with another.

    Attributes:
        kind: "same" (the same policies), "rescaled" (the same direction with a step `factor` times as long), "backwards" (the opposite direction),
            "other" (another direction).
        factor: ratio of the step sizes at each point, (points, N).
        residual: |change - factor other| / |change|, (points, N).
    """

    kind: Kind
    factor: Float[np.ndarray, "M N"]
    residual: Float[np.ndarray, "M N"]


def compare(update: Update, reference: Update, oracle: Any, theta: Any, *, points: int = 5) -> Sameness:
    """Compare the steps of two updates at the first `points` iterates of the reference. Cost: `points` steps of each.

    Updates with a memory are compared from a fresh one at each point.
    """
    state, factors, residuals = reference.init(oracle, theta), [], []
    for _ in range(points):
        following = reference.step(state)
        ours, theirs = change(state, update.step(update.init(oracle, state.theta))), change(state, following)
        product, square = (ours * theirs).sum(axis=(1, 2)), (theirs * theirs).sum(axis=(1, 2))
        factor = np.divide(product, square, out=np.zeros_like(product), where=square > 0)
        size = np.sqrt((ours * ours).sum(axis=(1, 2)))
        distance = np.sqrt(((ours - factor[:, None, None] * theirs) ** 2).sum(axis=(1, 2)))
        factors.append(factor)
        residuals.append(np.divide(distance, size, out=np.zeros_like(size), where=size > 0))
        state = following
    factor, residual = np.stack(factors), np.stack(residuals)
    return Sameness(kind=judged(factor, residual), factor=factor, residual=residual)


def change(before: State, after: State) -> Float[np.ndarray, "N S A"]:
    """log pi' - log pi, centred over the actions, where the state is visited."""
    outlook: Any = before.outlook
    with np.errstate(invalid="ignore"):
        moved = np.nan_to_num(after.outlook.log_pi - outlook.log_pi, nan=0.0, posinf=0.0, neginf=0.0)  # type: ignore[attr-defined]
    moved = moved - moved.mean(axis=2, keepdims=True)
    return np.where(outlook.occupancy[:, :, None] > 0, moved, 0.0)


def judged(factor: Float[np.ndarray, "M N"], residual: Float[np.ndarray, "M N"]) -> Kind:
    """The word for it."""
    if (residual > TOLERANCE).any():
        return "other"
    if (factor < 0).all():
        return "backwards"
    if (abs(factor - 1) <= TOLERANCE).all():
        return "same"
    return "rescaled" if (factor > 0).all() else "other"
