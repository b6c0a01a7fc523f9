"""T46: averaging over the actions never adds variance.

Given the state, sum_a pi(a|s) x(s, a) is the conditional mean of x(s, a): T19 says that its variance is smaller by the mean variance within the states. The all-action
estimator sums over actions and samples states alone. Source: Rao (1945), Blackwell (1947); Asadi et al. (2017) for policy gradients.
"""

from collections.abc import Iterator
from functools import partial
from itertools import count

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Number, distribution, dot, fractions, variance
from pgtheory.proofs.pages.premises import holding, nonnegative, normalised, rows, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def stream() -> Iterator[Case]:
    """Weights of three states, a policy on two actions, numbers x(s, a)."""
    rng = np.random.default_rng(46)
    for number in count(1):
        d = distribution(rng, 3) if rng.random() < 0.8 else fractions(rng, 3)
        yield Case(f"draw {number}", d=d, pi=rows(rng, 3, 2), x=[fractions(rng, 2) for _ in range(3)])


def summed(case: Case) -> Number:
    """Var of sum_a pi(a|s) x(s, a), s drawn."""
    return variance(case.d, [dot(p, x) for p, x in zip(case.pi, case.x, strict=True)])


def sampled(case: Case) -> Number:
    """Var of x(s, a), both drawn."""
    return variance([d * p for d, row in zip(case.d, case.pi, strict=True) for p in row], [x for row in case.x for x in row])


PREMISES = {
    "weights of the states are not negative": lambda case: min(case.d) >= 0,
    "the policy is not negative": lambda case: nonnegative(case.pi),
    "rows of the policy sum to one": lambda case: normalised(case.pi),
}

PAGE = Page(
    title="All-action estimators have no more variance",
    words="Summing over the actions of a state instead of drawing one never increases the variance.",
    claim=Claim(
        id="T46", kind="variance less than", relation=Exact("<="), level="rational", statement="Var_d(sum_a pi(a|s) x(s, a)) <= Var_{d pi}(x(s, a))",
        left=summed, right=sampled, cases=lambda: holding(stream(), PREMISES),
        assumes={name: partial(without, name, stream, PREMISES, lambda case: summed(case) > sampled(case)) for name in PREMISES},
        mutants={"half of it": lambda case: sampled(case) / 2, "less by the square of the mean": lambda case: sampled(case) - dot(case.d, [dot(p, x) for p, x in zip(case.pi, case.x, strict=True)]) ** 2 - 1},
        source="Rao (1945); Blackwell (1947)",
    ),
    free=("weights that sum to one",),
    coq=("T46_all_action_variance",),
    functions=("pgtheory.tabular.estimators.policy_gradient:PolicyGradient",),
)  # fmt: skip
