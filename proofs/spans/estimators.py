"""Groups, temporal differences, clipping, and the statistics of a policy."""

from fractions import Fraction

import numpy as np

from pgtheory.proofs.bridge import Equation, Span, literal, number, table
from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages import t55_clip
from pgtheory.proofs.pages.finite import distribution, fractions
from pgtheory.proofs.spans.instances import AT, EXACT
from pgtheory.tabular.exact import estimators
from pgtheory.tabular.exact.arithmetic import exact
from pgtheory.tabular.exact.trajectories import Step, Trajectory

IN_THREE = ("ord0", "(lift ord0 ord0)", "(lift ord0 (lift ord0 ord0))")


def advantages(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """GAE along a path of three steps that is cut, with a critic of the state; lambda = 1 gives the n-step advantage."""
    rewards, critic = fractions(rng, 4), fractions(rng, 4)
    gamma, lam = Fraction(int(rng.integers(1, 5)), 5), Fraction(int(rng.integers(1, 4)), 4)
    path = Trajectory(tuple(Step(i, 0, rewards[i]) for i in range(3)), 0, 3, True, Fraction(1))
    weight = lambda lambda_: estimators.gae(gamma=gamma, lambda_=lambda_, critic=critic)((path,))[0]
    terms = {
        "delta": ("GeneralisedAdvantage.delta rew v gam 0", weight(Fraction(0))[0]),
        "nstep": ("GeneralisedAdvantage.nstep rew v gam 3 0", weight(Fraction(1))[0]),
        "gae": ("GeneralisedAdvantage.gae rew v gam lam 3 0", weight(lam)[0]),
        "gae_later": ("gam * GeneralisedAdvantage.gae rew v gam lam 2 1", weight(lam)[1]),
    }
    text = [f"Definition {name} (i : nat) : q := nth 0 {literal(row)} i." for name, row in (("rew", rewards), ("v", critic))]
    return "\n".join([*text, number("gam", gamma), number("lam", lam)]), [
        Equation(name=name, term=term, value=value) for name, (term, value) in terms.items()
    ]


GROUP = """Definition w (i : 'I_3) : 'I_2 := nth ord0 [:: {}] i.
Lemma leave_one_outE : LeaveOneOut.leave_one_out g rew (finfun w) =
  (\\sum_i g (w i) * (rew (w i) - (\\sum_(j | j != i) rew (w j)) / 2%:R)) / 3%:R.
Proof. by congr (_ / _); apply: eq_bigr => i _; rewrite ffunE (eq_bigr (fun j => rew (w j))) // => j _; rewrite ffunE. Qed.
Lemma group_meanE : LeaveOneOut.group_mean g rew (finfun w) = (\\sum_i g (w i) * (rew (w i) - (\\sum_j rew (w j)) / 3%:R)) / 3%:R.
Proof. by congr (_ / _); apply: eq_bigr => i _; rewrite ffunE (eq_bigr (fun j => rew (w j))) // => j _; rewrite ffunE. Qed.
Lemma prodpE : BatchVariance.prodp (fun _ => p) (finfun w) = \\prod_i p (w i).
Proof. by apply: eq_bigr => i _; rewrite ffunE. Qed."""
"""A group of three draws of two outcomes; Coq's finite functions do not run, so that their values are put in first."""


def group(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Both estimates on a group of three, and its chance."""
    p, g, rew = distribution(rng, 2), fractions(rng, 2), fractions(rng, 2)
    drawn = [1, 0, 1] if rng.integers(2) else [0, 0, 1]
    rows = tuple(Trajectory((Step(0, w, rew[w]),), 0, -1, False, Fraction(1)) for w in drawn)
    weighted = lambda advantage: sum((row[0] * g[w] for row, w in zip(estimators.grouped(advantage, 3)(rows), drawn, strict=True)), Fraction(0))
    chance = Fraction(1)
    for path in rows:
        chance *= path.probability([p])
    text = [table("p", p), table("g", g), table("rew", rew), GROUP.format("; ".join(AT[w] for w in drawn))]
    return "\n".join(text), [
        Equation(name="others", term="LeaveOneOut.leave_one_out g rew (finfun w)", value=weighted(estimators.leave_one_out), prepare="rewrite leave_one_outE;"),
        Equation(name="whole", term="LeaveOneOut.group_mean g rew (finfun w)", value=weighted(estimators.group_mean), prepare="rewrite group_meanE;"),
        Equation(name="chance", term="BatchVariance.prodp (fun _ => p) (finfun w)", value=chance, prepare="rewrite prodpE;"),
    ]  # fmt: skip


def clipping(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """Surrogates on three draws, with ratios below, within and above the edges and advantages of both signs."""
    case = Case(
        "", p=distribution(rng, 3), w=[Fraction(int(k), 10) for k in (rng.integers(1, 7), rng.integers(9, 11), rng.integers(14, 30))],
        A=[x or Fraction(1) for x in fractions(rng, 3)], eps=Fraction(int(rng.integers(1, 4)), 10),
    )  # fmt: skip
    other = Case(**{**vars(case), "A": [-x for x in case.A]})
    text = [table("p", case.p), table("w", case.w), table("adv", case.A), "Definition less i := - adv i.", number("eps", case.eps)]
    return "\n".join(text), [
        Equation(name="clipped", term="Clip.clipped_surrogate eps p w adv", value=t55_clip.clipped(case, case.w)),
        Equation(name="clipped_less", term="Clip.clipped_surrogate eps p w less", value=t55_clip.clipped(other, case.w)),
        Equation(name="surrogate", term="Clip.surrogate p w adv", value=t55_clip.surrogate(case, case.w)),
        *(Equation(name=f"clip_{i}", term=f"Clip.clip eps (w {at})", value=t55_clip.clip(case, case.w[i])) for i, at in enumerate(IN_THREE)),
    ]


def softmaxes(rng: np.random.Generator) -> tuple[str, list[Equation]]:
    """The library's softmax at the logarithms of small numbers, and its Fisher matrix: the fractions that its floats stand for."""
    from pgtheory.tabular.policies.policy import fisher
    from pgtheory.tabular.policies.softmax import Softmax

    e = [[int(x) for x in rng.integers(1, 9, 3)] for _ in range(2)]
    policy, d = Softmax(np.log(e)), distribution(rng, 2)
    F = fisher(policy, np.array(d, dtype=float))
    policy_term = lambda s, a: f"Fisher.softmax_policy e {AT[s]} {IN_THREE[a]}"
    entry = lambda s, a, b: (
        f"Fisher.fisher d (Fisher.softmax_policy e) (Fisher.tabular_score (Fisher.softmax_policy e)) ({AT[s]}, {IN_THREE[a]}) ({AT[s]}, {IN_THREE[b]})"
    )
    return "\n".join([table("e", [[Fraction(x) for x in row] for row in e]), table("d", d)]), [
        *(Equation(name=f"smx_{a}", term=f"Softmax.smx (e ord0) {at}", value=exact("pi", float(policy.probabilities[0, a]))) for a, at in enumerate(IN_THREE)),
        *(
            Equation(name=f"pi_{s}{a}", term=policy_term(s, a), value=exact("pi", float(policy.probabilities[s, a])))
            for s in (0, 1)
            for a in range(3)
        ),
        *(
            Equation(name=f"F_{s}{a}{b}", term=entry(s, a, b), value=exact("F", float(F[3 * s + a, 3 * s + b])))
            for s, a, b in ((0, 0, 0), (0, 1, 2), (1, 2, 2), (1, 0, 1))
        ),
        Equation(name="apart", value=exact("F", float(F[0, 3])), term=entry(0, 0, 0).replace("(ord0, ord0)", "(second, ord0)", 1)),
    ]  # fmt: skip


SPANS = (
    Span(definitions=tuple(f"GeneralisedAdvantage.{x}" for x in ("delta", "nstep", "gae")), functions=(f"{EXACT}.estimators:gae",), instance=advantages),
    Span(
        definitions=("LeaveOneOut.leave_one_out", "LeaveOneOut.group_mean", "BatchVariance.prodp"),
        functions=tuple(f"{EXACT}.estimators:{x}" for x in ("grouped", "leave_one_out", "group_mean")), instance=group,
    ),
    Span(
        definitions=tuple(f"Clip.{x}" for x in ("clip", "clipped", "clipped_surrogate", "surrogate")),
        functions=tuple(f"pgtheory.proofs.pages.t55_clip:{x}" for x in ("clip", "clipped", "surrogate")), instance=clipping,
    ),
    Span(
        definitions=("Softmax.smx", "Softmax.Z", "Fisher.softmax_policy", "Fisher.tabular_score", "Fisher.fisher"),
        functions=("pgtheory.tabular.policies.softmax:Softmax", "pgtheory.tabular.policies.policy:fisher"), instance=softmaxes,
    ),
)  # fmt: skip
