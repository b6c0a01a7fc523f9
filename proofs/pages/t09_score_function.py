"""T09: the score-function identity.

E[score F] = D E[F] for every function F of the path that does not itself move. Where F moves, D E[F] has E[D F] besides: the term that a program forgets when it
differentiates through a reward that depends on the policy. Source: Glynn (1990); Williams (1992).
"""

from collections.abc import Callable, Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import (
    LOOSE_MODEL,
    MOVING,
    SHORT,
    D,
    Number,
    Path,
    cases,
    dual,
    every_start,
    moving_policy,
    path_score,
    plain,
    small,
    some,
    steered,
    taken,
)
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.pages.t08_trajectory_score import later_scores
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def functions(case: Case) -> list[Callable[[Path], Number]]:
    """The functions F whose means are differentiated."""
    return getattr(case, "F", [some])


def derivative(case: Case) -> list:
    """D of the mean of each F."""
    p = case.process
    return [every_start(case, lambda s, F=F: D(p.mean(moving_policy(case), case.n, s, F))) for F in functions(case)]


def estimator(case: Case, score_of=path_score, draws=lambda case: case.pi) -> list:
    """The mean of score times F."""
    p = plain(case.process)
    weighted = lambda s, F: p.mean(draws(case), case.n, s, lambda path: score_of(case, s, path) * plain(F(path)))
    return [every_start(case, lambda s, F=F: weighted(s, F)) for F in functions(case)]


def derivation() -> Iterator[Step]:
    m = TwoByTwo()
    p, pi, D = m.process, m.pi, m.D
    total = lambda s, path: sum(D(pi[x][a]) / pi[x][a] for x, a, _ in p.visited(s, path))
    f = lambda path: 1 + path[0][0] + 2 * path[0][1]
    yield Step("the sum of D p(tau) F(tau), path by path (T08)", D(p.mean(pi, 1, 0, f)), p.mean(pi, 1, 0, lambda path: total(0, path) * f(path)))


PAGE = Page(
    title="Score-function identity",
    words="The mean of the score times a function of the path is the derivative of the mean of that function.",
    claim=Claim(
        id="T09", kind="unbiased", relation=Exact(), level="rational",
        statement="E[F(tau) sum_k sc(s_k, a_k)] = D E[F(tau)], where D F = 0",
        left=derivative, right=estimator,
        cases=lambda: [
            steered("two states that the actions choose, one step", n=1, F=[taken(0, 0), taken(0, 1)]), *cases(9, SHORT), small("rows of P that sum to two", P=LOOSE_MODEL),
        ],
        assumes={
            "P does not move": MOVING["P does not move"],
            "F does not move": lambda: steered("a first action 1 that pays 1 + eps, one step", n=1, F=[lambda path: dual(1, 1) * path[0][0]]),
            "D pi = pi sc": lambda: small("twice the score", sc=[[6, -3], [8, -8]]),
        },
        mutants={
            "each action with the state after it": lambda case: estimator(case, later_scores),
            "paths drawn by another policy": lambda case: estimator(case, draws=lambda case: case.other),
        },
        source="Glynn (1990); Williams (1992)",
    ),
    free=("normalised rows", "an F that is a sum of rewards", "positive probabilities"),
    derivation=derivation,
    coq=("T09_score_function",),
    functions=("pgtheory.tabular.estimators.policy_gradient:PolicyGradient",),
)  # fmt: skip
