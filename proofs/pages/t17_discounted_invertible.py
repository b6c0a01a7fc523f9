"""T17: I - gamma M is invertible for a substochastic M and a discount below one.

If x = gamma M x, the entry of largest size satisfies |x| <= gamma |x|, hence x = 0. So the assumption "I - gamma P_pi invertible" of T14 to T16 costs nothing where
there is a policy, a model and a discount. Each of the four assumptions is needed. Source: Puterman (1994), Theorem 6.1.1 and Corollary C.4.
"""

from collections.abc import Sequence
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import as_fractions, cases
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def rank_of(matrix: Sequence[Sequence[Fraction]]) -> int:
    """Rank, by elimination."""
    rows, found = [list(row) for row in matrix], 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column] != 0), None)
        if pivot is not None:
            rows[found], rows[pivot] = rows[pivot], rows[found]
            for i in range(found + 1, len(rows)):
                factor = rows[i][column] / rows[found][column]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[found], strict=True)]
            found += 1
    return found


def rank(case: Case) -> int:
    """Rank of I - gamma M."""
    return rank_of([[Fraction(i == j) - case.gamma * x for j, x in enumerate(row)] for i, row in enumerate(case.M)])


def matrix(label: str, M: list, gamma: int | str) -> Case:
    return Case(label, M=as_fractions(M), gamma=Fraction(gamma))


def instances() -> list[Case]:
    found = [Case(case.label, M=case.process.kernel(case.pi), gamma=case.process.gamma) for case in cases(17)]
    by_hand = [matrix("a chain that forgets where it was", [["1/2", "1/2"], ["1/2", "1/2"]], "1/2")]
    return [*found, *by_hand, matrix("a chain that stays", [[1, 0], [0, 1]], "9/10"), matrix("a cycle of two", [[0, 1], [1, 0]], "99/100")]


PAGE = Page(
    title="The discounted resolvent exists",
    words="For a substochastic matrix and a discount in [0, 1), the Bellman equations of a policy have exactly one solution.",
    claim=Claim(
        id="T17", kind="identity", relation=Exact(), level="rational",
        statement="rank(I - gamma M) = n, for M >= 0 with rows that sum to at most one and 0 <= gamma < 1",
        left=rank, right=lambda case: len(case.M), cases=instances,
        assumes={
            "gamma < 1": lambda: matrix("gamma = 1 on a chain that stays", [[1, 0], [0, 1]], 1),
            "gamma >= 0": lambda: matrix("gamma = -1 on a cycle", [[0, 1], [1, 0]], -1),
            "M >= 0": lambda: matrix("eigenvalue 2", [["3/2", "-1/2"], ["-1/2", "3/2"]], "1/2"),
            "rows sum to at most one": lambda: matrix("entries of at most one", [[1, 1], [1, 1]], "1/2"),
        },
        mutants={
            "without the discount: the rank of I - M": lambda case: rank(Case(case.label, M=case.M, gamma=1)),
            "invertible only where M is: the rank of M": lambda case: rank_of(case.M),
        },
        source="Puterman (1994), Theorem 6.1.1",
    ),
    free=("an irreducible or aperiodic chain", "a bound on the rewards"),
    coq=("T17_discounted_invertible",),
    functions=("pgtheory.tabular.solve.evaluation:evaluate",),
)  # fmt: skip
