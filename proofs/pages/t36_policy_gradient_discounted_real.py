"""T36: T14 for derivatives of real analysis, and that they exist.

V is a quotient of polynomials in the policy (Cramer's rule), so that it is differentiable wherever the policy is: nothing has to be assumed about V. The instances
compute the derivative as the limit of difference quotients of the rational function t -> V(pi + t dpi), by symbols: (V(t) - V(0)) / t is reduced and evaluated at 0.
"""

from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, cases
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.pages.t14_policy_gradient_discounted import formula
from pgtheory.proofs.pages.t29_policy_gradient_real import coin
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def slope(case: Case) -> list[Fraction]:
    """Value at 0 of the reduced difference quotient in every state."""
    from sympy import QQ

    (t,) = symbols("t")
    one, p = t**0, case.process
    into = lambda x: one * QQ(x.numerator, x.denominator)
    model = Process([[[into(x) for x in row] for row in rows] for rows in p.P], [[into(x) for x in row] for row in p.r], into(p.gamma))
    pi = [[into(x) + t * into(d) + t**2 for x, d in zip(row, other, strict=True)] for row, other in zip(case.pi, case.dpi, strict=True)]
    at_zero = lambda f: Fraction(int(f.numer.coeff(1).numerator), int(f.numer.coeff(1).denominator)) / Fraction(str(f.denom.coeff(1)))
    quotients = [(v - into(w)) / t for v, w in zip(model.value(pi), p.value(case.pi), strict=True)]
    return [at_zero(q) for q in quotients]


PAGE = Page(
    title="Policy gradient theorem for real derivatives, discounted",
    words="If the policy has a directional derivative, so has the discounted value, and it is that of the policy gradient theorem.",
    claim=Claim(
        id="T36", kind="identity", relation=Exact(), level="rational",
        statement="d/dt V(pi(theta + t v)) at 0 = (I - gamma P_pi)^-1 [sum_a dpi(a|s) Q(s, a)]_s",
        left=slope, right=formula, cases=lambda: [coin(), *cases(36, each=1)],
        mutants={
            "rewards in place of action values": lambda case: formula(case, values=lambda p, pi: p.r),
            "no resolvent": lambda case: formula(case, solve=lambda p, pi, c: c),
        },
        source="Sutton, McAllester, Singh, Mansour (1999), Theorem 1",
    ),
    free=("differentiability of V: it is proved", "normalised rows"),
    coq=("T36_policy_gradient_discounted_real",),
    functions=("pgtheory.tabular.objectives.derivatives:probability_pullback",),
)  # fmt: skip
