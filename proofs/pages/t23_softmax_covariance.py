"""T23: the softmax policy gradient is a covariance.

sum_a D pi_a Q_a = sum_a pi_a (Q_a - V) D theta_a = Cov_pi(Q, D theta): T22 puts the mean on D theta, and a covariance does not care on which side it is taken off.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import D, dot
from pgtheory.proofs.pages.softmaxes import by_hand, logits, moving_exponentials, softmax, symbolic
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def derivative(case: Case) -> object:
    """sum_a D pi_a Q_a."""
    return dot([D(p) for p in softmax(moving_exponentials(case))], case.Q)


def formula(case: Case, baseline=lambda pi, Q: dot(pi, Q)) -> object:
    """sum_a pi_a (Q_a - V) D theta_a."""
    pi = softmax(case.e)
    return sum(p * (q - baseline(pi, case.Q)) * d for p, q, d in zip(pi, case.Q, case.dtheta, strict=True))


def derivation() -> Iterator[Step]:
    e, d, Q, D = symbolic(3, "q0,q1,q2")
    pi = softmax(e)
    m, V = dot(pi, d), dot(pi, Q)
    yield Step("T22", dot([D(p) for p in pi], Q), sum(p * (x - m) * q for p, x, q in zip(pi, d, Q, strict=True)))
    yield Step(
        "the mean changes sides",
        sum(p * (x - m) * q for p, x, q in zip(pi, d, Q, strict=True)),
        sum(p * (q - V) * x for p, x, q in zip(pi, d, Q, strict=True)),
    )


PAGE = Page(
    title="The softmax gradient is a covariance",
    words="The derivative of a mean under softmax is the covariance of the values with the slopes of the logits.",
    claim=Claim(
        id="T23", kind="identity", relation=Exact(), level="rational", statement="sum_a D pi_a Q_a = sum_a pi_a (Q_a - sum_b pi_b Q_b) D theta_a",
        left=derivative, right=formula, cases=lambda: [by_hand("two actions by hand"), *logits(23), by_hand("numbers of both signs", e=[-1, 3])],
        assumes={"D e = e D theta": lambda: by_hand("exponentials that move otherwise", de=[1, 1])},
        mutants={
            "no baseline": lambda case: formula(case, baseline=lambda pi, Q: 0),
            "the plain mean as the baseline": lambda case: formula(case, baseline=lambda pi, Q: sum(Q) / len(Q)),
        },
    ),
    free=("positive exponentials", "an exponential function"),
    derivation=derivation,
    coq=("T23_softmax_covariance", "T23_entropy_covariance"),
    functions=("pgtheory.tabular.policies.softmax:Softmax",),
)  # fmt: skip
