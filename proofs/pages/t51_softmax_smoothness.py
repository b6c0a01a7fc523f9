"""T51: the return is smooth in the logits, with L = 8 / (1 - gamma)^3.

No second derivative is needed. With w = log pi' - log pi, 1 + x <= exp x alone gives pi (1 + w) <= pi' and pi' (1 - w) <= pi. So (pi' - pi)^2 / (pi + pi') <= (pi' - pi) w, and
summed, with B the largest change of a logit: |pi' - pi|_1^2 <= 2 sum (pi' - pi) w = 2 sum (pi' - pi) (theta' - theta) <= 2 B |pi' - pi|_1. Hence |pi' - pi|_1 <= 2 B, and what
pi' - pi has beyond first order is at most 2 KL(pi, pi') <= 4 B^2. The trust-region bound (T54) with eps = 1 / (1 - gamma) and alpha = B adds 4 gamma B^2 / (1 - gamma)^3, the
first order of each state 4 B^2 / (1 - gamma)^2: together 4 B^2 / (1 - gamma)^3, in the largest change, and so in the sum of squares. All numbers are balls, logits logarithms
of fractions. Source: Mei, Xiao, Szepesvari, Schuurmans (2020), Lemma 7, by another way.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.certified import advantage, balls, in_balls, inner, made, occupancy, softmax, softmax_gradient, value, weighted
from pgtheory.proofs.pages.finite import Number, Process, Table, distribution, fractions, process
from pgtheory.proofs.pages.premises import DISCOUNTED, UNIT_REWARDS, by_hand, holding
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Certified
from pgtheory.proofs.theorem import Page, Step
from pgtheory.tabular.exact.balls import ball, precision


def logits(weights: Table) -> list[list]:
    """Logarithms, as balls."""
    return [[x.log() for x in row] for row in balls(weights)]


def returns(case: Case) -> tuple[Number, Number]:
    """J and J'."""
    p, mu = in_balls(case.process), balls(case.mu)
    J, new = (inner(mu, value(p, softmax(logits(weights)))) for weights in (case.weights, case.others))
    return J, new


def gains(case: Case) -> list:
    """J' - J and J - J', once for each bound."""
    with precision():
        J, new = returns(case)
        return [new - J, J - new] * 2


def bounds(case: Case, gradient=softmax_gradient) -> list:
    """Plus and minus the first order, and what may be added: 4 B^2 / (1 - gamma)^3, and 8 / (1 - gamma)^3 / 2 times the sum of squares; 0 where gamma is 1, as in Coq."""
    with precision():
        p, theta, rest = in_balls(case.process), logits(case.weights), 1 - case.process.gamma
        change = [[y - x for x, y in zip(*rows, strict=True)] for rows in zip(theta, logits(case.others), strict=True)]
        first = sum(inner(g, dx) for g, dx in zip(gradient(p, balls(case.mu), softmax(theta)), change, strict=True))
        scale = ball(4 / rest**3 if rest else Fraction(0))
        largest, squares = max((abs(x) for row in change for x in row), key=lambda x: x.mid()), sum(inner(row, row) for row in change)
        return [sign * first + scale * more for more in (largest * largest, squares) for sign in (1, -1)]


def normalised_visits(p: Process, mu: list, pi: Table) -> list[list]:
    """(1 - gamma) d(s) for d(s)."""
    return weighted([(1 - p.gamma) * x for x in occupancy(p, mu, pi)], pi, advantage(p, pi))


def action_values(p: Process, mu: list, pi: Table) -> list[list]:
    """Q(s, a) for Q(s, a) - V(s)."""
    return weighted(occupancy(p, mu, pi), pi, [[A + V for A in row] for row, V in zip(advantage(p, pi), value(p, pi), strict=True)])


