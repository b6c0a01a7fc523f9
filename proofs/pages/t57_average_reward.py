"""T57: the policy gradient theorem for the average reward.

Differentiate the Poisson equation h + J = r_pi + P_pi h and multiply with the stationary law d: D h drops out, since d (I - P_pi) = 0. What is left is
D J = sum_s d(s) sum_a D pi(a|s) Q(s, a), without any discount and for any solution h: a constant added to h changes nothing. One solution is the deviation matrix
Delta = (I - P_pi + 1 d)^-1 - 1 d times r_pi; the same matrix gives the derivative of the stationary law, D d = d D P_pi Delta, also if the model moves.
Source: Sutton, McAllester, Singh, Mansour (1999), Theorem 1; Marbach, Tsitsiklis (2001); Schweitzer (1968).
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import MOVING, D, Number, Process, Table, Vector, as_fractions, cases, dot, dual, moving_policy, plain, small
from pgtheory.proofs.pages.premises import by_hand, normalised
from pgtheory.proofs.pages.symbols import derivation as along
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.pages.t17_discounted_invertible import rank_of
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step
from pgtheory.tabular.exact.jets import solve_in_order


def law(case: Case, pi: Table) -> Vector:
    """The case's d, or the one with d P_pi = d and sum d = 1: d (I - P_pi + 1 1') = 1'."""
    if hasattr(case, "d"):
        return case.d
    P, states = case.process.kernel(pi), case.process.states
    return solve_in_order([[(s == t) - P[s][t] + 1 for s in states] for t in states], [1 for _ in states])


def reward(p: Process, pi: Table) -> Vector:
    """r_pi."""
    return [dot(x, y) for x, y in zip(pi, p.r, strict=True)]


def gain(case: Case, pi: Table) -> Number:
    """J = d r_pi."""
    return dot(law(case, pi), reward(case.process, pi))


def still(case: Case) -> Case:
    """The same without derivatives."""
    return Case("", **{name: plain(part) if name in ("process", "d") else part for name, part in vars(case).items() if name != "label"})


def bias(case: Case) -> Vector:
    """The case's h, or a solution of h + J = r_pi + P_pi h, found with h = 0 in the last state, and shifted by 7."""
    if hasattr(case, "h"):
        return case.h
    p, J = case.process, gain(case, case.pi)
    P, last = p.kernel(case.pi), len(p.r) - 1
    system = [[(s == t) - P[s][t] for t in range(last)] for s in range(last)]
    return [x + 7 for x in (*solve_in_order(system, [x - J for x in reward(p, case.pi)[:last]]), 0)]


def deviate(case: Case, c: Vector) -> Vector:
    """Delta c = (I - P_pi + 1 d)^-1 c - 1 d c; where there is no inverse, the matrix itself stands for it, as in Coq."""
    d, P, states = law(case, case.pi), case.process.kernel(case.pi), case.process.states
    matrix = [[(s == t) - P[s][t] + d[t] for t in states] for s in states]
    try:
        found = solve_in_order(matrix, c)
    except ZeroDivisionError:
        found = [dot(row, c) for row in matrix]
    return [x - dot(d, c) for x in found]


def left(case: Case) -> list:
    """D J, by the product rule through the linear system of the stationary law; h + J for h = Delta r_pi; D d, the same way."""
    fixed, moved = still(case), moving_policy(case)
    J = gain(fixed, case.pi)
    return [D(gain(case, moved)), [x + J for x in deviate(fixed, reward(fixed.process, case.pi))], [D(x) for x in law(case, moved)]]


def right(case: Case, weights: Callable = law, next_bias: Fraction = Fraction(1), own: int = 1, later: Callable = deviate) -> list:
    """sum_s d(s) sum_a D pi(a|s) (r(s, a) - J + sum_t P(s, a, t) h(t)); r_pi + P_pi h; d D P_pi Delta."""
    fixed = still(case)
    p, h, J, d = fixed.process, bias(fixed), gain(fixed, case.pi), law(fixed, case.pi)
    Q = [[own * p.r[s][a] - J + next_bias * dot(p.P[s][a], h) for a in p.actions] for s in p.states]
    gradient = dot(weights(fixed, case.pi), [dot(x, q) for x, q in zip(case.dpi, Q, strict=True)])
    other = deviate(fixed, reward(p, case.pi))
    poisson = [r + next_bias * dot(row, other) for r, row in zip(reward(p, case.pi), p.kernel(case.pi), strict=True)]
    moved = [dot(d, [D(row[t]) for row in case.process.kernel(moving_policy(case))]) for t in p.states]
    columns = [later(fixed, [Fraction(s == t) for s in p.states]) for t in p.states]
    return [gradient, poisson, [dot(moved, column) for column in columns]]


