"""T58: dropping gamma^t leaves no gradient of anything.

Two states, a parameter each: x to get from the first to the second, y to win there. J = gamma x y. The field without gamma^t is (gamma y, x): its cross derivatives are gamma and 1,
so that no function has it as its gradient unless gamma = 1. Source: Nota, Thomas (2020), Theorem 4.1.
"""

from collections.abc import Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, dot
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page
from pgtheory.tabular.exact.jets import Jet

ZERO, ONE = Fraction(0), Fraction(1)


def variable(value: Fraction, index: int) -> Jet:
    """x or y as a jet of second order in (x, y)."""
    return Jet(value, (Fraction(index == 0), Fraction(index == 1)), ((ZERO,), (ZERO, ZERO)))


def field_jacobian(case: Case) -> tuple[Fraction, Fraction]:
    """(d field_x / dy, d field_y / dx) of sum_k w_k sum_s Pr_k(s) sum_a D pi(a|s) Q(s, a): the tangents of pi are constants, the rest moves."""
    x, y = variable(case.x, 0), variable(case.y, 1)
    P = [[[ZERO, ZERO], [ZERO, ONE]], [[ZERO, ZERO], [ZERO, ZERO]]]
    p = Process(P, [[ZERO, ZERO], [ZERO, ONE]], case.gamma)
    pi = [[1 + -1 * x, x], [1 + -1 * y, y]]

    def component(tangent: list[list[Fraction]]) -> Jet:
        local = lambda m: [dot(t, q) for t, q in zip(tangent, p.Q(pi, m), strict=True)]
        return sum((case.weight(case.gamma, k) * dot(p.reach(pi, k)[0], local(2 - k - 1)) for k in range(2)), 0 * x)

    along_x = component([[-ONE, ONE], [ZERO, ZERO]])
    along_y = component([[ZERO, ZERO], [-ONE, ONE]])
    return along_x.gradient[1], along_y.gradient[0]


def curl(case: Case) -> Fraction:
    """The difference of the cross derivatives; zero for every gradient."""
    a, b = field_jacobian(case)
    return b - a


def cases() -> Iterator[Case]:
    for gamma in (ZERO, Fraction(1, 2), Fraction(9, 10)):
        for x, y in ((Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 3), Fraction(3, 4))):
            yield Case(f"gamma = {gamma}, x = {x}, y = {y}", gamma=gamma, x=x, y=y, weight=lambda gamma, k: 1)


PAGE = Page(
    title="Without gamma^t no gradient",
    words="The vector that programs follow when they leave gamma^t out is the gradient of no function.",
    claim=Claim(
        id="T58", kind="counterexample", relation=Exact(), level="rational",
        statement="the field sum_k sum_s Pr_k(s) sum_a D pi(a|s) Q(s, a) has the curl 1 - gamma on a chain of two states",
        left=curl, right=lambda case: 1 - case.gamma, cases=cases,
        assumes={"gamma^k is left out": lambda: Case("with gamma^k", gamma=Fraction(1, 2), x=Fraction(1, 2), y=Fraction(1, 2), weight=lambda gamma, k: gamma**k)},
        mutants={"no curl: a gradient": lambda case: 0 * case.gamma, "gamma": lambda case: case.gamma},
        source="Nota, Thomas (2020), Theorem 4.1",
    ),
    free=("a particular x and y",),
    coq=("T58_dropped_discount_no_gradient",),
    functions=("pgtheory.tabular.fields.field:Field",),
)  # fmt: skip
