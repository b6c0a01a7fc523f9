"""T06: the chances of all paths of n steps sum to one.

One step sums to sum_a pi(a|s) sum_t P(s, a, t) = 1, and the rest by induction. It is the only place where the trajectory space needs both rows to sum to one; T08 to
T13 use it, the theorems on V do not.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import SHORT, UNNORMALISED_MODEL, UNNORMALISED_POLICY, cases, every_start, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def mass(case: Case) -> list:
    """Sum of the chances of all paths."""
    return every_start(case, lambda s: case.process.mean(case.pi, case.n, s, lambda path: 1))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True)
    one = m.process.gamma**0
    for n in (1, 2):
        yield Step(f"{n} steps, from both states", [m.process.mean(m.pi, n, s, lambda path: 1) for s in (0, 1)], [one, one])


PAGE = Page(
    title="Total mass of the trajectory space",
    words="The chances of all paths of n steps from a state sum to one.",
    claim=Claim(
        id="T06", kind="identity", relation=Exact(), level="rational",
        statement="sum over paths of n steps of prod_k pi(a_k|s_k) P(s_k, a_k, s_{k+1}) = 1",
        left=mass, right=lambda case: [1] * len(case.mu), cases=lambda: cases(6, SHORT),
        assumes={
            "rows of P sum to one": lambda: steered("rows that sum to two", P=UNNORMALISED_MODEL, n=1),
            "rows of pi sum to one": lambda: steered("rows that sum to 3/2", pi=UNNORMALISED_POLICY, n=1),
        },
        mutants={
            "as many as there are sequences of actions: P left out": lambda case: [len(case.pi[0]) ** case.n] * len(case.mu),
            "one for each step": lambda case: [case.n] * len(case.mu),
        },
    ),
    free=("positive numbers: signed weights sum to one too",),
    derivation=derivation,
    coq=("T06_total_mass",),
    functions=("pgtheory.tabular.exact.trajectories:trajectories",),
)  # fmt: skip
