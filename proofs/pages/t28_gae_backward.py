"""T28: the backward recursion that programs run.

GAE_{n+1}(t) = delta_t + gamma lambda GAE_n(t+1): one pass from the end, at the cost of one product a step. It looks one step less far from the next time on.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.sequences import delta, gae, sequences, symbolic_sequence
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def backward(case: Case, decay=lambda gamma, lam: gamma * lam, ahead: int = 1) -> object:
    """delta_t + gamma lambda GAE_n(t + 1)."""
    return delta(case, case.t) + decay(case.gamma, case.lam) * gae(case, case.n, case.t + ahead)


def derivation() -> Iterator[Step]:
    for n in (1, 2):
        case = symbolic_sequence(n)
        yield Step(f"{n + 1} steps", gae(case, n + 1, 0), backward(case))


PAGE = Page(
    title="Backward recursion of GAE",
    words="An advantage estimate is its own temporal difference plus gamma lambda times the next estimate.",
    claim=Claim(
        id="T28", kind="identity", relation=Exact(), level="rational", statement="GAE_{n+1}(t) = delta_t + gamma lambda GAE_n(t + 1)",
        left=lambda case: gae(case, case.n + 1, case.t), right=backward, cases=lambda: sequences(28),
        mutants={
            "without lambda": lambda case: backward(case, lambda gamma, lam: gamma),
            "the estimate at the same time": lambda case: backward(case, ahead=0),
        },
    ),
    free=("lambda in [0, 1]", "gamma below 1"),
    derivation=derivation,
    coq=("T28_gae_backward",),
    functions=("pgtheory.tabular.estimators.gae:GAE", "pgtheory.tabular.exact.estimators:gae"),
)  # fmt: skip
