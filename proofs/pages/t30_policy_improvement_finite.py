"""T30: policy improvement, finite horizon.

If the new policy has no negative mean advantage anywhere, at any number of steps to go, it is nowhere worse: T04 is a sum of nonnegative terms. Source: Howard (1960).
"""

from functools import partial

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import dot
from pgtheory.proofs.pages.premises import GAMMA_POSITIVE, P_POSITIVE, above, careless, holding, nonnegative, normalised, without
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def old(case: Case) -> list:
    """V_n."""
    return case.process.V(case.pi, case.n)


def new(case: Case) -> list:
    """V'_n."""
    return case.process.V(case.other, case.n)


def leans(case: Case) -> bool:
    """Whether sum_a pi'(a|x) (Q_m(x, a) - V_{m+1}(x)) >= 0 in every state with up to n steps to go."""
    p = case.process
    mean = lambda m, x: dot(case.other[x], [q - p.V(case.pi, m + 1)[x] for q in p.Q(case.pi, m)[x]])
    return all(mean(m, x) >= 0 for m in range(case.n) for x in p.states)


PREMISES = {
    "P is not negative": P_POSITIVE,
    "gamma is not negative": GAMMA_POSITIVE,
    "the new policy is not negative": lambda case: nonnegative(case.other),
    "rows of the new policy sum to one": lambda case: normalised(case.other),
    "its mean advantages are not negative": leans,
}

PAGE = Page(
    title="Policy improvement, finite horizon",
    words="A policy whose mean advantage over the old one is nowhere negative is nowhere worse.",
    claim=Claim(
        id="T30", kind="monotone", relation=Exact("<="), level="rational",
        statement="sum_a pi'(a|x) (Q_m(x, a) - V_{m+1}(x)) >= 0 for all m < n and x implies V_n <= V'_n",
        left=old, right=new, cases=lambda: holding(careless(30), PREMISES),
        assumes={name: partial(without, name, lambda: careless(30), PREMISES, lambda case: above(old(case), new(case))) for name in PREMISES},
        mutants={
            "less by 1": lambda case: [v - 1 for v in new(case)],
            "the other way round: the old value from the new one": lambda case: [2 * v - w for v, w in zip(old(case), new(case), strict=True)],
        },
        source="Howard (1960)",
    ),
    free=("a normalised or positive old policy", "rows of P that sum to one", "gamma below 1"),
    coq=("T30_policy_improvement_finite",),
    functions=("pgtheory.tabular.solve.optimal:backward_induction",),
)  # fmt: skip
