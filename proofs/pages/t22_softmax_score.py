"""T22: the score of the softmax.

log pi_a = theta_a - log sum_b e_b, so that the score is D theta_a less its mean under the policy. No exponential and no logarithm is needed: any numbers e with
D e = e D theta will do, whatever their signs; even sum e = 0 is covered where a quotient by zero counts as zero.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import D, dot
from pgtheory.proofs.pages.softmaxes import by_hand, logits, moving_exponentials, softmax, symbolic
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def derivative(case: Case) -> list:
    """D pi, through the quotient."""
    return [D(p) for p in softmax(moving_exponentials(case))]


def formula(case: Case, mean=lambda pi, d, a: dot(pi, d)) -> list:
    """pi_a (D theta_a - sum_b pi_b D theta_b)."""
    pi = softmax(case.e)
    return [p * (d - mean(pi, case.dtheta, a)) for a, (p, d) in enumerate(zip(pi, case.dtheta, strict=True))]


def derivation() -> Iterator[Step]:
    e, d, _, D = symbolic(3, "")
    pi = softmax(e)
    yield Step("D of the sum is the sum times the mean slope", D(sum(e)), sum(e) * dot(pi, d))
    yield Step("D of the quotient", [D(p) for p in pi], [p * (x - dot(pi, d)) for p, x in zip(pi, d, strict=True)])


PAGE = Page(
    title="Score of the softmax",
    words="A softmax probability moves by itself times the slope of its logit less the mean slope.",
    claim=Claim(
        id="T22", kind="identity", relation=Exact(), level="rational", statement="D pi_a = pi_a (D theta_a - sum_b pi_b D theta_b), pi = e / sum e, D e = e D theta",
        left=derivative, right=formula, cases=lambda: [by_hand("two actions by hand", e=[3, 1], dtheta=[1, 2]), *logits(22), by_hand("numbers of both signs", e=[-1, 3])],
        assumes={"D e = e D theta": lambda: by_hand("exponentials that move otherwise", de=[1, 1])},
        mutants={
            "without the mean slope": lambda case: formula(case, mean=lambda pi, d, a: 0),
            "slopes summed without the probabilities": lambda case: formula(case, mean=lambda pi, d, a: sum(d)),
            "the action's own slope alone": lambda case: formula(case, mean=lambda pi, d, a: pi[a] * d[a]),
        },
    ),
    free=("positive exponentials", "independent logits: theta may be any function of the parameters", "an exponential function"),
    derivation=derivation,
    coq=("T22_softmax_score",),
    functions=("pgtheory.tabular.policies.softmax:Softmax", "pgtheory.tabular.exact.balls:softmax_balls"),
)  # fmt: skip
