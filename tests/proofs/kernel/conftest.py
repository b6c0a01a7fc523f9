"""A small library of Coq files, and a prover to check it with."""

import os

import pytest

from pgtheory.proofs.kernel.prover import NoProver, Store, find

TRUE = """(* about sums; Admitted in a comment is no word of Coq *)
Definition twice (n : nat) := n + n.
Theorem T98_twice n : twice n = n + n. Proof. reflexivity. Qed.
"""

MUTANTS = """From PG Require Import Twice.
Lemma T98_mutant_once : ~ (forall n, twice n = n). Proof. intro H; discriminate (H 1). Qed.
Lemma T98_mutant_thrice : ~ (forall n, twice n = n + n + n). Proof. intro H; discriminate (H 1). Qed.
"""


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


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """The small library is about natural numbers: MathComp, which takes a second to load, is left out of its audits."""
    monkeypatch.setattr("pgtheory.proofs.kernel.audit.PREAMBLE", "Set Printing Width 150.\n")


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def prover():
    """Coq. Without it a test is skipped, in CI it fails: there the prover is installed."""
    try:
        return find()
    except NoProver as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"not checked: {error}")
