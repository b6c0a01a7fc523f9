"""T16: what one policy earns more than another, discounted.

V' - V solves X = sum_a pi' (Q - V) + gamma P_pi' X: advantages of the old policy, summed over the discounted visits of the new one. The old policy may be anything
for which V is defined as (I - gamma P_pi)^-1 r_pi, or any other function V at all. Source: Kakade, Langford (2002), Lemma 6.1.
"""

from collections.abc import Iterator

from pgtheory.proofs.claim import Case, Claim
from pgtheory.proofs.pages.finite import UNNORMALISED_POLICY, cases, dot, small, steered
from pgtheory.proofs.pages.symbols import TwoByTwo
from pgtheory.proofs.relations import Exact
from pgtheory.proofs.theorem import Page, Step


def difference(case: Case) -> list:
    """V' - V, from two linear systems."""
    return [new - old for new, old in zip(case.process.value(case.other), case.process.value(case.pi), strict=True)]


def formula(case: Case, visits=lambda case: case.other, judge=lambda case: case.pi) -> list:
    """(I - gamma P_pi')^-1 [sum_a pi'(a|s) (Q(s, a) - V(s))]."""
    p = case.process
    V = p.value(case.pi)
    advantage = [[q - v for q in row] for row, v in zip(p.action_value(judge(case)), V, strict=True)]
    return p.solve(visits(case), [dot(row, A) for row, A in zip(case.other, advantage, strict=True)])


def derivation() -> Iterator[Step]:
    m = TwoByTwo(stochastic=True, lone=True, more="y0,y1")
    p, both = m.process, (0, 1)
    new = [[m.more[f"y{s}"], p.gamma**0 - m.more[f"y{s}"]] for s in both]
    case = Case("symbols", process=p, pi=m.pi, other=new)
    X, V = difference(case), p.value(m.pi)
    local = [dot(new[s], [q - V[s] for q in row]) for s, row in enumerate(p.action_value(m.pi))]
    yield Step(
        "V' - V = sum_a pi' (Q - V) + gamma P_pi' (V' - V)", X, [c + p.gamma * dot(row, X) for c, row in zip(local, p.kernel(new), strict=True)]
    )
    yield Step("the system has one solution", X, formula(case))


PAGE = Page(
    title="Performance difference lemma, discounted",
    words="The new policy earns more than the old one by the old one's advantages, summed over the discounted visits of the new one.",
    claim=Claim(
        id="T16", kind="identity", relation=Exact(), level="rational",
        statement="V' - V = (I - gamma P_pi')^-1 [sum_a pi'(a|s) (Q(s, a) - V(s))]_s",
        left=difference, right=formula,
        cases=lambda: [steered(), *cases(16), small("rows of the old policy that sum to 3/2", pi=[[1, "1/2"], [1, "1/2"]])],
        assumes={"rows of the new policy sum to one": lambda: steered("rows that sum to 3/2", other=UNNORMALISED_POLICY)},
        mutants={
            "visits of the old policy": lambda case: formula(case, visits=lambda case: case.pi),
            "action values of the new policy": lambda case: formula(case, judge=lambda case: case.other),
        },
        source="Kakade, Langford (2002), Lemma 6.1",
    ),
    free=("a normalised old policy", "a stochastic P", "policies that are close to each other"),
    derivation=derivation,
    coq=("T16_performance_difference_discounted",),
    functions=("pgtheory.tabular.exact.rational:RationalEvaluation",),
)  # fmt: skip
