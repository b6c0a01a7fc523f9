"""Coq's answers, parsed: what is not understood never counts as nothing."""

import pytest

from pgtheory.proofs.kernel.audit import AuditFailed, answers, axioms, record, script, statement
from pgtheory.proofs.kernel.sources import Source

TWO = """Axioms:
boolp.propositional_extensionality : forall P Q : Prop, P <-> Q -> P = Q
boolp.functional_extensionality_dep
  : forall (A : Type) (B : A -> Type) (f g : forall x : A, B x),
    (forall x : A, f x = g x) -> f = g"""


def test_axioms_are_qualified_names():
    assert axioms(TWO) == ("boolp.propositional_extensionality", "boolp.functional_extensionality_dep")


def test_sentence_that_there_are_none():
    assert axioms("Closed under the global context\n") == ()


@pytest.mark.parametrize("line", ["bad is assumed to be positive.", "f is assumed to be guarded.", "Theory: Type-in-type is assumed"])
def test_other_assumptions_are_kept_as_they_stand(line):
    assert line in axioms(f"{TWO}\n{line}")


@pytest.mark.parametrize("answer", ["", "Error: unbound", "Axioms:", "Axioms:\n  indented", "Closed under the global context?"])
def test_answer_of_another_form_is_no_clean_bill(answer):
    with pytest.raises(AuditFailed):
        axioms(answer)


def test_statement_loses_its_name_and_its_indent():
    assert statement("T02_x\n     : forall n,\n       n = n") == "forall n,\nn = n"


def test_statement_of_another_form_is_an_error():
    with pytest.raises(AuditFailed, match="Error"):
        statement("Error: no such thing")


def test_answers_are_told_apart_by_their_marks():
    text = "=== check A T01_x\nT01_x\n     : True\n=== axioms A T01_x\nClosed under the global context\n"

    assert answers(text) == {("check", "A", "T01_x"): "T01_x\n     : True", ("axioms", "A", "T01_x"): "Closed under the global context"}


def test_missing_answer_is_an_error():
    with pytest.raises(AuditFailed, match="nothing to check A.T01_x"):
        record(Source("A", "Theorem T01_x : True."), {})


def test_theorems_of_a_file_are_asked_for_axioms_together_or_one_by_one():
    """The tuple names each with all its arguments; what is asked together is not asked alone."""
    source = Source("Pure", "Theorem T01_a : True. Proof. exact I. Qed. Lemma T01_b n : n = n :> nat. Proof. by []. Qed.")

    alone, both = script([source]), script([source], {"Pure"})

    assert "Print Assumptions PG.Pure.T01_a." in alone and "Print Assumptions PG.Pure.T01_b." in alone and "together" not in alone
    assert "Definition together := (@PG.Pure.T01_a, @PG.Pure.T01_b)." in both and both.count("Print Assumptions") == 1
    assert both.count("Check PG.Pure.") == alone.count("Check PG.Pure.") == 2


@pytest.mark.parametrize("line", ["From mathcomp.analysis Require Import reals.", "From mathcomp.classical Require Import boolp."])
def test_files_on_real_analysis_are_known(line):
    assert Source("A", line).classical
    assert not Source("A", f"(* {line} *) From mathcomp Require Import all_algebra.").classical
