"""T54: how far the surrogate is from the truth.

J' - J differs from sum_s d(s) sum_a pi'(a|s) A(s, a), which looks at the OLD visits, by at most 4 gamma eps alpha^2 / (1 - gamma)^2: eps bounds the advantages, alpha the total
variation in each state. Twice the change of the policy: once it moves the mean advantage, once the visits. So the surrogate less that term is a lower bound of what is gained; for
a mixture (1 - w) pi + w pb, as conservative policy iteration takes it, alpha is w and the surrogate w times that of pb. Source: Kakade, Langford (2002), Theorem 4.1; Schulman et
al. (2015), Theorem 1.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from itertools import chain

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, Table, as_fractions, cases, dot
from pgtheory.proofs.pages.premises import DISCOUNTED, Premise, holding, is_policy, without
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def drawn() -> Iterator[Case]:
    """Random problems; the other policy mixed in with 1/4 to 1."""
    for number, case in enumerate(cases(54)):
        case.w = Fraction(1 + number % 4, 4)
        yield solved(case)


def solved(case: Case) -> Case:
    """With advantages, visits, improvements; the least eps and alpha."""
    p = case.process
    V = p.value(case.pi)
    gained = lambda pi: dot(case.mu, p.value(pi)) - dot(case.mu, V)
    case.A = [[q - v for q in row] for row, v in zip(p.action_value(case.pi), V, strict=True)]
    case.d = p.occupancy(case.mu, case.pi)
    case.gained, case.gained_mixed = gained(case.other), gained(mixture(case))
    case.eps = max(abs(x) for row in case.A for x in row)
    case.alpha = max(variation(case)) / 2
    return case


def mixture(case: Case) -> Table:
    """(1 - w) pi + w pb, pb the other policy."""
    return [[(1 - case.w) * x + case.w * y for x, y in zip(old, new, strict=True)] for old, new in zip(case.pi, case.other, strict=True)]


def variation(case: Case) -> list[Fraction]:
    """sum_a |pi' - pi| in each state: twice the total variation."""
    return [sum((abs(x - y) for x, y in zip(new, old, strict=True)), Fraction(0)) for new, old in zip(case.other, case.pi, strict=True)]


def surrogate(case: Case) -> Fraction:
    """sum_s d(s) sum_a pi'(a|s) A(s, a)."""
    return dot(case.d, [dot(new, A) for new, A in zip(case.other, case.A, strict=True)])


def missed(case: Case) -> list[Fraction]:
    """|J' - J - surrogate|; how far the improvement falls below the surrogate; the loss of the mixture."""
    return [abs(case.gained - surrogate(case)), surrogate(case) - case.gained, -case.gained_mixed]


def bounds(case: Case, horizon: int = 2, second: int = 1, weighted: bool = True) -> list[Fraction]:
    """4 gamma eps alpha^2 / (1 - gamma)^2 twice; the same with w for alpha, less w times the surrogate."""
    g = case.process.gamma
    term = lambda size: second * 4 * g * case.eps * size**2 / (1 - g) ** horizon
    return [term(case.alpha), term(case.alpha), term(case.w) - (case.w if weighted else 1) * surrogate(case)]


def stops(
    label: str, r: list, pi: str, other: str, gamma: str = "9/10", w: str = "1/10", mu: tuple[int, ...] = (1,), on: int = 1, **factors: str
) -> Case:
    """The first action goes on (with chance `on`), the second ends the episode; the two policies by their chance of the first. A second start, if there is one, ends at once. Factors of eps and alpha."""
    ends, rows = as_fractions([[0] * len(mu)]), lambda x: [[Fraction(x), 1 - Fraction(x)]] + [[Fraction(1), Fraction(0)]] * (len(mu) - 1)
    P = [[as_fractions([on] + [0] * (len(mu) - 1)), *ends], *([ends * 2] * (len(mu) - 1))]
    model = Process(P, as_fractions([r] + [[0, 0]] * (len(mu) - 1)), Fraction(gamma))
    case = solved(Case(label, process=model, mu=as_fractions([*mu]), pi=rows(pi), other=rows(other), w=Fraction(w)))
    for name, factor in factors.items():
        setattr(case, name, getattr(case, name) * Fraction(factor))
    return case


SPECIAL = (
    lambda: stops("going on pays, and is given up in one case of ten", [1, 0], "1", "9/10"),
    lambda: stops("going on costs, and is given up in one case of ten", [-1, 0], "1", "9/10"),
    lambda: stops("a tenth of going on, which pays", [1, 0], "0", "1", gamma="1/10"),
)
"""The instances of the mutants in Coq."""

COMMON = {
    **DISCOUNTED,
    "the old one is a policy": lambda case: is_policy(case.pi),
    "the new one is a policy": lambda case: is_policy(case.other),
    "starts are not negative": lambda case: min(case.mu) >= 0,
    "starts sum to one": lambda case: sum(case.mu) == 1,
    "eps bounds the advantages": lambda case: all(abs(x) <= case.eps for row in case.A for x in row),
}
BOUND = {**COMMON, "alpha bounds the total variation": lambda case: max(variation(case)) <= 2 * case.alpha}
MIXTURE = {**COMMON, "w is not negative": lambda case: case.w >= 0, "w is at most 1": lambda case: case.w <= 1}
exceeds = lambda entry: lambda case: missed(case)[entry] > bounds(case)[entry]

