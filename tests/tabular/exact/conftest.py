"""Models and policies in small fractions, shared by the tests of tier 1."""

from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest

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
        parts = {"r": [[[float(value()) for _ in range(S)] for _ in range(A)] for _ in range(S)], "r_end": [[float(value()) for _ in range(A)] for _ in range(S)]}
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
