"""T05: the same policy in two models.

X_n = V'_n - V_n, now with P', r' against P, r, obeys X_{n+1} = sum_a pi (r' - r + gamma (P' - P) V_n) + gamma P'_pi X_n. Unrolled (T01): the error of a model's
value is its error of one step, judged by the value in the wrong model, over what is visited in the right one. Source: Kearns, Singh (2002), Lemma 4.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_POLICY, Process, as_fractions, cases, dot, every_start, process, small, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def with_truth(case: Case, number: int) -> Case:
    """The case with a second model, of the same discount."""
    S, A = len(case.process.r), len(case.process.r[0])
    case.truth = replace(process(np.random.default_rng(number), S, A), gamma=case.process.gamma)
    return case


def difference(case: Case) -> list:
    """V' - V."""
    return [true - wrong for true, wrong in zip(case.truth.V(case.pi, case.n), case.process.V(case.pi, case.n), strict=True)]


def formula(case: Case, visits=lambda case: case.truth, values=lambda case: case.process, sign: int = 1) -> list:
    """sum_{k<n} gamma^k sum_x Pr'_k(s -> x) sum_a pi(a|x) (r'(x, a) - r(x, a) + gamma sum_y (P'(x, a, y) - P(x, a, y)) V_{n-k-1}(y))."""
    p, q = case.process, case.truth
    error = lambda V, x, a: q.r[x][a] - p.r[x][a] + sign * p.gamma * (dot(q.P[x][a], V) - dot(p.P[x][a], V))
    local = lambda m: [sum(case.pi[x][a] * error(values(case).V(case.pi, m), x, a) for a in p.actions) for x in p.states]
    return every_start(case, lambda s: visits(case).unroll(case.pi, case.n, local, s))


def instances() -> Iterator[Case]:
    for n in (2, 3):
        case = steered(f"moves to state 0 of probability 3/4 and rewards one higher, {n} steps", n=n)
        case.truth = Process(as_fractions([[["3/4", "1/4"]] * 2] * 2), as_fractions([[1, 2], [3, 1]]), case.process.gamma)
        yield case
    yield from (with_truth(case, i) for i, case in enumerate(cases(5)))
    yield with_truth(small("rows that sum to two", pi=LOOSE_POLICY), 5)


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, more="u00,u01,u10,u11,v00,v01,v10,v11")
    p, pi, both = m.process, m.pi, (0, 1)
    one = p.gamma**0
    u = lambda s, a: m.more[f"u{s}{a}"]
    truth = Process([[[u(s, a), one - u(s, a)] for a in both] for s in both], [[m.more[f"v{s}{a}"] for a in both] for s in both], p.gamma)
    case = Case("symbols", process=p, truth=truth, pi=pi, n=2, mu=both)
    yield Step("unrolled (T01), everything a symbol", difference(case), formula(case))


def other_discount() -> Case:
    case = with_truth(small(), 5)
    case.truth = replace(case.truth, gamma=Fraction(1, 4))
    return case


PAGE = Page(
    title="Simulation lemma",
    words="The value in the true model differs from that in a wrong one by the error of one step, judged with the wrong value and summed over what is truly visited.",
    claim=Claim(
        id="T05", kind="identity", relation=Exact(), level="rational",
        statement="V'_n(s) - V_n(s) = sum_{k<n} gamma^k sum_x Pr'_k(s -> x) sum_a pi(a|x) (r' - r + gamma (P' - P) V_{n-k-1})(x, a)",
        left=difference, right=formula, cases=instances,
        assumes={"one discount in both models": other_discount},
        mutants={
            "P - P' in place of P' - P": lambda case: formula(case, sign=-1),
            "visits in the wrong model": lambda case: formula(case, visits=lambda case: case.process),
            "values in the true model": lambda case: formula(case, values=lambda case: case.truth),
        },
        source="Kearns, Singh (2002), Lemma 4",
    ),
    free=("a stochastic P", "a normalised pi", "models that are close to each other"),
    derivation=derivation,
    coq=("T05_simulation",),
    functions=("pgtheory.tabular.exact.rational:RationalMDP",),
)  # fmt: skip
