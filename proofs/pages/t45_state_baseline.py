"""T45: the best baseline of the state, and what a baseline of state and action owes.

The mean of g_i (G - b(s)) does not depend on b, so that the total variance is a sum of parabolas, one a state, with vertices b*(s) = E[|g|^2 G | s] / E[|g|^2 | s]; not
at V(s) (T20 in each state). A baseline that sees the action too changes the mean, by minus E[sum_t gamma^t sum_a D pi(a|s_t) b_t(s_t, a)]; added to the estimate it makes
good for it (control variates: Q-Prop, Stein). Source: Greensmith, Bartlett, Baxter (2004), Theorem 13; Gu et al. (2017); Tucker et al. (2018), section 2.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import (
    LOOSE_MODEL,
    MOVING,
    SHORT,
    Number,
    Path,
    as_fractions,
    cases,
    distribution,
    dot,
    every_start,
    fractions,
    plain,
    score,
    small,
    value_derivative,
    variance,
)
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step

# One draw w of weight p: its state `st`, the coordinates g[i] of its score, its return G


def square(case: Case) -> list:
    """|g|^2, draw by draw."""
    return [sum((x * x for x in each), 0 * case.p[0]) for each in zip(*case.g, strict=True)]


def in_state(case: Case, s: int, x: list) -> Number:
    """E[x; state s]."""
    return dot(case.p, [y if state == s else 0 * y for y, state in zip(x, case.st, strict=True)])


def best(case: Case) -> list:
    """E[|g|^2 G; s] / E[|g|^2; s], 0 where that is 0 / 0, as in Coq."""
    mass = [in_state(case, s, square(case)) for s in range(len(case.beta))]
    mixed = [in_state(case, s, [x * y for x, y in zip(square(case), case.G, strict=True)]) for s in range(len(case.beta))]
    return [x / m if m != 0 else 0 * m for x, m in zip(mixed, mass, strict=True)]


def mean_return(case: Case) -> list:
    """E[G | s]."""
    one = [case.p[0] ** 0] * len(case.p)
    return [in_state(case, s, case.G) / in_state(case, s, one) for s in range(len(case.beta))]


def total_variance(case: Case, b: list) -> Number:
    """sum_i Var(g_i (G - b(s)))."""
    return sum(variance(case.p, [x * (y - b[s]) for x, y, s in zip(g, case.G, case.st, strict=True)]) for g in case.g)


def with_gap(case: Case, vertex=best, sign: int = 1) -> Number:
    """sum_i Var(g_i (G - b*(s))) + sum_s E[|g|^2; s] (b(s) - b*(s))^2."""
    v = vertex(case)
    return total_variance(case, v) + sign * sum(
        in_state(case, s, square(case)) * (b - x) ** 2 for s, (b, x) in enumerate(zip(case.beta, v, strict=True))
    )


# Whole paths, with a baseline q[k][s][a]


def estimate(case: Case, s: int, path: Path) -> Number:
    """sum_k gamma^k sc(s_k, a_k) (G_k - q_k(s_k, a_k))."""
    p = case.process
    return sum(p.gamma**k * case.sc[x][a] * (p.ret(x, path[k:]) - case.q[k][x][a]) for k, (x, a, _) in enumerate(p.visited(s, path)))


def correction(case: Case, s: int, path: Path) -> Number:
    """sum_k gamma^k sum_a D pi(a|s_k) q_k(s_k, a)."""
    p = case.process
    return sum(p.gamma**k * dot(case.dpi[x], case.q[k][x]) for k, (x, _, _) in enumerate(p.visited(s, path)))


def averaged(case: Case, f=estimate) -> list:
    """The mean over all paths, from every start; the model stands still."""
    still = changed(case, process=plain(case.process), sc=score(case))
    return every_start(still, lambda s: still.process.mean(case.pi, case.n, s, lambda path: f(still, s, path)))


def left(case: Case) -> list:
    """The variance with b; 0; D V; the mean of the estimate."""
    return [total_variance(case, case.beta), Fraction(0), value_derivative(case), averaged(case)]


def right(case: Case, gap=with_gap, owed=averaged, sign: int = 1) -> list:
    """The least variance and the gap; by how much it exceeds that with b; the mean with the correction; D V less the mean of the correction."""
    corrected = owed(case, lambda case, s, path: estimate(case, s, path) + correction(case, s, path))
    less = [v - sign * c for v, c in zip(value_derivative(case), averaged(case, correction), strict=True)]
    return [gap(case), max(total_variance(case, best(case)) - total_variance(case, case.beta), Fraction(0)), corrected, less]


LAW = {"p": ["1/4", "1/4", "1/3", "1/6"], "st": [0, 0, 1, 1], "g": [[1, -1, 1, -2], [2, -2, 0, 0]], "G": [3, 1, 2, 5], "beta": [1, 1]}
"""Two states, two draws each, two coordinates of the score."""

ACTIONS = {"q": [[[1, 2], [0, 3]], [[2, -1], [1, 1]]]}


def instance(label: str, **changes: Any) -> Case:
    """A draw and a problem by hand."""
    parts = {name: changes.pop(name, part) for name, part in LAW.items()}
    return changed(small(label, **{**ACTIONS, **changes}), **{name: part if name == "st" else as_fractions(part) for name, part in parts.items()})


def changed(case: Case, **parts: Any) -> Case:
    """The case with other parts."""
    return Case(**{**vars(case), **parts})


def coin(label: str, **changes: Any) -> Case:
    """One state, a fair coin that pays 1 on one side: what the false variants are refuted on in Coq."""
    return instance(label, **{"p": ["1/2", "1/2"], "st": [0, 0], "g": [[1, -1]], "G": [1, 0], "beta": [0], **changes})


def instances() -> Iterator[Case]:
    yield coin("a fair coin")
    rng = np.random.default_rng(45)
    for case in cases(45, SHORT, each=1):
        st = [0, 0, 0, 1, 1, 2]
        p = [d * x for d, n in zip(distribution(rng, 3), (3, 2, 1), strict=True) for x in distribution(rng, n)]
        g = [[x, y, -(p[0] * x + p[1] * y) / p[2], z, -p[3] * z / p[4], Fraction(0)] for x, y, z in (fractions(rng, 3) for _ in range(2))]
        q = [[fractions(rng, len(case.pi[0])) for _ in case.pi] for _ in range(case.n)]
        yield changed(case, p=p, st=st, g=g, G=fractions(rng, 6), beta=fractions(rng, 3), q=q)
    yield instance("draws that sum to two", p=["1/2", "1/2", "2/3", "1/3"])


def moved(make) -> Case:
    return changed(instance("a model that moves"), process=make().process)


def derivation() -> Iterator[Step]:
    p, x, y, G0, G1, b = symbols("p,x,y,G0,G1,b")
    draws = Case("one state", p=[p, 1 - p], st=[0, 0], g=[[x, -p * x / (1 - p)], [y, -p * y / (1 - p)]], G=[G0, G1], beta=[b])
    yield Step("in each state: complete the square", total_variance(draws, [b]), with_gap(draws))
    q0, q1, pi, d = symbols("q0,q1,pi,d")
    yield Step("score times baseline of the action has the mean sum_a D pi b", pi * (d / pi) * q0 + (1 - pi) * (-d / (1 - pi)) * q1, d * q0 - d * q1)


PAGE = Page(
    title="Best state baseline; baselines of state and action",
    words="The baseline of least total variance is in each state the mean return weighted with the squared score. One that sees the action biases by minus sum_a D pi b.",
    claim=Claim(
        id="T45", kind="variance equals", relation=Exact(), level="rational",
        statement="sum_i Var(g_i (G - b(s))) = that of b* + sum_s E[|g|^2; s] (b(s) - b*(s))^2, least at b*(s) = E[|g|^2 G; s] / E[|g|^2; s]; "
        "E[sum_k gamma^k (sc (G_k - q_k(s_k, a_k)) + sum_a D pi(a|s_k) q_k(s_k, a))] = D V_n",
        left=left, right=right, cases=instances,
        assumes={
            "scores have mean zero in each state": lambda: coin("a fair coin with scores 2 and 1", g=[[2, 1]], beta=[2]),
            "no return where E[|g|^2; s] = 0": lambda: instance("weights 3, -3, 1 in a state", p=[3, -3, 1], st=[0, 0, 0], g=[[1, 2, 3]], G=[1, 3, 5], beta=[1]),
            "weights are not negative, for the minimum": lambda: instance("weights 2, -2, 1", p=[2, -2, 1], st=[0, 0, 0], g=[[1, 2, 2]], G=[1, 3, 5], beta=[0]),
            **{name: lambda make=make: moved(make) for name, make in MOVING.items()},
            "rows of P sum to one": lambda: instance("rows of P that sum to two", P=LOOSE_MODEL),
            "rows of pi sum to one": lambda: instance("rows of pi that sum to two and three", pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]]),
            "D pi = pi sc": lambda: instance("twice the score", sc=[[6, -3], [8, -8]]),
        },
        mutants={
            "the gap subtracted": lambda case: right(case, gap=lambda case: with_gap(case, sign=-1)),
            "the mean return as the best baseline": lambda case: right(case, gap=lambda case: with_gap(case, mean_return)),
            "without the correction": lambda case: right(case, owed=lambda case, _: averaged(case)),
            "the bias with the other sign": lambda case: right(case, sign=-1),
        },
        source="Greensmith, Bartlett, Baxter (2004), Theorem 13; Gu et al. (2017); Tucker et al. (2018), section 2",
    ),
    free=("draws that sum to one", "a score that comes from a policy", "a q that does not move with theta", "states that are all drawn"),
    derivation=derivation,
    coq=("T45_state_baseline_gap", "T45_state_baseline_minimum", "T45_action_baseline_corrected", "T45_action_baseline_bias", "T45_batch_baseline"),
    functions=("pgtheory.tabular.estimators.baselines:OptimalState", "pgtheory.tabular.variance.optimal_baseline:least_variance"),
)  # fmt: skip
