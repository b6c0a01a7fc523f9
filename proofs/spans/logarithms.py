"""Definitions over a pair exp, log. The numbers have no irrational ones among them, so that stand-ins take their place, the same on both sides.

The pages compute with exact combinations of logarithms of primes (`pages/logs.py`). Here each such logarithm is sent to a fraction: log(x y) = log x + log y still holds,
and the page's functions run as they are. Coq is given the same pair by its values at the few numbers at which it is asked.
"""

from fractions import Fraction

import numpy as np

from pgtheory.proofs.bridge import Equation, Span, literal, number, table
from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages import t62_kl_regularised
from pgtheory.proofs.pages.finite import distribution, fractions
from pgtheory.proofs.pages.logs import Log, ln
from pgtheory.proofs.pages.softmaxes import softmax
from pgtheory.proofs.pages.t24_natural_multiplicative import formula
from pgtheory.proofs.spans.instances import AT, EXACT, PAIRS, inverted, tiny
from pgtheory.proofs.spans.planning import MATRICES, SOLVED, START
from pgtheory.tabular.exact.rational import evaluate_exactly, policy_gradient


def stand_in(x: Log) -> Fraction:
    """The fraction in the place of a combination of logarithms: log p becomes (p + 1) / (p + 3)."""
    return sum((c * Fraction(p + 1, p + 3) for p, c in x.powers.items()), Fraction(0))


def lookup(name: str, pairs: list[tuple[Fraction, Fraction]]) -> str:
    """A function that Coq knows at these numbers, and that is 0 elsewhere."""
    return f"Definition {name} : q -> q := lookup 0 [:: {'; '.join(f'({literal(x)}, {literal(y)})' for x, y in dict(pairs).items())}]."


