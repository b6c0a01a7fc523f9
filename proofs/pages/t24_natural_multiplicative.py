"""T24: adding to the logits multiplies the probabilities.

With u_a = exp(w_a), the logits theta + w give pi_a u_a / sum_b pi_b u_b. With w = eta A/(1-gamma) it is the natural policy gradient step, which is the update of
multiplicative weights (Hedge) in every state. Source: Kakade (2001); Agarwal, Kakade, Lee, Mahajan (2021), Lemma 15.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import dot
from pgtheory.proofs.pages.softmaxes import by_hand, logits, softmax, symbolic
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def stepped(case: Case) -> list:
    """softmax of the exponentials times u; 0 where a sum vanishes, as in Coq."""
    moved = [x * y for x, y in zip(case.e, case.u, strict=True)]
    return softmax(moved) if sum(moved) != 0 else [0 * x for x in moved]


def formula(case: Case, total=lambda pi, u: dot(pi, u)) -> list:
    """pi_a u_a / sum_b pi_b u_b."""
    pi = softmax(case.e) if sum(case.e) != 0 else [0 * x for x in case.e]
    weight = total(pi, case.u)
    return [p * x / weight if weight != 0 else 0 * p for p, x in zip(pi, case.u, strict=True)]


def derivation() -> Iterator[Step]:
    e, _, u, _ = symbolic(3, "u0,u1,u2")
    case = Case("three actions", e=e, u=u)
    yield Step("sum_b pi_b u_b = sum_b e_b u_b / sum_b e_b", dot(softmax(e), u), dot(e, u) / sum(e))
    yield Step("the sums cancel", stepped(case), formula(case))


PAGE = Page(
    title="Natural gradient steps are multiplicative weights",
    words="Adding w to the logits multiplies each probability by exp(w), and normalises.",
    claim=Claim(
        id="T24", kind="identity", relation=Exact(), level="rational", statement="softmax(e u)_a = pi_a u_a / sum_b pi_b u_b, pi = e / sum e",
        left=stepped, right=formula, cases=lambda: [by_hand("two actions by hand"), *logits(24), by_hand("numbers of both signs", e=[-1, 3])],
        assumes={"the sum of e is not 0": lambda: by_hand("e = (1, -1)", e=[1, -1])},
        mutants={
            "without the normalisation": lambda case: formula(case, total=lambda pi, u: 1),
            "the plain mean of u": lambda case: formula(case, total=lambda pi, u: sum(u) / len(u)),
        },
        source="Kakade (2001); Agarwal, Kakade, Lee, Mahajan (2021), Lemma 15",
    ),
    free=("positive numbers", "small steps"),
    derivation=derivation,
    coq=("T24_npg_multiplicative",),
    functions=("pgtheory.tabular.dynamics.updates:Natural",),
)  # fmt: skip
