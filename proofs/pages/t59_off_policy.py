"""T59: what the off-policy gradient leaves out.

With states weighted by a fixed law d (those of a behaviour policy), the gradient of sum_s d(s) V(s) is sum_s d(s) sum_a D pi Q plus gamma sum_s d(s) sum_x P_pi(s, x) D V(x).
Off-policy actor-critic keeps the first term only; the second is the derivative of all that comes after, and it vanishes only if nothing does.
Source: Degris, White, Sutton (2012), Theorem 1; Imani, Graves, White (2018) for the missing term.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, LOOSE_POLICY, MOVING, D, cases, dot, dual, moving_policy, plain, small, steered
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def derivative(case: Case) -> object:
    """D sum_s d(s) V_{n+1}(s), d = mu."""
    return D(dot(case.mu, case.process.V(moving_policy(case), case.n + 1)))


def formula(case: Case, missing: int = 1, discount: Callable = lambda gamma: gamma, next_state: bool = True) -> object:
    """sum_s d(s) sum_a D pi(a|s) Q_n(s, a) + gamma sum_s d(s) sum_x P_pi(s, x) D V_n(x)."""
    p, d = plain(case.process), plain(case.mu)
    here = [dot(x, q) for x, q in zip(case.dpi, p.Q(case.pi, case.n), strict=True)]
    slopes = [D(v) for v in p.V(moving_policy(case), case.n)]
    later = [dot(row, slopes) for row in p.kernel(case.pi)] if next_state else slopes
    return dot(d, here) + missing * discount(p.gamma) * dot(d, later)


def instances() -> Iterator[Case]:
    yield steered("two states that the actions choose, the first of them given", mu=[1, 0], n=1)
    yield from cases(59)
    yield small("rows that sum to two", P=LOOSE_MODEL, pi=LOOSE_POLICY, dpi=[[1, 1], [0, 5]])


PAGE = Page(
    title="The off-policy gradient and its missing term",
    words="The gradient of the values of given states is the off-policy gradient plus the discounted derivative of the values of the next states.",
    claim=Claim(
        id="T59", kind="biased by exactly", relation=Exact(), level="rational",
        statement="D sum_s d(s) V_{n+1}(s) = sum_s d(s) sum_a D pi(a|s) Q_n(s, a) + gamma sum_s d(s) sum_x P_pi(s, x) D V_n(x)",
        left=derivative, right=formula, cases=instances,
        assumes={**MOVING, "d does not move": lambda: small(mu=[dual(Fraction(1, 3), 1), dual(Fraction(2, 3), -1)])},
        mutants={
            "without the missing term, as it was published": lambda case: formula(case, 0),
            "the missing term without gamma": lambda case: formula(case, discount=lambda gamma: 1),
            "the state itself instead of the next": lambda case: formula(case, next_state=False),
        },
        source="Degris, White, Sutton (2012), Theorem 1",
    ),
    free=("normalised rows", "a d that is the visits of a policy"),
    coq=("T59_off_policy_missing_term",),
    functions=("pgtheory.tabular.estimators.ratios:TokenRatio",),
)  # fmt: skip