def instances() -> Iterator[Case]:
    yield from cases(57, ((2, 2, 1), (2, 3, 1), (3, 2, 1), (3, 3, 1)))
    yield small("a cycle of two, periodic", P=[[[0, 1], [0, 1]], [[1, 0], ["9/10", "1/10"]]], pi=[["1/2", "1/2"], [1, 0]], dpi=[[1, -1], [-1, 1]])


def derivation() -> Iterator[Step]:
    p, q, x, y, r, R = symbols("p,q,x,y,r,R")
    one = p**0
    P = [[one - p, p], [q, one - q]]
    d = [q / (p + q), p / (p + q)]
    J = d[0] * r + d[1] * R
    spread = one / (p + q)
    delta = [[(one - d[0]) * spread, -d[1] * spread], [-d[0] * spread, (one - d[1]) * spread]]
    times = lambda A, v: [sum((a * b for a, b in zip(row, v, strict=True)), 0 * p) for row in A]
    h = times(delta, [r, R])
    yield Step(
        "two states: the deviation matrix solves the Poisson equation", [v + J for v in h], [a + b for a, b in zip([r, R], times(P, h), strict=True)]
    )
    move = along({p: x, q: y})
    slopes = [sum((d[s] * move(P[s][t]) for s in (0, 1)), 0 * p) for t in (0, 1)]
    yield Step("and gives the derivative of the stationary law", [move(v) for v in d], times([*zip(*delta, strict=True)], slopes))
    yield Step("and so that of the gain", move(J), sum((v * w for v, w in zip(slopes, h, strict=True)), 0 * p))


def fixed(case: Case) -> tuple[Table, Vector, Vector]:
    """P_pi, r_pi and d without derivatives."""
    at = still(case)
    return at.process.kernel(at.pi), reward(at.process, at.pi), plain(law(at, at.pi))


def times(d: Vector, M: Table) -> list:
    """d M."""
    return [dot(d, column) for column in zip(*M, strict=True)]


def is_stationary(case: Case) -> bool:
    M, _, d = fixed(case)
    return times(d, M) == d


def is_bias(case: Case) -> bool:
    M, r, d = fixed(case)
    h = bias(still(case))
    return [x + dot(d, r) for x in h] == [x + dot(row, h) for x, row in zip(r, M, strict=True)]


def is_regular(case: Case) -> bool:
    M, _, d = fixed(case)
    return rank_of([[(s == t) - x + y for t, (x, y) in enumerate(zip(row, d, strict=True))] for s, row in enumerate(M)]) == len(M)


def stays_stationary(case: Case) -> bool:
    moved = moving_policy(case)
    d = law(case, moved)
    return [D(x) for x in times(d, case.process.kernel(moved))] == [D(x) for x in d]


GRADIENT = {
    "P does not move": lambda case: all(D(x) == 0 for rows in case.process.P for row in rows for x in row),
    "r does not move": lambda case: all(D(x) == 0 for row in case.process.r for x in row),
    "rows of pi sum to one": lambda case: normalised(case.pi),
    "d is stationary": is_stationary,
    "h solves the Poisson equation": is_bias,
}
DEVIATION = {
    "d is stationary (deviation)": is_stationary,
    "d sums to one (deviation)": lambda case: sum(fixed(case)[2]) == 1,
    "rows of P_pi sum to one (deviation)": lambda case: normalised(fixed(case)[0]),
    "I - P_pi + 1 d is invertible (deviation)": is_regular,
}
LAW = {
    "d stays stationary (derivative of d)": stays_stationary,
    "d keeps its sum (derivative of d)": lambda case: sum(D(x) for x in law(case, moving_policy(case))) == 0,
}


