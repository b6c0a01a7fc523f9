"""Definitions in which a derivation stands: dual numbers, or a derivation that is known at the few numbers at which it is asked."""

from fractions import Fraction

import numpy as np

from pgtheory.proofs.bridge import Equation, Span, literal, table
from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages import t45_state_baseline
from pgtheory.proofs.pages.finite import distribution, dot, fractions, moving, tangent
from pgtheory.proofs.spans.instances import AT, EXACT, tiny
from pgtheory.tabular.exact.jets import Jet
from pgtheory.tabular.exact.programs import expected_return
from pgtheory.tabular.exact.rational import Move, RationalMDP, evaluate_exactly

STILL = "\n".join([
    "Import Instances.", "Definition dP s a t := cst (P s a t).", "Definition dr s a := cst (r s a).", "Definition dgam := cst gam.",
])  # fmt: skip
"""The model as dual numbers with derivative 0."""


def fields(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Sums of derivatives of the policy against Q: from given states, along a run without gamma^t, and against a guess of Q."""
    model, pi, setting = tiny(rng)
    dpi, d, guess = tangent(rng, 2, 2), distribution(rng, 2), [[fractions(rng, 2) for _ in range(2)] for _ in range(2)]
    found = evaluate_exactly(model.model(d, 2), pi)
    local = [[dot(x, q) for x, q in zip(dpi, Q, strict=True)] for Q in found.Q]
    start = evaluate_exactly(model.model([Fraction(1), Fraction(0)], 2), pi)
    undiscounted = [[x / model.gamma**k for x in row] for k, row in enumerate(start.occupancy)]
    case = Case("", process=model, dpi=dpi, q=guess)
    path = ((1, 1), (0, 0))
    text = [
        setting, STILL, table("mpi", moving(pi, dpi)), table("d", d), "Definition dd s := cst (d s).",
        *(f"Definition guess{k} := @table2 _ 2 2 {literal(part)}." for k, part in enumerate(guess)),
        "Definition guess (k : nat) s a := cst (if k is 0%N then guess0 s a else guess1 s a).",
    ]  # fmt: skip
    tau = f"[:: {'; '.join(f'({AT[a]}, {AT[t]})' for a, t in path)}]"
    dual = "dP dr dgam"
    return "\n".join(text), [
        Equation(name="excursion", term="OffPolicy.excursion P r gam d pi 2", value=found.J),
        Equation(name="off_policy", term=f"slope (OffPolicy.off_policy_gradient {dual} D dd mpi 1)", value=dot(d, local[0])),
        Equation(
            name="dropped", term=f"slope (DroppedDiscount.dropped_discount_gradient {dual} D mpi 2 ord0)",
            value=sum((dot(x, y) for x, y in zip(undiscounted, local, strict=True)), Fraction(0)),
        ),
        Equation(name="correction", term=f"slope (StateBaseline.correction dgam D mpi guess ord0 {tau})", value=t45_state_baseline.correction(case, 0, path)),
    ]  # fmt: skip


def chain(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """The two coins of T58: chances x to get on and y to win; the value of two steps, and every probability."""
    x, y, gamma = (Fraction(int(k), 10) for k in rng.integers(1, 10, 3))
    zero, one = Fraction(0), Fraction(1)
    end = Move(one, -1, zero)
    moves = (((end,), (Move(one, 1, zero),)), ((end,), (Move(one, -1, one),)))
    model, pi = RationalMDP(moves=moves, mu=(one, zero), gamma=gamma, horizon=2), [[1 - x, x], [1 - y, y]]
    value = evaluate_exactly(model, pi).V[0]
    states = ("false", "true")
    numbers = ", ".join(map(literal, (x, y)))
    coins = "(DroppedDiscount.two_coins {} {})".format(*(f"({part})" for part in numbers.split(", ")))
    return "", [
        *(
            Equation(
                name=f"v_{s}", value=value[s],
                term=f"FiniteHorizon.V (DroppedDiscount.advance _) (DroppedDiscount.prize _) ({literal(gamma)}) {coins} 2 {at}",
            )
            for s, at in enumerate(states)
        ),
        *(
            Equation(name=f"coin_{s}{a}", term=f"{coins} {at} {states[a]}", value=pi[s][a])
            for s, at in enumerate(states)
            for a in (0, 1)
        ),
        *(
            Equation(name=f"move_{s}{a}{t}", term=f"DroppedDiscount.advance q_comRingType {states[s]} {states[a]} {states[t]}", value=model.kernel([[Fraction(b == a) for b in (0, 1)]] * 2)[s][t])
            for s in (0, 1)
            for a in (0, 1)
            for t in (0, 1)
        ),
    ]  # fmt: skip


def curvature(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """D1 D2 V_2 less gamma P_pi D1 D2 V_1, from second derivatives that the library's jets take without a formula."""
    while True:
        model, pi, setting = tiny(rng)
        one, two, mixed = (tangent(rng, 2, 2) for _ in range(3))
        zero = Fraction(0)
        jets = [[Jet(p, (x, y), ((zero,), (z, zero))) for p, x, y, z in zip(*rows, strict=True)] for rows in zip(pi, one, two, mixed, strict=True)]
        value = lambda n, s, model=model, jets=jets: expected_return(model.model([Fraction(s == t) for t in (0, 1)], n), jets)
        Q = [model.r[0][a] + model.gamma * sum(model.P[0][a][t] * value(1, t) for t in (0, 1)) for a in (0, 1)]
        known = [*zip(pi[0], one[0], two[0], strict=True), *((q.value, *q.gradient) for q in Q)]
        first = [*((x, d) for x, d, _ in known), *zip(two[0], mixed[0], strict=True)]
        if len({x for x, _ in first}) == len(first):
            break
    bend = [value(2, 0), *(value(1, t) for t in (0, 1))]
    kernel = model.kernel(pi)[0]
    expected = bend[0].hessian[1][0] - model.gamma * sum(p * v.hessian[1][0] for p, v in zip(kernel, bend[1:], strict=True))
    lookup = lambda name, pairs: f"Definition {name} : q -> q := lookup 0 [:: {'; '.join(f'({literal(x)}, {literal(y)})' for x, y in pairs)}]."
    text = [setting, lookup("D1", first), lookup("D2", [(x, d) for x, _, d in known])]
    return "\n".join(text), [Equation(name="curvature", term="PolicyHessian.curvature P r gam D1 D2 pi 1 ord0", value=expected)]


PLAIN = tuple(f"FiniteHorizon.{x}" for x in ("V", "Q", "reach", "Ppi"))

SPANS = (
    Span(
        definitions=("OffPolicy.excursion", "OffPolicy.off_policy_gradient", "DroppedDiscount.dropped_discount_gradient", "StateBaseline.correction"),
        functions=(f"{EXACT}.rational:evaluate_exactly", "pgtheory.proofs.pages.t45_state_baseline:correction"),
        instance=fields, unfold=(*PLAIN, "mutants.Instances.D"),
    ),
    Span(
        definitions=tuple(f"DroppedDiscount.{x}" for x in ("advance", "prize", "two_coins")), functions=(f"{EXACT}.rational:evaluate_exactly",), instance=chain,
        unfold=PLAIN,
    ),
    Span(definitions=("PolicyHessian.curvature",), functions=(f"{EXACT}.programs:expected_return", f"{EXACT}.jets:Jet"), instance=curvature, unfold=PLAIN),
)  # fmt: skip
