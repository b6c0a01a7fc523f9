"""T43: the second moment of REINFORCE by one recursion over states.

With Psi_i the sums of two scores along a path and R its return, E[Psi_1^p Psi_2^q R^k] of n steps follows from such moments of n - 1 steps: split each sum into its first
term and the rest, and expand the powers. p = q = 1, k = 2 is E[g_1 g_2], so that the covariance of REINFORCE costs n sweeps over the states, not A^n S^n paths.
Source: Sobel (1982), for the moments of the return.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import comb

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, MOVING, SHORT, D, Number, Path, Table, as_fractions, cases, moving, plain, small, tangent
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def scores(case: Case) -> list:
    """sc_1 and sc_2 with D_i pi = pi sc_i, unless the case brings its own."""
    if hasattr(case, "scores"):
        return case.scores
    return [[[d / p for d, p in zip(row, pi, strict=True)] for row, pi in zip(slope, case.pi, strict=True)] for slope in (case.dpi, case.dpi2)]


def along(case: Case, score: Table, s: int, path: Path) -> Number:
    """Psi of a path: the sum of a score."""
    return sum(score[x][a] for x, a, _ in case.process.visited(s, path))


def by_paths(case: Case, p: int, q: int, k: int, s: int) -> Number:
    """E[Psi_1^p Psi_2^q R^k], over all paths."""
    m, (one, two) = plain(case.process), scores(case)
    return m.mean(case.pi, case.n, s, lambda path: along(case, one, s, path) ** p * along(case, two, s, path) ** q * m.ret(s, path) ** k)


def by_recursion(case: Case, p: int, q: int, k: int, s: int, choose=comb, discount=lambda gamma, h: gamma**h) -> Number:
    """The same, from the moments of no higher order with one step less."""
    m, (one, two) = plain(case.process), scores(case)

    @cache
    def moment(n: int, p: int, q: int, k: int, s: int) -> Number:
        if n == 0:
            return m.gamma**0 if p + q + k == 0 else 0 * m.gamma
        total = 0 * m.gamma
        for a, (i, j, h) in product(m.actions, product(range(p + 1), range(q + 1), range(k + 1))):
            rest = sum(m.P[s][a][t] * moment(n - 1, i, j, h, t) for t in m.states)
            if rest == 0:  # with one step to go, all but the moment of order 0
                continue
            first = one[s][a] ** (p - i) * two[s][a] ** (q - j) * m.r[s][a] ** (k - h) * discount(m.gamma, h)
            total += choose(p, i) * choose(q, j) * choose(k, h) * case.pi[s][a] * first * rest
        return total

    return moment(case.n, p, q, k, s)


def covariance(case: Case, s: int) -> Number:
    """E[(g_1 - E g_1) (g_2 - E g_2)] with g_i = Psi_i R, over all paths."""
    m = plain(case.process)
    g = [lambda path, score=score: along(case, score, s, path) * m.ret(s, path) for score in scores(case)]
    centre = [m.mean(case.pi, case.n, s, f) for f in g]
    return m.mean(case.pi, case.n, s, lambda path: (g[0](path) - centre[0]) * (g[1](path) - centre[1]))


def orders(case: Case) -> tuple[tuple[int, int, int], ...]:
    """(p, q, k) of the moments that are compared."""
    return getattr(case, "orders", ((1, 1, 2), (2, 0, 2), (1, 0, 1), (2, 1, 3)))


def left(case: Case) -> list:
    """The moments and the covariance over paths, from every start."""
    return [[*(by_paths(case, *order, s) for order in orders(case)), covariance(case, s)] for s in case.process.states]


def right(case: Case, moment=by_recursion, squared: int = 1) -> list:
    """The moments by the recursion, and moment(1, 1, 2) - D_1 V D_2 V."""
    slopes = [[D(v) for v in case.process.V(moving(case.pi, slope), case.n)] for slope in (case.dpi, case.dpi2)]
    return [
        [*(moment(case, *order, s) for order in orders(case)), moment(case, 1, 1, 2, s) - squared * slopes[0][s] * slopes[1][s]]
        for s in case.process.states
    ]


def second(case: Case, slope: list) -> Case:
    """The case with a second direction."""
    case.dpi2 = as_fractions(slope)
    return case


def one_a_step() -> Case:
    """One state, one action, two steps of reward 1: the moments of the return alone, on which the false variants are refuted in Coq."""
    case = small("one a step", P=[[[1]]], r=[[1]], mu=[1], pi=[[1]], dpi=[[0]])
    case.orders = ((0, 0, 1), (0, 0, 2))
    return second(case, [[0]])


def instances() -> Iterator[Case]:
    yield one_a_step()
    rng = np.random.default_rng(43)
    for case in cases(43, SHORT[:3], each=1):
        yield second(case, tangent(rng, len(case.pi), len(case.pi[0])))
    yield second(small(), [[0, 0], [1, -1]])


ROWS = [[1, -1], [0, 0]]
"""A second direction for problems by hand."""


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, more="u,v")
    sc = [[m.D(p) / p for p in row] for row in m.pi]
    other = [[m.more["u"] / m.pi[0][0], -m.more["u"] / m.pi[0][1]], [m.more["v"] / m.pi[1][0], -m.more["v"] / m.pi[1][1]]]
    case = Case("symbols", process=m.process, pi=m.pi, n=2, scores=[sc, other], dpi=m.pi, dpi2=m.pi)
    yield Step("two steps, first moments: paths and recursion", by_paths(case, 1, 0, 1, 0), by_recursion(case, 1, 0, 1, 0))
    yield Step("which is D V_2 (T10)", by_recursion(case, 1, 0, 1, 0), m.D(m.process.V(m.pi, 2)[0]))
    case.n = 1
    yield Step("one step, the second moment", by_paths(case, 1, 1, 2, 0), by_recursion(case, 1, 1, 2, 0))


PAGE = Page(
    title="Second moment of REINFORCE by a Bellman recursion",
    words="Moments of scores and return with n steps to go follow from those with one step less; the covariance of REINFORCE is one of them, less the product of two gradients.",
    claim=Claim(
        id="T43", kind="variance equals", relation=Exact(), level="rational",
        statement="E[Psi_1^p Psi_2^q R^k] = M_n(p, q, k), M_{n+1}(p, q, k)(s) = sum_a pi sum_{ijh} C(p, i) C(q, j) C(k, h) sc_1^(p-i) sc_2^(q-j) r^(k-h) gamma^h sum_t P M_n(i, j, h)(t); "
        "Cov(g_1, g_2) = M_n(1, 1, 2) - D_1 V_n D_2 V_n",
        left=left, right=right, cases=instances,
        assumes={
            **{f"{name}, for the covariance": lambda make=make: second(make(), ROWS) for name, make in MOVING.items()},
            "rows of P sum to one, for the covariance": lambda: second(small(P=LOOSE_MODEL), ROWS),
            "rows of pi sum to one, for the covariance": lambda: second(small(pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]]), ROWS),
            "D_i pi = pi sc_i, for the covariance": lambda: second(small(scores=[[[6, -3], [8, -8]], [[3, "-3/2"], [0, 0]]]), ROWS),
        },
        mutants={
            "without the binomials": lambda case: right(case, lambda *at: by_recursion(*at, choose=lambda n, k: 1)),
            "the rest of the return without its discount": lambda case: right(case, lambda *at: by_recursion(*at, discount=lambda gamma, h: 1)),
            "without the product of the gradients": lambda case: right(case, squared=0),
        },
        source="Sobel (1982), for the moments of the return",
    ),
    free=("normalised rows, for the recursion", "positive probabilities", "gamma below 1"),
    derivation=derivation,
    coq=("T43_moment_recursion", "T43_reinforce_covariance"),
    functions=("pgtheory.tabular.laws.whole_return:whole_return_law",),
)  # fmt: skip
