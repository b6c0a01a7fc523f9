"""Symbols for the derivations: a field of rational functions, and derivations on it.

`sympy.polys.fields` keeps a quotient of coprime polynomials, so that two sides are equal if and only if they are the same object: no simplification, no search.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pgtheory.proofs.pages.finite import Process

Element = Any


def symbols(names: str) -> list[Element]:
    """The generators of Q(names), in order."""
    from sympy import QQ
    from sympy.polys.fields import field
    from sympy.polys.orderings import grevlex

    _, *generators = field(names, QQ, grevlex)
    return generators


def table(flat: list[Element], rows: int) -> list[list[Element]]:
    """A list as a table."""
    width = len(flat) // rows
    return [flat[i * width : (i + 1) * width] for i in range(rows)]


def derivation(slopes: Mapping[Element, Element]) -> Callable[[Element], Element]:
    """The derivation D with D x = slopes[x], and 0 on all other symbols: D f = sum_x (df/dx) D x."""
    return lambda f: sum((f.diff(x) * slope for x, slope in slopes.items()), 0 * f)


class TwoByTwo:
    """Two states, two actions, a symbol for everything: P (8, rows not normalised), r (4), gamma, pi (4, not normalised) and its derivative (4).

    With `stochastic` the rows of P and pi sum to one, which leaves half the symbols; with `lone` one reward is a symbol and the others are 0, which is enough
    where both sides are linear in the rewards.

    Attributes:
        process, pi: the model and the policy.
        D: the derivation under which pi moves and the model does not.
        more: further generators, by the names that were asked for.
    """

    def __init__(self, *, stochastic: bool = False, lone: bool = False, more: str = "") -> None:
        split = ["p", "q"] if not stochastic else ["p"]
        names = [f"{x}{s}{a}" for x in split for s in "01" for a in "01"]
        policy = ["x00", "x01", "x10", "x11"] if not stochastic else ["x0", "x1"]
        slopes = [f"d{x}" for x in policy]
        rewards = ["r00"] if lone else ["r00", "r01", "r10", "r11"]
        all_names = [*names, *policy, *slopes, *rewards, "g", *filter(None, more.split(","))]
        made = dict(zip(all_names, symbols(",".join(all_names)), strict=True))
        one = made["g"] ** 0
        second = lambda s, a: one - made[f"p{s}{a}"] if stochastic else made[f"q{s}{a}"]
        P = [[[made[f"p{s}{a}"], second(s, a)] for a in (0, 1)] for s in (0, 1)]
        self.process = Process(P, [[made.get(f"r{s}{a}", 0 * one) for a in (0, 1)] for s in (0, 1)], made["g"])
        self.pi = [[made[f"x{s}"], one - made[f"x{s}"]] if stochastic else [made[f"x{s}0"], made[f"x{s}1"]] for s in (0, 1)]
        self.D = derivation({made[x]: made[f"d{x}"] for x in policy})
        self.more = {name: made[name] for name in filter(None, more.split(","))}
