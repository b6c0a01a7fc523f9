"""T41: the doubly robust estimate is unbiased, whatever the guess of Q.

Step by step: the guess averaged over pi, plus the ratio times (reward + rest - guess). The ratio makes the guess cancel in the mean. With a guess of zero it is importance
sampling per decision; with the true Q its variance is that of the start and the transitions alone. Source: Jiang, Li (2016), Theorem 1; Dudik et al. (2014).
"""

from collections.abc import Iterator

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, SHORT, cases, dot, every_start, fractions, small
from pgtheory.proofs.pages.t13_importance_sampling import weights
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def guessed(case: Case) -> Case:
    """A guess q[k][s][a] of the action values."""
    rng = np.random.default_rng(41)
    case.q = [[fractions(rng, len(row)) for row in case.pi] for _ in range(case.n)]
    return case


def estimate(case: Case, s: int, path: tuple, k: int = 0, shift: int = 0) -> object:
    """sum_b pi(b|s) q_k(s, b) + w(s, a) (r + gamma rest - q_k(s, a))."""
    if not path:
        return 0
    (a, t), *rest = path
    p, w = case.process, weights(case)
    after = estimate(case, t, tuple(rest), k + 1, shift)
    return dot(case.pi[s], case.q[k][s]) + w[s][a] * (p.r[s][a] + p.gamma * after - case.q[k][s][a - shift])


def mean_estimate(case: Case, shift: int = 0, policy=lambda case: case.other) -> list:
    """Its mean over the paths that mu draws."""
    return every_start(case, lambda s: case.process.mean(policy(case), case.n, s, lambda path: estimate(case, s, path, 0, shift)))


def instances() -> Iterator[Case]:
    yield from (guessed(case) for case in cases(41, SHORT))


PAGE = Page(
    title="Doubly robust estimates are unbiased",
    words="The guess of the action values, corrected with importance ratios step by step, has the value as its mean for every guess.",
    claim=Claim(
        id="T41", kind="unbiased", relation=Exact(), level="rational",
        statement="E_mu[DR_q(tau)] = V_n(s), DR_q = sum_b pi q_k + w (r + gamma DR_q(rest) - q_k), where mu w = pi",
        left=lambda case: case.process.V(case.pi, case.n), right=mean_estimate, cases=instances,
        assumes={
            "rows of P sum to one": lambda: guessed(small(P=LOOSE_MODEL)),
            "rows of mu sum to one": lambda: guessed(small(other=[[1, 1], [1, 1]])),
            "mu w = pi: mu acts where pi does": lambda: guessed(small(other=[[1, 0], ["1/2", "1/2"]])),
        },
        mutants={
            "the guess of another action subtracted": lambda case: mean_estimate(case, shift=1),
            "paths drawn by pi": lambda case: mean_estimate(case, policy=lambda case: case.pi),
        },
        source="Jiang, Li (2016), Theorem 1",
    ),
    free=("a good guess", "a pi that sums to one", "positive numbers"),
    coq=("T41_doubly_robust_unbiased",),
    functions=("pgtheory.tabular.estimators.ratios:PrefixRatio",),
)  # fmt: skip