def tilted() -> Case:
    """A law of three states that is not stationary and has the same gain: the stationary one plus a multiple of (1, 1, 1) x r_pi."""
    case = next(case for case in cases(57, ((3, 2, 1),)))
    _, (a, b, c), d = fixed(case)
    case.h = bias(case)
    case.label, case.d = "a law that is not stationary, with the same gain", [x + y for x, y in zip(d, (c - b, a - c, b - a), strict=True)]
    return case


def growing() -> Case:
    """The stationary law times a factor that moves."""
    case = small("the stationary law times 1 + theta")
    case.d = [x + dual(Fraction(0), plain(x)) for x in law(case, moving_policy(case))]
    return case


def losing() -> Case:
    """One state that two actions, with weights 1 and 2, keep with 1/2 and 1/4: P_pi is 1, and stays 1."""
    model = Process(as_fractions([[["1/2"], ["1/4"]]]), as_fractions([[1, 3]]), Fraction(0))
    return Case("weights 1 and 2 of the actions", process=model, pi=as_fractions([[1, 2]]), dpi=as_fractions([[1, -2]]))


WITHOUT = {
    "P does not move": MOVING["P does not move"],
    "r does not move": MOVING["r does not move"],
    "rows of pi sum to one": losing,
    "d is stationary": tilted,
    "h solves the Poisson equation": lambda: small("h = 0", h=[0, 0]),
    "d is stationary (deviation)": lambda: small("d = (1/3, 2/3)", d=["1/3", "2/3"], h=[0, 0]),
    "d sums to one (deviation)": lambda: small("twice the stationary law", d=[1, 1], h=[0, 0]),
    "rows of P_pi sum to one (deviation)": lambda: small(
        "a second state of which half is lost", P=[[[1, 1], [1, 1]], [[0, "1/2"], [0, "1/2"]]], d=["1/3", "2/3"], h=[0, 0]
    ),
    "I - P_pi + 1 d is invertible (deviation)": lambda: small(
        "two states that are never left", P=[[[1, 0], [1, 0]], [[0, 1], [0, 1]]], d=["1/2", "1/2"], h=[0, 0]
    ),
    "d stays stationary (derivative of d)": lambda: small("d stands still", d=["1/2", "1/2"]),
    "d keeps its sum (derivative of d)": growing,
}
differs = lambda entry: lambda case: left(case)[entry] != right(case)[entry]


PAGE = Page(
    title="Policy gradient theorem for the average reward",
    words="The derivative of the gain is the stationary mean of the derivative of the policy against the differential action values; the deviation matrix gives these, and the derivative of the stationary law.",
    claim=Claim(
        id="T57", kind="identity", relation=Exact(), level="rational",
        statement="D J = sum_s d(s) sum_a D pi(a|s) (r(s, a) - J + (P h)(s, a)), where d P_pi = d, sum d = 1, h + J = r_pi + P_pi h; "
        "h = Delta r_pi is such an h, Delta = (I - P_pi + 1 d)^-1 - 1 d; D d = d (D P_pi) Delta",
        left=left, right=right, cases=instances,
        assumes={  # what two parts of the statement need is shown for the first of them, which comes last
            **by_hand(WITHOUT, {**DEVIATION, **LAW}, differs(2)), **by_hand(WITHOUT, DEVIATION, differs(1)), **by_hand(WITHOUT, GRADIENT, differs(0)),
        },
        mutants={
            "the sign of the gradient": lambda case: [-right(case)[0], *right(case)[1:]],
            "without the reward in Q": lambda case: right(case, own=0),
            "uniform weights of the states": lambda case: right(case, weights=lambda case, pi: [Fraction(1, len(pi)) for _ in pi]),
            "half of the next bias": lambda case: right(case, next_bias=Fraction(1, 2)),
            "the derivative of the law after one step only": lambda case: right(case, later=lambda case, c: c),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1; Schweitzer (1968)",
    ),
    free=("a bias with stationary mean zero", "aperiodicity", "a model that stands still, for the derivative of the law"),
    derivation=derivation,
    coq=("T57_average_reward_gradient", "T57_average_reward_baseline", "T57_deviation_poisson", "T57_stationary_derivative"),
    functions=("pgtheory.tabular.objectives.average:AverageReward",),
)  # fmt: skip
