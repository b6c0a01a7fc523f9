"""A theorem is accepted for every reason that is asked for, and for no fewer: each is taken away once."""

import re

import pytest

from pgtheory.proofs.kernel import verdict
from pgtheory.proofs.kernel.audit import Fact
from pgtheory.proofs.kernel.prover import NoProver
from pgtheory.proofs.kernel.verdict import about, allowed, check, denied, idle, ids, parse

TRUE = """(* about sums; Admitted in a comment is no word of Coq *)
Definition twice (n : nat) := n + n.
Theorem T98_twice n : twice n = n + n. Proof. reflexivity. Qed.
"""

MUTANTS = """From PG Require Import Twice.
Lemma T98_mutant_once : ~ (forall n, twice n = n). Proof. intro H; discriminate (H 1). Qed.
Lemma T98_mutant_thrice : ~ (forall n, twice n = n + n + n). Proof. intro H; discriminate (H 1). Qed.
"""


def mutant(statement, proof):
    """The mutants, of which the first says something else."""
    first, _, third = MUTANTS.splitlines()
    return {"mutants/TwiceMutants": f"{first}\nLemma T98_mutant_once : {statement}. Proof. {proof}. Qed.\n{third}\n"}


@pytest.fixture
def library(tmp_path):
    """Writes Coq files into a folder: a true theorem and its two mutants, changed or completed by name -> text."""

    def write(**files):
        folder = tmp_path / "coq"
        (folder / "mutants").mkdir(parents=True, exist_ok=True)
        for name, text in {"Twice": TRUE, "mutants/TwiceMutants": MUTANTS, **files}.items():
            (folder / f"{name}.v").write_text(text, encoding="utf8")
        return folder

    return write


@pytest.fixture
def checked(library, store, prover):
    """The verdict on T98 in a small library, after its golden file was written."""

    def run(golden=True, **files):
        folder = library(**files)
        if golden:
            (folder / "statements.txt").write_text(check(folder=folder, store=store).golden, encoding="utf8")
        return check(["T98"], folder=folder, store=store)

    return run


def reasons(report):
    return "; ".join(report.verdicts["T98"].reasons)


def test_true_theorem_is_accepted(checked):
    report = checked()

    assert report.exit_code == 0
    assert report.verdicts["T98"].axioms == ()
    assert list(report.verdicts["T98"].facts) == ["T98_twice"]
    assert len(report.verdicts["T98"].mutants) == 2


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"Twice": TRUE.replace("n + n. Proof", "n + n + n. Proof")}, "Unable to unify"),
        ({"Twice": TRUE.replace("reflexivity. Qed", "Admitted")}, "forbidden: Twice.v:3 Admitted"),
        ({"Twice": TRUE.replace("Theorem", "Hypothesis secret : False.\nTheorem").replace("reflexivity", "destruct secret")}, "T98_twice rests on .*secret"),
        ({"Twice": "From PG Require Import Hole.\n" + TRUE, "Hole": "Axiom hole : False.\n"}, "forbidden: Hole.v:1 Axiom"),
        (mutant("True", "exact I"), "refutes nothing"),
        (mutant("~ (forall n : nat, n <> n)", "intro H; exact (H 0 eq_refl)"), "refutes something else"),
        ({"mutants/Twice": "Hypothesis secret : False.\nTheorem T98_twice : 0 = 1. Proof. destruct secret. Qed.\n"}, "T98_twice stands in .*Twice.v and in .*Twice.v"),
        ({"Met": "From PG Require Import Twice.\nAxiom hole : False.\nLemma T98_instance_none : twice 1 = 3. Proof. destruct hole. Qed.\n"}, "T98_instance_none rests on .*hole"),
    ],
    ids=[
        "false", "admitted", "hypothesis outside a section", "axiom in a file behind it", "mutant that says nothing", "mutant about something else", "name in two files",
        "instance on an axiom",
    ],
)  # fmt: skip
def test_theorem_is_refused(checked, files, why):
    report = checked(**files)

    assert report.exit_code == 1
    assert re.search(why, reasons(report)), reasons(report)


