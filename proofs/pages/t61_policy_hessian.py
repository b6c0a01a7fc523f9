"""T61: the second derivative of the value.

Apply a second derivation to T02: in every state that is visited, D1 D2 pi against Q, and D1 pi against D2 Q, and D2 pi against D1 Q. The visits are not differentiated: their
derivative is in D Q, by the recursion. Source: Furmston, Lever, Barber (2016), Theorem 3; here without any form of the policy.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, SHORT, D, cases, dot, every_start, fractions, moving, plain, small
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page
from pgtheory.tabular.exact.jets import Jet


def twice(case: Case) -> Case:
    """A second direction and the mixed derivative of the policy."""
    rng = np.random.default_rng(61 + len(case.mu))
    case.dpi2, case.mixed = ([fractions(rng, len(row)) for row in case.pi] for _ in range(2))
    return case


def second_derivative(case: Case) -> list:
    """D1 D2 V_n, by the rules of Taylor polynomials of second order."""
    zero = Fraction(0)
    jet = lambda s, a: Jet(case.pi[s][a], (case.dpi[s][a], case.dpi2[s][a]), ((zero,), (case.mixed[s][a], zero)))
    table = [[jet(s, a) for a in case.process.actions] for s in case.process.states]
    return [v.hessian[1][0] for v in case.process.V(table, case.n)]


def formula(case: Case, cross: int = 1, own: int = 1) -> list:
    """sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a (D1 D2 pi Q + D1 pi D2 Q + D2 pi D1 Q)."""
    p = plain(case.process)
    slopes = lambda m, slope: [[D(q) for q in row] for row in p.Q(moving(case.pi, slope), m)]

    def local(m: int) -> list:
        Q, one, two = p.Q(case.pi, m), slopes(m, case.dpi), slopes(m, case.dpi2)
        return [own * dot(case.mixed[x], Q[x]) + dot(case.dpi[x], two[x]) + cross * dot(case.dpi2[x], one[x]) for x in p.states]

    return every_start(case, lambda s: p.unroll(case.pi, case.n, local, s))


def along_both(value: int | str, slope: int = 1) -> Jet:
    """A number of the model that moves along both directions."""
    zero = Fraction(0)
    return Jet(Fraction(value), (Fraction(slope), Fraction(slope)), ((zero,), (zero, zero)))


def instances() -> Iterator[Case]:
    yield from (twice(case) for case in cases(61, SHORT))
    yield twice(small("rows of P that sum to two", P=LOOSE_MODEL))


PAGE = Page(
    title="Policy Hessian",
    words="The second derivative of the value sums, over what is visited, the mixed derivative of the policy against Q and each derivative of the policy against the other of Q.",
    claim=Claim(
        id="T61", kind="identity", relation=Exact(), level="rational",
        statement="D1 D2 V_n(s) = sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a (D1 D2 pi Q + D1 pi D2 Q + D2 pi D1 Q)_{n-k-1}(x, a)",
        left=second_derivative, right=formula, cases=instances,
        assumes={
            "P does not move": lambda: twice(small(P=[[[along_both("1/2"), along_both("1/2", -1)], [1, 0]], [[0, 1], ["1/3", "2/3"]]])),
            "r does not move": lambda: twice(small(r=[[along_both(1), 0], [0, 2]])),
            "gamma does not move": lambda: twice(small(gamma=along_both("1/2"))),
        },
        mutants={"one of the cross terms alone": lambda case: formula(case, cross=0), "without the curvature of the policy": lambda case: formula(case, own=0)},
        source="Furmston, Lever, Barber (2016), Theorem 3",
    ),
    free=("normalised rows", "derivations that commute"),
    coq=("T61_policy_hessian_discounted", "T61_policy_hessian_finite"),
    functions=("pgtheory.tabular.estimators.hessian_vector:HessianVector",),
)  # fmt: skip
