"""T29: T02 for derivatives of real analysis.

Here D is no algebra but a limit: if every pi(a|s) has a directional derivative at theta along v, then so has V_n, and it is the sum of T02. Sums and products of
differentiable functions are differentiable; nothing else is used. The kernel's proof rests on the three classical axioms of its real analysis.
The instances compute the derivative in a way that knows no product rule: V_n along a line is a polynomial, interpolated from its values.
"""

from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, as_fractions, cases
from pgtheory.proofs.pages.t02_policy_gradient import formula
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def slope(case: Case) -> list:
    """The derivative at 0 of t -> V_n(pi + t dpi), a polynomial of degree n in t, from its values at n + 1 points (Lagrange); bent policies of degree 2n + 1."""
    bend = getattr(case, "bend", 0)
    points = [Fraction(k) for k in range(2 * case.n + 1)]
    at = lambda t: [[p + t * d + t * t * bend for p, d in zip(row, other, strict=True)] for row, other in zip(case.pi, case.dpi, strict=True)]
    values = [case.process.V(at(t), case.n) for t in points]
    return [sum(values[i][s] * basis_slope(points, i) for i in range(len(points))) for s in case.process.states]


def basis_slope(points: list[Fraction], i: int) -> Fraction:
    """Derivative at 0 of the Lagrange polynomial that is 1 at points[i] and 0 at the others."""
    others = [x for j, x in enumerate(points) if j != i]
    total = Fraction(0)
    for skipped in range(len(others)):
        term = Fraction(1)
        for j, x in enumerate(others):
            if j != skipped:
                term *= -x
        total += term
    scale = Fraction(1)
    for x in others:
        scale *= points[i] - x
    return total / scale


def coin() -> Case:
    """One state: the first action pays one and ends, the second goes on; the first has probability x^2, at x = 1/2."""
    process = Process(as_fractions([[[0], [1]]]), as_fractions([[1, 0]]), Fraction(1, 2))
    return Case("a coin, two steps", process=process, n=2, pi=as_fractions([["1/4", "3/4"]]), dpi=as_fractions([[1, -1]]))


def bent() -> list[Case]:
    """Policies that move along a parabola: the second order must not matter."""
    found = list(cases(290, each=1))
    for case in found:
        case.bend = Fraction(1, 3)
    return found


PAGE = Page(
    title="Policy gradient theorem for real derivatives, finite horizon",
    words="If the policy has a directional derivative, so has the value, and it is the sum of the policy gradient theorem.",
    claim=Claim(
        id="T29", kind="identity", relation=Exact(), level="rational",
        statement="d/dt V_n(pi(theta + t v))(s) at 0 = sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a dpi(a|x) Q_{n-k-1}(x, a)",
        left=slope, right=formula, cases=lambda: [coin(), *cases(29), *bent()],
        mutants={
            "without gamma^k": lambda case: formula(case, weight=lambda gamma, k: 1),
            "the action value with one step more to go": lambda case: formula(case, later=0),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1",
    ),
    free=("a gradient: one direction is enough", "normalised rows", "a continuous derivative"),
    coq=("T29_policy_gradient_finite_real",),
    functions=("pgtheory.tabular.objectives.derivatives:probability_gradient",),
)  # fmt: skip
