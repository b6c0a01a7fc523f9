"""T46: the sum over all actions is never worse than the action drawn.

It is the conditional mean given the state (Rao-Blackwell), so that the mean stays, and what is lost is the mean of the variances within the states (T19):
E_d[Var_pi(x | s)] >= 0. With x = score times Q this is the step from REINFORCE to expected (all-action) policy gradients; it needs Q at every action.
Source: Rao (1945); Blackwell (1947); Ciosek, Whiteson (2020), Lemma 3.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, as_fractions, distribution, dot, fractions, mean, policy, variance
from pgtheory.proofs.pages.premises import by_hand, nonnegative, normalised
from pgtheory.proofs.pages.symbols import symbols
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def drawn(case: Case) -> tuple[list, list]:
    """Weights d(s) pi(a|s) and numbers x(s, a) of the pairs."""
    return [d * p for d, row in zip(case.d, case.pi, strict=True) for p in row], [*chain(*case.x)]


def summed(case: Case) -> list:
    """sum_a pi(a|s) x(s, a)."""
    return [dot(p, x) for p, x in zip(case.pi, case.x, strict=True)]


def within(case: Case) -> Number:
    """E_d[Var_pi(x | s)]."""
    return dot(case.d, [variance(p, x) for p, x in zip(case.pi, case.x, strict=True)])


def all_actions(case: Case) -> list:
    """The mean in both directions of <=, and the variance."""
    m = mean(case.d, summed(case))
    return [m, -m, variance(case.d, summed(case))]


def one_action(case: Case, spread=lambda case: variance(*drawn(case))) -> list:
    """The same of one pair."""
    m = mean(*drawn(case))
    return [m, -m, spread(case)]


def uniform(case: Case) -> list:
    """The same, the action drawn from the uniform law."""
    equal = [[Fraction(1, len(row))] * len(row) for row in case.pi]
    return one_action(Case(case.label, d=case.d, pi=equal, x=case.x))


def turned(case: Case) -> Number:
    """2 x - y for the two variances x and y: x is at most that exactly if y is at most x."""
    return 2 * variance(case.d, summed(case)) - variance(*drawn(case))


def by_numbers(label: str, d: list, pi: list, x: list) -> Case:
    """A law by hand."""
    return Case(label, d=as_fractions(d), pi=as_fractions(pi), x=as_fractions(x))


def instances() -> Iterator[Case]:
    yield by_numbers("two states that are visited equally", ["1/2", "1/2"], [["3/4", "1/4"], ["1/2", "1/2"]], [[4, 0], [1, -1]])
    rng = np.random.default_rng(46)
    for number in range(8):
        S, A = 1 + number % 3, 2 + number % 2
        yield Case(
            f"law {number + 1}: {S} states, {A} actions", d=distribution(rng, S), pi=policy(rng, S, A), x=[fractions(rng, A) for _ in range(S)]
        )
    yield by_numbers("a deterministic policy, where both are the same", ["1/3", "2/3"], [[1, 0], [0, 1]], [[1, 5], [2, 3]])
    yield by_numbers("visits that sum to three", [1, 2], [["1/2", "1/2"], ["1/4", "3/4"]], [[1, 5], [2, 3]])


PREMISES = {
    "visits are not negative": lambda case: nonnegative([case.d]),
    "the policy is not negative": lambda case: nonnegative(case.pi),
    "rows of the policy sum to one": lambda case: normalised(case.pi),
}

WITHOUT = {
    "visits are not negative": lambda: by_numbers("visits 2, -1", [2, -1], [[1, 0], ["1/2", "1/2"]], [[0, 0], [0, 2]]),
    "the policy is not negative": lambda: by_numbers("a row 2, -1", [1], [[2, -1]], [[0, 1]]),
    "rows of the policy sum to one": lambda: by_numbers("a row that sums to two", ["1/2", "1/2"], [[1, 1], ["1/2", "1/2"]], [[1, 1], [0, 0]]),
}


def derivation() -> Iterator[Step]:
    d, p, q, x0, x1, y0, y1 = symbols("d,p,q,x0,x1,y0,y1")
    case = Case("two states, two actions", d=[d, 1 - d], pi=[[p, 1 - p], [q, 1 - q]], x=[[x0, x1], [y0, y1]])
    yield Step("the mean of the sums is the mean of one pair", mean(case.d, summed(case)), mean(*drawn(case)))
    yield Step(
        "the variance of one pair is that of the sums and the variance within the states",
        variance(*drawn(case)),
        variance(case.d, summed(case)) + within(case),
    )
    yield Step("which is a sum of squares", within(case), d * p * (1 - p) * (x0 - x1) ** 2 + (1 - d) * q * (1 - q) * (y0 - y1) ** 2)


PAGE = Page(
    title="All actions instead of one",
    words="Summing over the actions of a state, instead of drawing one, keeps the mean and does not raise the variance.",
    claim=Claim(
        id="T46", kind="variance less than", relation=Exact("<="), level="rational",
        statement="E_d[sum_a pi x] = E_{d pi}[x] and Var_d(sum_a pi(a|s) x(s, a)) <= Var_{d pi}(x(s, a))",
        left=all_actions, right=one_action, cases=instances,
        assumes=by_hand(WITHOUT, PREMISES, lambda case: variance(case.d, summed(case)) > variance(*drawn(case))),
        mutants={
            "actions drawn from the uniform law": uniform,
            "the inequality turned": lambda case: one_action(case, turned),
            "the variance within the states alone": lambda case: one_action(case, within),
        },
        source="Rao (1945); Blackwell (1947); Ciosek, Whiteson (2020), Lemma 3",
    ),
    free=("visits that sum to one", "an x that is a score times an action value", "positive probabilities"),
    derivation=derivation,
    coq=("T46_all_action_variance",),
    functions=("pgtheory.tabular.estimators.policy_gradient:PolicyGradient", "pgtheory.tabular.variance.decomposition:Sources"),
)  # fmt: skip
