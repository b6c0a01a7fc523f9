"""The definitions that the bridge compares, each with the function of the library that returns the same number.

Python's side is the library wherever it has an exact function: `tabular/exact/`. Instances have two states, two actions and two steps.
"""

from fractions import Fraction

import numpy as np

from pgtheory.proofs.bridge import Equation, Span, literal, table
from pgtheory.proofs.pages.finite import Process, distribution, fractions, policy, process, variance
from pgtheory.proofs.pages.laws import best_baseline, laws
from pgtheory.proofs.pages.t19_total_variance import conditional_mean
from pgtheory.tabular.exact.estimators import gae, importance, reward_to_go, whole_return
from pgtheory.tabular.exact.programs import path_mean
from pgtheory.tabular.exact.rational import evaluate_exactly
from pgtheory.tabular.exact.trajectories import Step, Trajectory, trajectories

AT = ("ord0", "second")
"""The two points of a type of two, in Coq."""


def tiny(rng: np.random.Generator) -> tuple[Process, list[list[Fraction]], str]:
    """A model, a policy, and both as Coq definitions."""
    model, pi = process(rng, 2, 2, Fraction(int(rng.integers(1, 5)), 5)), policy(rng, 2, 2)
    setting = [
        table("P", model.P),
        table("r", model.r),
        table("pi", pi),
        f"Definition gam : rat := {model.gamma.numerator}%:~R / {model.gamma.denominator}%:~R.",
    ]
    return model, pi, "\n".join(setting)


UNFOLD = "rewrite /P /r /pi /gam; evaluate."


