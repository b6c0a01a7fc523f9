"""T11: a constant may be subtracted from the return.

T09 with F = 1: the score has mean D 1 = 0. So E[score (R - b)] = E[score R] for any constant b. It may depend on theta, not on the path: with b = R nothing is
left. Source: Williams (1992).
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import (
    LOOSE_MODEL,
    MOVING,
    SHORT,
    UNNORMALISED_POLICY,
    UNNORMALISED_SLOPE,
    cases,
    every_start,
    path_score,
    plain,
    small,
    steered,
    value_derivative,
)
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def estimator(case: Case, baseline=lambda case, s, path: case.b[0][0]) -> list:
    """The mean of score times (return - b) over all paths."""
    p = plain(case.process)
    weight = lambda s, path: path_score(case, s, path) * (p.ret(s, path) - baseline(case, s, path))
    return every_start(case, lambda s: p.mean(case.pi, case.n, s, lambda path: weight(s, path)))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, more="b0")
    p, pi, D = m.process, m.pi, m.D
    total = lambda s, path: sum(D(pi[x][a]) / pi[x][a] for x, a, _ in p.visited(s, path))
    yield Step("the score has mean zero", p.mean(pi, 2, 0, lambda path: total(0, path)), 0 * p.gamma)
    centred = p.mean(pi, 2, 0, lambda path: total(0, path) * (p.ret(0, path) - m.more["b0"]))
    yield Step("so that b drops out", centred, D(p.V(pi, 2)[0]))


PAGE = Page(
    title="REINFORCE with a constant baseline is unbiased",
    words="Subtracting one constant from every return leaves the mean of REINFORCE as it is.",
    claim=Claim(
        id="T11", kind="unbiased", relation=Exact(), level="rational",
        statement="E[(sum_k sc(s_k, a_k)) (R - b)] = D V_n(s), b a constant",
        left=value_derivative, right=estimator, cases=lambda: [steered("two states that the actions choose, b = 1", b=[[1, 1]] * 2), *cases(11, SHORT)],
        assumes={
            **MOVING,
            "rows of P sum to one": lambda: small(P=LOOSE_MODEL),
            "rows of pi sum to one": lambda: steered("rows that sum to 3/2, one step", pi=UNNORMALISED_POLICY, dpi=UNNORMALISED_SLOPE, n=1, b=[[1, 1]]),
            "D pi = pi sc": lambda: small("a score that is one more", sc=[[4, 1], [5, -3]]),
        },
        mutants={
            "a baseline that depends on the first action": lambda case: estimator(case, lambda case, s, path: case.b[0][0] * path[0][0]),
            "the path's own return as its baseline": lambda case: estimator(case, lambda case, s, path: plain(case.process).ret(s, path)),
        },
        source="Williams (1992)",
    ),
    free=("a baseline that does not move with theta", "positive probabilities"),
    derivation=derivation,
    coq=("T11_reinforce_baseline",),
    functions=("pgtheory.tabular.estimators.baselines:Constant",),
)  # fmt: skip
