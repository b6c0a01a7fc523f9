"""T07: the mean return over all paths is the value of the recursion.

Two definitions of the same number: a sum over A^n S^n paths, and n matrix products. The first is what an estimator samples, the second what a program computes.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import SHORT, UNNORMALISED_MODEL, UNNORMALISED_POLICY, Process, cases, every_start, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def mean_return(case: Case) -> list:
    """Sum over all paths of chance times return."""
    return every_start(case, lambda s: case.process.mean(case.pi, case.n, s, lambda path: case.process.ret(s, path)))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True)
    p, pi = m.process, m.pi
    yield Step("two steps, from both states", [p.mean(pi, 2, s, lambda path, s=s: p.ret(s, path)) for s in (0, 1)], p.V(pi, 2))


PAGE = Page(
    title="The mean return is the value",
    words="Averaged over all paths of n steps, the discounted return is V_n.",
    claim=Claim(
        id="T07", kind="identity", relation=Exact(), level="rational",
        statement="E[sum_{k<n} gamma^k r(s_k, a_k)] = V_n(s)",
        left=mean_return, right=lambda case: case.process.V(case.pi, case.n), cases=lambda: cases(7, SHORT),
        assumes={
            "rows of P sum to one": lambda: steered("rows that sum to two", P=UNNORMALISED_MODEL),
            "rows of pi sum to one": lambda: steered("rows that sum to 3/2", pi=UNNORMALISED_POLICY),
        },
        mutants={
            "one step less": lambda case: case.process.V(case.pi, case.n - 1),
            "undiscounted": lambda case: Process(case.process.P, case.process.r, 1).V(case.pi, case.n),
        },
    ),
    free=("positive numbers", "gamma below 1"),
    derivation=derivation,
    coq=("T07_expected_return",),
    functions=("pgtheory.tabular.exact.trajectories:Trajectory", "pgtheory.tabular.exact.programs:path_mean"),
)  # fmt: skip
