"""T41: the doubly robust estimate is unbiased, whatever the guess of Q.

Step by step: the guess averaged over pi, plus the ratio times (reward + rest - guess). The ratio makes the guess cancel in the mean. With a guess of zero it is importance
sampling per decision; with the true Q its variance is that of the start and the transitions alone. Source: Jiang, Li (2016), Theorem 1; Dudik et al. (2014).
"""

from collections.abc import Callable, Iterator

import numpy as np

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, SHORT, Number, Path, cases, dot, every_start, fractions, small, steered
from pgtheory.proofs.pages.t13_importance_sampling import weights
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page


def guessed(case: Case) -> Case:
    """A guess q[k][s][a] of the action values."""
    rng = np.random.default_rng(41)
    case.q = [[fractions(rng, len(row)) for row in case.pi] for _ in range(case.n)]
    return case


def step(case: Case, k: int, s: int, a: int, t: int, rest: Number) -> Number:
    """sum_b pi(b|s) q_k(s, b) + w(s, a) (r + gamma rest - q_k(s, a))."""
    p, q = case.process, case.q[k]
    return dot(case.pi[s], q[s]) + weights(case)[s][a] * (p.r[s][a] + p.gamma * rest - q[s][a])


def averaged_by_mu(case: Case, k: int, s: int, a: int, t: int, rest: Number) -> Number:
    """The guess averaged over mu, which draws, instead of pi."""
    return step(case, k, s, a, t, rest) + dot(case.other[s], case.q[k][s]) - dot(case.pi[s], case.q[k][s])


def unweighted_rest(case: Case, k: int, s: int, a: int, t: int, rest: Number) -> Number:
    """The ratio left out of what follows."""
    return step(case, k, s, a, t, 0) + case.process.gamma * rest


def guess_of_next(case: Case, k: int, s: int, a: int, t: int, rest: Number) -> Number:
    """The guess of the next state subtracted."""
    return step(case, k, s, a, t, rest) + weights(case)[s][a] * (case.q[k][s][a] - case.q[k][t][a])


def estimate(case: Case, s: int, path: Path, one: Callable[..., Number], k: int = 0) -> Number:
    """The estimate from step k on, one step after the other."""
    if not path:
        return 0
    (a, t), *later = path
    return one(case, k, s, a, t, estimate(case, t, tuple(later), one, k + 1))


def mean_estimate(case: Case, one: Callable[..., Number] = step, policy=lambda case: case.other) -> list:
    """Its mean over the paths that mu draws."""
    return every_start(case, lambda s: case.process.mean(policy(case), case.n, s, lambda path: estimate(case, s, path, one)))


def instances() -> Iterator[Case]:
    yield steered(q=[[[2, 2], [3, 1]]] * 2)
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
            "the guess averaged over mu": lambda case: mean_estimate(case, averaged_by_mu),
            "without the ratio before the rest": lambda case: mean_estimate(case, unweighted_rest),
            "the guess of the next state subtracted": lambda case: mean_estimate(case, guess_of_next),
            "paths drawn by pi": lambda case: mean_estimate(case, policy=lambda case: case.pi),
        },
        source="Jiang, Li (2016), Theorem 1",
    ),
    free=("a good guess", "a pi that sums to one", "positive numbers"),
    coq=("T41_doubly_robust_unbiased",),
    functions=("pgtheory.tabular.estimators.ratios:PrefixRatio",),
)  # fmt: skip
