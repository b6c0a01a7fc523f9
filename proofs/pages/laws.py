"""Laws on a few outcomes: what the theorems about variances are checked on."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages.finite import Number, as_fractions, distribution, dot, fractions
from pgtheory.proofs.pages.symbols import symbols


def laws(seed: int, each: int = 8) -> Iterator[Case]:
    """Random laws `p` on 2 to 6 outcomes with numbers `X`, a score `g` of mean zero, a reward `r`, a constant `b`, and a `cell` of each outcome."""
    rng = np.random.default_rng(seed)
    for number in range(each):
        n = 2 + number % 5
        p = distribution(rng, n)
        free = fractions(rng, n - 1)
        yield Case(
            f"law {number + 1}: {n} outcomes", p=p, X=fractions(rng, n), g=[*free, -dot(p[:-1], free) / p[-1]], r=fractions(rng, n),
            b=fractions(rng, 1)[0], cell=[i % 2 for i in range(n)],
        )  # fmt: skip


def as_law(label: str, p: list, **parts: Any) -> Case:
    """A law by hand."""
    return Case(label, **{name: as_fractions(part) for name, part in {"p": p, **parts}.items()})


def four(label: str = "four outcomes in two cells", **changes: Any) -> Case:
    """The law on which Coq refutes false variants (mutants/FourOutcomes.v)."""
    numbers = [0, 2, 4, 8]
    return as_law(label, **{"p": ["1/2", "1/4", "1/8", "1/8"], "X": numbers, "r": numbers, "g": [1, -1, 0, -2], "cell": [0, 0, 1, 1], **changes})


def law_symbols(names: str) -> tuple[list, list]:
    """Weights p0, p1, 1 - p0 - p1, and the symbols asked for."""
    p0, p1, *rest = symbols(f"p0,p1,{names}")
    return [p0, p1, p0**0 - p0 - p1], rest


def best_baseline(case: Case) -> Number:
    """E g^2 r / E g^2; 0 where that is 0 / 0, as in Coq."""
    square = [g * g for g in case.g]
    mass = dot(case.p, square)
    return dot(case.p, [s * r for s, r in zip(square, case.r, strict=True)]) / mass if mass != 0 else mass


def weighted(case: Case, b: Any) -> list:
    """g (r - b), outcome by outcome."""
    return [g * (r - b) for g, r in zip(case.g, case.r, strict=True)]
