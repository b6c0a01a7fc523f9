"""T14: the policy gradient theorem, discounted, without end.

V = r_pi + gamma P_pi V. Apply D: D V = sum_a D pi Q + gamma P_pi D V, a linear system with the same matrix, whose solution is unique where I - gamma P_pi is
invertible (T17 says when). No limit, no interchange of sum and derivative: the theorem is Cramer's rule. Source: Sutton et al. (1999), Theorem 1.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import MOVING, D, cases, dot, moving_policy, plain, small, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def derivative(case: Case) -> list:
    """D V in every state, by the product rule through the elimination that solves for V."""
    return [D(v) for v in case.process.value(moving_policy(case))]


def formula(case: Case, values=lambda p, pi: p.action_value(pi), solve=lambda p, pi, c: p.solve(pi, c)) -> list:
    """(I - gamma P_pi)^-1 applied to sum_a D pi(a|s) Q(s, a)."""
    p = plain(case.process)
    return solve(p, case.pi, [dot(d, q) for d, q in zip(case.dpi, values(p, case.pi), strict=True)])


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, lone=True)
    p, pi, D = m.process, m.pi, m.D
    V = p.value(pi)
    local = [sum(D(pi[s][a]) * q for a, q in enumerate(row)) for s, row in enumerate(p.action_value(pi))]
    yield Step("Bellman: V = sum_a pi Q", V, [dot(pi[s], row) for s, row in enumerate(p.action_value(pi))])
    slope = [D(v) for v in V]
    yield Step(
        "product rule: D V = sum_a D pi Q + gamma P_pi D V",
        slope,
        [c + p.gamma * dot(row, slope) for c, row in zip(local, p.kernel(pi), strict=True)],
    )
    yield Step("the system has one solution", slope, p.solve(pi, local))


PAGE = Page(
    title="Policy gradient theorem, discounted",
    words="The derivative of the discounted value is the resolvent of the policy applied to the derivative of the policy against its action values.",
    claim=Claim(
        id="T14", kind="identity", relation=Exact(), level="rational",
        statement="D V = (I - gamma P_pi)^-1 [sum_a D pi(a|s) Q(s, a)]_s",
        left=derivative, right=formula,
        cases=lambda: [steered(), *cases(14), small("rows of P that sum to 1/2", P=[[["1/4", "1/4"], ["1/2", 0]], [[0, "1/2"], ["1/6", "1/3"]]])],
        assumes=MOVING,
        mutants={
            "(1 - gamma) times the resolvent": lambda case: formula(case, solve=lambda p, pi, c: [(1 - p.gamma) * x for x in p.solve(pi, c)]),
            "the resolvent transposed": lambda case: formula(case, solve=lambda p, pi, c: p.occupancy(c, pi)),
            "rewards in place of action values": lambda case: formula(case, values=lambda p, pi: p.r),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1",
    ),
    free=("sum_a pi(a|s) = 1", "a stochastic P", "gamma below 1: I - gamma P_pi invertible is enough", "limits"),
    derivation=derivation,
    coq=("T14_policy_gradient_discounted",),
    functions=("pgtheory.tabular.exact.programs:expected_return",),
)  # fmt: skip
