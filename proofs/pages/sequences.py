"""Rewards, values and temporal differences along one path: what the theorems about GAE are checked on."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages.finite import Number, as_fractions, fractions
from pgtheory.proofs.pages.symbols import symbols


def delta(case: Case, t: int) -> Number:
    """r_t + gamma v_{t+1} - v_t."""
    return case.r[t] + case.gamma * case.v[t + 1] - case.v[t]


def n_step(case: Case, n: int, t: int) -> Number:
    """sum_{i<n} gamma^i r_{t+i} + gamma^n v_{t+n} - v_t."""
    return sum(case.gamma**i * case.r[t + i] for i in range(n)) + case.gamma**n * case.v[t + n] - case.v[t]


def gae(case: Case, n: int, t: int) -> Number:
    """sum_{i<n} (gamma lambda)^i delta_{t+i}."""
    return sum(((case.gamma * case.lam) ** i * delta(case, t + i) for i in range(n)), 0 * case.gamma)


def sequences(seed: int, each: int = 8) -> Iterator[Case]:
    """`r`, `v`, `gamma`, `lam`, one by hand and the others random; `n` steps from `t`."""
    yield Case("2 steps by hand", r=as_fractions([1, 2, 3]), v=as_fractions([1, 4, 9, 16]), gamma=Fraction(1, 2), lam=Fraction(1, 3), n=2, t=0)
    rng = np.random.default_rng(seed)
    for number in range(each):
        n, t = 1 + number % 5, number % 3
        gamma, lam = fractions(rng, 2, low=0, high=10, over=10)
        yield Case(f"{n} steps from {t}", r=fractions(rng, n + t + 2), v=fractions(rng, n + t + 3), gamma=gamma, lam=lam, n=n, t=t)


def symbolic_sequence(n: int) -> Case:
    """n steps from 0, a symbol for everything."""
    names = [f"r{i}" for i in range(n + 1)] + [f"v{i}" for i in range(n + 2)]
    *made, gamma, lam = symbols(",".join([*names, "g", "l"]))
    return Case("symbols", r=made[: n + 1], v=made[n + 1 :], gamma=gamma, lam=lam, n=n, t=0)