def test_instance_of_a_premise_is_neither_a_theorem_nor_a_mutant(checked):
    report = checked(Met="From PG Require Import Twice.\nLemma T98_instance_one : twice 1 = 2. Proof. reflexivity. Qed.\n")

    assert report.exit_code == 0
    assert list(report.verdicts["T98"].facts) == ["T98_twice"]
    assert len(report.verdicts["T98"].mutants) == 2


@pytest.mark.parametrize(
    ("variant", "so"),
    [
        ("~ (forall n, f (A.two n) = A.one n)", True),  # both
        ("~ (forall n, A.two n = 0)", True),  # but for one
        ("~ (forall n, mutants.B.two_too n = 0)", True),  # by what it is defined by
        ("~ (forall n, n = 0)", False),
        ("~ (forall n, A.three n = 0)", False),
    ],
)
def test_variant_mentions_what_the_theorem_mentions_but_for_one_thing(variant, so):
    definitions = {"A.one": "0", "A.two": "1", "A.three": "2", "B.two_too": "fun n => A.two n"}

    assert about("forall n, A.one n = A.two n", variant, definitions) is so


def test_variant_of_a_theorem_without_definitions_has_its_signs():
    theorem = r"(forall i j, (0 <= M i j)%R) -> (\sum_j M i j <= 1)%R -> (1%:M - gam *: M)%R \in unitmx"

    assert about(theorem, r"~ (forall M gam, (\sum_j M i j <= 1)%R -> (1%:M + gam *: M)%R \in unitmx)", {})
    assert not about(theorem, "~ (forall n : nat, n <= 0)", {})


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("~ (forall n : nat, A.one n = 0)", ""),
        ("(A.one 1 <= 0)%N", "refutes nothing"),
        ("A.one 1 <> 0", "refutes nothing"),
        ("forall n : nat,\nn < n -> ~ (forall m : nat, A.one m = n)", "refutes nothing"),
        ("forall x : void, ~ (forall m : nat, A.one m = m)", "refutes nothing"),
        ("~ (forall n : nat, A.one n = n) \\/ (0 = 0)", "refutes nothing"),
        ("~ (forall x : nat, x <> x)", "refutes something else"),
        ("~ (forall n : nat, A.one n = 2)", "what another mutant does"),
    ],
)
def test_mutant_denies_a_variant_of_the_theorem_once(statement, why):
    fact = lambda text: Fact(text, ())
    found = idle(
        {"T98_one": fact("forall n : nat, A.one n = 1")},
        {"T98_mutant_a": fact("~ (forall n : nat, A.one n = 2)"), "T98_mutant_b": fact(statement)},
        {"A.one": "1"},
    )

    assert [bool(re.search(why, complaint)) for complaint in found] == ([True] if why else [])
    assert all(complaint.startswith("T98_mutant_b") for complaint in found)


@pytest.mark.parametrize(
    "statement",
    [
        "forall R : reals.Real.type,\n~ (forall x : R, f x = x)",
        "forall (F : realFieldType) (ex ln : F -> F),\nExpLog.explog (F:=F) ex ln ->\n~\n(forall n : nat, (n = 0))",
    ],
)
def test_variant_may_be_about_every_field_and_every_exponential(statement):
    assert denied(statement) is not None
    assert denied(f"0 = 1 -> {statement}") is None


def test_theorem_of_one_mutant_is_proved_and_not_accepted(checked):
    report = checked(**{"mutants/TwiceMutants": "\n".join(MUTANTS.splitlines()[:2])})

    assert report.exit_code == 3 and report.verdicts["T98"].status == "not checked"
    assert "proved as it is stated, and 1 of its mutants are refuted in Coq, fewer than 2" in reasons(report)


