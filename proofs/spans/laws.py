"""Laws: of a few outcomes, with their moments and baselines, and of a chain that never ends."""

from fractions import Fraction

import numpy as np

from pgtheory.proofs.bridge import Equation, Span, table
from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages import t45_state_baseline
from pgtheory.proofs.pages.finite import distribution, fractions, variance
from pgtheory.proofs.pages.laws import best_baseline, laws
from pgtheory.proofs.pages.t19_total_variance import conditional_mean
from pgtheory.proofs.spans.instances import AT, PAIRS, inverted
from pgtheory.tabular.exact.arithmetic import exact

CELLS = [0, 0, 1]
"""The cell, or the state, of each of three outcomes."""

CELL = "Definition cell (i : 'I_3) : 'I_2 := if (val i == 2)%N then second else ord0."


def outcomes(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Mean, variance, conditional mean, best baseline on three outcomes."""
    case = [*laws(int(rng.integers(1000)), each=2)][1]
    case.cell = CELLS
    m = conditional_mean(case, case.X)
    inner = conditional_mean(case, [(x - y) ** 2 for x, y in zip(case.X, m, strict=True)])
    within = lambda c: sum((p for p, k in zip(case.p, CELLS, strict=True) if k == c), Fraction(0))
    return "\n".join([*(table(name, getattr(case, part)) for name, part in (("p", "p"), ("X", "X"), ("g", "g"), ("rew", "r"))), CELL]), [
        Equation(name="mean", term="Variance.E p X", value=sum((a * b for a, b in zip(case.p, case.X, strict=True)), Fraction(0))),
        Equation(name="var", term="Variance.Var p X", value=variance(case.p, case.X)),
        Equation(name="best", term="OptimalBaseline.best_baseline p g rew", value=best_baseline(case)),
        *(Equation(name=f"chance_{c}", term=f"Variance.pG p cell {AT[c]}", value=within(c)) for c in (0, 1)),
        *(Equation(name=f"ce_{c}", term=f"Variance.CE p cell X {AT[c]}", value=m[CELLS.index(c)]) for c in (0, 1)),
        Equation(name="cvar", term="Variance.CVar p cell X ord0", value=inner[0]),
    ]


def states(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Masses, best baselines and total variance where a baseline sees the state: three draws, two states, two coordinates of the score."""
    p, G, beta = distribution(rng, 3), fractions(rng, 3), fractions(rng, 2)
    case = Case("", p=p, st=CELLS, g=[[x or Fraction(1) for x in fractions(rng, 3)] for _ in range(2)], G=G, beta=beta)
    square = t45_state_baseline.square(case)
    mixed = [x * y for x, y in zip(square, G, strict=True)]
    best = t45_state_baseline.best(case)
    text = [table("p", p), table("g", case.g), table("G", G), table("beta", beta), CELL]
    masses = [(f"StateBaseline.{name} p cell g", part) for name, part in (("score_mass", square), ("return_mass", mixed))]
    extra = ("", "G ")
    return "\n".join(text), [
        *(
            Equation(name=f"mass_{i}{s}", term=f"{term} {extra[i]}{AT[s]}", value=t45_state_baseline.in_state(case, s, part))
            for i, (term, part) in enumerate(masses)
            for s in (0, 1)
        ),
        *(Equation(name=f"best_{s}", term=f"StateBaseline.best_state_baseline p cell g G {AT[s]}", value=best[s]) for s in (0, 1)),
        Equation(name="total", term="StateBaseline.total_variance p cell g G beta", value=t45_state_baseline.total_variance(case, beta)),
    ]


def stationary(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Gain, differential action values and deviation matrix of the library's float64 solver, as the fractions that its numbers stand for."""
    from pgtheory.tabular.models.mdp import MDP
    from pgtheory.tabular.policies.direct import Direct
    from pgtheory.tabular.solve.average import unichain
    from pgtheory.tabular.solve.evaluation import evaluate

    quarters = lambda: (lambda k: [Fraction(k, 4), Fraction(4 - k, 4)])(int(rng.integers(1, 4)))
    P, pi = [[quarters(), quarters()] for _ in range(2)], [quarters(), quarters()]
    r = [fractions(rng, 2), fractions(rng, 2)]
    floats = lambda part: np.array(part, dtype=float)
    mdp, policy = MDP(P=floats(P), r=floats(r), mu=np.array([0.5, 0.5]), gamma=0.5), Direct(floats(pi))
    found = evaluate(mdp, policy, criterion="average")
    d, h = ([exact(name, float(x)) for x in row] for name, row in (("d", found.occupancy), ("h", found.V)))
    deviation = [[exact("D", float(x)) for x in row] for row in unichain(mdp, policy).deviation(np.eye(2))]
    text = [
        *(table(*item) for item in (("P", P), ("r", r), ("pi", pi), ("d", d), ("h", h))),
        "Definition Pm (a : 'I_2) : 'M[q]_2 := \\matrix_(s, t) P s a t.", "Definition dv : 'rV[q]_2 := \\row_s d s.",
        *inverted(
            "inverse", "1%:M - Discounted.Ppi Pm pi + (const_mx 1 : 'cV_2) *m dv", [[x + y for x, y in zip(row, d, strict=True)] for row in deviation],
            "/Discounted.Ppi",
        ),
    ]  # fmt: skip
    opened = "rewrite /AverageReward.deviation inverse; write_out;"
    return "\n".join(text), [
        Equation(name="gain", term="AverageReward.gain r pi d", value=exact("J", found.J)),
        *(Equation(name=f"q_{s}{a}", term=f"AverageReward.differential_Q P r pi d h {AT[s]} {AT[a]}", value=exact("Q", float(found.Q[s, a]))) for s, a in PAIRS),
        *(Equation(name=f"D_{s}{t}", term=f"AverageReward.deviation Pm pi dv {AT[s]} {AT[t]}", value=deviation[s][t], prepare=opened) for s, t in PAIRS),
        Equation(name="law", term="AverageReward.stationary P pi d", value=True, proof="split; rewrite /FiniteHorizon.Ppi; each."),
        Equation(name="bias", term="AverageReward.poisson P r pi d h", value=True, proof="rewrite /AverageReward.poisson /AverageReward.gain; each."),
    ]  # fmt: skip


PAGE = "pgtheory.proofs.pages.t45_state_baseline"

SPANS = (
    Span(
        definitions=(*(f"Variance.{x}" for x in ("E", "Var", "pG", "CE", "CVar")), "OptimalBaseline.best_baseline"),
        functions=("pgtheory.proofs.pages.laws:best_baseline", "pgtheory.proofs.pages.finite:variance", "pgtheory.proofs.pages.t19_total_variance:conditional_mean"),
        instance=outcomes,
    ),
    Span(
        definitions=tuple(f"StateBaseline.{x}" for x in ("score_mass", "return_mass", "best_state_baseline", "total_variance")),
        functions=tuple(f"{PAGE}:{x}" for x in ("in_state", "best", "total_variance")), instance=states, unfold=("Variance.Var", "Variance.E"),
    ),
    Span(
        definitions=tuple(f"AverageReward.{x}" for x in ("gain", "differential_Q", "deviation", "stationary", "poisson")),
        functions=("pgtheory.tabular.solve.evaluation:evaluate", "pgtheory.tabular.solve.average:unichain"), instance=stationary,
        unfold=("Discounted.Ppi",),
    ),
)  # fmt: skip
