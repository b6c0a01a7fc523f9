"""T03: a baseline that does not look at the action changes nothing.

In T02 subtract any b_k(x) from Q: since sum_a pi(a|x) = 1 has derivative 0, sum_a D pi(a|x) b_k(x) = 0. The baseline may depend on theta, on time, on the state.
It may not depend on the action: then sum_a D pi(a|x) b(x, a) is the derivative of something else. Source: Williams (1992); Sutton et al. (1999).
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import (
    LOOSE_MODEL,
    MOVING,
    UNNORMALISED_POLICY,
    UNNORMALISED_SLOPE,
    cases,
    dot,
    every_start,
    plain,
    small,
    steered,
    value_derivative,
)
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step

ONES = [[1, 1]] * 2
"""The baseline 1."""


def formula(case: Case, baseline=lambda case, k, x, a: case.b[k][x], weight=lambda gamma, k: gamma**k) -> list:
    """sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a D pi(a|x) (Q_{n-k-1}(x, a) - b_k(x))."""
    p = plain(case.process)
    centred = lambda k, x: [q - baseline(case, k, x, a) for a, q in enumerate(p.Q(case.pi, case.n - k - 1)[x])]
    local = lambda k: [dot(case.dpi[x], centred(k, x)) for x in p.states]
    return every_start(case, lambda s: sum(weight(p.gamma, k) * dot(p.reach(case.pi, k)[s], local(k)) for k in range(case.n)))


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, more="b0,b1")
    p, pi, D, both = m.process, m.pi, m.D, (0, 1)
    b = [m.more["b0"], m.more["b1"]]
    yield Step("rows of pi sum to one, so their derivatives sum to zero", [D(pi[s][0]) + D(pi[s][1]) for s in both], [0 * b[0]] * 2)
    local = lambda n, x: sum(D(pi[x][a]) * (p.Q(pi, n)[x][a] - b[x]) for a in both)
    yield Step("T02 with Q - b", [D(v) for v in p.V(pi, 2)], [p.unroll(pi, 2, lambda n: [local(n, x) for x in both], s) for s in both])


PAGE = Page(
    title="Baselines of the state are free, finite horizon",
    words="Subtracting any function of time and state from the action values leaves the policy gradient as it is.",
    claim=Claim(
        id="T03", kind="identity", relation=Exact(), level="rational",
        statement="D V_n(s) = sum_{k<n} gamma^k sum_x Pr_k(s -> x) sum_a D pi(a|x) (Q_{n-k-1}(x, a) - b_k(x))",
        left=value_derivative, right=formula,
        cases=lambda: [steered("two states that the actions choose, b = 1", b=ONES), *cases(3), small("rows of P that sum to two", P=LOOSE_MODEL)],
        assumes={**MOVING, "rows of pi sum to one": lambda: steered("rows that sum to 3/2", pi=UNNORMALISED_POLICY, dpi=UNNORMALISED_SLOPE, b=ONES)},
        mutants={
            "a baseline that depends on the action": lambda case: formula(case, baseline=lambda case, k, x, a: case.b[k][x] * a),
            "without gamma^k": lambda case: formula(case, weight=lambda gamma, k: 1),
        },
        source="Williams (1992); Sutton, McAllester, Singh, Mansour (1999)",
    ),
    free=("a stochastic P", "a baseline that does not move with theta", "positive numbers"),
    derivation=derivation,
    coq=("T03_state_baseline",),
    functions=("pgtheory.tabular.estimators.baselines:Critic", "pgtheory.tabular.exact.symbolic:baseline_identity"),
)  # fmt: skip
