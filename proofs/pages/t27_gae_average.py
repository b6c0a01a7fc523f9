"""T27: GAE is the exponential average of the n-step advantages.

The weights (1 - lambda) lambda^i of the steps that are cut short, and lambda^n of the longest. At the end of an episode the last weight matters: the average that papers
print has infinitely many terms. Source: Schulman, Moritz, Levine, Jordan, Abbeel (2016), equation 16.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.sequences import gae, n_step, sequences, symbolic_sequence
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def average(case: Case, last=lambda lam, n: lam**n) -> object:
    """(1 - lambda) sum_{i<n} lambda^i A^{(i+1)} + lambda^n A^{(n+1)}."""
    short = sum(case.lam**i * n_step(case, i + 1, case.t) for i in range(case.n))
    return (1 - case.lam) * short + last(case.lam, case.n) * n_step(case, case.n + 1, case.t)


def derivation() -> Iterator[Step]:
    for n in (1, 2):
        case = symbolic_sequence(n)
        yield Step(f"{n + 1} steps", gae(case, n + 1, 0), average(case))


PAGE = Page(
    title="GAE is the average of n-step advantages",
    words="Generalised advantage estimation averages the n-step advantages with weights that fall by lambda; the longest takes what is left.",
    claim=Claim(
        id="T27", kind="identity", relation=Exact(), level="rational",
        statement="GAE_{n+1}(t) = (1 - lambda) sum_{i<n} lambda^i A^{(i+1)}_t + lambda^n A^{(n+1)}_t",
        left=lambda case: gae(case, case.n + 1, case.t), right=average, cases=lambda: sequences(27),
        mutants={
            "the weight of the last cut like the others": lambda case: average(case, lambda lam, n: (1 - lam) * lam**n),
            "one lambda more for the last": lambda case: average(case, lambda lam, n: lam ** (n + 1)),
        },
        source="Schulman, Moritz, Levine, Jordan, Abbeel (2016), equation 16",
    ),
    free=("lambda in [0, 1]", "gamma below 1", "a v that is the value of any policy"),
    derivation=derivation,
    coq=("T27_gae_average",),
    functions=("pgtheory.tabular.estimators.gae:GAE",),
)  # fmt: skip
