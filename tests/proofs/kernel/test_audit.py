"""Coq's answers, parsed: what is not understood never counts as nothing."""

import pytest

from pgtheory.proofs.kernel.audit import AuditFailed, answers, axioms, record, script, shared, statement
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


PURE = Source("Pure", "Theorem T01_a : True. Proof. exact I. Qed. Lemma T01_b n : n = n :> nat. Proof. by []. Qed.")
BARE = Source("Bare", "Definition b := 0.")
MORE = Source("More", "Theorem T02_c : True. Proof. exact I. Qed.")


def test_theorems_are_asked_for_axioms_one_by_one_or_a_group_of_files_at_once():
    """What is asked at once names each theorem with all its arguments, and is not asked alone; a file without theorems is no question."""
    alone, some, one = script([PURE, MORE]), script([PURE, BARE, MORE], [[BARE, PURE], [BARE]]), script([PURE, MORE], [[PURE, MORE]])

    asked = lambda text: [line.removeprefix("Print Assumptions ") for line in text.splitlines() if line.startswith("Print Assumptions")]
    assert asked(alone) == ["PG.Pure.T01_a.", "PG.Pure.T01_b.", "PG.More.T02_c."] and "together" not in alone
    assert asked(some) == ["PG.More.T02_c.", "together0."] and asked(one) == ["together0."]
    assert "Definition together0 := let _ := @PG.Pure.T01_a in let _ := @PG.Pure.T01_b in I." in some
    assert "Definition together0 := let _ := @PG.Pure.T01_a in let _ := @PG.Pure.T01_b in let _ := @PG.More.T02_c in I." in one
    assert one.count("Check PG.") == alone.count("Check PG.") == 3


def test_each_theorem_of_a_group_rests_on_what_the_group_rests_on():
    found = {("check", "Pure", "T01_a"): "T01_a : True", ("axioms", "Pure", "*"): TWO, ("axioms", "More", "T02_c"): "Closed under the global context"}

    given = shared(found, [[BARE, PURE]])

    assert given == {
        ("check", "Pure", "T01_a"): "T01_a : True", ("axioms", "Pure", "T01_a"): TWO, ("axioms", "Pure", "T01_b"): TWO,
        ("axioms", "More", "T02_c"): "Closed under the global context",
    }  # fmt: skip


def test_group_that_was_told_nothing_is_an_error():
    with pytest.raises(AuditFailed, match="nothing to the axioms of Pure, More"):
        shared({("axioms", "Pure", "T01_a"): "Closed under the global context"}, [[PURE, MORE]])


@pytest.mark.parametrize("line", ["From mathcomp.analysis Require Import reals.", "From mathcomp.classical Require Import boolp."])
def test_files_on_real_analysis_are_known(line):
    assert Source("A", line).classical
    assert not Source("A", f"(* {line} *) From mathcomp Require Import all_algebra.").classical
