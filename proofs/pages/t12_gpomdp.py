"""T12: reward-to-go with a baseline of state and time is unbiased (GPOMDP).

An action does not change the rewards before it: their product with its score has mean zero. What is left of REINFORCE is, at each step, gamma^k times the score times
the return from there; and a baseline b_k(s_k) is free, as in T03. Leaving gamma^k out is the most common slip in programs: it is another estimator, and no
gradient of anything (T58). Source: Baxter, Bartlett (2001); Sutton et al. (1999).
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import LOOSE_MODEL, MOVING, SHORT, cases, every_start, plain, reward_to_go, small, steered, value_derivative
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def estimator(case: Case, weight=lambda gamma, k: gamma**k) -> list:
    """The mean of sum_k gamma^k sc(s_k, a_k) (G_k - b_k(s_k)) over all paths."""
    still = Case(**{**vars(case), "process": plain(case.process)})
    return every_start(case, lambda s: still.process.mean(case.pi, case.n, s, lambda path: reward_to_go(still, s, path, weight)))


def action_baseline(case: Case) -> list:
    """The same with b_k(s_k) times the action taken subtracted as well."""
    p = plain(case.process)
    steps = lambda s, path: enumerate(p.visited(s, path))
    more = lambda s, path: sum(p.gamma**k * case.dpi[x][a] / case.pi[x][a] * case.b[k][x] * a for k, (x, a, _) in steps(s, path))
    return [g - p.mean(case.pi, case.n, s, lambda path, s=s: more(s, path)) for s, g in enumerate(estimator(case))]


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, more="b0,b1")
    p, pi, D = m.process, m.pi, m.D
    sc = [[D(pi[s][a]) / pi[s][a] for a in (0, 1)] for s in (0, 1)]
    zero = 0 * p.gamma
    before = lambda path: sc[path[0][1]][path[1][0]] * p.r[0][path[0][0]]
    yield Step("a score has mean zero after any past: it may drop the rewards before it", p.mean(pi, 2, 0, before), zero)
    base = lambda path: sc[0][path[0][0]] * m.more["b0"] + p.gamma * sc[path[0][1]][path[1][0]] * m.more["b1"]
    yield Step("and a baseline of the state", p.mean(pi, 2, 0, base), zero)
    case = Case("symbols", process=p, pi=pi, n=2, mu=(0, 1), b=[[m.more["b0"]] * 2, [m.more["b1"]] * 2], sc=sc)
    yield Step("what is left is D V (T10)", p.mean(pi, 2, 0, lambda path: reward_to_go(case, 0, path)), D(p.V(pi, 2)[0]))


PAGE = Page(
    title="Reward-to-go with a state baseline is unbiased (GPOMDP)",
    words="Each score times the discounted return that follows it, less any function of time and state, has the policy gradient as its mean.",
    claim=Claim(
        id="T12", kind="unbiased", relation=Exact(), level="rational",
        statement="E[sum_k gamma^k sc(s_k, a_k) (sum_{j>=k} gamma^{j-k} r_j - b_k(s_k))] = D V_n(s)",
        left=value_derivative, right=estimator, cases=lambda: [steered("two states that the actions choose, b = 1", b=[[1, 1]] * 2), *cases(12, SHORT)],
        assumes={
            **MOVING,
            "rows of P sum to one": lambda: small(P=LOOSE_MODEL),
            "rows of pi sum to one": lambda: small(pi=[[1, 1], [1, 2]], dpi=[[1, 1], [0, 5]]),
            "D pi = pi sc": lambda: small("twice the score", sc=[[6, -3], [8, -8]]),
        },
        mutants={
            "without gamma^k": lambda case: estimator(case, lambda gamma, k: 1),
            "a baseline that depends on the action": action_baseline,
        },
        source="Baxter, Bartlett (2001); Sutton, McAllester, Singh, Mansour (1999)",
    ),
    free=("a baseline that does not move with theta", "positive probabilities", "gamma below 1"),
    derivation=derivation,
    coq=("T12_gpomdp_unbiased",),
    functions=("pgtheory.tabular.estimators.reinforce:RewardToGo", "pgtheory.tabular.exact.estimators:reward_to_go"),
)  # fmt: skip