COSTS = partial(stops, r=[-1, 0], pi="1", other="9/10")
MIXED = partial(stops, r=[-1, 0], pi="1", other="0")
COUNTER = (
    lambda: COSTS("gamma = 3/2", pi="0", other="13/20", gamma="3/2"),
    lambda: MIXED("gamma = 3/2, a mixture", pi="0", other="1", w="13/20", gamma="3/2"),
    lambda: COSTS("starts 20, -19", mu=(20, -19)),
    lambda: MIXED("starts 20, -19, a mixture", mu=(20, -19)),
    lambda: COSTS("20 starts", mu=(20,)),
    lambda: MIXED("20 starts, a mixture", mu=(20,)),
    lambda: COSTS("a chance of -50", on=-50, gamma="1/100", r=[1, 0]),
    lambda: MIXED("a chance of -50, a mixture", on=-50, gamma="1/100", r=[1, 0]),
    lambda: COSTS("gamma = -1/2", gamma="-1/2"),
    lambda: COSTS("a tenth of alpha", alpha="1/10"),
    lambda: COSTS("a chance of 2", on=2, gamma="9/20"),
    lambda: MIXED("a chance of 2, a mixture", on=2, gamma="9/20"),
    lambda: COSTS("an old policy of 11/10, -1/10", pi="11/10", other="1"),
    lambda: MIXED("an old policy of 111/100, -11/100, a mixture", pi="111/100"),
    lambda: COSTS("a new policy of 11/10, -1/10", other="11/10"),
    lambda: MIXED("a new policy of 2, -1, a mixture", other="2"),
    lambda: COSTS("a tenth of eps", eps="1/10"),
    lambda: MIXED("a tenth of eps, a mixture", eps="1/10"),
    lambda: MIXED("w = -1/2", pi="9/10", w="-1/2", gamma="37/50"),
    lambda: MIXED("w = 2", pi="1/2", other="1", w="2", gamma="33/50"),
)
"""Counterexamples: in each one premise does not hold."""


def failing(premises: Mapping[str, Premise], entry: int, where: str = "") -> dict[str, Callable[[], Case]]:
    """For each premise a case on which it alone does not hold, and this entry of the conclusion fails."""
    return {name + where: partial(without, name, lambda: (make() for make in COUNTER), premises, exceeds(entry)) for name in premises}


def derivation() -> Iterator[Step]:
    g, P, Q = symbols("g,p,q")
    yield Step(
        "one state: the visits differ by what the chances of going on do",
        1 / (1 - g * Q) - 1 / (1 - g * P),
        g * (Q - P) / ((1 - g * Q) * (1 - g * P)),
    )
    w, a, b, x, y = symbols("w,a,b,x,y")
    old = a * x + (1 - a) * y
    mixed = ((1 - w) * a + w * b) * x + ((1 - w) * (1 - a) + w * (1 - b)) * y
    yield Step("the mean of a mixture moves by w times the way of the other policy", mixed - old, w * (b * x + (1 - b) * y - old))


PAGE = Page(
    title="Trust-region bound",
    words="The surrogate with the old visits misses the true improvement by a term of second order in the change of the policy.",
    claim=Claim(
        id="T54", kind="bound", relation=Exact("<="), level="rational",
        statement="|J' - J - sum_s d(s) sum_a pi'(a|s) A(s, a)| <= 4 gamma eps alpha^2 / (1 - gamma)^2, so that J' - J is at least that sum less the bound; "
        "w sum_s d(s) sum_a pb(a|s) A(s, a) - 4 gamma eps w^2 / (1 - gamma)^2 <= J'' - J for the mixture (1 - w) pi + w pb",
        left=missed, right=bounds,
        cases=lambda: holding(chain((make() for make in SPECIAL), drawn()), {**BOUND, **MIXTURE}, 11),
        assumes={**failing(BOUND, 0), **failing(BOUND, 1, " (lower bound)"), **failing(MIXTURE, 2, " (mixture)")},
        mutants={
            "1 - gamma not squared": lambda case: bounds(case, horizon=1),
            "without the term of second order": lambda case: bounds(case, second=0),
            "the mixture's weight left out": lambda case: bounds(case, weighted=False),
        },
        source="Schulman, Levine, Moritz, Jordan, Abbeel (2015), Theorem 1; Kakade, Langford (2002), Theorem 4.1",
    ),
    free=("small steps",),
    derivation=derivation,
    coq=("T54_conservative_mixture", "T54_trust_region", "T54_trust_region_lower"),
    functions=("pgtheory.tabular.estimators.surrogates:PrefixSurrogate",),
)  # fmt: skip