def drawn() -> Iterator[Case]:
    """One to three states, two or three actions, rewards in [0, 1]; small steps and large ones."""
    rng = np.random.default_rng(51)
    for number in range(9):
        S, A = 1 + number % 3, 2 + number % 2
        p = process(rng, S, A)
        p = Process(p.P, [fractions(rng, A, low=0, high=4) for _ in range(S)], p.gamma)
        weights = [fractions(rng, A, low=1) for _ in range(S)]
        size = (20, 2, Fraction(1, 2))[number // 3]
        others = [[x * (1 + y / size) for x, y in zip(row, fractions(rng, A, low=1, over=9), strict=True)] for row in weights]
        yield Case(f"problem {number + 1}: {S} states, {A} actions", process=p, weights=weights, others=others, mu=distribution(rng, S))


def bandit(label: str, **parts: Any) -> Case:
    """One decision between two actions, of which the first earns one; its odds rise from 1 to 3."""
    return made(label, {"P": [[[0], [0]]], "r": [[1, 0]], "gamma": "0", "weights": [[1, 1]], "others": [[3, 1]], "mu": [1], **parts})


def chain(label: str, **parts: Any) -> Case:
    """To go on to a second state or to end; the second state earns one by its first action."""
    whole = {
        "P": [[[0, 1], [0, 0]], [[0, 0], [0, 0]]],
        "r": [[0, 0], [1, 0]],
        "gamma": "1/2",
        "weights": [[1, 1]] * 2,
        "others": [[3, 1]] * 2,
        "mu": [1, 0],
        **parts,
    }
    return made(label, whole)


def kept(label: str, **parts: Any) -> Case:
    """One state for ever: the instance of the mutants in Coq."""
    return bandit(label, P=[[[1], [1]]], gamma="1/2", others=[["201/200", 1]], **parts)


PREMISES = {
    **DISCOUNTED,
    **UNIT_REWARDS,
    "the start is not negative": lambda case: min(case.mu) >= 0,
    "the start sums to one": lambda case: sum(case.mu) == 1,
}

WITHOUT = {
    "P is not negative": lambda: chain("a chance of -10000", P=[[[0, -10000], [0, 0]], [[0, 0], [0, 0]]]),
    "rows of P sum to at most one": lambda: chain("a row that sums to 10000", P=[[[0, 10000], [0, 0]], [[0, 0], [0, 0]]]),
    "gamma is not negative": lambda: bandit("gamma = -9", gamma="-9"),
    "gamma is below 1": lambda: bandit("gamma = 3/2", gamma="3/2"),
    "rewards are not negative": lambda: bandit("a reward of -1000", r=[[-1000, 0]]),
    "rewards are at most 1": lambda: bandit("a reward of 1000", r=[[1000, 0]]),
    "the start is not negative": lambda: bandit(
        "starts 1001, -1000", P=[[[0, 0], [0, 0]]] * 2, r=[[1, 0], [0, 0]], weights=[[1, 1]] * 2, others=[[3, 1]] * 2, mu=[1001, -1000]
    ),
    "the start sums to one": lambda: bandit("a thousand starts", mu=[1000]),
}


def derivation() -> Iterator[Step]:
    p, q, w, t, dx, m, ell = symbols("p,q,w,t,dx,m,l")
    d = q - p
    yield Step(
        "(p + q) (q - p) w is (q - p)^2 and two products of one sign, by p (1 + w) <= q and q (1 - w) <= p",
        (p + q) * d * w - d**2,
        d * (q * w - d) + d * (p * w),
    )
    yield Step("weights: t (p + q) and |q - p| by their squares", (t * (p + q) - d) ** 2, t**2 * (p + q) ** 2 - 2 * t * d * (p + q) + d**2)
    yield Step(
        "beyond first order: what exp has above its tangent, and k p, k = KL(p, q) = l - m",
        q - p - p * (dx - m),
        (q - p - p * (dx - ell)) - p * (ell - m),
    )
    B, g = symbols("B,g")
    eps, alpha = 1 / (1 - g), B
    yield Step("T54 and the states' remainders", 4 * g * eps * alpha**2 / (1 - g) ** 2 + eps * 4 * B**2 / (1 - g), 4 * B**2 / (1 - g) ** 3)


PAGE = Page(
    title="Smoothness of the return in the logits",
    words="The return of a softmax policy differs from its first order by at most 4/(1 - gamma)^3 times the square of the step, even of its largest entry.",
    claim=Claim(
        id="T51", kind="bound", relation=Certified(), level="ball", needs=("flint",),
        statement="|J' - J - <grad J, theta' - theta>| <= L/2 |theta' - theta|^2, L = 8/(1 - gamma)^3, rewards in [0, 1]; and <= L/2 max |theta' - theta|^2",
        left=gains, right=bounds, cases=lambda: holding(iter([*drawn(), bandit("a bandit"), chain("a chain"), kept("a state for ever, a small step")]), PREMISES, 12),
        assumes=by_hand(WITHOUT, PREMISES, lambda case: not Certified()(gains(case), bounds(case)).holds),
        mutants={
            "normalised visits in the gradient": partial(bounds, gradient=normalised_visits),
            "action values for advantages in the gradient": partial(bounds, gradient=action_values),
        },
        source="Mei, Xiao, Szepesvari, Schuurmans (2020), Lemma 7",
    ),
    free=("a second derivative", "small steps", "an ergodic chain", "episodes that never end", "more of exp than 1 + x <= exp x, exp(x + y) = exp x exp y and an inverse"),
    derivation=derivation,
    coq=("T51_softmax_smooth", "T51_softmax_smooth_max"),
    functions=("pgtheory.tabular.rates.softmax:cubed",),
)  # fmt: skip
