"""T08: the model drops out of the score of a path.

D of a product of pi(a|s) P(s, a, t) is the product times the sum of the scores of pi, because D P = 0. The score is introduced without a division: any sc with
D pi = pi sc. Where pi(a|s) = 0 the logarithm does not exist and the theorem still holds. Source: Williams (1992).
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import (
    LOOSE_MODEL,
    MOVING_MODEL,
    SHORT,
    D,
    cases,
    every_start,
    moving_policy,
    path_score,
    plain,
    score,
    small,
    steered,
)
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def derivative(case: Case) -> list:
    """D of the chance of every path."""
    return every_start(case, lambda s: [D(case.process.prob(moving_policy(case), s, path)) for path in case.process.paths(case.n)])


def formula(case: Case, score_of=path_score) -> list:
    """Its chance times the sum of the scores."""
    p = plain(case.process)
    return every_start(case, lambda s: [p.prob(case.pi, s, path) * score_of(case, s, path) for path in p.paths(case.n)])


def later_scores(case: Case, s: int, path) -> object:
    """Each action with the state after it, an index that is off by one."""
    return sum(score(case)[t][a] for _, a, t in case.process.visited(s, path))


def slopes(case: Case, s: int, path) -> object:
    """The derivatives of pi itself."""
    return sum(case.dpi[x][a] for x, a, _ in case.process.visited(s, path))


def derivation() -> Iterator[Step]:
    m = TwoByTwo()
    p, pi, D = m.process, m.pi, m.D
    path = ((1, 1), (0, 0))
    scores = sum(D(pi[x][a]) / pi[x][a] for x, a, _ in p.visited(0, path))
    yield Step("D of a product: each factor in turn, P with derivative 0", D(p.prob(pi, 0, path)), p.prob(pi, 0, path) * scores)


PAGE = Page(
    title="Score of a trajectory",
    words="The derivative of the chance of a path is that chance times the sum of the policy's scores along it.",
    claim=Claim(
        id="T08", kind="identity", relation=Exact(), level="rational",
        statement="D p(tau) = p(tau) sum_k sc(s_k, a_k), where D pi = pi sc",
        left=derivative, right=formula,
        cases=lambda: [steered(), *cases(8, SHORT), small("rows that sum to two", P=LOOSE_MODEL, pi=[[1, 1], [1, 2]], dpi=[[1, 1], [3, 4]])],
        assumes={
            "P does not move": lambda: steered("moves to state 1 of probability 1/2 + eps, one step", P=MOVING_MODEL, n=1),
            "D pi = pi sc": lambda: small("twice the score", sc=[[6, -3], [8, -8]]),
        },
        mutants={
            "each action with the state after it": lambda case: formula(case, later_scores),
            "D pi in place of D pi / pi": lambda case: formula(case, slopes),
        },
        source="Williams (1992)",
    ),
    free=("normalised rows", "positive probabilities: pi(a|s) = 0 is allowed", "a logarithm"),
    derivation=derivation,
    coq=("T08_trajectory_score",),
    functions=("pgtheory.tabular.policies.policy:Policy",),
)  # fmt: skip
