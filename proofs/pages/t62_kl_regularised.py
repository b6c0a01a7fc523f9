"""T62: the best law under a reward minus beta KL to a reference is the Gibbs law, and what follows for preferences.

With u_a = exp(rew_a / beta), Z = sum_a ref_a u_a and gibbs_a = ref_a u_a / Z, log gibbs_a = log ref_a + rew_a / beta - log Z. Put into the objective, everything
but a divergence cancels: sum_a p_a rew_a - beta KL(p, ref) = beta log Z - beta KL(p, gibbs). So the Gibbs law is the best one, and the only one.
Read for the reward, it is the identity of direct preference optimisation: rew_a = beta log(gibbs_a / ref_a) + beta log Z, and Z drops out of a preference.
Rewards are logarithms of fractions here, which `logs.py` compares without rounding. Source: Rafailov et al. (2023), equations 4 to 6; Ziebart (2010).
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import as_fractions, distribution, fractions
from pgtheory.proofs.pages.logs import Log, ex, ln
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def quotient(x: Fraction, y: Fraction) -> Fraction:
    """x / y; 0 where y is 0, as in Coq."""
    return x / y if y else Fraction(0)


def KL(p: list, q: list) -> Log:
    """sum_a p_a log(p_a / q_a)."""
    return sum((x * ln(quotient(x, y)) for x, y in zip(p, q, strict=True)), Log())


def rewards(case: Case) -> list[Log]:
    """rew_a = power log v_a; with beta = power / root, exp(rew / beta) = v^root."""
    return [case.power * ln(v) for v in case.v]


def beta(case: Case) -> Fraction:
    return case.power / case.root


def gibbs(case: Case, reward: list[Log]) -> tuple[list, Fraction]:
    """ref exp(reward / beta) / Z, and Z."""
    raised = [r * ex(x / beta(case)) for r, x in zip(case.ref, reward, strict=True)]
    Z = sum(raised, Fraction(0))
    return [quotient(x, Z) for x in raised], Z


def objective(case: Case, p: list) -> Log:
    """sum_a p_a rew_a - beta KL(p, ref)."""
    return sum((x * r for x, r in zip(p, rewards(case), strict=True)), Log()) - beta(case) * KL(p, case.ref)


def asked(case: Case) -> list[int]:
    """The actions of which the reward is asked: those that the reference takes, unless a case says otherwise."""
    return getattr(case, "asked", [a for a, x in enumerate(case.ref) if x > 0])


def left(case: Case) -> list:
    """The objective at p; is p worse than the Gibbs law; the rewards; the preference between two; the law whose reward is implied."""
    g, _ = gibbs(case, rewards(case))
    a, b = asked(case)[0], asked(case)[-1]
    u, v = (ex(rewards(case)[x]) for x in (a, b))
    return [objective(case, case.p), int(objective(case, case.p) < objective(case, g)), [rewards(case)[x] for x in asked(case)], u / (u + v), case.p]


def right(case: Case, log_partition=ln, divergence=KL, relative=quotient) -> list:
    """beta log Z - beta KL(p, gibbs); unless p is that law; beta log(gibbs / ref) + beta log Z; Bradley and Terry; the Gibbs law of beta log(p / ref)."""
    g, Z = gibbs(case, rewards(case))
    logs = lambda relation: [beta(case) * ln(relation(x, r)) for x, r in zip(g, case.ref, strict=True)]
    ratio = logs(quotient)
    a, b = asked(case)[0], asked(case)[-1]
    implied, _ = gibbs(case, [beta(case) * ln(quotient(x, r)) for x, r in zip(case.p, case.ref, strict=True)])
    top = beta(case) * log_partition(Z)
    return [
        top - beta(case) * divergence(case.p, g),
        int(case.p != g),
        [logs(relative)[x] + top for x in asked(case)],
        1 / (1 + ex(ratio[b] - ratio[a])),
        implied,
    ]


def drawn() -> Iterator[Case]:
    """2 to 4 actions, beta from 1/3 to 3; references that are no laws besides; the Gibbs law itself."""
    rng = np.random.default_rng(62)
    for number in range(8):
        n = 2 + number % 3
        parts = {"power": Fraction(int(rng.integers(1, 4))), "root": Fraction(int(rng.integers(1, 4))), "v": fractions(rng, n, low=1, high=6, over=2)}
        ref = distribution(rng, n) if number % 4 else fractions(rng, n, low=1, over=3)
        case = Case(f"law {number + 1}: {n} actions", ref=ref, p=distribution(rng, n), **parts)
        if number == 5:
            case.label, case.p = "the Gibbs law itself", gibbs(case, rewards(case))[0]
        yield case


def by_hand(label: str, **parts) -> Case:
    whole = {"ref": ["1/2", "1/2"], "p": ["1/3", "2/3"], "v": [1, 3], "power": "1", "root": "1", **parts}
    return Case(label, **{name: as_fractions(part) if name != "asked" else part for name, part in whole.items()})


def derivation() -> Iterator[Step]:
    p, rew, beta, log_p, log_ref, log_Z = symbols("p,r,b,lp,lr,lz")
    log_gibbs = log_ref + rew / beta - log_Z
    yield Step(
        "action by action, with log gibbs = log ref + rew / beta - log Z",
        p * rew - beta * p * (log_p - log_ref),
        beta * p * log_Z - beta * p * (log_p - log_gibbs),
    )
    yield Step("solved for the reward", rew, beta * (log_gibbs - log_ref) + beta * log_Z)
    u, v, ru, rv = symbols("u,v,ru,rv")
    Z = ru * u + rv * v
    yield Step("Z drops out of a quotient of ratios (beta = 1)", u / (u + v), 1 / (1 + (rv * v / Z / rv) / (ru * u / Z / ru)))


PAGE = Page(
    title="KL-regularised optimum and direct preference optimisation",
    words="What a law loses against the best one is beta times its divergence from the Gibbs law; the reward is beta times the log ratio of that law to the reference, up to a constant.",
    claim=Claim(
        id="T62", kind="identity", relation=Exact(), level="rational",
        statement="sum p rew - beta KL(p, ref) = beta log Z - beta KL(p, gibbs), less than at gibbs unless p = gibbs; rew = beta log(gibbs/ref) + beta log Z; "
        "exp(rew_a)/(exp(rew_a) + exp(rew_b)) = 1/(1 + exp(beta log(gibbs_b/ref_b) - beta log(gibbs_a/ref_a))); p is the Gibbs law of beta log(p/ref)",
        left=left, right=right,
        cases=lambda: [by_hand("a fair reference, no rewards", v=[1, 1]), *drawn(), by_hand("an action that the reference never takes", ref=["1/4", "3/4", 0], p=["1/3", "2/3", 0], v=[1, 3, 5])],
        assumes={
            "beta > 0": lambda: by_hand("beta = -1", power="-1"),
            "p is not negative": lambda: by_hand("p = (2, -1)", p=[2, -1], v=[9, 1]),
            "p sums to one": lambda: by_hand("p sums to 4/3", p=["2/3", "2/3"]),
            "p is 0 where the reference is": lambda: by_hand("the reference takes one action", ref=[1, 0]),
            "p is positive where the reference is (for the implied reward)": lambda: by_hand("p takes one action", p=[1, 0]),
            "the reference is not negative": lambda: by_hand("ref = (1, -1/2)", ref=[1, "-1/2"], p=["1/2", "1/2"], v=[1, 1]),
            "rewards are read where the reference acts": lambda: by_hand("asked of the other action", ref=[1, 0], p=[1, 0], asked=[0, 1]),
        },
        mutants={
            "the divergence added": lambda case: right(case, divergence=lambda p, g: -1 * KL(p, g)),
            "the reward without the reference": lambda case: right(case, relative=lambda x, r: x),
            "without log Z": lambda case: right(case, log_partition=lambda Z: Log()),
            "the divergence the other way round": lambda case: right(case, divergence=lambda p, g: KL(g, p)),
        },
        source="Rafailov, Sharma, Mitchell, Manning, Ermon, Finn (2023), equations 4 to 6; Ziebart (2010)",
    ),
    free=("a reference that sums to one", "a reference that takes every action"),
    derivation=derivation,
    coq=("T62_gibbs_gap", "T62_kl_regularised_optimum", "T62_dpo_reward", "T62_dpo_preference", "T62_dpo_implicit_reward"),
    functions=("pgtheory.tabular.dynamics.mirror:NegativeEntropy",),
)  # fmt: skip
