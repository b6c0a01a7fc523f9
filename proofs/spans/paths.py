"""What is summed along one trajectory of two steps, and its mean over all of them."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from pgtheory.proofs.bridge import Equation, Span, literal, table
from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages import t41_doubly_robust, t45_state_baseline, t60_vtrace_retrace
from pgtheory.proofs.pages.finite import fractions, policy
from pgtheory.proofs.spans.instances import AT, EXACT, PAIRS, tiny
from pgtheory.tabular.exact.estimators import importance, reward_to_go, whole_return
from pgtheory.tabular.exact.programs import path_mean
from pgtheory.tabular.exact.trajectories import Trajectory, trajectories

PAGES = "pgtheory.proofs.pages"


def as_path(path: Trajectory) -> tuple[tuple[int, int], ...]:
    """A trajectory as (action, next state), step by step."""
    following = [step.state for step in path.steps[1:]] + [path.last]
    return tuple((step.action, t) for step, t in zip(path.steps, following, strict=True))


def stages(name: str, values: Any) -> str:
    """One table for each step."""
    shape, inner = ("table1", "2") if not isinstance(values[0][0], list) else ("table2", "2 2")
    each = "; ".join(f"@{shape} _ {inner} {literal(part)}" for part in values)
    zero = "(fun=> 0)" if shape == "table1" else "(fun _ _ => 0)"
    return f"Definition {name} (k : nat) := nth {zero} [:: {each}] k."


def single(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Chance, return, and weighted scores of single trajectories."""
    model, pi, setting = tiny(rng)
    sampler, critic, guess = policy(rng, 2, 2), [fractions(rng, 2) for _ in range(2)], [[fractions(rng, 2) for _ in range(2)] for _ in range(2)]
    sc = [fractions(rng, 2) for _ in range(2)]
    mdp = model.model([Fraction(1), Fraction(0)])
    ratio = [[p / q for p, q in zip(*rows, strict=True)] for rows in zip(pi, sampler, strict=True)]
    case = Case("", process=model, pi=pi, other=sampler, q=guess, sc=sc)
    text = [setting, table("sc", sc), table("w", ratio), stages("b", critic), stages("guess", guess)]
    equations = []
    for number, path in enumerate(trajectories(mdp, horizon=2)[:: int(rng.integers(3, 6))]):
        at, s = as_path(path), path.start
        tau = f"[:: {'; '.join(f'({AT[a]}, {AT[t]})' for a, t in at)}]"
        scored = lambda weights, path=path: sum(
            (x * sc[step.state][step.action] for x, step in zip(weights((path,))[0], path.steps, strict=True)), Fraction(0)
        )
        terms = {
            "prob": (f"Trajectories.prob P pi {AT[s]} {tau}", path.probability(pi)),
            "ret": (f"Trajectories.ret r gam {AT[s]} {tau}", path.total(model.gamma)),
            "reinforce": (f"Reinforce.score sc {AT[s]} {tau} * Trajectories.ret r gam {AT[s]} {tau}", scored(whole_return(gamma=model.gamma))),
            "gpomdp": (f"Gpomdp.gpomdp r gam sc b {AT[s]} {tau}", scored(reward_to_go(gamma=model.gamma, baseline=lambda t, s: critic[t][s]))),
            "ratio": (
                f"ImportanceSampling.ratio w {AT[s]} {tau}",
                importance(lambda rows: [[Fraction(1)] * len(rows[0].steps)], pi, sampler, level="sequence")((path,))[0][0],
            ),
            "robust": (f"DoublyRobust.doubly_robust r gam pi w guess {AT[s]} {tau}", t41_doubly_robust.estimate(case, s, at, t41_doubly_robust.step)),
            "action": (f"StateBaseline.action_gpomdp r gam sc guess {AT[s]} {tau}", t45_state_baseline.estimate(case, s, at)),
        }
        equations += [Equation(name=f"{name}{number}", term=term, value=Fraction(value)) for name, (term, value) in terms.items()]
    return "\n".join(text), equations


MOMENT = """Fixpoint moment (n p k l : nat) s : q :=
  if n is m.+1 then \\sum_a pi s a * \\sum_(0 <= i < p.+1) \\sum_(0 <= j < k.+1) \\sum_(0 <= h < l.+1)
    ('C(p, i) * 'C(k, j) * 'C(l, h))%:R * (sc s a ^+ (p - i) * sc2 s a ^+ (k - j) * r s a ^+ (l - h) * gam ^+ h) *
    \\sum_s' P s a s' * moment m i j h s'
  else (p + k + l == 0)%N%:R.
Lemma momentE n p k l s : SecondMoment.moment P r gam pi sc sc2 n p k l s = moment n p k l s.
Proof.
elim: n p k l s => //= n IH p k l s; apply: eq_bigr => a _; congr (_ * _); rewrite big_mkord; apply: eq_bigr => i _.
rewrite big_mkord; apply: eq_bigr => j _; rewrite big_mkord; apply: eq_bigr => h _.
by congr (_ * _); apply: eq_bigr => s' _; rewrite IH.
Qed."""
"""The recursion with sums over natural numbers, which run; those over i < p + 1 with a p that is itself summed over do not."""


