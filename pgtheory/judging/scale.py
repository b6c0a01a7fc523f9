"""The constant in E[g] = c grad J: a convention, an explained factor, or an unexplained number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np

from pgtheory.judging.examination import Examination

MATCH = 1e-9
"""Relative distance within which c is recognised; small factors such as (G-1)/G differ by far more, rounding by far less."""

CONVENTIONS = ("B", "P", "G")
"""Sum or mean over rows, prompts or a group is a convention: integer powers of these counts are no bias."""

FACTORS: tuple[tuple[str, str], ...] = (
    ("(G-1)/G", "the own sample stands in the baseline"),
    ("G/(G-1)", "the mean of the others is taken twice into account"),
    ("((G-1)/G)^2", "the factor (G-1)/G enters twice"),
    ("(B-1)/B", "the own row stands in the baseline"),
    ("B/(B-1)", "divided by B-1"),
    ("1/T", "divided by the padded length T"),
    ("T", "multiplied by the padded length T"),
    ("1/(G-1)", "divided by G-1"),
    ("1/2", "a factor one half"),
    ("2", "a factor two"),
)
"""Factors that are recognised, with what they usually mean."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """c in E[g] = c grad J.

    Attributes:
        value: c on the first world, and `values` on each.
        text: c as a formula in the counts B, P, G, or a number.
        convention: whether it is a product of integer powers of counts (1 included).
        reason: what a recognised factor usually means.
        common: whether one formula or number fits all worlds.
    """

    value: float
    values: tuple[float, ...]
    text: str
    convention: bool
    reason: str = ""
    common: bool = True


def factor(name: str, counts: dict[str, int]) -> float:
    """Value of a recognised factor for the given counts; nan where it does not exist."""
    B, G, T = counts["B"], counts.get("G", 0), counts["T"]
    table = {
        "(G-1)/G": (G - 1, G),
        "G/(G-1)": (G, G - 1),
        "((G-1)/G)^2": ((G - 1) ** 2, G * G),
        "(B-1)/B": (B - 1, B),
        "B/(B-1)": (B, B - 1),
        "1/T": (1, T),
        "T": (T, 1),
        "1/(G-1)": (1, G - 1),
    }
    above, below = table.get(name) or (Fraction(name).numerator, Fraction(name).denominator)
    return above / below if below > 0 else float("nan")


def scale_of(examinations: Sequence[Examination]) -> Scale:
    """The simplest reading of c over all worlds. Cost: a few hundred candidates."""
    values = tuple(e.scale for e in examinations)
    if max(values) < 0:  # the sign is reported, and the rest read as for an ascending estimator
        found = reading(tuple(-v for v in values), examinations)
        return replace(found, value=values[0], values=values, text=f"-{found.text}", convention=False)
    return reading(values, examinations)


def reading(values: tuple[float, ...], examinations: Sequence[Examination]) -> Scale:
    """The simplest reading of positive constants."""
    counts = [{**e.world.counts, "T": e.world.padded_length} for e in examinations]
    known = [name for name in CONVENTIONS if all(name in c for c in counts)]
    powers = sorted(product((0, -1, 1, -2, 2), repeat=len(known)), key=lambda p: (sum(map(abs, p)), sum(x > 0 for x in p)))
    for name, reason in (("", ""), *FACTORS):
        for power in powers:
            predicted = []
            for c in counts:
                value = factor(name, c) if name else 1.0
                for count, exponent in zip(known, power, strict=True):
                    value *= float(c[count]) ** exponent
                predicted.append(value)
            if all(abs(v - p) <= MATCH * abs(p) for v, p in zip(values, predicted, strict=True)):
                return Scale(value=values[0], values=values, text=written(name, known, power), convention=not name, reason=reason)
    for name, reason in (("", ""), *FACTORS[:6]):
        divisors = [factor(name, c) if name else 1.0 for c in counts]
        if not all(np.isfinite(d) and d != 0 for d in divisors):
            continue
        ratios = [v / d for v, d in zip(values, divisors, strict=True)]
        if max(ratios) - min(ratios) <= MATCH * abs(ratios[0]):
            text = " ".join(part for part in (number(ratios[0]), name) if part)
            return Scale(value=values[0], values=values, text=text, convention=False, reason=reason)
    text = ", ".join(number(v) for v in values)
    return Scale(value=values[0], values=values, text=text, convention=False, common=False, reason="a constant that differs from world to world")


def written(name: str, known: Sequence[str], power: Sequence[int]) -> str:
    """`(G-1)/G / B` and the like."""
    above = [c if p == 1 else f"{c}^{p}" for c, p in zip(known, power, strict=True) if p > 0]
    below = [c if p == -1 else f"{c}^{-p}" for c, p in zip(known, power, strict=True) if p < 0]
    top = " ".join(([name] if name else []) + above) or "1"
    return " / ".join([top, *below])


def number(value: float) -> str:
    """A number as a small fraction if it is one (verified to 1e-12), else with nine digits."""
    fraction = Fraction(value).limit_denominator(1000)
    return str(fraction) if abs(float(fraction) - value) <= 1e-12 * abs(value) else f"{value:.9g}"
