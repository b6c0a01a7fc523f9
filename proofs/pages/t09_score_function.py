"""T09: the score-function identity.

E[score F] = D E[F] for every function F of the path that does not itself move. Where F moves, D E[F] has E[D F] besides: the term that a program forgets when it
differentiates through a reward that depends on the policy. Source: Glynn (1990); Williams (1992).
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, MOVING, SHORT, D, cases, dual, every_start, moving_policy, path_score, plain, score, small
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def F(case: Case, path) -> object:
    """Some function of the path: no return, no sum over steps."""
    value = 1 + sum((i + 2) * (a + 3 * t) ** 2 for i, (a, t) in enumerate(path))
    return dual(value, path[0][0]) if getattr(case, "F_moves", False) else value


def derivative(case: Case) -> list:
    """D of the mean of F."""
    p = case.process
    return every_start(case, lambda s: D(p.mean(moving_policy(case), case.n, s, lambda path: F(case, path))))


def estimator(case: Case, score_of=path_score) -> list:
    """The mean of score times F."""
    p = plain(case.process)
    return every_start(case, lambda s: p.mean(case.pi, case.n, s, lambda path: score_of(case, s, path) * plain(F(case, path))))


def first_score(case: Case, s: int, path) -> object:
    return score(case)[s][path[0][0]]


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
        cases=lambda: [*cases(9, SHORT), small("rows of P that sum to two", P=LOOSE_MODEL)],
        assumes={
            "P does not move": MOVING["P does not move"],
            "F does not move": lambda: small(F_moves=True),
            "D pi = pi sc": lambda: small("twice the score", sc=[[6, -3], [8, -8]]),
        },
        mutants={
            "the first score alone": lambda case: estimator(case, first_score),
            "the wrong sign": lambda case: [-x for x in estimator(case)],
        },
        source="Glynn (1990); Williams (1992)",
    ),
    free=("normalised rows", "an F that is a sum of rewards", "positive probabilities"),
    derivation=derivation,
    coq=("T09_score_function",),
    functions=("pgtheory.tabular.estimators.policy_gradient:PolicyGradient",),
)  # fmt: skip
