"""T53: natural policy gradient comes within O(1 / T) of every policy, for every step size.

With probabilities as the unknowns a step multiplies pi(a|s) by exp(eta / (1 - gamma) A(s, a)) and normalises by Z(s) >= 1 (T24). Solved for A and averaged over the actions
of another policy, it is a difference of two divergences from that policy, plus log Z: the first telescopes over the steps, the second is at most what a step earns.
The values improve in each step, so that the last gap is at most the mean of all. Both sides are balls here: fractions, but for exp and log.
Source: Agarwal, Kakade, Lee, Mahajan (2021), Theorem 16.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.certified import advantage, balls, in_balls, inner, made, value
from pgtheory.proofs.pages.finite import Number, Process, Table, distribution, dot, fractions, policy, process
from pgtheory.proofs.pages.premises import DISCOUNTED, UNIT_REWARDS, by_hand, holding, nonnegative, normalised
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Certified
from pgtheory.proofs.theorem import Page, Step
from pgtheory.tabular.exact.balls import ball, precision


def step(p: Process, pi: Table, eta: Number) -> Table:
    """pi exp(eta / (1 - gamma) A) / Z."""
    size = eta / (1 - p.gamma)
    raised = [[x * (size * A).exp() for x, A in zip(*rows, strict=True)] for rows in zip(pi, advantage(p, pi), strict=True)]
    return [[x / sum(row) for x in row] for row in raised]


def gap(case: Case, pi: Table) -> Number:
    """J(best) - J after T steps from pi."""
    p, pi, eta = in_balls(case.process), balls(pi), ball(case.eta)
    for _ in range(case.T):
        pi = step(p, pi, eta)
    return ball(dot(case.rho, case.process.value(case.best))) - inner(balls(case.rho), value(p, pi))


def gaps(case: Case) -> list:
    """The gap from the given start, and from the uniform policy."""
    with precision():
        return [gap(case, case.pi), gap(case, [[Fraction(1, len(row))] * len(row) for row in case.pi])]


def ln(x: Fraction) -> Number:
    """log |x|, and 0 for 0: what the theorem says must not hang on the rest."""
    return ball(abs(x)).log() if x else ball(0)


def quotient(x: Fraction, y: Fraction) -> Fraction:
    """x / y; 0 where y is 0, as in Coq."""
    return x / y if y else Fraction(0)


def distance(case: Case) -> Number:
    """sum_s d_best(s) KL(best(.|s), pi(.|s))."""
    d = case.process.occupancy(case.rho, case.best)
    return sum(ball(d[s] * b) * ln(quotient(b, case.pi[s][a])) for s, row in enumerate(case.best) for a, b in enumerate(row) if b)


def bounds(case: Case, start: int = 1, horizon: int = 1, eta: Number = None, power: int = 1) -> list:
    """((1 - gamma) / eta D + 1 / (1 - gamma)^2) / T, and log A / (eta T) + 1 / ((1 - gamma)^2 T)."""
    rest, eta = 1 - case.process.gamma, case.eta if eta is None else eta
    share, last = quotient(Fraction(1), Fraction(case.T**power)), horizon / rest**2
    with precision():
        return [
            (start * ball(rest / eta) * distance(case) + ball(last)) * ball(share),
            (start * ln(Fraction(len(case.pi[0]))) * ball(1 / eta) + ball(last)) * ball(share),
        ]


def drawn() -> Iterator[Case]:
    """Two or three states and actions, rewards in [0, 1]; the other policy is any, or the best of the deterministic ones."""
    rng = np.random.default_rng(53)
    for number in range(8):
        S, A = 2 + number % 2, 2 + number // 2 % 2
        p = process(rng, S, A)
        p = Process(p.P, [fractions(rng, A, low=0, high=4) for _ in range(S)], p.gamma)
        pure = [[[Fraction(a == f[s]) for a in range(A)] for s in range(S)] for f in product(range(A), repeat=S)]
        best = policy(rng, S, A) if number % 3 == 0 else max(pure, key=lambda pi, p=p: sum(p.value(pi)))
        parts = {"pi": policy(rng, S, A), "eta": Fraction(int(rng.integers(1, 9)), 4), "T": 1 + number % 4, "rho": distribution(rng, S)}
        yield Case(f"problem {number + 1}: {S} states, {A} actions, {parts['T']} steps", process=p, best=best, **parts)


def bandit(label: str, T: int = 1, **parts: object) -> Case:
    """One state, in which each episode ends after the first of two actions, of which the first earns 1."""
    whole = {"r": [[1, 0]], "gamma": "0", "pi": [["1/2", "1/2"]], "best": [[1, 0]], "eta": "1", "rho": [1], **parts}
    return made(label, {"P": [[[0], [0]] for _ in whole["r"]], "T": T, **whole})


def chain(label: str, T: int = 1, **parts: object) -> Case:
    """To stop for 1/5, or to go on to a second state, whose second action earns 1 and is seldom taken at the start."""
    whole = {
        "P": [[[0, 0], [0, 1]], [[0, 0], [0, 0]]], "r": [["1/5", 0], [0, 1]], "gamma": "9/10", "pi": [["1/2", "1/2"], ["9/10", "1/10"]],
        "best": [[0, 1], [0, 1]], "eta": "100", "rho": [1, 0], **parts,
    }  # fmt: skip
    return made(label, {"T": T, **whole})


SELDOM = [["1/4", "3/4"]]
SPECIAL = (
    lambda: bandit("a bandit, two steps of 1/8", 2, pi=SELDOM, eta="1/8"),
    lambda: bandit("a bandit, eight steps of 1/32", 8, pi=SELDOM, eta="1/32"),
    lambda: bandit("a bandit, 25 steps of 1/100", 25, pi=SELDOM, eta="1/100"),
    lambda: chain("a chain on which one step stops too early"),
)
"""The instances on which the mutants are refuted, the bandits as in Coq."""

PREMISES = {
    **DISCOUNTED,
    **UNIT_REWARDS,
    "the step size is positive": lambda case: case.eta > 0,
    "the start takes every action": lambda case: all(x > 0 for row in case.pi for x in row),
    "rows of the start sum to one": lambda case: normalised(case.pi),
    "the other policy is not negative": lambda case: nonnegative(case.best),
    "rows of the other policy sum to one": lambda case: normalised(case.best),
    "the law of the first state is not negative": lambda case: min(case.rho) >= 0,
    "the law of the first state sums to one": lambda case: sum(case.rho) == 1,
    "there is a step": lambda case: case.T > 0,
}

WITHOUT = {
    "P is not negative": lambda: chain("a chance of -5", 6, P=[[[0, 0], [0, -5]], [[0, 0], [0, 0]]], r=[[0, "1/4"], [1, 0]], gamma="1/10"),
    "rows of P sum to at most one": lambda: chain("a chance of 100", P=[[[0, 0], [0, 100]], [[0, 0], [0, 0]]], gamma="1/10", pi=[["1/2", "1/2"], ["99/100", "1/100"]]),
    "gamma is not negative": lambda: chain("gamma = -1/2", 2, r=[[0, "1/4"], [1, 0]], gamma="-1/2"),
    "gamma is below 1": lambda: bandit("gamma = 3/2", 20, gamma="3/2"),
    "rewards are not negative": lambda: chain("rewards down to -2000", r=[[-300, 0], [-2000, 0]]),
    "rewards are at most 1": lambda: chain("rewards up to 1000", r=[[200, 0], [0, 1000]]),
    "the step size is positive": lambda: bandit("eta = -1", eta="-1"),
    "the start takes every action": lambda: bandit("a start that never takes the better action", 2, pi=[[0, 1]]),
    "rows of the start sum to one": lambda: bandit("a start that sums to 1010", pi=[[10, 1000]]),
    "the other policy is not negative": lambda: bandit("3 times the better action, -2 times the other", 2, best=[[3, -2]], eta="10"),
    "rows of the other policy sum to one": lambda: bandit("twice the better action", 2, best=[[2, 0]], eta="10"),
    "the law of the first state is not negative": lambda: bandit(
        "starts 2, -1; the other policy errs in the second state", 2, P=[[[0, 0], [0, 0]]] * 2, r=[[1, 0], [1, 0]], pi=[["1/2", "1/2"]] * 2,
        best=[[1, 0], [0, 1]], eta="10", rho=[2, -1],
    ),
    "the law of the first state sums to one": lambda: chain("a thousand starts", rho=[1000, 0]),
    "there is a step": lambda: bandit("no step", 0),
}  # fmt: skip


def derivation() -> Iterator[Step]:
    A0, A1, log_p0, log_p1, log_Z, size, b0, b1, log_b0, log_b1 = symbols("x,y,p,q,z,c,b,B,l,L")
    log_q0, log_q1 = log_p0 + size * A0 - log_Z, log_p1 + size * A1 - log_Z
    yield Step("a step, log pi' = log pi + eta / (1 - gamma) A - log Z, solved for A", A0, (log_q0 - log_p0 + log_Z) / size)
    KL = lambda other0, other1: b0 * (log_b0 - other0) + b1 * (log_b1 - other1)
    yield Step(
        "averaged over the actions of another policy: how much closer the step came, and log Z",
        b0 * A0 + b1 * A1,
        (KL(log_p0, log_p1) - KL(log_q0, log_q1) + (b0 + b1) * log_Z) / size,
    )


PAGE = Page(
    title="Rate of natural policy gradient",
    words="After T steps of any size the natural policy gradient of a softmax policy is within the divergence of its start, and a constant, over T of every policy.",
    claim=Claim(
        id="T53", kind="rate", relation=Certified(), level="ball", needs=("flint",),
        statement="rho V_best - rho V_T <= ((1 - gamma)/eta sum_s d_best(s) KL(best, pi_0) + 1/(1 - gamma)^2) / T, pi_{t+1} = pi_t exp(eta A_t/(1 - gamma)) / Z; "
        "at most log A/(eta T) + 1/((1 - gamma)^2 T) from the uniform policy",
        left=gaps, right=bounds, cases=lambda: holding(iter([*drawn(), *(make() for make in SPECIAL)]), PREMISES, 12),
        assumes=by_hand(WITHOUT, PREMISES, lambda case: not Certified()(gaps(case), bounds(case)).holds),
        mutants={
            "without the distance of the start": lambda case: bounds(case, start=0),
            "without the step size": lambda case: bounds(case, eta=Fraction(1)),
            "the square of the number of steps": lambda case: bounds(case, power=2),
            "without 1/(1 - gamma)^2": lambda case: bounds(case, horizon=0),
        },
        source="Agarwal, Kakade, Lee, Mahajan (2021), Theorem 16",
    ),
    free=("an optimal policy: the gap to any", "a small step", "a factor of the number of states", "a start law that covers every state"),
    derivation=derivation,
    coq=("T53_npg_rate", "T53_npg_rate_uniform"),
    functions=("pgtheory.tabular.dynamics.updates:Natural", "pgtheory.tabular.rates.natural:natural"),
)  # fmt: skip
