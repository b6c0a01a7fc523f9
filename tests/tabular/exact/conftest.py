"""Models and policies in small fractions, and the comparison of floats with exact numbers, shared by the tests of tier 1."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest

from pgtheory.tabular.exact.balls import ball, precision, to_float
from pgtheory.tabular.models.mdp import MDP, Outcomes

Fractions = list[list[Fraction]]


def distribution(rng: Random, n: int) -> list[Fraction]:
    """Positive fractions that sum to one."""
    weights = [rng.randint(1, 9) for _ in range(n)]
    return [Fraction(w, sum(weights)) for w in weights]


def policy(seed: int, S: int, A: int) -> Fractions:
    """A row of positive fractions a state."""
    rng = Random(seed)
    return [distribution(rng, A) for _ in range(S)]


def model(seed: int, *, S: int = 2, A: int = 2, kind: str = "discounted", reward: str = "pair") -> MDP:
    """A model whose numbers are small fractions, as floats.

    kind: discounted (gamma = 9/10), horizon (3 steps, gamma = 4/5), episodic (rows sum to 3/4, gamma = 1), forward (acyclic: state s moves to larger ones
    or ends, gamma = 7/10). reward: pair r[s, a], move r[s, a, t] with r_end, outcomes (a random reward of two values).
    """
    rng = Random(seed)
    ending = {"discounted": Fraction(1), "horizon": Fraction(9, 10), "episodic": Fraction(3, 4), "forward": Fraction(2, 3)}[kind]
    value = lambda: Fraction(rng.randint(-6, 6), rng.randint(1, 4))
    P = [[[ending * x for x in distribution(rng, S)] for _ in range(A)] for _ in range(S)]
    if kind == "forward":
        P = [[[x if t > s else Fraction(0) for t, x in enumerate(row)] for row in rows] for s, rows in enumerate(P)]
    parts: dict = {"r": [[float(value()) for _ in range(A)] for _ in range(S)]}
    if reward == "move":
        parts = {
            "r": [[[float(value()) for _ in range(S)] for _ in range(A)] for _ in range(S)],
            "r_end": [[float(value()) for _ in range(A)] for _ in range(S)],
        }
    elif reward == "outcomes":
        chance = [[[float(x) for x in distribution(rng, 2)] for _ in range(A)] for _ in range(S)]
        parts = {"outcomes": Outcomes(values=[float(value()), float(value())], chance=chance)}
    floats = [[[float(x) for x in row] for row in rows] for rows in P]
    gamma = {"discounted": 0.9, "horizon": 0.8, "episodic": 1.0, "forward": 0.7}[kind]
    return MDP(P=floats, mu=[float(x) for x in distribution(rng, S)], gamma=gamma, horizon=3 if kind == "horizon" else None, **parts)


@pytest.fixture(name="policy")
def policy_fixture() -> Callable[..., Fractions]:
    return policy


@pytest.fixture(name="model")
def model_fixture() -> Callable[..., MDP]:
    return model


TOLERANCE = 1e-12
"""What the float tier promises: 4500 units of roundoff, relative to the largest entry of the exact array (to 1 where that is zero)."""

ZERO = 1e-30
"""A certified number below this is zero: the radius of a ball that is accepted."""


@dataclass
class Ledger:
    """Largest relative error of each quantity, over all comparisons of a run."""

    errors: dict[str, float] = field(default_factory=dict)

    def compare(self, quantity: str, found: object, exact: object) -> None:
        """Refuse an array that differs from nested exact numbers by more than TOLERANCE; differences are taken before anything is rounded."""
        expected = list(flat(exact))
        values = np.asarray(found, dtype=float).ravel().tolist()
        assert len(values) == len(expected), f"{quantity}: {len(values)} numbers against {len(expected)}"
        largest = max((abs(rounded(x)) for x in expected), default=0.0)
        scale = largest if largest > ZERO else 1.0
        error = max((abs(rounded(difference(v, x))) for v, x in zip(values, expected, strict=True)), default=0.0) / scale
        self.errors[quantity] = max(error, self.errors.get(quantity, 0.0))
        assert error <= TOLERANCE, f"{quantity} is off by {error:.1e} of its size"

    def __str__(self) -> str:
        width = max(map(len, self.errors), default=0)
        return "\n".join(f"{name:<{width}}  {error:.1e}" for name, error in sorted(self.errors.items()))


def flat(nested: object) -> Iterable:
    """The numbers of nested lists, in order."""
    if isinstance(nested, list | tuple):
        for part in nested:
            yield from flat(part)
    else:
        yield nested


def difference(value: float, exact: Any) -> Any:
    if hasattr(exact, "mid"):
        with precision():
            return ball(value) - exact
    return Fraction(value) - exact


def rounded(x: Any) -> float:
    return to_float(x) if hasattr(x, "mid") else float(x)


@pytest.fixture(scope="session")
def ledger() -> Iterator[Ledger]:
    book = Ledger()
    yield book
    if book.errors:
        print(f"\nlargest relative error of float64 against tier 1, tolerance {TOLERANCE:.0e}\n{book}")
