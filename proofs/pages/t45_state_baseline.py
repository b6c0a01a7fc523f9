"""T45: the best baseline of the state, and what a baseline of the action lacks.

State by state the total variance is a parabola in b(s) with its vertex at E[|g|^2 G | s] / E[|g|^2 | s], where the scores have mean zero in each state. A baseline b_k(s, a)
of the action is biased by exactly E[sum_k gamma^k sum_c D pi(c|s_k) b_k(s_k, c)]: add that term and it is unbiased again. The mean over actions is the whole price of a
better fit. Source: Greensmith, Bartlett, Baxter (2004); Wu et al. (2018); Gu et al. (2017) for the correction.
"""

from collections.abc import Iterator

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, SHORT, cases, dot, fractions, score, small, value_derivative, variance
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def of_states(case: Case) -> Case:
    """A law of (state, outcome) with scores of mean zero in each state, returns G, a baseline c(s); and a baseline of the action for the process."""
    rng = np.random.default_rng(450 + len(case.mu))
    case.table = [[fractions(rng, len(row)) for row in case.pi] for _ in range(case.n)]
    case.G = [fractions(rng, len(row)) for row in case.pi]
    case.c = getattr(case, "c", fractions(rng, len(case.mu)))
    case.slope = getattr(case, "slope", score(case))
    return case


def flat(case: Case, values: list[list]) -> list:
    return [x for row in values for x in row]


def total_variance(case: Case, c: list) -> object:
    """Var(g (G - c(s))) under mu(s) pi(a|s)."""
    law = [m * p for m, row in zip(case.mu, case.pi, strict=True) for p in row]
    return variance(law, [g * (x - c[s]) for s, (gs, xs) in enumerate(zip(case.slope, case.G, strict=True)) for g, x in zip(gs, xs, strict=True)])


def best(case: Case) -> list:
    """E[g^2 G | s] / E[g^2 | s]."""
    mass = [dot(p, [g * g for g in gs]) for p, gs in zip(case.pi, case.slope, strict=True)]
    gain = [dot(p, [g * g * x for g, x in zip(gs, xs, strict=True)]) for p, gs, xs in zip(case.pi, case.slope, case.G, strict=True)]
    return [x / m if m != 0 else m for x, m in zip(gain, mass, strict=True)]


def actual(case: Case) -> list:
    """The variance with the baseline c, and D V_n."""
    return [total_variance(case, case.c), value_derivative(case)]


def formula(case: Case, vertex=best, correction: int = 1) -> list:
    """The least variance and the gap; the mean of the estimator with a baseline of the action, corrected."""
    v = vertex(case)
    mass = [m * dot(p, [g * g for g in gs]) for m, p, gs in zip(case.mu, case.pi, case.slope, strict=True)]
    gap = dot(mass, [(x - y) ** 2 for x, y in zip(case.c, v, strict=True)])
    p, sc, b = case.process, score(case), case.table

    def corrected(s: int, path: tuple) -> object:
        steps, total = p.visited(s, path), 0 * p.gamma
        for k, (x, a, _) in enumerate(steps):
            lacking = dot(case.dpi[x], b[k][x])
            total += p.gamma**k * (sc[x][a] * (p.ret(x, path[k:]) - b[k][x][a]) + correction * lacking)
        return total

    return [total_variance(case, v) + gap, [p.mean(case.pi, case.n, s, lambda path, s=s: corrected(s, path)) for s in p.states]]


def instances() -> Iterator[Case]:
    yield from (of_states(case) for case in cases(45, SHORT))


PAGE = Page(
    title="State baselines: the gap; action baselines: the correction",
    words="In each state the best baseline is the mean return weighted with the squared score; a baseline of the action is biased by the derivative of its mean, which can be added.",
    claim=Claim(
        id="T45", kind="variance equals", relation=Exact(), level="rational",
        statement="Var(g (G - c)) = Var(g (G - c*)) + sum_s E[g^2; s] (c(s) - c*(s))^2, and D V = E[sum gamma^k (sc (G_k - b_k(s, a)) + sum_c D pi(c|s) b_k(s, c))]",
        left=actual, right=formula, cases=instances,
        assumes={
            "scores have mean zero in each state": lambda: of_states(small(slope=[[1, 1], [2, -1]])),
            "rows of P sum to one": lambda: of_states(small(P=LOOSE_MODEL)),
            "rows of pi sum to one": lambda: of_states(small(pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]])),
        },
        mutants={
            "the mean return as the vertex": lambda case: formula(case, vertex=lambda case: [dot(p, x) for p, x in zip(case.pi, case.G, strict=True)]),
            "without the correction": lambda case: formula(case, correction=0),
        },
        source="Greensmith, Bartlett, Baxter (2004); Gu, Lillicrap, Ghahramani, Turner, Levine (2017)",
    ),
    free=("a baseline that does not move with theta",),
    coq=("T45_action_baseline_bias", "T45_action_baseline_corrected", "T45_state_baseline_gap", "T45_state_baseline_minimum"),
    functions=("pgtheory.tabular.estimators.baselines:OptimalState", "pgtheory.tabular.variance.optimal_baseline:least_variance"),
)  # fmt: skip
