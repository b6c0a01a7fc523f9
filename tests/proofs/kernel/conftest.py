"""A prover to check a small library with, and an empty store."""

import os

import pytest

from pgtheory.proofs.kernel.prover import NoProver, Store, find


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
