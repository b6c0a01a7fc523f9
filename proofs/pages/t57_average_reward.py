"""T57: the policy gradient theorem for the average reward.

Differentiate the Poisson equation h + J = r_pi + P_pi h and multiply with the stationary law d: D h drops out, since d (I - P_pi) = 0. What is left is
D J = sum_s d(s) sum_a D pi(a|s) Q(s, a), without any discount and for any solution h: a constant added to h changes nothing.
Source: Sutton, McAllester, Singh, Mansour (1999), Theorem 1; Marbach, Tsitsiklis (2001).
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import MOVING, D, Process, cases, dot, moving_policy, plain, small
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page
from pgtheory.tabular.exact.jets import solve_in_order


def stationary(p: Process, pi: list) -> list:
    """d with d P_pi = d and sum d = 1: d (I - P_pi + 1 1') = 1'."""
    P = p.kernel(pi)
    system = [[(s == t) - P[s][t] + 1 for s in p.states] for t in p.states]
    return solve_in_order(system, [1 for _ in p.states])


def gain(p: Process, pi: list) -> object:
    """J = d r_pi."""
    return sum(d * sum(x * y for x, y in zip(pi[s], p.r[s], strict=True)) for s, d in enumerate(stationary(p, pi)))


def bias(p: Process, pi: list) -> list:
    """A solution h of h + J = r_pi + P_pi h: (I - P_pi + 1 d) h = r_pi - J."""
    d, J, P = stationary(p, pi), gain(p, pi), p.kernel(pi)
    return solve_in_order([[(s == t) - P[s][t] + d[t] for t in p.states] for s in p.states], [dot(pi[s], p.r[s]) - J for s in p.states])


def derivative(case: Case) -> object:
    """D J, by the product rule through the linear system of the stationary law."""
    return D(gain(case.process, moving_policy(case)))


def formula(case: Case, weights=stationary, discount: object = 1) -> object:
    """sum_s d(s) sum_a D pi(a|s) (r(s, a) - J + sum_t P(s, a, t) h(t)), h shifted by 7."""
    p = plain(case.process)
    h, J = [x + 7 for x in bias(p, case.pi)], gain(p, case.pi)
    Q = [[p.r[s][a] - J + discount * dot(p.P[s][a], h) for a in p.actions] for s in p.states]
    return dot(weights(p, case.pi), [dot(x, q) for x, q in zip(case.dpi, Q, strict=True)])


def instances() -> Iterator[Case]:
    yield from cases(57, ((2, 2, 1), (2, 3, 1), (3, 2, 1), (3, 3, 1)))


PAGE = Page(
    title="Policy gradient theorem for the average reward",
    words="The derivative of the gain is the stationary mean of the derivative of the policy against the differential action values.",
    claim=Claim(
        id="T57", kind="identity", relation=Exact(), level="rational",
        statement="D J = sum_s d(s) sum_a D pi(a|s) (r(s, a) - J + (P h)(s, a)), where d P_pi = d, sum d = 1, h + J = r_pi + P_pi h",
        left=derivative, right=formula, cases=instances,
        assumes={
            "P does not move": MOVING["P does not move"],
            "r does not move": MOVING["r does not move"],
            "rows of pi sum to one": lambda: small(pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]]),
        },
        mutants={
            "uniform weights of the states": lambda case: formula(case, weights=lambda p, pi: [1 / (0 * p.gamma + len(p.r)) for _ in p.states]),
            "half of the next bias": lambda case: formula(case, discount=case.process.gamma**0 / 2),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1",
    ),
    free=("a bias with stationary mean zero", "aperiodicity"),
    coq=("T57_average_reward_gradient", "T57_deviation_poisson", "T57_stationary_derivative"),
    functions=("pgtheory.tabular.objectives.average:AverageReward",),
)  # fmt: skip
