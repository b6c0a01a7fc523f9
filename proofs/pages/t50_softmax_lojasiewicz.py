"""T50: a softmax policy that loses something has a gradient.

By T16 the gap to the deterministic policy f is a sum over states of f's visits times the advantage of f's action. Of each term the gradient holds the part
d(s) pi(f(s)|s) A(s, f(s)); kappa d covers f's visits and c is at most pi(f(s)|s), so that c gap <= kappa sum_s |dJ/dtheta(s, f(s))|, and by Cauchy and Schwarz a sum
of S numbers is at most sqrt(S) times their norm. All that is used of pi is c. Without roots the sides are fractions: both are compared as x |x|, which rises with x.
Source: Mei, Xiao, Szepesvari, Schuurmans (2020), Lemma 8.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, Process, Table, as_fractions, cases, dot
from pgtheory.proofs.pages.premises import DISCOUNTED, by_hand, holding
from pgtheory.proofs.pages.symbols import derivation as derivation_of
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def pure(f: tuple[int, ...], A: int) -> Table:
    """The policy that takes f(s) in s."""
    return [[Fraction(a == chosen) for a in range(A)] for chosen in f]


def likelihood(case: Case) -> Number:
    """min_s pi(f(s)|s)."""
    return min(row[a] for row, a in zip(case.pi, case.f, strict=True))


def ratio(case: Case) -> Number:
    """The least kappa with d_f <= kappa d in the states that pi visits."""
    return max(x / y for x, y in zip(case.aim, case.d, strict=True) if y)


def completed(case: Case) -> Case:
    """With visits, advantages and the gap; with the best kappa and c unless it brings others."""
    p, best = case.process, pure(case.f, len(case.pi[0]))
    V = p.value(case.pi)
    case.A = [[q - v for q in row] for row, v in zip(p.backup(V), V, strict=True)]
    case.d, case.aim = p.occupancy(case.mu, case.pi), p.occupancy(case.rho, best)
    case.gap = dot(case.rho, p.value(best)) - dot(case.rho, V)
    case.kappa, case.c = getattr(case, "kappa", ratio(case)), getattr(case, "c", likelihood(case))
    return case


def made(label: str, **parts: Any) -> Case:
    """A bandit whose first action earns one, with what is named otherwise."""
    whole = {"P": [[[0], [0]]], "r": [[1, 0]], "gamma": "0", "pi": [["1/2", "1/2"]], "f": (0,), "rho": [1], "mu": [1], **parts}
    exact = {name: part if name == "f" else as_fractions(part) for name, part in whole.items()}
    return completed(Case(label, process=Process(exact.pop("P"), exact.pop("r"), exact.pop("gamma")), **exact))


def uncovered(label: str, **parts: Any) -> Case:
    """Two states; f goes on to the second, where it errs, and pi's visits there add up to 0, so that the gradient is 0."""
    return made(label, r=[["1/4", 0], [0, 1]], pi=[["1/2", "1/2"]] * 2, f=(0, 0), rho=[1, 0], **parts)


def instances() -> Iterator[Case]:
    """The bandits are those of the mutants in Coq."""
    for case in cases(50):
        A = len(case.pi[0])
        f = max(product(range(A), repeat=len(case.pi)), key=lambda f, case=case, A=A: sum(case.process.value(pure(f, A))))
        yield completed(Case(f"{case.label}, against the best", process=case.process, pi=case.pi, f=f, rho=case.mu, mu=case.mu))
    yield made("a bandit")
    yield made("a bandit, the gap from twice the start", rho=[2])
    three = {"P": [[[0] * 3] * 2] * 3, "r": [[1, 0]] * 3, "pi": [["1/2", "1/2"]] * 3, "f": (0, 0, 0), "rho": [1, 1, 1], "mu": [1, 1, 1]}
    yield made("three bandits", **three)
    yield made("a policy that is none", P=[[[0, 0]] * 2] * 2, r=[[1, 0]] * 2, pi=[[3, -5], ["1/4", 9]], f=(0, 0), rho=[1, 2], mu=[1, 1])


def signed_square(x: Number) -> Number:
    """x |x|."""
    return x * abs(x)


def left(case: Case) -> Number:
    return signed_square(case.gap)


def right(case: Case, states: bool = True, mismatch: bool = True, likely: bool = True) -> Number:
    """x |x| of sqrt(S) kappa |grad J| / c; 0 where c is, as in Coq."""
    if case.c == 0:
        return Fraction(0)
    norm = sum((d * p * A) ** 2 for d, ps, As in zip(case.d, case.pi, case.A, strict=True) for p, A in zip(ps, As, strict=True))
    return (len(case.d) if states else 1) * (signed_square(case.kappa) if mismatch else 1) * norm / (signed_square(case.c) if likely else 1)