def test_theorem_without_golden_entry_is_refused(checked):
    assert "T98_twice is not in the golden file" in reasons(checked(golden=False))


def test_changed_statement_differs_from_the_golden_file(checked, library, store):
    checked()
    folder = library(Twice=TRUE.replace("twice n = n + n.", "n + n = twice n."))

    assert "T98_twice differs" in reasons(check(["T98"], folder=folder, store=store))


def test_changed_definition_behind_the_same_statement_differs_from_the_golden_file(checked, library, store):
    """The statement reads as before; what it is about is another thing."""
    checked()
    folder = library(Twice=TRUE.replace(":= n + n.", ":= 0 + (n + n)."))

    found = check(["T98"], folder=folder, store=store)

    assert reasons(found) == "Twice.twice differs from the golden file"


def test_notation_cannot_lie_about_a_statement(checked, library, store):
    """Where the notation is active the second file prints as the first: the audit does not import it."""
    checked()
    lie = "Notation \"'twice' n\" := (n + 1) (at level 9).\n"
    folder = library(Twice=TRUE.replace("Theorem T98_twice n : twice n = n + n.", f"{lie}Theorem T98_twice n : twice n = n + 1."))

    assert "T98_twice differs" in reasons(check(["T98"], folder=folder, store=store))


def test_id_that_is_nowhere_is_refused(library, store, prover):
    assert check(["T97"], folder=library(), store=store).exit_code == 1


def test_second_check_compiles_nothing_and_a_fresh_one_everything(checked, library, store):
    checked()
    told = []

    check(["T98"], folder=library(), store=store, say=told.append)
    assert told == []

    check(["T98"], folder=library(), store=store, say=told.append, fresh=True)
    assert [line.split()[0] for line in told] == ["Twice", "mutants.TwiceMutants", "asking"]


def test_what_is_not_stored_is_not_checked_without_compiling(library, store, prover):
    report = check(["T98"], folder=library(), store=store, compiling=False)

    assert report.exit_code == 3
    assert "not built" in reasons(report)


def test_change_in_a_required_file_is_seen(checked, library, store):
    """The stored file of the mutants belongs to another text of Twice: it is not taken."""
    checked()
    told = []

    check(["T98"], folder=library(Twice=TRUE + "\n"), store=store, say=told.append)

    assert any(line.startswith("Twice ") for line in told)


def test_missing_prover_is_not_checked_and_says_how_to_get_it(library, store, monkeypatch):
    def nothing():
        raise NoProver("coqc is not installed: apt-get install coq")

    monkeypatch.setattr(verdict, "find", nothing)
    report = check(folder=library(), store=store)

    assert report.exit_code == 3
    assert "apt-get install" in report.prover
    assert report.verdicts["T98"].status == "not checked"


def test_nothing_to_check_is_no_success(tmp_path, store):
    assert check(folder=tmp_path, store=store).exit_code == 3


@pytest.mark.parametrize(
    ("id", "axiom", "may"),
    [
        ("T29", "boolp.propositional_extensionality", True),
        ("T02", "boolp.propositional_extensionality", False),
        ("T29", "PG.Twice.propositional_extensionality", False),
        ("T29", "propositional_extensionality", False),
        ("T29", "boolp.eta", False),
    ],
)
def test_axioms_are_allowed_by_id_home_and_name(id, axiom, may):
    assert allowed(id, axiom) is may


def test_ids_are_those_of_the_sources(library):
    from pgtheory.proofs.kernel.sources import read

    assert ids(read(library())) == ("T98",)


def test_golden_file_is_read_as_it_is_written(checked, library, store):
    checked()
    golden = parse((library() / "statements.txt").read_text(encoding="utf8"))

    assert golden["T98_twice"] == "forall n : nat, Twice.twice n = n + n"
    assert set(golden) == {"T98_twice", "T98_mutant_once", "T98_mutant_thrice", "Twice.twice"}
