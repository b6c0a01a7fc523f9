"""Values, visits, and what is made of them: with a horizon, without one, with a bonus, for the best action."""

from fractions import Fraction

import numpy as np

from pgtheory.proofs.bridge import Equation, Span, number, table
from pgtheory.proofs.pages.finite import distribution, fractions
from pgtheory.proofs.spans.instances import AT, EXACT, PAIRS, inverted, tiny
from pgtheory.tabular.exact.programs import expected_return
from pgtheory.tabular.exact.rational import evaluate_exactly, optimal_value, policy_gradient

START = ([Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)])
"""The start in each state."""


def finite(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """V_3, Q_2, gamma^k Pr_k and P_pi."""
    model, pi, setting = tiny(rng)
    found = [evaluate_exactly(model.model(mu, 3), pi) for mu in START]
    kernel = model.model(START[0]).kernel(pi)
    return setting, [
        *(Equation(name=f"v_{s}", term=f"FiniteHorizon.V P r gam pi 3 {AT[s]}", value=found[0].V[0][s]) for s in (0, 1)),
        *(Equation(name=f"q_{s}{a}", term=f"FiniteHorizon.Q P r gam pi 2 {AT[s]} {AT[a]}", value=found[0].Q[0][s][a]) for s, a in PAIRS),
        *(
            Equation(name=f"reach_{s}{t}", term=f"gam ^+ 2 * FiniteHorizon.reach P pi 2 {AT[s]} {AT[t]}", value=found[s].occupancy[2][t])
            for s, t in PAIRS
        ),
        *(Equation(name=f"kernel_{s}{t}", term=f"FiniteHorizon.Ppi P pi {AT[s]} {AT[t]}", value=kernel[s][t]) for s, t in PAIRS),
    ]


MATRICES = [
    "Definition Pm (a : 'I_2) : 'M[q]_2 := \\matrix_(s, t) P s a t.",
    "Definition rm (a : 'I_2) : 'cV[q]_2 := \\col_s r s a.",
    "Definition m : 'rV[q]_2 := \\row_s mu s.",
]
"""The model as Coq's theorems without a horizon take it: matrices and vectors."""

SOLVED = "rewrite /Discounted.Q /Discounted.V /Discounted.occupancy ?inverse /Discounted.rpi; write_out;"


def endless(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """V, Q, occupancy, the gradient in the probabilities; and both values for rewards r - tau L, L any table."""
    model, pi, setting = tiny(rng)
    mu, L, tau = distribution(rng, 2), [fractions(rng, 2) for _ in range(2)], fractions(rng, 1, low=1)[0]
    exact = model.model(mu)
    found, slope = evaluate_exactly(exact, pi), policy_gradient(exact, pi, coordinates="direct")
    bonus = [[r - tau * x for r, x in zip(*rows, strict=True)] for rows in zip(model.r, L, strict=True)]
    soft = [expected_return(model.model(start), pi, reward=bonus) for start in START]
    backup = exact.backup(soft)
    columns = [model.solve(pi, start) for start in START]
    text = [
        setting, table("mu", mu), table("L", L), number("tau", tau), *MATRICES,
        *inverted("inverse", "Discounted.Tpi Pm gam pi", [list(row) for row in zip(*columns, strict=True)], "/Discounted.Tpi /Discounted.Ppi"),
    ]  # fmt: skip
    names = "/EntropyRegularised.soft_action_value /EntropyRegularised.soft_value /GradientDomination.direct_gradient"
    opened = lambda name, term, value: Equation(name=name, term=term, value=value, prepare=f"rewrite {names}; {SOLVED}")
    return "\n".join(text), [
        *(opened(f"v_{s}", f"Discounted.V Pm rm gam pi {AT[s]} 0", found.V[s]) for s in (0, 1)),
        *(opened(f"d_{s}", f"Discounted.occupancy Pm gam pi m 0 {AT[s]}", found.occupancy[s]) for s in (0, 1)),
        *(opened(f"q_{s}{a}", f"Discounted.Q Pm rm gam pi {AT[s]} {AT[a]}", found.Q[s][a]) for s, a in PAIRS),
        *(opened(f"direct_{s}{a}", f"GradientDomination.direct_gradient Pm rm gam pi m {AT[s]} {AT[a]}", slope[s][a]) for s, a in PAIRS),
        *(opened(f"soft_{s}", f"EntropyRegularised.soft_value Pm gam pi rm L tau {AT[s]} 0", soft[s]) for s in (0, 1)),
        *(opened(f"soft_{s}{a}", f"EntropyRegularised.soft_action_value Pm gam pi rm L tau {AT[s]} {AT[a]}", backup[s][a]) for s, a in PAIRS),
        Equation(name="is_policy", term="Policy.policy pi", value=True, proof="by split; each."),
    ]  # fmt: skip


GREATEST = """Lemma greatest_of_two (f : 'I_2 -> q) : BellmanOptimality.greatest ord0 f = Num.max (f ord0) (f second).
Proof.
rewrite /BellmanOptimality.greatest; case: arg_maxP => // i _ greatest_there.
have most j : (f j <= f i)%O by exact: greatest_there.
apply/eqP; rewrite eq_le le_maxr le_maxl !most !andbT.
suff [->|->] : i = ord0 \\/ i = second by rewrite lexx ?orbT.
by case: i {greatest_there most} => [[|[|//]] h]; [left|right]; apply: val_inj.
Qed."""
"""Coq finds the greatest by a search that does not run; of two numbers it is their maximum."""


def best(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """The operator of the best action, applied to 0 and to what that gave; the table of the best actions; its value."""
    model, _, setting = tiny(rng)
    once, (twice, _) = (optimal_value(model.model(START[0], n)) for n in (1, 2))
    values, actions = optimal_value(model.model(START[0]))
    table_of_best = [[Fraction(a == actions[s]) for a in (0, 1)] for s in (0, 1)]
    look = model.model(START[0]).backup(once[0])
    columns = [model.solve(table_of_best, start) for start in START]
    text = [
        "Import Num.Theory Order.TTheory.", setting, table("X", once[0]), table("mu", START[0]), *MATRICES, GREATEST, "Definition Xv : 'cV[q]_2 := \\col_s X s.",
        f"Definition best (s : 'I_2) : 'I_2 := nth ord0 [:: {'; '.join(AT[row.index(Fraction(1))] for row in table_of_best)}] s.",
        *inverted(
            "inverse", "Discounted.Tpi Pm gam (DeterministicPolicy.det _ best)", [list(row) for row in zip(*columns, strict=True)],
            "/Discounted.Tpi /Discounted.Ppi /DeterministicPolicy.det",
        ),
    ]  # fmt: skip
    opened = "rewrite /BellmanOptimality.bellman /BellmanOptimality.lookahead; write_out; rewrite ?greatest_of_two; write_out;"
    return "\n".join(text), [
        *(Equation(name=f"zero_{s}", term=f"BellmanOptimality.bellman ord0 Pm rm gam 0 {AT[s]} 0", value=once[0][s], prepare=opened) for s in (0, 1)),
        *(Equation(name=f"one_{s}", term=f"BellmanOptimality.bellman ord0 Pm rm gam Xv {AT[s]} 0", value=twice[s], prepare=opened) for s in (0, 1)),
        *(
            Equation(name=f"look_{s}{a}", term=f"BellmanOptimality.lookahead Pm rm gam Xv {AT[s]} {AT[a]}", value=look[s][a], prepare=opened)
            for s, a in PAIRS
        ),
        *(
            Equation(name=f"det_{s}{a}", term=f"DeterministicPolicy.det q_realFieldType best {AT[s]} {AT[a]}", value=table_of_best[s][a])
            for s, a in PAIRS
        ),
        *(
            Equation(name=f"v_{s}", term=f"Discounted.V Pm rm gam (DeterministicPolicy.det _ best) {AT[s]} 0", value=values[s], prepare=SOLVED)
            for s in (0, 1)
        ),
    ]


SPANS = (
    Span(definitions=tuple(f"FiniteHorizon.{x}" for x in ("V", "Q", "reach", "Ppi")), functions=(f"{EXACT}.rational:evaluate_exactly", f"{EXACT}.rational:RationalMDP"), instance=finite),
    Span(
        definitions=(
            *(f"Discounted.{x}" for x in ("Ppi", "rpi", "Tpi", "V", "Q", "occupancy")), "GradientDomination.direct_gradient",
            "EntropyRegularised.soft_value", "EntropyRegularised.soft_action_value", "Policy.policy",
        ),
        functions=(*(f"{EXACT}.rational:{x}" for x in ("evaluate_exactly", "policy_gradient")), f"{EXACT}.programs:expected_return"), instance=endless,
    ),
    Span(
        definitions=("BellmanOptimality.bellman", "BellmanOptimality.greatest", "BellmanOptimality.lookahead", "DeterministicPolicy.det"),
        functions=(f"{EXACT}.rational:optimal_value",), instance=best, unfold=("Discounted.V",),
    ),
)  # fmt: skip
