"""T52: softmax policy gradient with exact gradients comes within O(1 / t) of every deterministic policy f.

A step of 1/L, L = 8 / (1 - gamma)^3, gains at least |grad J|^2 / (2 L) (T51). With M = kappa / (1 - gamma) >= d_f / d, for d >= mu, and c below the probability of f's actions,
|grad J| >= c gap / (sqrt(S) M) (T50). So the gap falls by k gap^2 at least, k = c^2 / (2 L S M^2), and is at most 1 / (k t) (T49); if it is below 0 it stays there.
Here c is what the run has shown; that it stays away from 0 for an optimal f is the asymptotic half of the theorem of Mei et al., and is not claimed. Both sides are balls.
Source: Mei, Xiao, Szepesvari, Schuurmans (2020), Theorem 4, with one start for the gap and the gradient, which saves a factor max(1 / mu) / (1 - gamma).
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.certified import balls, in_balls, inner, made, softmax, softmax_gradient, value
from pgtheory.proofs.pages.finite import Number, Process, Table, distribution, fractions, process
from pgtheory.proofs.pages.premises import DISCOUNTED, UNIT_REWARDS, by_hand, holding
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Certified
from pgtheory.proofs.theorem import Page, Step
from pgtheory.tabular.exact.balls import ball, precision


def pure(case: Case) -> Table:
    """f as a policy."""
    return [[Fraction(a == chosen) for a in case.process.actions] for chosen in case.f]


def visits(case: Case) -> list:
    """(1 - gamma) d_f."""
    return [(1 - case.process.gamma) * x for x in case.process.occupancy(case.mu, pure(case))]


def completed(case: Case) -> Case:
    """With the policies of T steps of size (1 - gamma)^3 / 8, in balls; with the least kappa, and a c just below what they show, unless it brings its own."""
    with precision():
        p, mu, theta = in_balls(case.process), balls(case.mu), [[x.log() for x in row] for row in balls(case.weights)]
        size, case.run = ball((1 - case.process.gamma) ** 3 / 8), [softmax(theta)]
        for _ in range(case.T):
            gradient = softmax_gradient(p, mu, case.run[-1])
            theta = [[x + size * g for x, g in zip(*rows, strict=True)] for rows in zip(theta, gradient, strict=True)]
            case.run.append(softmax(theta))
        least = min((float(row[a].mid()) for pi in case.run[: max(case.T, 1)] for row, a in zip(pi, case.f, strict=True)), default=1.0)
    case.c = getattr(case, "c", Fraction(int(999 * least), 1000))
    case.kappa = getattr(case, "kappa", max(x / y for x, y in zip(visits(case), case.mu, strict=True) if y > 0))
    return case


def gap(case: Case) -> Number:
    """J(f) - J after T steps."""
    with precision():
        p, mu = in_balls(case.process), balls(case.mu)
        return inner(mu, value(p, balls(pure(case)))) - inner(mu, value(p, case.run[-1]))


def bound(case: Case, *, likely: bool = True, mismatch: bool = True, power: int = 1) -> Number:
    """16 S kappa^2 / (c^2 (1 - gamma)^5 T); 0 where that is no number, as in Coq."""
    below = (case.c**2 if likely else 1) * (1 - case.process.gamma) ** 5 * case.T**power
    above = 16 * len(case.mu) * (case.kappa**2 if mismatch else 1)
    return ball(above / below if below else Fraction(0))


def drawn() -> Iterator[Case]:
    """Two states, two or three actions, rewards in [0, 1]; f is the best policy, or any."""
    rng = np.random.default_rng(52)
    for number in range(6):
        A = 2 + number % 2
        p = process(rng, 2, A)
        p = Process(p.P, [fractions(rng, A, low=0, high=4) for _ in range(2)], p.gamma)
        better = lambda f, p=p, A=A: sum(p.value([[Fraction(a == x) for a in range(A)] for x in f]))
        f = (0, 1) if number == 3 else max(product(range(A), repeat=2), key=better)
        parts = {"weights": [fractions(rng, A, low=1) for _ in range(2)], "mu": distribution(rng, 2), "T": 1 + number}
        yield completed(Case(f"problem {number + 1}: {A} actions, {parts['T']} steps", process=p, f=f, **parts))


def bandit(label: str, **parts: Any) -> Case:
    """One decision between two actions, of which the first earns one."""
    whole = {"P": [[[0], [0]]], "r": [[1, 0]], "gamma": "0", "weights": [[1, 1]], "mu": [1], "f": (0,), "T": 1, **parts}
    return trained(label, whole)


def chain(label: str, **parts: Any) -> Case:
    """To stop, or to go on to a second state, whose second action is seldom taken at the start; one step, after which the first state stops for good if numbers are large."""
    whole = {
        "P": [[[0, 0], [0, 1]], [[0, 0], [0, 0]]], "r": [["1/5", 0], [0, 1]], "gamma": "1/2", "weights": [[1, 1], [9, 1]], "mu": ["1/2", "1/2"], "f": (1, 1), "T": 1,
        **parts,
    }  # fmt: skip
    return trained(label, whole)


def trained(label: str, parts: dict) -> Case:
    f = parts.pop("f")
    case = made(label, parts)
    case.f = f
    return completed(case)


PREMISES = {
    **DISCOUNTED,
    **UNIT_REWARDS,
    "the start is not negative": lambda case: min(case.mu) >= 0,
    "the start sums to one": lambda case: sum(case.mu) == 1,
    "kappa mu covers the visits of f": lambda case: all(x <= case.kappa * y for x, y in zip(visits(case), case.mu, strict=True)),
    "c is positive": lambda case: case.c > 0,
    "every policy before the last takes f's actions with probability c": lambda case: all(
        row[a] >= ball(case.c) for pi in case.run[: case.T] for row, a in zip(pi, case.f, strict=True)
    ),
    "there is a step": lambda case: case.T > 0,
}

SCALED = 10**7
WITHOUT = {
    "P is not negative": lambda: trained(
        "chances below 0",
        {
            "P": [[[0, 0, -SCALED], [0, 1, 0]], [[0, 0, -1000 * SCALED], [0, 0, 0]], [[0, 0, 0]] * 2], "r": [[0, 0], [0, 1], [1, 1]], "gamma": "1/2",
            "weights": [[1, 1], [9, 1], [1, 1]], "mu": ["1/3"] * 3, "f": (1, 1, 0), "T": 1,
        },
    ),
    "rows of P sum to at most one": lambda: trained(
        "states that return to themselves with more than 1 / gamma",
        {
            "P": [
                [[0, 0, 1, 0], [0, 1, 0, 0]], [[0, 0, 0, 1], [0, 0, 0, 0]], [[0, 0, 2 + Fraction(1, SCALED), 0]] * 2, [[0, 0, 0, 2 + Fraction(1, 1000 * SCALED)]] * 2,
            ],
            "r": [[0, 0], [0, 1], [1, 1], [1, 1]], "gamma": "1/2", "weights": [[1, 1], [9, 1], [1, 1], [1, 1]], "mu": ["1/4"] * 4, "f": (1, 1, 0, 0), "T": 1,
        },
    ),
    "gamma is not negative": lambda: bandit("gamma = -10", P=[[[1], [1], [1]]], r=[[1, "7/10", 0]], weights=[[1, 1, 1]], gamma="-10"),
    "gamma is below 1": lambda: bandit("gamma = 3/2", gamma="3/2"),
    "rewards are not negative": lambda: chain("rewards down to -10^7", r=[[-SCALED // 10, 0], [-SCALED, 0]]),
    "rewards are at most 1": lambda: chain("rewards up to 10^7", r=[[SCALED // 5, 0], [0, SCALED]]),
    "the start is not negative": lambda: chain(
        "a start below 0 in a state that returns to itself, the others above one", P=[[[0, 0, 0], [0, 1, 0]], [[0, 0, 0]] * 2, [[0, 0, 1]] * 2],
        r=[["1/5", 0], [0, 1], [0, 0]], weights=[[1, 1], [9, 1], [1, 1]], mu=[SCALED, SCALED, 1 - 2 * SCALED], f=(1, 1, 0),
    ),
    "the start sums to one": lambda: chain("10^7 starts in each state", mu=[SCALED, SCALED]),
    "kappa mu covers the visits of f": lambda: bandit("kappa = 1/100", kappa="1/100"),
    "c is positive": lambda: bandit("c = 0", c="0"),
    "every policy before the last takes f's actions with probability c": lambda: bandit("c = 10", c="10"),
    "there is a step": lambda: bandit("no step", T=0),
}  # fmt: skip

SPECIAL = (
    lambda: bandit("a bandit, from 1/11, 20 steps", weights=[[1, 10]], T=20),
    lambda: bandit("a bandit, from 1/2, 30 steps", T=30),
    lambda: chain("a chain"),
    lambda: chain("a chain, against a worse policy", f=(1, 0), T=3),
)
"""Among them the instances on which the mutants are refuted in Coq."""


def derivation() -> Iterator[Step]:
    g, S, kappa, c, gap = symbols("g,S,k,c,x")
    L, M = 8 / (1 - g) ** 3, kappa / (1 - g)
    square = c**2 * gap**2 / (S * M**2)
    yield Step("a step of 1/L to first order, less what smoothness takes (T51)", square / L - L / 2 * square / L**2, square / (2 * L))
    k = c**2 / (2 * L * S * M**2)
    yield Step("the gain |grad J|^2 / (2 L), with the square of the gradient from T50, is k gap^2", square / (2 * L), k * gap**2)
    yield Step("1 / k of T49, written out", 1 / k, 16 * S * kappa**2 / (c**2 * (1 - g) ** 5))


PAGE = Page(
    title="Rate of softmax policy gradient",
    words="With the step (1 - gamma)^3/8 the return of a softmax policy comes within a constant over t of every deterministic policy whose actions it keeps taking.",
    claim=Claim(
        id="T52", kind="rate", relation=Certified(), level="ball", needs=("flint",),
        statement="J(f) - J_t <= 16 S kappa^2 / (c^2 (1 - gamma)^5 t), theta' = theta + (1 - gamma)^3/8 grad J, rewards in [0, 1], (1 - gamma) d_f <= kappa mu, "
        "c <= pi_k(f(s)|s) for k < t",
        left=gap, right=bound, cases=lambda: holding(iter([*drawn(), *(make() for make in SPECIAL)]), PREMISES, 10),
        assumes=by_hand(WITHOUT, PREMISES, lambda case: not Certified()(gap(case), bound(case)).holds),
        mutants={
            "without the probability of f's actions": partial(bound, likely=False),
            "the square of the number of steps": partial(bound, power=2),
        },
        source="Mei, Xiao, Szepesvari, Schuurmans (2020), Theorem 4",
    ),
    free=("an optimal f", "a start at theta = 0", "episodes that never end", "a start that covers states which f does not visit"),
    derivation=derivation,
    coq=("T52_softmax_rate",),
    functions=("pgtheory.tabular.rates.softmax:softmax_constants",),
)  # fmt: skip
