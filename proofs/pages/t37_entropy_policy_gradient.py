"""T37: the policy gradient theorem with an entropy bonus.

The reward r - tau L, L = log pi, moves with the policy. Its own derivative, -tau sum_a pi D L = -tau sum_a D pi, is zero: the bonus enters through the soft action
value and through -tau L at the first step only. All that is used of the logarithm is pi D L = D pi. Source: Haarnoja et al. (2018); Geist, Scherrer, Pietquin (2019).
"""

from collections.abc import Iterator

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import MOVING, D, Process, cases, dot, dual, fractions, moving, moving_policy, plain, small
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def prepared(case: Case) -> Case:
    """A table L with pi D L = D pi, and tau; what the case brings stays."""
    rng = np.random.default_rng(len(case.mu) + case.n)
    case.L = getattr(case, "L", [fractions(rng, len(row)) for row in case.pi])
    case.dL = [[d / p * getattr(case, "scale", 1) for d, p in zip(row, other, strict=True)] for row, other in zip(case.dpi, case.pi, strict=True)]
    case.tau = getattr(case, "tau", fractions(rng, 1, low=1)[0])
    return case


def soft(p: Process, L: list, tau: object) -> Process:
    """The model with rewards r - tau L."""
    return Process(p.P, [[r - tau * x for r, x in zip(row, other, strict=True)] for row, other in zip(p.r, L, strict=True)], p.gamma)


def derivative(case: Case) -> object:
    """D of the regularised return."""
    return D(dot(case.mu, soft(case.process, moving(case.L, case.dL), case.tau).value(moving_policy(case))))


def formula(case: Case, direct: int = 1, later: int = 1) -> object:
    """sum_s d(s) sum_a D pi(a|s) (Q(s, a) - tau L(s, a)), Q = r + gamma P V with the soft V; `direct` of that tau L, `later` of that in V."""
    p, mu, tau = plain(case.process), plain(case.mu), plain(case.tau)
    Q = p.backup(soft(p, case.L, later * tau).value(case.pi))
    weight = lambda s, a: Q[s][a] - direct * tau * case.L[s][a]
    return dot(p.occupancy(mu, case.pi), [sum(d * weight(s, a) for a, d in enumerate(row)) for s, row in enumerate(case.dpi)])


def one_state() -> Case:
    """Action true, of probability 1/3 + eps, earns 1 and stays, the other one earns 0 and ends: what the false variants are refuted on in Coq."""
    brought = {"L": [[-1, "-1/2"]], "tau": "1/2"}
    return small("one state", P=[[[1], [0]]], r=[[1, 0]], mu=[1], pi=[["1/3", "2/3"]], dpi=[[1, -1]], n=1, **brought)


def instances() -> Iterator[Case]:
    yield prepared(one_state())
    yield from (prepared(case) for case in cases(37))


PAGE = Page(
    title="Policy gradient theorem with entropy",
    words="With an entropy bonus the gradient is the sum over visits of the derivative of the policy against the soft action value less tau log pi.",
    claim=Claim(
        id="T37", kind="identity", relation=Exact(), level="rational",
        statement="D J_tau = sum_s d(s) sum_a D pi(a|s) (Q_tau(s, a) - tau L(s, a)), where pi D L = D pi",
        left=derivative, right=formula, cases=instances,
        assumes={
            **{name: (lambda make=make: prepared(make())) for name, make in MOVING.items()},
            "mu does not move": lambda: prepared(small(mu=[dual(1, 1), dual(2, -1)])),
            "tau does not move": lambda: prepared(small(tau=dual(1, 1))),
            "rows of pi sum to one": lambda: prepared(small(pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]], gamma="1/5")),
            "pi D L = D pi": lambda: prepared(small("L that moves twice as fast", dpi=[[1, 1], [2, -1]], scale=2)),
        },
        mutants={
            "plus tau L": lambda case: formula(case, direct=-1),
            "without -tau L": lambda case: formula(case, direct=0),
            "the action value of the rewards alone": lambda case: formula(case, later=0),
        },
        source="Geist, Scherrer, Pietquin (2019)",
    ),
    free=("a logarithm", "positive numbers", "a stochastic P"),
    coq=("T37_entropy_policy_gradient", "T37_utility_gradient"),
    functions=("pgtheory.tabular.objectives.regularisers:Entropy",),
)  # fmt: skip