def averaged(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """The mean of the return, and moments of scores and return, over all trajectories of two steps."""
    model, pi, setting = tiny(rng)
    mdp = model.model([Fraction(1, 2), Fraction(1, 2)], 2)
    scores = [[fractions(rng, 2) for _ in range(2)] for _ in range(2)]
    along = lambda i, path: sum(scores[i][step.state][step.action] for step in path.steps)
    mean = lambda f, s: path_mean(f, start=s)(mdp, pi)
    moment = lambda p, k, l: lambda path: along(0, path) ** p * along(1, path) ** k * path.total(model.gamma) ** l
    returns = lambda s: f"Trajectories.Etraj P pi 2 {AT[s]} (Trajectories.ret r gam {AT[s]})"
    term = lambda orders, s: f"SecondMoment.moment P r gam pi sc sc2 2 {' '.join(map(str, orders))} {AT[s]}"
    return "\n".join([setting, table("sc", scores[0]), table("sc2", scores[1]), MOMENT]), [
        *(
            Equation(name=f"mean_{s}", term=returns(s), value=mean(lambda path: path.total(model.gamma), s), prepare=OVER_PATHS)
            for s in (0, 1)
        ),
        *(
            Equation(name=f"moment_{''.join(map(str, o))}", term=term(o, 0), value=mean(moment(*o), 0), prepare="rewrite momentE /moment;")
            for o in ((1, 1, 2), (2, 0, 1), (0, 3, 1))
        ),
    ]  # fmt: skip


OVER_PATHS = "rewrite !path_meanE /path_mean;"


def off_policy(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Means of the targets of V-trace and Retrace, and the policy that truncated ratios stand for."""
    model, pi, setting = tiny(rng)
    tables = {name: [fractions(rng, 2, low=1) for _ in range(2)] for name in ("rho", "c", "guess")}
    mu, W = policy(rng, 2, 2), fractions(rng, 2)
    case = Case("", process=model, pi=pi, mu=mu, rho=tables["rho"], c=tables["c"], n=2)
    after = {"vtrace": t60_vtrace_retrace.vtrace_mean(case, W), "reweighted": t60_vtrace_retrace.reweighted(case)}
    case.n = 1
    after["retrace"] = t60_vtrace_retrace.retrace_mean(case, tables["guess"])
    first = "rewrite /OffPolicyReturns.vtrace_mean /OffPolicyReturns.retrace_mean ?big_ord_recl ?big_ord0 !path_meanE /path_mean;"
    return "\n".join([setting, table("mu", mu), table("W", W), *(table(*item) for item in tables.items())]), [
        *(
            Equation(name=f"vtrace_{s}", term=f"OffPolicyReturns.vtrace_mean P r gam mu rho c W 2 {AT[s]}", value=after["vtrace"][s], prepare=first)
            for s in (0, 1)
        ),
        *(
            Equation(
                name=f"retrace_{s}{a}", term=f"OffPolicyReturns.retrace_mean P r gam mu pi c guess 1 {AT[s]} {AT[a]}",
                value=after["retrace"][2 * s + a], prepare=first,
            )
            for s, a in PAIRS
        ),
        *(
            Equation(name=f"reweighted_{s}{a}", term=f"OffPolicyReturns.reweighted mu rho {AT[s]} {AT[a]}", value=after["reweighted"][s][a])
            for s, a in PAIRS
        ),
    ]  # fmt: skip


def span(definitions: str, functions: tuple[str, ...], instance: Callable) -> Span:
    return Span(definitions=tuple(definitions.split()), functions=functions, instance=instance)


SPANS = (
    span(
        "Trajectories.prob Trajectories.ret Reinforce.score Gpomdp.gpomdp ImportanceSampling.ratio DoublyRobust.doubly_robust StateBaseline.action_gpomdp",
        (
            f"{EXACT}.trajectories:Trajectory", *(f"{EXACT}.estimators:{x}" for x in ("whole_return", "reward_to_go", "importance")),
            f"{PAGES}.t41_doubly_robust:estimate", f"{PAGES}.t45_state_baseline:estimate",
        ),
        single,
    ),
    span("Trajectories.Etraj Trajectories.ret SecondMoment.moment", (f"{EXACT}.programs:path_mean", f"{EXACT}.trajectories:Trajectory"), averaged),
    span(
        "OffPolicyReturns.vtrace_mean OffPolicyReturns.vtrace OffPolicyReturns.retrace_mean OffPolicyReturns.retrace OffPolicyReturns.retrace_tail "
        "OffPolicyReturns.expected_error OffPolicyReturns.reweighted",
        tuple(f"{PAGES}.t60_vtrace_retrace:{x}" for x in ("vtrace_mean", "retrace_mean", "reweighted")), off_policy,
    ),
)  # fmt: skip
