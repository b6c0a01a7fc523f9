"""T60: what V-trace and Retrace converge to.

Their targets are sums along one trajectory of a behaviour policy mu, with truncated ratios in place of importance weights. In the mean a target moves W towards the
value of another policy, pi_rho proportional to mu rho, whatever the traces c do: they change the speed alone. For Retrace the fixed point is the action value of pi
itself, for all traces with mu c <= pi. The instances enumerate every trajectory; the fixed points come from linear systems.
Source: Espeholt et al. (2018), theorem 1; Munos, Stepleton, Harutyunyan, Bellemare (2016), theorem 1.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import dot, fractions, policy, process, small
from pgtheory.proofs.pages.premises import GAMMA_BELOW_ONE, GAMMA_POSITIVE, P_POSITIVE, by_hand, holding, nonnegative, normalised
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.pages.t17_discounted_invertible import rank
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def vtrace(case: Case, W: list, s: int, path) -> Fraction:
    """W(s) + sum_t gamma^t c_0 ... c_{t-1} rho_t (r_t + gamma W(s_{t+1}) - W(s_t))."""
    p, target, trace = case.process, W[s], 1
    for k, (x, a, t) in enumerate(p.visited(s, path)):
        target += p.gamma**k * trace * case.rho[x][a] * (p.r[x][a] + p.gamma * W[t] - W[x])
        trace *= case.c[x][a]
    return target


def vtrace_mean(case: Case, W: list) -> list:
    """Its mean over the trajectories of n steps of mu."""
    return [case.process.mean(case.mu, case.n, s, lambda path, s=s: vtrace(case, W, s, path)) for s in case.process.states]


def retrace(case: Case, q: list, s: int, a: int, t: int, path) -> Fraction:
    """q(s, a) + sum_t gamma^t c_1 ... c_t (r_t + gamma sum_b pi q(s_{t+1}, b) - q(s_t, a_t)), the first action being given."""
    p, target, trace = case.process, q[s][a], 1
    for k, (x, b, y) in enumerate([(s, a, t), *p.visited(t, path)]):
        trace *= case.c[x][b] if k else 1
        target += p.gamma**k * trace * (p.r[x][b] + p.gamma * dot(case.pi[y], q[y]) - q[x][b])
    return target


def retrace_mean(case: Case, q: list) -> list:
    """Its mean over n + 1 steps, entry by entry."""
    p = case.process
    after = lambda s, a, t: p.mean(case.mu, case.n, t, lambda path: retrace(case, q, s, a, t, path))
    return [sum(p.P[s][a][t] * after(s, a, t) for t in p.states) for s in p.states for a in p.actions]


def mass(case: Case) -> list:
    """sum_a mu rho in each state."""
    return [dot(m, w) for m, w in zip(case.mu, case.rho, strict=True)]


def reweighted(case: Case) -> list:
    """mu rho / sum mu rho; 0 where that is 0 / 0, as in Coq."""
    return [[x * y / total if total else total for x, y in zip(m, w, strict=True)] for m, w, total in zip(case.mu, case.rho, mass(case), strict=True)]


def goals(case: Case) -> tuple[list, list]:
    """The value of the reweighted policy, and the action value of pi."""
    return case.process.value(reweighted(case)), case.process.action_value(case.pi)


def flat(table: list) -> list:
    return [x for row in table for x in row]


def apart(x: list, y: list) -> list:
    return [abs(a - b) for a, b in zip(x, y, strict=True)]


def idle_directions(move, size: int) -> int:
    """n - rank(I - M) of the affine map x -> M x + b: 0 if and only if it has one fixed point."""
    origin = move([Fraction(0)] * size)
    columns = [[x - y for x, y in zip(move([Fraction(i == j) for i in range(size)]), origin, strict=True)] for j in range(size)]
    return size - rank(Case("", M=[list(row) for row in zip(*columns, strict=True)], gamma=Fraction(1)))


def left(case: Case) -> list:
    """Of V-trace: distances after the operator from its goal, at W and at the goal itself, and directions in which it has further fixed points. Then of Retrace."""
    W, q = goals(case)
    A = len(case.pi[0])
    square = lambda x: [x[i : i + A] for i in range(0, len(x), A)]
    found = [*apart(vtrace_mean(case, case.W), W), *apart(vtrace_mean(case, W), W), idle_directions(partial(vtrace_mean, case), len(W))]
    more = idle_directions(lambda x: retrace_mean(case, square(x)), len(W) * A)
    return [*found, *apart(retrace_mean(case, case.q), flat(q)), *apart(retrace_mean(case, q), flat(q)), more]


def right(case: Case, vtrace_factor=lambda g, m: 1 - (1 - g) * m, retrace_factor=lambda g: g) -> list:
    """The factors times the largest distance before; 0 for the rest."""
    W, q = goals(case)
    S, g = len(W), case.process.gamma
    bound, other = vtrace_factor(g, min(mass(case))) * max(apart(case.W, W)), retrace_factor(g) * max(apart(flat(case.q), flat(q)))
    cells = len(flat(q))
    return [*[bound] * S, *[0] * S, 0, *[other] * cells, *[0] * cells, 0]


def stream() -> Iterator[Case]:
    """Two states, two actions, one or two steps; ratios that are truncated, and ratios of any size, for which the mean ratio may exceed one."""
    rng = np.random.default_rng(60)
    number = 0
    while True:
        number += 1
        mu, pi = policy(rng, 2, 2), policy(rng, 2, 2)
        cap = Fraction(int(rng.integers(1, 5)), 2)
        truncated = [[min(cap, y / x) for x, y in zip(m, row, strict=True)] for m, row in zip(mu, pi, strict=True)]
        rho = truncated if rng.random() < 0.7 else [fractions(rng, 2, low=0, high=6) for _ in range(2)]
        c = [[x * min(y, Fraction(1)) for x, y in zip(fractions(rng, 2, low=0, high=4), w, strict=True)] for w in rho]
        parts = {"process": process(rng, 2, 2), "mu": mu, "pi": pi, "rho": rho, "c": c, "n": int(rng.integers(1, 3))}
        yield Case(f"problem {number}", W=fractions(rng, 2), q=[fractions(rng, 2) for _ in range(2)], **parts)


HALF, NONE, ALL = [["1/2", "1/2"]] * 2, [[0, 0]] * 2, [[1, 1]] * 2
"""Of a policy; of ratios or traces."""


def two_states(label: str, W: tuple[int, int] = (1, 0), q: tuple[int, int] = (0, 0), **parts: Any) -> Case:
    """The first action changes the state, the second stays. W is that far from its goal in the two states, q, besides, in the two actions. No traces, one step, unless given."""
    parts = {"P": [[[0, 1], [1, 0]], [[1, 0], [0, 1]]], "gamma": "9/10", "mu": HALF, "pi": HALF, "rho": ALL, "c": NONE, "n": 1, **parts}
    case = small(label, **parts)
    value, action_value = goals(case)
    case.W, case.q = (
        [v + x for v, x in zip(value, W, strict=True)],
        [[y + x + z for y, z in zip(row, q, strict=True)] for row, x in zip(action_value, W, strict=True)],
    )
    return case


def entries(test) -> object:
    """A premise on all cells, of c, rho, mu and pi."""
    names = ("c", "rho", "mu", "pi")
    return lambda case: all(test(*cell) for cell in zip(*(flat(getattr(case, name)) for name in names), strict=True))


PREMISES = {
    "P is not negative": P_POSITIVE,
    "rows of P sum to one": lambda case: all(normalised(rows) for rows in case.process.P),
    "gamma is not negative": GAMMA_POSITIVE,
    "gamma is below 1": GAMMA_BELOW_ONE,
    "mu is not negative": lambda case: nonnegative(case.mu),
    "rows of mu sum to one": lambda case: normalised(case.mu),
    "rows of pi sum to one": lambda case: normalised(case.pi),
    "traces are not negative": entries(lambda c, rho, mu, pi: c >= 0),
    "traces are at most the ratios: c <= rho": entries(lambda c, rho, mu, pi: c <= rho),
    "the mean ratio is at most one": lambda case: max(mass(case)) <= 1,
    "the mean ratio is positive": lambda case: min(mass(case)) > 0,
    "traces are at most the full ratios: mu c <= pi (Retrace)": entries(lambda c, rho, mu, pi: mu * c <= pi),
}


WITHOUT = {
    "P is not negative": lambda: two_states("both actions of a state with weights 2 and -1", P=[[[2, -1], [2, -1]], [[1, 0], [0, 1]]]),
    "rows of P sum to one": lambda: two_states("every step to both states at once", P=[[[1, 1], [1, 1]], [[1, 1], [1, 1]]]),
    "gamma is not negative": lambda: two_states("gamma = -1/2", gamma="-1/2"),
    "gamma is below 1": lambda: two_states("gamma = 11/10, whole traces, a constant away", W=(1, 1), gamma="11/10", c=ALL),
    "mu is not negative": lambda: two_states("mu = (-1, 2)", mu=[[-1, 2]] * 2),
    "rows of mu sum to one": lambda: two_states("mu = (1, 1)", mu=ALL, rho=HALF),
    "rows of pi sum to one": lambda: two_states("pi = (2, 2)", pi=[[2, 2]] * 2),
    "traces are not negative": lambda: two_states("traces of -2", c=[[-2, -2]] * 2, n=2),
    "traces are at most the ratios: c <= rho": lambda: two_states(
        "ratios on one action, traces on the other: they carry on errors that no ratio corrects", W=(1, -1), pi=[[0, 1]] * 2, rho=[[2, 0]] * 2, c=[[0, 2]] * 2, n=2
    ),
    "the mean ratio is at most one": lambda: two_states("ratios of 3: the step overshoots", rho=[[3, 3]] * 2),
    "the mean ratio is positive": lambda: two_states("ratios of 0", rho=NONE),
    "traces are at most the full ratios: mu c <= pi (Retrace)": lambda: two_states(
        "traces on an action that pi never takes", W=(0, 0), q=(-1, 1), pi=[[0, 1]] * 2, rho=[[2, 0]] * 2, c=[[2, 0]] * 2
    ),
}  # fmt: skip
"""By hand, one for each premise: that one fails, all others hold."""


def fails(case: Case) -> bool:
    return any(x > y for x, y in zip(left(case), right(case), strict=True))


def derivation() -> Iterator[Step]:
    mu0, mu1, rho0, rho1, target0, target1, W = symbols("m0,m1,w0,w1,x0,x1,v")
    total = mu0 * rho0 + mu1 * rho1
    value = (mu0 * rho0 * target0 + mu1 * rho1 * target1) / total
    yield Step(
        "the mean error is the mass of the ratios times the way to the reweighted policy",
        mu0 * rho0 * (target0 - W) + mu1 * rho1 * (target1 - W),
        total * (value - W),
    )
    pi, mu, c, error, later = symbols("p,m,c,d,l")
    yield Step(
        "Retrace splits the next error: what the trace cuts, and what it carries on",
        pi * error + mu * c * (later - error),
        (pi - mu * c) * error + mu * c * later,
    )
    yield Step("both weights are not negative and sum to pi", (pi - mu * c) + mu * c, pi)


PAGE = Page(
    title="Fixed points of V-trace and Retrace",
    words="In the mean V-trace contracts towards the value of the behaviour policy reweighted by the truncated ratios, Retrace towards the action value of the target policy; nothing else stands still.",
    claim=Claim(
        id="T60", kind="fixed point", relation=Exact("<="), level="rational",
        statement="|E_mu[vtrace W] - V_rho| <= (1 - (1 - gamma) m) |W - V_rho|, m = min_s sum_a mu rho, V_rho the value of mu rho / sum mu rho; "
        "|E_mu[retrace q] - Q_pi| <= gamma |q - Q_pi|; V_rho and Q_pi are the only fixed points",
        left=left, right=right, cases=lambda: [*holding(stream(), PREMISES, 6), two_states("without traces, a constant away: both factors are exact", W=(1, 1), rho=HALF)],
        assumes=by_hand(WITHOUT, PREMISES, fails),
        mutants={
            "V-trace with the factor gamma": lambda case: right(case, vtrace_factor=lambda g, m: g),
            "Retrace with the factor gamma squared": lambda case: right(case, retrace_factor=lambda g: g * g),
        },
        source="Espeholt et al. (2018), theorem 1; Munos, Stepleton, Harutyunyan, Bellemare (2016), theorem 1",
    ),
    free=("a behaviour that takes every action", "ratios that are truncations of pi / mu (V-trace)", "a number of steps: one is enough"),
    derivation=derivation,
    coq=(
        "T60_vtrace_fixed_point", "T60_vtrace_contraction", "T60_vtrace_unique",
        "T60_retrace_contraction", "T60_retrace_fixed_point", "T60_retrace_unique",
    ),
    functions=("pgtheory.tabular.estimators.ratios:Truncated",),
)  # fmt: skip
