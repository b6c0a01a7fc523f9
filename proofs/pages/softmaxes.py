"""Softmax without analysis: positive numbers e with D e = e D theta stand for the exponentials."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages.finite import Vector, as_fractions, dual, fractions
from pgtheory.proofs.pages.symbols import derivation, symbols


def softmax(e: Vector) -> list:
    """e_a / sum_b e_b."""
    total = sum(e)
    return [x / total for x in e]


def logits(seed: int, each: int = 8) -> Iterator[Case]:
    """Random exponentials `e` of 2 to 5 actions, slopes `dtheta` of the logits, action values `Q`, positive weights `u`."""
    rng = np.random.default_rng(seed)
    for number in range(each):
        n = 2 + number % 4
        yield Case(f"bandit {number + 1}: {n} actions", **drawn(rng, n))


def drawn(rng: np.random.Generator, n: int) -> dict[str, Any]:
    positive = lambda: fractions(rng, n, low=1, high=9, over=5)
    return {"e": positive(), "dtheta": fractions(rng, n), "Q": fractions(rng, n), "u": positive()}


def by_hand(label: str, **parts: Any) -> Case:
    """Two actions by hand."""
    whole = {"e": [1, 3], "dtheta": [1, -2], "Q": [2, 5], "u": [1, 2], **parts}
    return Case(label, **{name: as_fractions(part) for name, part in whole.items()})


def moving_exponentials(case: Case) -> list:
    """e with D e = e D theta, or with the derivative `de` that a case brings."""
    slopes = getattr(case, "de", [x * d for x, d in zip(case.e, case.dtheta, strict=True)])
    return [dual(x, d) for x, d in zip(case.e, slopes, strict=True)]


def symbolic(n: int, more: str) -> tuple[list, list, list, Callable]:
    """Exponentials, slopes of the logits, the further symbols, and the derivation with D e = e D theta."""
    e, d = [f"e{i}" for i in range(n)], [f"d{i}" for i in range(n)]
    made = symbols(",".join([*e, *d, *filter(None, more.split(","))]))
    return made[:n], made[n : 2 * n], made[2 * n :], derivation({x: x * y for x, y in zip(made[:n], made[n : 2 * n], strict=True)})
