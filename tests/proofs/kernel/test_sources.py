"""Reading Coq files: comments, requirements, ids, forbidden words, order."""

import pytest

from pgtheory.proofs.kernel.sources import Source, closure, in_order, read


def named(**texts):
    return {name: Source(name, text) for name, text in texts.items()}


@pytest.mark.parametrize(
    "word",
    ["Admitted.", "admit.", "Axiom x : False.", "Axioms x y : False.", "Parameter x : nat.", "Conjecture c : 0 = 1.", "give_up.", "Unset Guard Checking.",
     "Unset  Positivity Checking.", "Unset Universe Checking.", "#[bypass_check(guard)] Fixpoint f n := f n.", "Declare Module M.", "Set Type In Type."],
)  # fmt: skip
def test_forbidden_word_is_found_with_its_line(word):
    found = Source("A", f"Lemma a : True.\nProof. done. Qed.\n{word}\n").forbidden

    assert len(found) == 1
    assert found[0].startswith("A.v:3 ")


@pytest.mark.parametrize(
    "text", ["(* Admitted *)", "(* a (* Axiom *) Parameter *)", "Lemma readmit : True.", "Definition parameters := 1.", '(* "*)" Axiom *)']
)
def test_innocent_text_has_no_forbidden_word(text):
    assert Source("A", text).forbidden == ()


def test_word_after_a_comment_with_a_quoted_bracket_is_still_found():
    """A string within a comment hides its brackets: taken naively, the comment would never end and the axiom would be hidden."""
    assert Source("A", '(* "(*" *) Axiom x : False.').forbidden


def test_ids_are_read_off_names_and_not_off_comments():
    source = Source(
        "A", "(* T12: Theorem T12_x *) Theorem T13_y : True. Lemma helper : True. #[local] Lemma T14_mutant_sign : ~ False. Lemma T15 : True."
    )

    assert source.theorems == ("T13_y", "T14_mutant_sign")


def test_definitions_of_every_kind_are_found():
    source = Source("A", "Definition f := 1. Local Fixpoint g n := n. Record r := R { x : nat }. (* Definition h := 2. *)")

    assert source.definitions == ("f", "g", "r")


@pytest.mark.parametrize(
    "line", ["From PG Require Import B.", "From PG Require Import C B.", "Require Import B.", "From PG Require B.", "Require Export PG.B."]
)
def test_requirement_is_found_in_every_form(line):
    others = named(A=line, B="", C="")

    assert "B" in others["A"].requires(others)


def test_files_of_others_are_no_requirement():
    others = named(A="From mathcomp Require Import B.", B="")

    assert others["A"].requires(others) == ()


def test_subfolder_is_found_by_its_dotted_name():
    others = {"A": Source("A", "From PG.mutants Require Import B."), "mutants.B": Source("mutants.B", ""), "B": Source("B", "")}

    assert others["A"].requires(others) == ("mutants.B",)


def test_files_stand_after_what_they_require():
    found = in_order(named(A="Require Import B.", B="Require Import C.", C=""))

    assert list(found) == ["C", "B", "A"]
    assert list(closure({"B"}, found)) == ["C", "B"]


def test_circle_is_an_error():
    with pytest.raises(ValueError, match="A, B require each other"):
        in_order(named(A="Require Import B.", B="Require Import A."))


def test_folder_is_read_with_its_subfolders(tmp_path):
    (tmp_path / "mutants").mkdir()
    (tmp_path / "mutants" / "A.v").write_text("From PG Require Import B.")
    (tmp_path / "B.v").write_text("")

    assert list(read(tmp_path)) == ["B", "mutants.A"]
