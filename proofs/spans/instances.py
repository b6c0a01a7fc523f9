"""Problems in fractions with two states and two actions, as the library has them and as Coq reads them."""

from fractions import Fraction

import numpy as np

from pgtheory.proofs.bridge import number, table
from pgtheory.proofs.pages.finite import Process, policy, process

EXACT = "pgtheory.tabular.exact"

AT = ("ord0", "second")
"""The two points of a type of two, in Coq."""

PAIRS = tuple((s, a) for s in (0, 1) for a in (0, 1))
"""States and actions."""


def tiny(rng: np.random.Generator) -> tuple[Process, list[list[Fraction]], str]:
    """A model, a policy, and both as Coq definitions."""
    model, pi = process(rng, 2, 2, Fraction(int(rng.integers(1, 5)), 5)), policy(rng, 2, 2)
    return model, pi, "\n".join([table("P", model.P), table("r", model.r), table("pi", pi), number("gam", model.gamma)])


def inverted(name: str, matrix: str, entries: list[list[Fraction]], unfold: str) -> list[str]:
    """Coq's text for a matrix that was inverted in Python: first it is proved to be the inverse."""
    return [
        table(f"{name}_entries", entries),
        f"Lemma {name} : invmx ({matrix}) = \\matrix_(s, t) {name}_entries s t.",
        f"Proof. apply: inverse_of; apply/matrixP => s t; rewrite {unfold}; write_out; move: s t; each. Qed.",
    ]
