"""Every claim of every paper: it holds, it can fail, and its two sides share nothing but models, policies and problems."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from pgtheory.proofs.index import all_papers
from pgtheory.proofs.kernel import sources, verdict
from pgtheory.proofs.verification import examine

CLAIMS = [claim for paper in all_papers() for claim in paper.claims]
PAPERS = all_papers()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_claim_holds_and_fails_where_it_should(claim):
    """On all cases; not without an assumption; not for a mutant."""
    found = examine(claim)

    assert found.status == "holds", found.reason
    assert found.dropped.keys() == claim.assumes.keys()
    assert found.mutants.keys() == claim.mutants.keys()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_sides_share_only_models_policies_and_problems(claim, executed):
    case = next(iter(claim.cases()))

    left, right = executed(lambda: claim.left(case)), executed(lambda: claim.right(case))

    assert not left & right
    assert left, "the left side executes nothing of the project: what does it check?"


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.id)
def test_code_that_a_paper_names_exists(paper):
    assert paper.code
    for place in paper.code.values():
        module, _, attribute = place.partition(":")
        assert hasattr(importlib.import_module(module), attribute), place


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.id)
def test_claims_are_numbered_from_one(paper):
    assert [claim.id for claim in paper.claims] == [f"{paper.id}.C{n}" for n in range(1, len(paper.claims) + 1)]


def test_claim_that_names_a_theorem_says_above_it_which_instance_it_is():
    """In one comment line, in which a statement of Coq, if named, is one under the theorem's id."""
    in_coq, said = set(verdict.parse(sources.GOLDEN.read_text(encoding="utf8"))), {}
    for paper in PAPERS:
        source = (Path(__file__).parents[2] / "proofs" / "papers" / f"{paper.id.lower()}.py").read_text(encoding="utf8")
        said |= {f"{paper.id}.{n}": line for line, n in re.findall(r"^# (T\d\d.*)\n(C\d+) = Claim\(", source, re.MULTILINE)}

    assert {id: line[:3] for id, line in said.items()} == {claim.id: claim.theorem for claim in CLAIMS if claim.theorem}
    assert {name for line in said.values() for name in re.findall(r"T\d\d_\w+", line)} <= in_coq


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.id)
def test_tolerance_is_a_rounding_or_says_where_it_comes_from(paper):
    """A derived tolerance explains itself in at least three words; nobody passes a bare number."""
    source = (Path(__file__).parents[2] / "proofs" / "papers" / f"{paper.id.lower()}.py").read_text(encoding="utf8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Derived":
            because = ast.unparse(node.args[1])
            assert len(re.findall(r"\w+", because)) >= 3, because


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.id)
def test_notes_say_what_is_corrected_and_what_is_not_here(paper):
    """One line each, in this order; which claims are corrected is what the claims themselves say."""
    heads = [line.partition(":")[0] for line in paper.notes.splitlines()]
    corrected = [claim.id.partition(".")[2] for claim in paper.claims if claim.corrects]

    assert heads == [head for head in ("Corrected", "Not checked", "The experiment", "Deep layer, not here yet") if head in heads]
    assert heads[-1] == "Deep layer, not here yet"
    assert paper.notes.startswith(f"Corrected: {', '.join(corrected)}.\n") == bool(corrected) == ("Corrected" in heads)


@pytest.mark.parametrize("paper", [paper for paper in PAPERS if paper.headline], ids=lambda paper: paper.id)
def test_headline_points_in_the_expected_direction(paper):
    result = paper.headline.run(lambda _: None)

    assert result.expected
    assert all(result.expected.values()), result.expected
    assert all(len(row) == len(result.columns) for row in result.rows)
    assert result.rows
    assert result.panels
