"""T10: REINFORCE is unbiased.

T09 with F the return, and T07: the mean of (sum of the scores) times (return of the whole path) is D E[return] = D V_n. Every score is multiplied with rewards that
came before it; they have mean zero, and cost variance, not bias. Source: Williams (1992), Theorem 1.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, MOVING, SHORT, cases, every_start, path_score, plain, score, small, steered, value_derivative
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def estimator(case: Case, score_of=path_score) -> list:
    """The mean of score times return over all paths."""
    p = plain(case.process)
    return every_start(case, lambda s: p.mean(case.pi, case.n, s, lambda path: score_of(case, s, path) * p.ret(s, path)))


def first_score(case: Case, s: int, path) -> object:
    return score(case)[s][path[0][0]]


def discounted_score(case: Case, s: int, path) -> object:
    """Each score with gamma^k, as if the return were a return to go."""
    return sum(case.process.gamma**k * score(case)[x][a] for k, (x, a, _) in enumerate(case.process.visited(s, path)))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True)
    p, pi, D = m.process, m.pi, m.D
    total = lambda s, path: sum(D(pi[x][a]) / pi[x][a] for x, a, _ in p.visited(s, path))
    yield Step(
        "T09 with F the return: two steps",
        p.mean(pi, 2, 0, lambda path: total(0, path) * p.ret(0, path)),
        D(p.mean(pi, 2, 0, lambda path: p.ret(0, path))),
    )
    yield Step("the mean return is V_2 (T07)", D(p.mean(pi, 2, 0, lambda path: p.ret(0, path))), D(p.V(pi, 2)[0]))


PAGE = Page(
    title="REINFORCE is unbiased",
    words="The sum of the scores of a path times its return has the policy gradient as its mean.",
    claim=Claim(
        id="T10", kind="unbiased", relation=Exact(), level="rational",
        statement="E[(sum_k sc(s_k, a_k)) (sum_k gamma^k r(s_k, a_k))] = D V_n(s)",
        left=value_derivative, right=estimator, cases=lambda: [steered(), *cases(10, SHORT)],
        assumes={
            **MOVING,
            "rows of P sum to one": lambda: small(P=LOOSE_MODEL),
            "rows of pi sum to one": lambda: small(pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]]),
            "D pi = pi sc": lambda: small("twice the score", sc=[[6, -3], [8, -8]]),
        },
        mutants={
            "minus the return": lambda case: [-x for x in estimator(case)],
            "the first score alone": lambda case: estimator(case, first_score),
            "each score with gamma^k": lambda case: estimator(case, discounted_score),
        },
        source="Williams (1992), Theorem 1",
    ),
    free=("positive probabilities", "gamma below 1"),
    derivation=derivation,
    coq=("T10_reinforce_unbiased",),
    functions=("pgtheory.tabular.estimators.reinforce:WholeReturn", "pgtheory.tabular.exact.estimators:whole_return"),
)  # fmt: skip
