"""T61: the second derivative of the value.

Apply a second derivation to T02: in every state that is visited, D1 D2 pi against Q, and D1 pi against D2 Q, and D2 pi against D1 Q. The visits are not differentiated: their
derivative is in D Q, by the recursion. Without a horizon the visits are (I - gamma P_pi)^-1. Source: Furmston, Lever, Barber (2016), Theorem 3; here without any form of the policy.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, SHORT, Number, Table, Vector, cases, dot, every_start, fractions, plain, small
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step
from pgtheory.tabular.exact.jets import Jet, solve_in_order

ZERO = Fraction(0)


def jet(value: Number, first: Number, second: Number, mixed: Number = ZERO) -> Jet:
    """A number with its derivatives along two directions, and the mixed one."""
    return Jet(Fraction(value), (Fraction(first), Fraction(second)), ((ZERO,), (Fraction(mixed), ZERO)))


def twice(case: Case) -> Case:
    """A second direction and the mixed derivative of the policy; rows of neither sum to zero."""
    rng = np.random.default_rng(61 + len(case.mu))
    case.dpi2, case.mixed = ([fractions(rng, len(row)) for row in case.pi] for _ in range(2))
    return case


def moving_policy(case: Case) -> Table:
    """pi as Taylor polynomials of second order."""
    return [[jet(*cell) for cell in zip(*rows, strict=True)] for rows in zip(case.pi, case.dpi, case.dpi2, case.mixed, strict=True)]


def resolve(case: Case, pi: Table, c: Vector) -> list:
    """(I - gamma P_pi)^-1 c; where there is no inverse, the matrix itself stands for it, as in Coq."""
    matrix = case.process.bellman(pi)
    try:
        return solve_in_order(matrix, c)
    except ZeroDivisionError:
        return [dot(row, c) for row in matrix]


def value(case: Case, pi: Table) -> list:
    """Without a horizon, (I - gamma P_pi)^-1 r_pi."""
    return resolve(case, pi, [dot(row, r) for row, r in zip(pi, case.process.r, strict=True)])


def second_derivatives(case: Case) -> list:
    """D1 D2 V_n and D1 D2 V, by the rules of Taylor polynomials of second order."""
    pi = moving_policy(case)
    mixed = lambda values: [v.hessian[1][0] if isinstance(v, Jet) else ZERO for v in values]
    return [mixed(case.process.V(pi, case.n)), mixed(value(case, pi))]


def formula(case: Case, first: int = 1, second: int = 1, own: int = 1, visits: Callable = lambda gamma, k: gamma**k) -> list:
    """sum_{k<n} gamma^k sum_x Pr_k(s -> x) c(x) with Q of n - k - 1 steps, and (I - gamma P_pi)^-1 c; c = sum_a D1 D2 pi Q + D1 pi D2 Q + D2 pi D1 Q."""
    pi, p = moving_policy(case), plain(case.process)

    def curvature(Q: Table) -> list:
        slopes = [[[getattr(q, "gradient", (ZERO, ZERO))[i] for q in row] for row in Q] for i in (0, 1)]
        return [
            own * dot(case.mixed[x], plain(Q[x])) + first * dot(case.dpi[x], slopes[1][x]) + second * dot(case.dpi2[x], slopes[0][x])
            for x in p.states
        ]

    local = [curvature(case.process.Q(pi, case.n - k - 1)) for k in range(case.n)]
    finite = every_start(case, lambda s: sum((visits(p.gamma, k) * dot(p.reach(case.pi, k)[s], c) for k, c in enumerate(local)), ZERO))
    still = Case("", process=p)
    return [finite, resolve(still, case.pi, curvature(case.process.backup(value(case, pi))))]


def one_action() -> Case:
    """One state, one action of weight 1/2 + theta, V_2 its sum with its square: what the false variants are refuted on in Coq."""
    case = small("one state, one action of a weight that moves", P=[[[1]]], r=[[1]], gamma="1", mu=[1], pi=[["1/2"]], dpi=[[1]])
    case.dpi2, case.mixed = [[Fraction(1)]], [[ZERO]]
    return case


def instances() -> Iterator[Case]:
    yield one_action()
    yield from (twice(case) for case in cases(61, SHORT))
    yield twice(small("rows of P that sum to two", P=LOOSE_MODEL, gamma="1/5"))


def moving_models(n: int, where: str) -> dict[str, Callable[[], Case]]:
    """P or gamma moves along one of the two directions, r along both. With n = 0 the horizon's half of the statement is 0 = 0."""
    made = lambda label, **change: lambda: twice(small(label, n=n, **change))
    found = {"r has no mixed derivative": made("r moves", r=[[jet(1, 0, 0, 1), 0], [0, 2]])}
    for name, up in (("first", (1, 0)), ("second", (0, 1))):
        row = [jet("1/2", *up), jet("1/2", -up[0], -up[1])]
        found[f"P does not move along the {name} direction"] = made(f"P moves: {up}", P=[[row, [1, 0]], [[0, 1], ["1/3", "2/3"]]])
        found[f"gamma does not move along the {name} direction"] = made(f"gamma moves: {up}", gamma=jet("1/2", *up))
    return {f"{name}{where}": case for name, case in found.items()}


