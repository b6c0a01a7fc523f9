"""The discounted two-state two-action model with symbols for everything, in the field of rational functions: equality is equality of normal forms.

Twelve symbols: p_sa = P(next = 0 | s, a), r_sa, m = mu(0), g = gamma, and x_s = pi(0|s), so that pi(1|s) = 1 - x_s. Level S of evidence: an identity for one
shape of the model, no proof for all. `sympy.polys.fields` keeps quotients of coprime polynomials; nothing is simplified by search.
"""

from dataclasses import dataclass
from typing import Any

Element = Any
"""An element of Q(p, r, m, g, x, b)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SymbolicMDP:
    """The model and its exact solution, nested lists over states and actions.

    Attributes:
        symbols: name -> generator of the field.
        pi, P, r, mu: the model; P[s][a][t].
        V, Q, d, J: value, action value, occupancy (I - g P_pi')^-1 mu, and return.
    """

    symbols: dict[str, Element]
    pi: list
    P: list
    r: list
    mu: list
    V: list
    Q: list
    d: list
    J: Element


def symbolic_mdp() -> SymbolicMDP:
    """Builds the field and solves the Bellman equations in it by Cramer's rule."""
    from sympy import QQ
    from sympy.polys.fields import field
    from sympy.polys.orderings import grevlex

    names = "x0,x1,p00,p01,p10,p11,r00,r01,r10,r11,m,g,b0,b1"
    _, *generators = field(names, QQ, grevlex)
    symbols: dict[str, Element] = {str(name): generator for name, generator in zip(names.split(","), generators, strict=True)}
    g, m = symbols["g"], symbols["m"]
    both = range(2)
    pi = [[symbols[f"x{s}"], 1 - symbols[f"x{s}"]] for s in both]
    P = [[[symbols[f"p{s}{a}"], 1 - symbols[f"p{s}{a}"]] for a in both] for s in both]
    r = [[symbols[f"r{s}{a}"] for a in both] for s in both]
    mu = [m, 1 - m]
    gain = [pi[s][0] * r[s][0] + pi[s][1] * r[s][1] for s in both]
    M = [[int(s == t) - g * (pi[s][0] * P[s][0][t] + pi[s][1] * P[s][1][t]) for t in both] for s in both]
    det = M[0][0] * M[1][1] - M[0][1] * M[1][0]
    V = [(M[1][1] * gain[0] - M[0][1] * gain[1]) / det, (M[0][0] * gain[1] - M[1][0] * gain[0]) / det]
    d = [(mu[0] * M[1][1] - mu[1] * M[1][0]) / det, (mu[1] * M[0][0] - mu[0] * M[0][1]) / det]
    Q = [[r[s][a] + g * (P[s][a][0] * V[0] + P[s][a][1] * V[1]) for a in both] for s in both]
    return SymbolicMDP(symbols=symbols, pi=pi, P=P, r=r, mu=mu, V=V, Q=Q, d=d, J=mu[0] * V[0] + mu[1] * V[1])


def logit_derivative(mdp: SymbolicMDP, f: Element, s: int, a: int) -> Element:
    """d f / d theta[s, a] of the softmax logits: d pi(0|s) / d theta[s, 0] = x (1-x), and minus that for theta[s, 1]."""
    x = mdp.symbols[f"x{s}"]
    return (1 if a == 0 else -1) * x * (1 - x) * f.diff(x)


def policy_gradient_identity(mdp: SymbolicMDP) -> list[tuple[Element, Element]]:
    """(dJ/dtheta[s, a], d(s) pi(a|s) (Q(s, a) - V(s))) for the four logits: the theorem T15 as four equalities of rational functions.

    Theorem: T15.
    """
    right = lambda s, a: mdp.d[s] * mdp.pi[s][a] * (mdp.Q[s][a] - mdp.V[s])
    return [(logit_derivative(mdp, mdp.J, s, a), right(s, a)) for s in range(2) for a in range(2)]


def baseline_identity(mdp: SymbolicMDP) -> list[tuple[Element, Element]]:
    """(sum_sa d(s) (d pi(a|s) / d theta) Q(s, a), the same with Q(s, a) - b(s)) for the four logits, b arbitrary symbols.

    Theorem: T03.
    """

    def total(s: int, a: int, baseline: Element) -> Element:
        return sum(mdp.d[s] * logit_derivative(mdp, mdp.pi[s][c], s, a) * (mdp.Q[s][c] - baseline) for c in range(2))

    return [(total(s, a, 0), total(s, a, mdp.symbols[f"b{s}"])) for s in range(2) for a in range(2)]


def bellman_identities(mdp: SymbolicMDP) -> list[tuple[Element, Element]]:
    """V = sum_a pi Q in both states, J = d . r_pi, and (1 - g) sum_s d(s) = 1."""
    average = lambda table, s: mdp.pi[s][0] * table[s][0] + mdp.pi[s][1] * table[s][1]
    values = [(mdp.V[s], average(mdp.Q, s)) for s in range(2)]
    flow = mdp.d[0] * average(mdp.r, 0) + mdp.d[1] * average(mdp.r, 1)
    g = mdp.symbols["g"]
    return [*values, (mdp.J, flow), ((1 - g) * (mdp.d[0] + mdp.d[1]), g**0)]
