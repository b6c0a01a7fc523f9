"""T26: discounted temporal differences telescope.

gamma^i (r + gamma v' - v): each gamma^{i+1} v' is taken back by the next term. What is left is the n-step return less v. Any numbers v: nothing is estimated.
Source: Sutton, Barto (2018), equation 6.6.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.sequences import delta, n_step, sequences, symbolic_sequence
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def differences(case: Case, discount=lambda gamma, i: gamma**i, difference=delta) -> object:
    """sum_{i<n} gamma^i delta_{t+i}."""
    return sum(discount(case.gamma, i) * difference(case, case.t + i) for i in range(case.n))


def derivation() -> Iterator[Step]:
    for n in (1, 2, 3):
        case = symbolic_sequence(n)
        yield Step(f"{n} differences", differences(case), n_step(case, n, 0))


PAGE = Page(
    title="Temporal differences telescope",
    words="The discounted sum of n temporal differences is the n-step return less the value.",
    claim=Claim(
        id="T26", kind="identity", relation=Exact(), level="rational",
        statement="sum_{i<n} gamma^i delta_{t+i} = sum_{i<n} gamma^i r_{t+i} + gamma^n v_{t+n} - v_t",
        left=lambda case: n_step(case, case.n, case.t), right=differences, cases=lambda: sequences(26),
        mutants={
            "without the discounts": lambda case: differences(case, lambda gamma, i: 1),
            "the next value without its discount": lambda case: differences(case, difference=lambda c, t: c.r[t] + c.v[t + 1] - c.v[t]),
        },
        source="Sutton, Barto (2018), equation 6.6",
    ),
    free=("a v that is the value of any policy", "gamma below 1"),
    derivation=derivation,
    coq=("T26_td_telescope",),
    functions=("pgtheory.tabular.returns:temporal_differences", "pgtheory.tabular.estimators.gae:NStep"),
)  # fmt: skip
