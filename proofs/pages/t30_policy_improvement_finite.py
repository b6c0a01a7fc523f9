"""T30: policy improvement, finite horizon.

If the new policy has no negative mean advantage anywhere, at any number of steps to go, it is nowhere worse: T04 is a sum of nonnegative terms. Source: Howard (1960).
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import chain

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import Process, Table, as_fractions, dot
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


def turned(pi: Table) -> list:
    """The policy with its actions exchanged: a policy without any advantage."""
    return [row[::-1] for row in pi]


def here_alone(case: Case, value: Callable[[Table], list]) -> list:
    """The value in each state of the policy that is the new one there and careless everywhere else."""
    mixed = lambda s: [case.other[s] if x == s else row for x, row in enumerate(turned(case.pi))]
    return [value(mixed(s))[s] for s in case.process.states]


def later() -> Case:
    """Two steps: nothing is paid at first, then one for the first action; the old policy takes it."""
    process = Process(as_fractions([[[0, 1], [0, 1]], [[0, 1], [0, 1]]]), as_fractions([[0, 0], [1, 0]]), Fraction(1, 2))
    return Case("paid later", process=process, pi=as_fractions([[1, 0], [1, 0]]), other=as_fractions([[1, 0], [1, 0]]), n=2)


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
        left=old, right=new, cases=lambda: holding(chain([later()], careless(30)), PREMISES, 9),
        assumes={name: partial(without, name, lambda: careless(30), PREMISES, lambda case: above(old(case), new(case))) for name in PREMISES},
        mutants={
            "the mean under the old policy, which is 0: any policy will do": lambda case: case.process.V(turned(case.pi), case.n),
            "no negative mean in the first state alone": lambda case: here_alone(case, lambda pi: case.process.V(pi, case.n)),
        },
        source="Howard (1960)",
    ),
    free=("a normalised or positive old policy", "rows of P that sum to one", "gamma below 1"),
    coq=("T30_policy_improvement_finite",),
    functions=("pgtheory.tabular.solve.optimal:backward_induction",),
)  # fmt: skip
