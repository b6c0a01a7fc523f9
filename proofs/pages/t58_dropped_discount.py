"""T58: dropping gamma^t leaves no gradient of anything.

Two states, a parameter each: x to get from the first to the second, y to win there. J = gamma x y. The field without gamma^t is (gamma y, x): its cross derivatives are gamma and 1,
so that no function has it as its gradient unless gamma = 1, where x y has. A function with this gradient could only be the integral of the field along a path, which is tried too.
Source: Nota, Thomas (2020), Theorem 4.1.
"""

from collections.abc import Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, Process, dot
from pgtheory.proofs.pages.symbols import derivation as along
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step
from pgtheory.tabular.exact.jets import Jet

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)


def jet(value: Fraction, dx: Fraction = ZERO, dy: Fraction = ZERO) -> Jet:
    """A number with its derivatives along x and y."""
    return Jet(value, (dx, dy), ((ZERO,), (ZERO, ZERO)))


def field(case: Case, x: Number, y: Number) -> list[Number]:
    """sum_k w_k sum_s Pr_k(s) sum_a D pi(a|s) Q(s, a), for D = d/dx and d/dy."""
    P = [[[ZERO, ZERO], [ZERO, ONE]], [[ZERO, ZERO], [ZERO, ZERO]]]
    p, pi = Process(P, [[ZERO, ZERO], [ZERO, ONE]], case.gamma), [[1 + -1 * x, x], [1 + -1 * y, y]]

    def component(tangent: list[list[Fraction]]) -> Number:
        local = lambda m: [dot(t, q) for t, q in zip(tangent, p.Q(pi, m), strict=True)]
        return sum((case.weight(case.gamma, k) * dot(p.reach(pi, k)[0], local(case.n - k - 1)) for k in range(case.n)), 0 * x)

    return [component([[-ONE, ONE], [ZERO, ZERO]]), component([[ZERO, ZERO], [-ONE, ONE]])]


def integral(case: Case, x: Number, y: Number) -> Number:
    """The only candidate up to a constant: the integral of the field from (0, 0) to (x, 0) to (x, y), whose sides the midpoints give exactly."""
    return x * field(case, HALF * x, 0 * x)[0] + y * field(case, x, HALF * y)[1]


def left(case: Case) -> list:
    """The difference of the cross derivatives of the field, and whether the candidate has the field as its gradient."""
    x, y = jet(case.x, dx=ONE), jet(case.y, dy=ONE)
    followed = field(case, x, y)
    potential = case.potential(x, y) if hasattr(case, "potential") else integral(case, x, y)
    return [followed[1].gradient[0] - followed[0].gradient[1], int(list(potential.gradient) == [part.value for part in followed])]


def right(case: Case, curl=lambda gamma: 1 - gamma, exists=lambda gamma: 0) -> list:
    """1 - gamma, and no."""
    gamma = getattr(case.gamma, "value", case.gamma)
    return [curl(gamma), exists(gamma)]


def at(gamma: Fraction | Jet, label: str = "", x: Fraction = HALF, y: Fraction = HALF, **parts) -> Case:
    label = label or f"gamma = {gamma}, x = {x}, y = {y}"
    return Case(label, **{"gamma": gamma, "x": x, "y": y, "n": 2, "weight": lambda gamma, k: 1, **parts})


def cases() -> Iterator[Case]:
    for gamma in (ZERO, HALF, Fraction(9, 10), Fraction(3, 2)):
        for x, y in ((HALF, HALF), (Fraction(1, 3), Fraction(3, 4))):
            yield at(gamma, x=x, y=y)


def third_variable(x: Jet, y: Jet) -> Jet:
    """gamma x y + (1 - gamma) z for gamma = 1/2, where Dx z = 0 and Dy z = x: Dx Dy z = 1, Dy Dx z = 0."""
    return HALF * (x * y) + HALF * jet(ONE, dy=x.value)


def derivation() -> Iterator[Step]:
    gamma, x, y = symbols("g,x,y")
    case = at(gamma)
    followed, dx, dy = field(case, x, y), along({x: gamma**0}), along({y: gamma**0})
    yield Step("the field", followed, [gamma * y, x])
    yield Step("its cross derivatives differ: Dx of the second less Dy of the first", dx(followed[1]) - dy(followed[0]), 1 - gamma)
    J = integral(case, x, y)
    yield Step("the integral along a path misses the first component by as much, times y", followed[0] - dx(J), (gamma - 1) * y)
    yield Step("at gamma = 1 it is x y, whose gradient is the field", [dx(x * y), dy(x * y)], field(at(gamma**0), x, y))
    weighted = at(gamma, weight=lambda gamma, k: gamma**k)
    yield Step("with gamma^k the field is the gradient of J = gamma x y", field(weighted, x, y), [dx(gamma * x * y), dy(gamma * x * y)])


PAGE = Page(
    title="Without gamma^t no gradient",
    words="The vector that programs follow when they leave gamma^t out is the gradient of no function.",
    claim=Claim(
        id="T58", kind="counterexample", relation=Exact(), level="rational",
        statement="for gamma != 1 no J has the gradient sum_{k<2} sum_s Pr_k(s) sum_a D pi(a|s) Q_{1-k}(s, a), D = d/dx, d/dy, on a chain of two states, "
        "where x leads on and y wins: its curl is 1 - gamma",
        left=left, right=right, cases=cases,
        assumes={
            "gamma is not 1": lambda: at(ONE),
            "gamma does not move": lambda: at(
                jet(HALF, dy=ONE), "gamma = 1 - 1/(4 y), at y = 1/2", potential=lambda x, y: x * y - Fraction(1, 4) * x
            ),
            "gamma^k is left out": lambda: at(HALF, "with gamma^k", weight=lambda gamma, k: gamma**k),
            "two steps to go": lambda: at(HALF, "one step: nothing can be won", n=1),
            "the two derivatives commute": lambda: at(HALF, "a third variable with Dx z = 0, Dy z = x", potential=third_variable),
        },
        mutants={
            "no curl: a gradient": lambda case: right(case, curl=lambda gamma: 0 * gamma),
            "the curl gamma": lambda case: right(case, curl=lambda gamma: gamma),
            "gamma = 0 is the exception": lambda case: right(case, exists=lambda gamma: int(gamma == 0)),
        },
        source="Nota, Thomas (2020), Theorem 4.1",
    ),
    free=("a particular x and y", "gamma below 1", "an objective that was tried: no function at all has this gradient"),
    derivation=derivation,
    coq=("T58_dropped_discount_no_gradient",),
    functions=("pgtheory.tabular.fields.field:Field",),
)  # fmt: skip