def singular() -> Case:
    """gamma = 1, in a process that never ends, for policies that stay normalised."""
    case = small("gamma = 1, and no episode ends", gamma="1", n=0)
    case.dpi2, case.mixed = [[Fraction(1), Fraction(-1)], [Fraction(3), Fraction(-3)]], [[ZERO, ZERO], [Fraction(1), Fraction(-1)]]
    return case


def derivation() -> Iterator[Step]:
    pi, d1, d2, d12, Q, q1, q2, q12 = symbols("p,x,y,z,q,u,v,w")
    zero = 0 * pi
    made = Jet(pi, (d1, d2), ((zero,), (d12, zero))) * Jet(Q, (q1, q2), ((zero,), (q12, zero)))
    yield Step(
        "the product rule twice: what is differentiated twice in Q is V of the next state", made.hessian[1][0], d12 * Q + d1 * q2 + d2 * q1 + pi * q12
    )
    g, P, c, X = symbols("g,p,c,x")
    yield Step("X = c + gamma P X, solved for X: one state without a horizon", (X - g * P * X) / (1 - g * P), X)
    yield Step("and three steps of it with one, from 0", c + g * P * (c + g * P * (c + g * P * 0)), sum((g * P) ** k * c for k in range(3)))


PAGE = Page(
    title="Policy Hessian",
    words="The second derivative of the value sums, over what is visited, the mixed derivative of the policy against Q and each derivative of the policy against the other of Q.",
    claim=Claim(
        id="T61", kind="identity", relation=Exact(), level="rational",
        statement="D1 D2 V_n(s) = sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a (D1 D2 pi Q + D1 pi D2 Q + D2 pi D1 Q)_{n-k-1}(x, a), "
        "and D1 D2 V = (I - gamma P_pi)^-1 [sum_a D1 D2 pi Q + D1 pi D2 Q + D2 pi D1 Q]_s without a horizon",
        left=second_derivatives, right=formula, cases=instances,
        assumes={**moving_models(2, ""), **moving_models(0, " (without a horizon)"), "I - gamma P_pi is invertible": singular},
        mutants={
            "the first cross term left out": lambda case: formula(case, first=0),
            "the second cross term left out": lambda case: formula(case, second=0),
            "the second cross term subtracted": lambda case: formula(case, second=-1),
            "without the curvature of the policy": lambda case: formula(case, own=0),
            "without gamma^k": lambda case: formula(case, visits=lambda gamma, k: 1),
        },
        source="Furmston, Lever, Barber (2016), Theorem 3",
    ),
    free=("normalised rows", "derivations that commute", "an r that stands still along both directions: along one is enough", "gamma below 1: I - gamma P_pi invertible is enough"),
    derivation=derivation,
    coq=("T61_policy_hessian_discounted", "T61_policy_hessian_finite"),
    functions=("pgtheory.tabular.estimators.hessian_vector:HessianVector", "pgtheory.tabular.objectives.returns:return_hessian"),
)  # fmt: skip
