"""T40: the Fisher matrix is positive semidefinite, and its kernel are the shifts of each state.

x F x is a mean of squares. For a softmax table it vanishes exactly where x(s, a) = c(s): adding a constant to the logits of a state changes no probability. So F has
rank S (A - 1) and is never invertible; "Fisher non-degenerate" excludes tables. It needs every state visited and every action possible. Source: Kakade (2001).
"""

from collections.abc import Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import cases, dot, small
from pgtheory.proofs.pages.t17_discounted_invertible import rank_of
from pgtheory.proofs.pages.t39_fisher_advantage import fisher
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def found(case: Case) -> list:
    """Rank of F, F times the shift c(s) = 1 + s, and the least x F x of unit vectors x, where that is below zero."""
    F = fisher(case.d, case.pi)
    shift = [Fraction(1 + s) for s, row in enumerate(case.pi) for _ in row]
    return [rank_of(F), [dot(row, shift) for row in F], min(Fraction(0), *(F[i][i] for i in range(len(F))))]


def expected(case: Case, rank=lambda S, A: S * (A - 1)) -> list:
    """S (A - 1), zeros, and zero."""
    S, A = len(case.pi), len(case.pi[0])
    return [rank(S, A), [0] * (S * A), 0]


def visited(case: Case) -> Case:
    """The weights of the states are the discounted visits."""
    case.d = case.process.occupancy(case.mu, case.pi)
    return case


def instances() -> Iterator[Case]:
    yield small("two states, two equal actions", d=[1, 1], pi=[["1/2", "1/2"], ["1/2", "1/2"]])
    yield from (visited(case) for case in cases(40))


PAGE = Page(
    title="Kernel of the Fisher matrix",
    words="The Fisher matrix of a softmax table is positive semidefinite; it annihilates the shifts of each state and nothing else.",
    claim=Claim(
        id="T40", kind="identity", relation=Exact(), level="rational", statement="rank F = S (A - 1), F c = 0 for every function c of the state, x F x >= 0",
        left=found, right=expected, cases=instances,
        assumes={
            "every state is visited": lambda: small(d=[1, 0]),
            "every action is possible": lambda: small("an action that is never played", d=[1, 1], pi=[[1, 0], [1, 0]]),
            "rows of pi sum to one": lambda: small(d=[1, 1], pi=[[1, 1], ["1/2", "1/2"]]),
            "weights of the states are not negative": lambda: small("a fair coin in a state of weight -1", d=[-1], pi=[["1/2", "1/2"]]),
            "probabilities are not negative": lambda: small(d=[1, 1], pi=[[2, -1], ["1/2", "1/2"]]),
        },
        mutants={"invertible": lambda case: expected(case, lambda S, A: S * A), "one less, not one a state": lambda case: expected(case, lambda S, A: S * A - 1)},
        source="Kakade (2001)",
    ),
    free=("visits of a policy: any positive weights",),
    coq=("T40_fisher_kernel",),
    functions=("pgtheory.tabular.policies.softmax:Softmax",),
)  # fmt: skip
