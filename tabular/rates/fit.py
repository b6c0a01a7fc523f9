"""What kind of rate a sequence of gaps shows, with the spread of the estimate.

The tail of the sequence is cut into windows that double in length, [T/2^(k+1), T/2^k]. Over a window

    exponent     p = -log(gap_end / gap_begin) / log(end / begin)         constant for gap = C / t^p
    factor       rho = (gap_end / gap_begin)^(1 / (end - begin))          constant for gap = C rho^t

and from one window to the next p stays the same (power), doubles (linear, because p = -t log rho), or grows faster (superlinear). The sequences are exact, so that there is
no noise: the uncertainty is the spread over the last windows, which contains the limit if the sequence has settled into its asymptote.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.errors import InvalidArgument

Kind = Literal["power", "linear", "superlinear", "stalled", "reached", "growing", "undecided"]

WINDOWS = 4
"""How many windows the answer rests on."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """The kind of rate and its number.

    Attributes:
        kind: "power" (gap = C / t^p), "linear" (gap = C rho^t), "superlinear", "stalled" (the gap stays where it is), "reached" (at the floor after a handful of
            steps), "growing" (the gap ends above where it began and does not fall), "undecided" (no asymptote yet).
        exponent: p of the last window, and its smallest and largest value over the last windows.
        factor: rho likewise.
        start: the step from which the windows are taken.
        text: the answer in words.
    """

    kind: Kind
    exponent: tuple[float, float, float]
    factor: tuple[float, float, float]
    start: int
    text: str


def identify(gap: Float[np.ndarray, "T"], t: Int[np.ndarray, "T"] | None = None, *, floor: float = 0.0) -> Rate:
    """The rate of a sequence of gaps.

    Args:
        gap: nonnegative, one a recorded step.
        t: the steps; default 0, 1, 2, ...
        floor: gaps at most this large are rounding; the sequence is cut where it first gets there.

    Raises:
        InvalidArgument: a gap that is negative or not finite, steps that do not increase.

    Theorem: T49.
    """
    gap, t = np.asarray(gap, dtype=float), np.arange(len(gap)) if t is None else np.asarray(t)
    if gap.ndim != 1 or gap.shape != t.shape or (np.diff(t) <= 0).any():
        raise InvalidArgument(f"gap has shape {gap.shape} and t {t.shape}; expected one gap a step, and increasing steps.")
    if not (np.isfinite(gap) & (gap >= 0)).all():
        wrong = int(np.flatnonzero(~(np.isfinite(gap) & (gap >= 0)))[0])
        raise InvalidArgument(f"gap[{wrong}] is {gap[wrong]}; a gap is a finite number of at least 0. Is the best value right?")
    if grown := _growth(gap, t, floor):
        return grown
    low = np.flatnonzero(gap <= floor)
    end = int(low[0]) if len(low) else len(gap)
    edges = window_edges(t[:end])
    if len(edges) < 3:
        if len(low):
            return Rate(
                kind="reached",
                exponent=_unknown(),
                factor=_unknown(),
                start=0,
                text=f"at the floor {floor:.1e} after {int(t[end])} steps: too fast for a rate",
            )
        return Rate(kind="undecided", exponent=_unknown(), factor=_unknown(), start=0, text="too few steps for a rate")
    at, g = t[edges].astype(float), np.log(gap[edges])
    p = -np.diff(g) / np.diff(np.log(at))
    rho = np.exp(np.diff(g) / np.diff(at))
    tail = slice(-WINDOWS, None)
    return _judged(p[tail], rho[tail], int(at[max(len(at) - 1 - WINDOWS, 0)]))


def window_edges(t: Int[np.ndarray, "T"]) -> Int[np.ndarray, "W"]:
    """Numbers of the recorded steps nearest to T, T/2, T/4, ... from above 1, increasing."""
    if len(t) < 2:
        return np.arange(0)
    wanted = t[-1] / 2.0 ** np.arange(int(np.log2(max(t[-1], 1))) + 1)
    found = np.unique(np.clip(np.searchsorted(t, wanted), 0, len(t) - 1))
    return found[t[found] >= 1]


def local_exponents(gap: Float[np.ndarray, "T"], t: Int[np.ndarray, "T"]) -> Float[np.ndarray, "T-1"]:
    """-d log gap / d log t between neighbouring recorded steps of t >= 1; what a log-log picture shows as its slope."""
    with np.errstate(divide="ignore"):
        return -np.diff(np.log(gap)) / np.diff(np.log(t))


def change_point(gap: Float[np.ndarray, "T"], t: Int[np.ndarray, "T"]) -> int:
    """The step at which a plateau turns into the asymptote: the break of the best line with one break through (log t, log gap).

    Least squares over about 200 steps spread evenly in log t, over all breaks. Cost O(200^2).
    """
    use = np.flatnonzero((t >= 1) & (gap > 0))
    if len(use) < 5:
        raise InvalidArgument(f"{len(use)} positive gaps at steps of at least 1; a line with one break needs 5.")
    x, y = np.log(t[use]), np.log(gap[use])
    grid = np.linspace(x[0], x[-1], 200)
    value = np.interp(grid, x, y)
    best, found = np.inf, 0
    for k in range(2, len(grid) - 2):
        basis = np.column_stack([np.ones_like(grid), grid, np.maximum(grid - grid[k], 0)])
        residual = value - basis @ np.linalg.lstsq(basis, value, rcond=None)[0]
        if (error := float(residual @ residual)) < best:
            best, found = error, k
    return round(float(np.exp(grid[found])))


def _growth(gap: np.ndarray, t: np.ndarray, floor: float) -> Rate | None:
    """The answer for a gap that ends above its first value, by more than rounding, and does not fall over the second half of the run: an ascent that descends."""
    if not len(gap) or gap[-1] - gap[0] <= floor or gap[-1] < gap[np.searchsorted(t, (t[0] + t[-1]) / 2)] - floor:
        return None
    text = f"none, the gap grows: from {gap[0]:.6g} at step {t[0]} to {gap[-1]:.6g} at step {t[-1]}"
    return Rate(kind="growing", exponent=_unknown(), factor=_unknown(), start=int(t[0]), text=text)


def _unknown() -> tuple[float, float, float]:
    return (np.nan, np.nan, np.nan)


def _judged(p: np.ndarray, rho: np.ndarray, start: int) -> Rate:
    """The kind, from how the exponent changes from one window to the next."""
    spread = lambda x: (float(x[-1]), float(x.min()), float(x.max()))
    exponent, factor = spread(p), spread(rho)
    made = lambda kind, text: Rate(kind=kind, exponent=exponent, factor=factor, start=start, text=text)
    if abs(p[-1]) < 0.02:
        return made("stalled", f"the gap has hardly moved since step {start}")
    growth = p[1:] / p[:-1] if (p[:-1] > 0).all() else np.array([np.nan])
    last = float(growth[-1])
    if abs(last - 1) < 0.1:
        return made("power", f"1 / t^{exponent[0]:.3g} (between {exponent[1]:.3g} and {exponent[2]:.3g} since step {start})")
    if last > 1.1 and p[-1] < 1.5:
        # Every smooth start looks like this: 1 - c t falls as exp(-c t) while c t is small.
        return made(
            "undecided",
            f"no asymptote yet: the gap has fallen by a factor of {float(np.exp(p[-1] * np.log(2))):.3g} over the second half of the run, and falls faster and faster",
        )
    if abs(last - 2) < 0.2:
        digits = 3 if factor[0] < 0.9 else 3 - math.floor(math.log10(1 - factor[0]) + 1)  # three digits of 1 - rho
        shown = [f"{x:.{digits}g}" for x in factor]
        return made("linear", f"{shown[0]}^t (between {shown[1]} and {shown[2]} since step {start})")
    if last > 2.5:
        return made("superlinear", f"faster than any rho^t (the factor of the last window is {factor[0]:.3g})")
    if p[-1] < 0:
        return made(
            "undecided", f"no asymptote yet: the gap has fallen, and grows again by a factor of {2 ** -p[-1]:.3g} over the second half of the run"
        )
    return made("undecided", f"no asymptote yet: the local exponent went from {p[0]:.3g} to {p[-1]:.3g} since step {start}")
