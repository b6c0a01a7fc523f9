"""A check that cannot fail is found out: idle assumptions, mutants that pass, sides that are wrong, modules that are missing."""

import pytest

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.relations import Equal
from pgtheory.proofs.verification import examine
from pgtheory.tabular.errors import InvalidArgument


def claim(**changes):
    """x^2 = 2 x at x = 2."""
    parts = {
        "id": "P999.C1", "kind": "identity", "statement": "x^2 = 2 x", "left": lambda case: case.x**2, "right": lambda case: 2 * case.x,
        "cases": lambda: [Case("two", x=2.0)], "assumes": {"x = 2": lambda: Case("three", x=3.0)},
    }  # fmt: skip
    return Claim(**{**parts, **changes})


def test_true_claim_holds_with_its_evidence():
    found = examine(claim())

    assert found.status == "holds"
    assert found.cases[0].left == found.cases[0].right == 4.0
    assert found.dropped["x = 2"].comparison.distance == 3.0


def test_false_claim_is_refuted_with_a_witness():
    found = examine(claim(right=lambda case: 2 * case.x + 1))

    assert found.status == "refuted"
    assert "on two" in found.reason


def test_idle_assumption_refutes():
    assert "holds also without 'x = 2'" in examine(claim(assumes={"x = 2": lambda: Case("zero", x=0.0)})).reason


def test_mutant_that_passes_refutes():
    assert "the mutant 'four' passes" in examine(claim(mutants={"four": lambda case: 4.0})).reason


def test_mutant_must_fail_on_one_case_only():
    two = lambda: [Case("two", x=2.0), Case("zero", x=0.0)]

    assert examine(claim(cases=two, mutants={"four": lambda case: 4.0})).status == "holds"


def test_claim_without_cases_is_refuted():
    assert examine(claim(cases=list)).reason == "there is no case"


def test_missing_module_is_not_checked():
    found = examine(claim(needs=("no_such_module_anywhere",)))

    assert found.status == "not checked"
    assert "no_such_module_anywhere" in found.reason


def test_claim_that_nothing_could_refute_is_refused():
    with pytest.raises(InvalidArgument, match="nothing can refute P999.C1"):
        claim(assumes={})


@pytest.mark.parametrize(
    ("changes", "text"), [({"id": "C1"}, "P043.C1"), ({"id": "P1.C1"}, "P043.C1"), ({"kind": "lemma"}, "identity"), ({"level": "sure"}, "rational")]
)
def test_malformed_claim_is_refused(changes, text):
    with pytest.raises(InvalidArgument, match=text):
        claim(**changes)


def test_paper_refuses_claims_of_another_and_ids_twice():
    about = {"slug": "s", "title": "t", "authors": "a", "year": 2000, "family": "f"}

    with pytest.raises(InvalidArgument, match="P999.C1 stand in the file of P001"):
        Paper(id="P001", claims=(claim(),), **about)
    with pytest.raises(InvalidArgument, match="each id once"):
        Paper(id="P999", claims=(claim(), claim()), **about)


def test_sharing_of_code_is_seen(executed):
    """The trace that guards independence finds a function of the library that both sides call."""
    from pgtheory.tabular.models.classic import two_state
    from pgtheory.tabular.policies.softmax import Softmax
    from pgtheory.tabular.solve.evaluation import evaluate

    call = lambda: evaluate(two_state(), Softmax([[0.0, 0.0], [0.0, 0.0]])).J

    places = {name for name, *_ in executed(call)}

    assert "tabular/solve/evaluation.py" in places
    assert not any(name.startswith("tabular/models") for name in places)


def test_equality_is_the_default_relation():
    assert claim().relation == Equal()
