"""T43: the variance of REINFORCE by a recursion, without paths.

E[score1^p score2^q return^k] with n steps to go is a sum of such moments, of no higher order, with one step less: the binomial expansion of (score now + score later)^p and so on.
So the covariance of REINFORCE costs n passes over the states, where a sum over paths costs A^n S^n. It is what `tabular/laws` runs.
"""

from collections.abc import Iterator
from math import comb

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, SHORT, D, cases, every_start, moving, path_score, small, tangent
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def scores(case: Case) -> list[list[list]]:
    """The scores of both directions."""
    return [[[d / p for d, p in zip(row, other, strict=True)] for row, other in zip(slope, case.pi, strict=True)] for slope in (case.dpi, case.dpi2)]


def covariance(case: Case) -> list:
    """E[(g1 - E g1) (g2 - E g2)] over all paths, g_i the score in direction i times the return."""
    p = case.process
    along = [Case(**{**vars(case), "sc": sc}) for sc in scores(case)]
    g = [lambda s, path, one=one: path_score(one, s, path) * p.ret(s, path) for one in along]
    centre = [[p.mean(case.pi, case.n, s, lambda path, s=s, f=f: f(s, path)) for s in p.states] for f in g]
    return every_start(case, lambda s: p.mean(case.pi, case.n, s, lambda path: (g[0](s, path) - centre[0][s]) * (g[1](s, path) - centre[1][s])))


def moment(case: Case, n: int, p: int, q: int, k: int) -> list:
    """E[score1^p score2^q return^k] in every state, by the recursion."""
    m, (one, two) = case.process, scores(case)
    if n == 0:
        return [int(p + q + k == 0)] * len(case.pi)
    total = [0 * m.gamma for _ in m.states]
    for i in range(p + 1):
        for j in range(q + 1):
            for h in range(k + 1):
                after = moment(case, n - 1, i, j, h)
                for s in m.states:
                    for a in m.actions:
                        now = one[s][a] ** (p - i) * two[s][a] ** (q - j) * m.r[s][a] ** (k - h) * m.gamma**h
                        total[s] += (
                            case.pi[s][a] * comb(p, i) * comb(q, j) * comb(k, h) * now * sum(x * y for x, y in zip(m.P[s][a], after, strict=True))
                        )
    return total


def formula(case: Case, orders=(1, 1, 2), centred: int = 1) -> list:
    """moment(1, 1, 2) - D1 V D2 V."""
    slopes = [[D(v) for v in case.process.V(moving(case.pi, slope), case.n)] for slope in (case.dpi, case.dpi2)]
    return [x - centred * a * b for x, a, b in zip(moment(case, case.n, *orders), *slopes, strict=True)]


def second(case: Case) -> Case:
    """A second direction."""
    case.dpi2 = tangent(np.random.default_rng(43), len(case.pi), len(case.pi[0]))
    return case


def instances() -> Iterator[Case]:
    yield from (second(case) for case in cases(43, SHORT[:3]))


PAGE = Page(
    title="Second moment of REINFORCE by a Bellman recursion",
    words="The covariance of REINFORCE follows from joint moments of scores and return, which obey a recursion over the states.",
    claim=Claim(
        id="T43", kind="variance equals", relation=Exact(), level="rational",
        statement="Cov(g1, g2) = moment_{1,1,2}(s) - D1 V_n(s) D2 V_n(s), moments by binomial recursion",
        left=covariance, right=formula, cases=instances,
        assumes={
            "rows of P sum to one": lambda: second(small(P=LOOSE_MODEL)),
            "rows of pi sum to one": lambda: second(small(pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]])),
        },
        mutants={"without the product of the means": lambda case: formula(case, centred=0), "the return once": lambda case: formula(case, orders=(1, 1, 1))},
    ),
    free=("positive numbers", "gamma below 1"),
    coq=("T43_moment_recursion", "T43_reinforce_covariance"),
    functions=("pgtheory.tabular.laws.whole_return:whole_return_law",),
)  # fmt: skip