PREMISES = {
    **DISCOUNTED,
    "the start of the gap is not negative": lambda case: min(case.rho) >= 0,
    "kappa is not negative": lambda case: case.kappa >= 0,
    "kappa d covers the visits of f": lambda case: all(x <= case.kappa * y for x, y in zip(case.aim, case.d, strict=True)),
    "c is positive": lambda case: case.c > 0,
    "pi takes each action of f with probability c": lambda case: case.c <= likelihood(case),
}


WITHOUT = {
    "P is not negative": lambda: uncovered("a chance of -1", P=[[[0, -1], [0, 0]], [[0, 0], [0, 0]]], gamma="1/2", mu=[1, "1/4"]),
    "rows of P sum to at most one": lambda: made("a row that sums to 4", P=[[[4], [0]]], r=[[-1, 0]], gamma="1/2", pi=[["1/4", "3/4"]], kappa="0"),
    "gamma is not negative": lambda: uncovered("gamma = -1/2", P=[[[0, 1], [0, 0]], [[0, 0], [0, 0]]], gamma="-1/2", mu=[1, "1/4"]),
    "gamma is below 1": lambda: made("gamma = 4", P=[[[1], [0]]], r=[[-1, 0]], gamma="4", pi=[["1/8", "7/8"]], kappa="0"),
    "the start of the gap is not negative": lambda: made("a start of -1", f=(1,), rho=[-1], kappa="0"),
    "kappa is not negative": lambda: made("kappa = -1, visits of -1", mu=[-1], kappa="-1"),
    "kappa d covers the visits of f": lambda: made("kappa = 1/10", kappa="1/10"),
    "c is positive": lambda: made("c = -1", c="-1"),
    "pi takes each action of f with probability c": lambda: made("c = 10", c="10"),
}


def derivation() -> Iterator[Step]:
    x, r0, r1, p0, p1, g, m = symbols("x,r0,r1,p0,p1,g,m")
    d, best = m / (1 - g * (x * p0 + (1 - x) * p1)), m / (1 - g * p0)
    J = d * (x * r0 + (1 - x) * r1)
    advantage = r0 + g * p0 * J / m - J / m
    yield Step(
        "the gap is f's visits times the advantage of f's action (T16; one state, f takes the first of two actions)", best * r0 - J, best * advantage
    )
    yield Step("the derivative in the logit of that action, D x = x (1 - x), is d pi(f) A", derivation_of({x: x * (1 - x)})(J), d * x * advantage)
    a, b, c = symbols("a,b,c")
    yield Step(
        "Cauchy and Schwarz: S sum x^2 - (sum x)^2 is a sum of squares",
        3 * (a**2 + b**2 + c**2) - (a + b + c) ** 2,
        (a - b) ** 2 + (a - c) ** 2 + (b - c) ** 2,
    )


PAGE = Page(
    title="Lojasiewicz inequality of the softmax",
    words="What a softmax policy loses against a deterministic one is at most sqrt(S) times the ratio of visits times the norm of the gradient, over the least probability "
    "with which it takes that policy's actions.",
    claim=Claim(
        id="T50", kind="bound", relation=Exact("<="), level="rational",
        statement="rho V_f - rho V <= sqrt(S) kappa |grad mu V| / c, grad = d(s) pi(a|s) A(s, a), where d_f <= kappa d and c <= pi(f(s)|s)",
        left=left, right=right, cases=lambda: holding(instances(), PREMISES, 12),
        assumes=by_hand(WITHOUT, PREMISES, lambda case: left(case) > right(case)),
        mutants={
            "without the probability of f's actions": partial(right, likely=False),
            "without the ratio of visits": partial(right, mismatch=False),
            "without the number of states": partial(right, states=False),
        },
        source="Mei, Xiao, Szepesvari, Schuurmans (2020), Lemma 8",
    ),
    free=("a best policy", "one start for both", "a start of the gradient that is a law, or not negative", "a pi that is a policy, but for c", "rewards in [0, 1]"),
    derivation=derivation,
    coq=("T50_softmax_lojasiewicz", "T50_softmax_lojasiewicz_squared"),
    functions=("pgtheory.tabular.rates.domination:distance_ratio", "pgtheory.tabular.rates.instances:best_probability"),
)  # fmt: skip