def values(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """V_n and Q_n, step by step: each equation uses those of the step before."""
    model, pi, setting = tiny(rng)
    found = evaluate_exactly(model.model([Fraction(1), Fraction(0)], 3), pi)
    equations = []
    for n in (1, 2, 3):
        known = f"rewrite -/second {' '.join(f'?v{n - 1}_{t}' for t in (0, 1))} /second; " if n > 1 else ""
        sums = f"rewrite /FiniteHorizon.Q !big_ord_recl !big_ord0; {known}{UNFOLD}"
        for s in (0, 1):
            equations.append(
                Equation(
                    name=f"v{n}_{s}",
                    term=f"FiniteHorizon.V P r gam pi {n} {AT[s]}",
                    value=found.V[3 - n][s],
                    proof=f"rewrite FiniteHorizon.V_S; {sums}",
                )
            )
            for a in (0, 1) if n > 1 else ():
                equations.append(
                    Equation(
                        name=f"q{n - 1}_{s}{a}", term=f"FiniteHorizon.Q P r gam pi {n - 1} {AT[s]} {AT[a]}", value=found.Q[3 - n][s][a], proof=sums
                    )
                )
    return setting, equations


def reached(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """gamma^k Pr_k(s -> t), the occupancy of step k from a start in s."""
    model, pi, setting = tiny(rng)
    found = evaluate_exactly(model.model([Fraction(0), Fraction(1)], 3), pi).occupancy
    term = lambda k, t: f"gam ^+ {k} * FiniteHorizon.reach P pi {k} second {AT[t]}"
    proof = f"rewrite /= /FiniteHorizon.Ppi; {UNFOLD}"
    return setting, [Equation(name=f"reach{k}_{t}", term=term(k, t), value=found[k][t], proof=proof) for k, t in ((1, 0), (1, 1), (2, 1))]


def as_path(path: Trajectory, after: int) -> str:
    """A trajectory as Coq's list of (action, next state)."""
    following = [step.state for step in path.steps[1:]] + [after]
    return f"[:: {'; '.join(f'({AT[step.action]}, {AT[t]})' for step, t in zip(path.steps, following, strict=True))}]"


def paths(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Chance, return and weighted scores of single paths of two steps."""
    model, pi, setting = tiny(rng)
    sampler, critic = policy(rng, 2, 2), [fractions(rng, 2) for _ in range(2)]
    sc = [fractions(rng, 2) for _ in range(2)]
    mdp = model.model([Fraction(1), Fraction(0)])
    ratio = [[p / q for p, q in zip(row, other, strict=True)] for row, other in zip(pi, sampler, strict=True)]
    setting += "\n" + "\n".join(
        [
            table("sc", sc),
            table("w", ratio),
            "Definition b (k : nat) := nth (fun=> 0) [:: " + "; ".join(f"@table1 2 {literal(row)}" for row in critic) + "] k.",
        ]
    )
    equations = []
    for number, path in enumerate(trajectories(mdp, horizon=2)[:: int(rng.integers(3, 6))]):
        after = path.last
        tau, s = as_path(path, after), AT[path.start]
        scored = lambda weights, path=path: sum(
            (x * sc[step.state][step.action] for x, step in zip(weights((path,))[0], path.steps, strict=True)), Fraction(0)
        )
        to_go = reward_to_go(gamma=model.gamma, baseline=lambda t, s: critic[t][s])
        ratios = importance(lambda rows: [[Fraction(1)] * len(rows[0].steps)], pi, sampler, level="sequence")((path,))[0][0]
        terms = {
            "prob": (f"Trajectories.prob P pi {s} {tau}", path.probability(pi)),
            "ret": (f"Trajectories.ret r gam {s} {tau}", path.total(model.gamma)),
            "reinforce": (f"Reinforce.score sc {s} {tau} * Trajectories.ret r gam {s} {tau}", scored(whole_return(gamma=model.gamma))),
            "gpomdp": (f"Gpomdp.gpomdp r gam sc b {s} {tau}", scored(to_go)),
            "ratio": (f"ImportanceSampling.ratio w {s} {tau}", ratios),
        }
        for name, (term, value) in terms.items():
            equations.append(
                Equation(name=f"{name}{number}", term=term, value=Fraction(value), proof="rewrite /= /P /r /pi /gam /sc /w /b; evaluate.")
            )
    return setting, equations


def means(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """The mean of the return over all paths of two steps."""
    model, pi, setting = tiny(rng)
    mdp = model.model([Fraction(1, 2), Fraction(1, 2)], 2)
    unfold = "rewrite !Trajectories.EtrajS !big_ord_recl !big_ord0 ?Trajectories.EtrajS !big_ord_recl !big_ord0 ?Trajectories.Etraj0; "
    equations = [
        Equation(
            name=f"mean_{s}", term=f"Trajectories.Etraj P pi 2 {AT[s]} (Trajectories.ret r gam {AT[s]})",
            value=path_mean(lambda path: path.total(model.gamma), start=s)(mdp, pi), proof=f"rewrite /second; {unfold}{UNFOLD}",
        )
        for s in (0, 1)
    ]  # fmt: skip
    return setting, equations


def discounted(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """V, Q and the occupancy: the inverse of I - gamma P_pi, found in Python, is first proved to be the inverse."""
    model, pi, setting = tiny(rng)
    mu = distribution(rng, 2)
    found = evaluate_exactly(model.model(mu), pi)
    columns = [model.solve(pi, [Fraction(s == t) for t in (0, 1)]) for s in (0, 1)]
    inverse = [[columns[t][s] for t in (0, 1)] for s in (0, 1)]
    out = "rewrite !mxE !big_ord_recl ?big_ord0 !mxE ?big_ord_recl ?big_ord0 ?mxE ?big_ord_recl ?big_ord0 ?mxE"
    setting += f"""
Definition Pm (a : 'I_2) : 'M[rat]_2 := \\matrix_(s, t) P s a t.
Definition rm (a : 'I_2) : 'cV[rat]_2 := \\col_s r s a.
Definition m : 'rV[rat]_2 := \\row_s @table1 2 {literal(mu)} s.
{table("N", inverse)}
Lemma inverse : invmx (Discounted.Tpi Pm gam pi) = \\matrix_(s, t) N s t.
Proof. apply: inverse_of; entries; {out}; rewrite /P /r /pi /gam /N; evaluate. Qed."""
    close = "rewrite /P /r /pi /gam /N; evaluate."
    V = [
        Equation(name=f"v_{s}", term=f"Discounted.V Pm rm gam pi {AT[s]} 0", value=found.V[s], proof=f"rewrite /Discounted.V inverse; {out}; {close}")
        for s in (0, 1)
    ]
    sums = "rewrite /Discounted.Q [X in _ + gam * X]mxE !big_ord_recl big_ord0 -/second v_0 v_1 /second !mxE"
    Q = [
        Equation(name=f"q_{s}{a}", term=f"Discounted.Q Pm rm gam pi {AT[s]} {AT[a]}", value=found.Q[s][a], proof=f"{sums}; {close}")
        for s in (0, 1)
        for a in (0, 1)
    ]
    d = [
        Equation(
            name=f"d_{s}",
            term=f"Discounted.occupancy Pm gam pi m 0 {AT[s]}",
            value=found.occupancy[s],
            proof=f"rewrite /Discounted.occupancy inverse; {out}; {close}",
        )
        for s in (0, 1)
    ]
    return setting, [*V, *Q, *d]


def on_a_law(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Mean, variance, conditional mean, best baseline on three outcomes."""
    case = [*laws(int(rng.integers(1000)), each=2)][1]
    cells = [0, 0, 1]
    case.cell = cells
    m = conditional_mean(case, case.X)
    inner = conditional_mean(case, [(x - y) ** 2 for x, y in zip(case.X, m, strict=True)])
    cell = "Definition cell (i : 'I_3) : bool := (val i == 2)%N."
    setting = "\n".join([table("p", case.p), table("X", case.X), table("g", case.g), table("rew", case.r), cell])
    out = "rewrite /Variance.Var /Variance.E /p /X /g /rew; evaluate."
    conditional = "rewrite /Variance.CVar /Variance.CE /Variance.pG !big_mkcond /= !big_ord_recl !big_ord0 /cell /p /X /=; evaluate."
    equations = [
        Equation(name="mean", term="Variance.E p X", value=sum((a * b for a, b in zip(case.p, case.X, strict=True)), Fraction(0)), proof=out),
        Equation(name="var", term="Variance.Var p X", value=variance(case.p, case.X), proof=out),
        Equation(
            name="best",
            term="OptimalBaseline.best_baseline p g rew",
            value=best_baseline(case),
            proof=f"rewrite /OptimalBaseline.best_baseline; {out}",
        ),
        *(Equation(name=f"ce_{c}", term=f"Variance.CE p cell X {('false', 'true')[c]}", value=m[cells.index(c)], proof=conditional) for c in (0, 1)),
        Equation(name="cvar_0", term="Variance.CVar p cell X false", value=inner[0], proof=f"rewrite /Variance.CVar ce_0; {conditional}"),
    ]
    return setting, equations


def softmaxes(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """The library's softmax at the logarithms of small numbers: the fraction that its float stands for."""
    from pgtheory.tabular.exact.arithmetic import exact
    from pgtheory.tabular.policies.softmax import Softmax

    e = [int(x) for x in rng.integers(1, 9, 3)]
    probabilities = Softmax(np.log([e])).probabilities[0]
    third = "(lift ord0 (lift ord0 ord0))"
    equations = [
        Equation(
            name=f"smx_{i}",
            term=f"Softmax.smx e {at}",
            value=exact("pi", float(probabilities[i])),
            proof="rewrite /Softmax.smx /Softmax.Z /e; evaluate.",
        )
        for i, at in enumerate(("ord0", "(lift ord0 ord0)", third))
    ]
    return table("e", [Fraction(x) for x in e]), equations


def advantages(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """GAE along a path of three steps that is cut, with a critic of the state; lambda = 1 gives the n-step advantage."""
    rewards, critic = fractions(rng, 4), fractions(rng, 4)
    gamma, lam = Fraction(int(rng.integers(1, 5)), 5), Fraction(int(rng.integers(1, 4)), 4)
    path = Trajectory(tuple(Step(i, 0, rewards[i]) for i in range(3)), 0, 3, True, Fraction(1))
    weight = lambda lambda_: gae(gamma=gamma, lambda_=lambda_, critic=critic)((path,))[0]
    numbers = lambda name, row: f"Definition {name} (i : nat) : rat := nth 0 {literal(row)} i."
    setting = "\n".join(
        [
            numbers("rew", rewards),
            numbers("v", critic),
            *(f"Definition {n} : rat := {x.numerator}%:~R / {x.denominator}%:~R." for n, x in (("gam", gamma), ("lam", lam))),
        ]
    )
    out = "rewrite /GeneralisedAdvantage.gae /GeneralisedAdvantage.nstep /GeneralisedAdvantage.delta /rew /v /gam /lam; evaluate."
    terms = {
        "delta": ("GeneralisedAdvantage.delta rew v gam 0", weight(Fraction(0))[0]),
        "nstep": ("GeneralisedAdvantage.nstep rew v gam 3 0", weight(Fraction(1))[0]),
        "gae": ("GeneralisedAdvantage.gae rew v gam lam 3 0", weight(lam)[0]),
        "gae_later": ("gam * GeneralisedAdvantage.gae rew v gam lam 2 1", weight(lam)[1]),
    }
    return setting, [Equation(name=name, term=term, value=value, proof=out) for name, (term, value) in terms.items()]


EXACT = "pgtheory.tabular.exact"

SPANS = (
    Span(definitions=("FiniteHorizon.V", "FiniteHorizon.Q"), functions=(f"{EXACT}.rational:evaluate_exactly",), instance=values),
    Span(definitions=("FiniteHorizon.reach", "FiniteHorizon.Ppi"), functions=(f"{EXACT}.rational:evaluate_exactly",), instance=reached),
    Span(
        definitions=("Trajectories.prob", "Trajectories.ret", "Reinforce.score", "Gpomdp.gpomdp", "ImportanceSampling.ratio"),
        functions=(f"{EXACT}.trajectories:Trajectory", *(f"{EXACT}.estimators:{name}" for name in ("whole_return", "reward_to_go", "importance"))), instance=paths,
    ),
    Span(definitions=("Trajectories.Etraj",), functions=(f"{EXACT}.programs:path_mean",), instance=means),
    Span(
        definitions=tuple(f"Discounted.{name}" for name in ("Ppi", "rpi", "Tpi", "V", "Q", "occupancy")), functions=(f"{EXACT}.rational:evaluate_exactly",),
        instance=discounted,
    ),
    Span(
        definitions=(*(f"Variance.{name}" for name in ("E", "Var", "pG", "CE", "CVar")), "OptimalBaseline.best_baseline"), functions=("pgtheory.proofs.pages.laws:best_baseline",),
        instance=on_a_law,
    ),
    Span(definitions=("Softmax.smx", "Softmax.Z"), functions=("pgtheory.tabular.policies.softmax:Softmax",), instance=softmaxes),
    Span(
        definitions=tuple(f"GeneralisedAdvantage.{name}" for name in ("delta", "nstep", "gae")), functions=(f"{EXACT}.estimators:gae",), instance=advantages,
    ),
)  # fmt: skip