def regularised(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Divergence, regularised objective, Gibbs law and its normaliser on three actions."""
    case = Case(
        "", ref=distribution(rng, 3), p=distribution(rng, 3), v=[Fraction(int(k), 2) for k in rng.choice(np.arange(3, 9), 3, replace=False)],
        power=Fraction(int(rng.integers(1, 4))), root=Fraction(int(rng.integers(1, 3))),
    )  # fmt: skip
    rewards, beta = t62_kl_regularised.rewards(case), t62_kl_regularised.beta(case)
    gibbs, Z = t62_kl_regularised.gibbs(case, rewards)
    ratios = [x / y for x, y in zip(case.p, case.ref, strict=True)]
    text = [
        table("p", case.p), table("ref", case.ref), table("rew", [stand_in(x) for x in rewards]), number("beta", beta),
        lookup("ln", [(x, stand_in(ln(x))) for x in ratios]),
        lookup("ex", [(stand_in(x) / beta, v**case.root) for x, v in zip(rewards, case.v, strict=True)]),
    ]  # fmt: skip
    point = ("ord0", "(lift ord0 ord0)", "(lift ord0 (lift ord0 ord0))")
    opening = "rewrite /KullbackLeibler.law /KullbackLeibler.dominated;"
    three = "repeat (case=> [[|[|[|//]]] ?]); first [by vm_compute | computed | by move/eqP; vm_compute]."
    return "\n".join(text), [
        Equation(name="kl", term="KullbackLeibler.KL ln p ref", value=stand_in(t62_kl_regularised.KL(case.p, case.ref))),
        Equation(name="objective", term="KLRegularised.regularised ln ref rew beta p", value=stand_in(t62_kl_regularised.objective(case, case.p))),
        Equation(name="partition", term="KLRegularised.partition ex ref rew beta", value=Z),
        *(Equation(name=f"gibbs_{a}", term=f"KLRegularised.gibbs ex ref rew beta {at}", value=gibbs[a]) for a, at in enumerate(point)),
        Equation(name="law", term="KullbackLeibler.law p", value=True, proof=f"{opening} split; {three}"),
        Equation(name="dominated", term="KullbackLeibler.dominated p ref", value=True, proof=f"{opening} {three}"),
    ]


def natural(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """One natural gradient step from pi, with 1 + x + x^2 / 2 for exp."""
    model, pi, setting = tiny(rng)
    eta = fractions(rng, 1, low=1, high=4)[0]
    found = evaluate_exactly(model.model(START[0]), pi)
    weight = lambda x: 1 + x + x * x / 2
    u = [[weight(eta / (1 - model.gamma) * x) for x in row] for row in found.advantage]
    after = [formula(Case("", e=row, u=factors)) for row, factors in zip(pi, u, strict=True)]
    columns = [model.solve(pi, start) for start in START]
    text = [
        setting, table("mu", START[0]), number("eta", eta), *MATRICES, "Definition ex (x : q) : q := 1 + x + x * x / 2%:R.",
        *inverted("inverse", "Discounted.Tpi Pm gam pi", [list(row) for row in zip(*columns, strict=True)], "/Discounted.Tpi /Discounted.Ppi"),
        table("adv", found.advantage),
        "Lemma advantageE s a : NaturalRate.advantage Pm rm gam pi s a = adv s a.",
        f"Proof. rewrite /NaturalRate.advantage; {SOLVED} move: s a; each. Qed.",
    ]  # fmt: skip
    opened = "rewrite /NaturalRate.natural_run /NaturalRate.natural_step /NaturalRate.normaliser ?big_ord_recl ?big_ord0 !advantageE;"
    return "\n".join(text), [
        *(
            Equation(name=f"step_{s}{a}", term=f"NaturalRate.natural_run ex Pm rm gam eta pi 1 {AT[s]} {AT[a]}", value=after[s][a], prepare=opened)
            for s, a in PAIRS
        ),
        *(
            Equation(
                name=f"advantage_{s}{a}",
                term=f"NaturalRate.advantage Pm rm gam pi {AT[s]} {AT[a]}",
                value=found.advantage[s][a],
                prepare="rewrite advantageE;",
            )
            for s, a in PAIRS
        ),
        Equation(name="positive", term="NaturalRate.positive pi", value=True, proof="by split; [split|]; each."),
    ]


def ascent(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Softmax, gradient in the logits and one step of ascent, with 1 + x^2 for exp."""
    model, _, setting = tiny(rng)
    mu, theta = distribution(rng, 2), [fractions(rng, 2) for _ in range(2)]
    pi = [softmax([1 + x * x for x in row]) for row in theta]
    slope = policy_gradient(model.model(mu), pi)
    after = [[x + (1 - model.gamma) ** 3 / 8 * g for x, g in zip(*rows, strict=True)] for rows in zip(theta, slope, strict=True)]
    columns = [model.solve(pi, start) for start in START]
    unfold = "/SoftmaxGradient.softmax_policy /Softmax.smx /Softmax.Z"
    text = [
        setting, table("mu", mu), table("theta", theta), *MATRICES, "Definition ex (x : q) : q := 1 + x * x.",
        "Definition soft := SoftmaxGradient.softmax_policy ex theta.",
        *inverted("inverse", "Discounted.Tpi Pm gam soft", [list(row) for row in zip(*columns, strict=True)], f"/Discounted.Tpi /Discounted.Ppi /soft {unfold}"),
    ]  # fmt: skip
    opened = f"rewrite /SoftmaxRate.ascent_run /= /SoftmaxRate.ascent_step -/soft /SoftmaxGradient.softmax_gradient; {SOLVED} rewrite /soft {unfold};"
    diagonal, other = ((0, 0), (1, 1)), ((0, 1), (1, 0))
    return "\n".join(text), [
        *(Equation(name=f"pi_{s}{a}", term=f"SoftmaxGradient.softmax_policy ex theta {AT[s]} {AT[a]}", value=pi[s][a], prepare=f"rewrite {unfold};") for s, a in PAIRS),
        *(
            Equation(name=f"slope_{s}{a}", term=f"SoftmaxGradient.softmax_gradient Pm rm gam soft m {AT[s]} {AT[a]}", value=slope[s][a], prepare=opened)
            for s, a in diagonal
        ),
        *(
            Equation(name=f"step_{s}{a}", term=f"SoftmaxRate.ascent_run ex Pm rm gam m theta 1 {AT[s]} {AT[a]}", value=after[s][a], prepare=opened)
            for s, a in other
        ),
    ]  # fmt: skip


PAGES = "pgtheory.proofs.pages"

SPANS = (
    Span(
        definitions=("KullbackLeibler.KL", "KullbackLeibler.law", "KullbackLeibler.dominated", *(f"KLRegularised.{x}" for x in ("regularised", "partition", "gibbs"))),
        functions=tuple(f"{PAGES}.t62_kl_regularised:{x}" for x in ("KL", "objective", "gibbs")), instance=regularised,
    ),
    Span(
        definitions=tuple(f"NaturalRate.{x}" for x in ("natural_run", "natural_step", "normaliser", "advantage", "positive")),
        functions=(f"{EXACT}.rational:evaluate_exactly", f"{PAGES}.t24_natural_multiplicative:formula"), instance=natural,
    ),
    Span(
        definitions=("SoftmaxGradient.softmax_policy", "SoftmaxGradient.softmax_gradient", "SoftmaxRate.ascent_step", "SoftmaxRate.ascent_run"),
        functions=(f"{EXACT}.rational:policy_gradient", f"{PAGES}.softmaxes:softmax"), instance=ascent,
    ),
)  # fmt: skip
