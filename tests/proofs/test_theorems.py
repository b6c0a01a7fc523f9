"""The theorems: every page holds, fails where it should, and is tied to Coq, to functions and to the golden file; nothing stands alone."""

import ast
import importlib
import os
import re
from fractions import Fraction
from pathlib import Path

import pytest

from pgtheory.proofs.claim import Case
from pgtheory.proofs.index import all_pages, all_papers, page_ids, theorem_table
from pgtheory.proofs.kernel import sources, verdict
from pgtheory.proofs.relations import Exact, entries
from pgtheory.proofs.theorem import Step
from pgtheory.proofs.verification import Evidence, examine_page

ROOT = Path(__file__).parents[2]
PAGES = all_pages()
IN_COQ = {name for source in sources.read().values() for name in source.theorems}

BOUNDS_ONLY = 63
"""From this id on a theorem of `tabular/rates` is a bound that is held against runs, not one of the book's."""


AWAITING_PAGE: set[str] = set()
"""Theorems in Coq that have no page yet. The set may only shrink."""

AWAITING_MUTANTS: set[str] = set()
"""Theorems in Coq that have fewer than two mutants yet; a new one may stand here for a while."""


NUMBER = r"-?\d+(?:/\d+)?"
SIDE = rf"({NUMBER}(?: eps)?(?: [+-] {NUMBER} eps)?)"
REFUTED = re.compile(rf"\(\*((?:(?!\*\)).)*?)\*\)\s*Lemma ({sources.MUTANT.pattern})", flags=re.DOTALL)

WITHOUT_NUMBERS = {f"T{n}" for n in (17, 40, 43, 44, 45, 47, 49, 50, 51, 52, 53, 55, 57, 58, 60, 61, 62)}
"""Theorems of whose false variants the comments in Coq name no two sides."""

TURNED = {"T46_mutant_direction", "T54_mutant_second_order", "T54_mutant_weight"}
"""False variants that the page states with a term on the other side, so that only the difference of the two sides is the same."""


def dual(side: str) -> tuple[Fraction, Fraction]:
    """Value and slope of "3/2 + 1 eps"."""
    found = {bool(eps): Fraction(number.replace(" ", "")) for number, eps in re.findall(r"([+-]? ?\d+(?:/\d+)?)( eps)?", side)}
    return found.get(False, Fraction(0)), found.get(True, Fraction(0))


def refuted_in_coq() -> dict[str, tuple[str, str]]:
    """False variant -> its two sides, as the comment above it has them."""
    comments = {name: comment for source in sources.read().values() for comment, name, _ in REFUTED.findall(source.text)}
    sides = {name: re.search(rf"{SIDE} (?:against|is more than) {SIDE}", comment) for name, comment in comments.items()}
    return {name: (found[1], found[2]) for name, found in sides.items() if found}


SIDES = refuted_in_coq()


def shows(evidence: Evidence, name: str) -> bool:
    """Whether both sides of a variant in Coq stand at one place of the evidence, their values or their slopes, in any order."""
    left, right = dict(entries(evidence.left)), dict(entries(evidence.right))
    pairs = [{x, y} for x, y in zip(*map(dual, SIDES[name]), strict=True) if x != y]
    if name in TURNED:
        return any(abs(left[place] - right[place]) == max(pair) - min(pair) for place in left for pair in pairs)
    return any({left[place], right[place]} in pairs for place in left)


def carried() -> dict[str, set[str]]:
    """Id -> the functions and classes whose docstring has the line `Theorem: ...`."""
    found: dict[str, set[str]] = {}
    for floor in ("tabular", "deep"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            module = ".".join(["pgtheory", *path.relative_to(ROOT).with_suffix("").parts])
            for node in ast.parse(path.read_text(encoding="utf8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    for line in re.findall(r"^Theorem: (.+)\.$", ast.get_docstring(node) or "", flags=re.MULTILINE):
                        for id in line.split(", "):
                            found.setdefault(id, set()).add(f"{module}:{node.name}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_page_holds_and_fails_where_it_should(page):
    """On all instances and in every step; not without an assumption; not for a mutant of the statement, with the numbers that Coq has."""
    found = examine_page(page)

    assert found.status == "holds", found.reason
    assert found.dropped.keys() == page.claim.assumes.keys()
    assert found.mutants.keys() == page.claim.mutants.keys()
    assert len(found.mutants) >= 2
    assert len({e.case for e in found.cases}) >= 3
    fails = [*found.mutants.values(), *found.dropped.values()]
    assert [name for name in SIDES if name.startswith(page.id) and not any(shows(evidence, name) for evidence in fails)] == []


def test_comments_in_coq_name_the_two_sides_of_false_variants():
    """So that the pages are held against them."""
    read = {name[:3] for name in SIDES}

    assert {name[:3] for name in IN_COQ if sources.MUTANT.fullmatch(name)} - read == WITHOUT_NUMBERS
    assert SIDES["T20_mutant_square"] == ("107/4", "121/20")
    assert dual("17/288 + 23/12 eps") == (Fraction(17, 288), Fraction(23, 12))
    assert (dual("-1/2 eps"), dual("2/3 - 1 eps"), dual("0")) == ((0, Fraction(-1, 2)), (Fraction(2, 3), -1), (0, 0))


def test_evidence_shows_both_sides_at_one_place():
    evidence = lambda left, right: Evidence(case="", left=left, right=right, comparison=Exact()(left, right))

    name = "T20_mutant_square"
    a, b = map(Fraction, SIDES[name])
    assert shows(evidence([a, 1], [b, 1]), name)
    assert shows(evidence([b, 1], [a, 1]), name)
    assert not shows(evidence([a, 1], [1, b]), name)
    assert not shows(evidence([a, 1], [b + 1, 1]), name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_page_is_exact_unless_it_says_otherwise(page):
    assert isinstance(page.claim.relation, Exact) == (page.claim.level == "rational")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_page_checks_the_same_twice(page):
    """No stream of random numbers is used up: the second examination sees the same cases."""
    first = [case.label for case in page.claim.cases()], {name: make().label for name, make in page.claim.assumes.items()}
    again = [case.label for case in page.claim.cases()], {name: make().label for name, make in page.claim.assumes.items()}

    assert first == again


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_functions_of_a_page_exist(page):
    assert page.functions
    for place in page.functions:
        module, _, name = place.partition(":")
        assert hasattr(importlib.import_module(module), name), place


# Orphans


def test_every_theorem_in_coq_has_a_page_and_every_page_a_theorem():
    in_coq = {name[:3] for name in IN_COQ}

    assert set(page_ids()) - in_coq == set()
    assert in_coq - set(page_ids()) <= AWAITING_PAGE
    assert AWAITING_PAGE & set(page_ids()) == set(), "these have pages: take them off the list"


def test_pages_name_their_theorems_as_coq_does():
    proper = {name for name in IN_COQ if not (sources.MUTANT.fullmatch(name) or sources.INSTANCE.fullmatch(name)) and name[:3] in page_ids()}

    assert {name for page in PAGES for name in page.coq} == proper
    assert [page.id for page in PAGES for name in page.coq if not name.startswith(f"{page.id}_")] == []


def test_functions_carry_the_ids_of_the_pages_that_name_them_and_no_others():
    named: dict[str, set[str]] = {}
    for page in PAGES:
        named[page.id] = set(page.functions)

    assert carried() == named


def test_a_file_of_the_folder_is_a_page_or_is_used_by_one():
    """A page whose file has another name would be overlooked in silence."""
    folder = ROOT / "proofs/pages"
    others = {path.stem for path in folder.glob("*.py")} - {path.stem for path in folder.glob("t[0-9][0-9]_*.py")} - {"__init__"}
    text = "".join(path.read_text(encoding="utf8") for path in folder.glob("t[0-9][0-9]_*.py"))

    assert [name for name in others if f"pgtheory.proofs.pages.{name} import" not in text] == []
    assert [page.id for page in PAGES] == list(page_ids())


def test_theorems_that_claims_name_are_there():
    named = {claim.theorem for paper in all_papers() for claim in paper.claims if claim.theorem}

    assert named <= set(page_ids())


def test_rates_with_an_id_of_the_book_have_its_page():
    from pgtheory.tabular.rates.registry import THEOREMS

    assert [
        theorem.id for theorem in THEOREMS.values() if int(theorem.id[1:]) < BOUNDS_ONLY and theorem.id not in {*page_ids(), *AWAITING_PAGE}
    ] == []


def test_chapter_has_the_table_of_the_pages():
    text = (ROOT / "docs/theory.md").read_text(encoding="utf8")

    assert f"<!-- theorems -->\n{theorem_table()}\n<!-- end -->" in text


# The kernel


def test_kernel_accepts_every_theorem():
    """What is stored on this machine; in CI everything has been built before the tests. Not checked is a skip that says so, never a pass."""
    report = verdict.check(compiling=False)
    refused = {verdict.id: verdict.reasons for verdict in report.verdicts.values() if verdict.status == "refused"}
    few = {verdict.id for verdict in report.verdicts.values() if verdict.status == "not checked" and verdict.facts}
    waiting = [verdict.id for verdict in report.verdicts.values() if verdict.status == "not checked" and not verdict.facts]
    accepted = {verdict.id for verdict in report.verdicts.values() if verdict.status == "accepted"}

    assert refused == {}
    assert few <= AWAITING_MUTANTS
    assert accepted & AWAITING_MUTANTS == set(), "these have their mutants: take them off the list"
    if waiting and os.environ.get("CI"):
        pytest.fail(f"not checked in CI: {', '.join(waiting)}; {report.prover}")
    if waiting:
        pytest.skip(f"not checked: {', '.join(waiting)}; run python proofs/check.py")


def test_every_coq_file_is_behind_a_theorem():
    """What no theorem rests on is not looked at: Coq may refuse it, and nothing is refused. The definitions that evaluate are for the bridge."""
    found = sources.read()
    held = sources.closure({name for name, source in found.items() if source.theorems}, found)

    assert found.keys() - held.keys() == {"Evaluation"}


def test_premise_on_exp_and_log_is_met():
    """The theorems that ask for `explog` would be about nothing if no exp and log were one."""
    golden = verdict.parse(sources.GOLDEN.read_text(encoding="utf8"))

    assert "ExpLog.explog" in golden["T52_softmax_rate"]
    assert golden["T62_instance_explog"] == "forall R : reals.Real.type, ExpLog.explog (F:=reals.Real.realFieldType R) sequences.expR (exp.ln (R:=R))"


def test_no_definition_of_a_false_variant_passes_for_one_of_the_theorems():
    """Were `smx` defined in mutants/Softmax.v too, what is said of that one would seem to be about the one in Softmax.v."""
    defined = {f"{name}.{definition}" for name, source in sources.read().items() for definition in source.definitions}

    assert "Softmax.smx" in defined and "mutants.Softmax.e0" in defined
    assert not {name for name in defined if f"mutants.{name}" in defined}


def test_golden_file_holds_every_theorem_and_nothing_else():
    golden = verdict.parse(sources.GOLDEN.read_text(encoding="utf8"))

    assert {name for name in golden if sources.ID.fullmatch(name)} == IN_COQ


# The examination itself


@pytest.fixture
def page():
    return next(page for page in PAGES if page.id == "T02")


def with_derivation(page, derivation):
    from dataclasses import replace

    return replace(page, derivation=derivation)


def test_wrong_step_refutes_a_page(page):
    found = examine_page(with_derivation(page, lambda: [Step("one is one", 1, 1), Step("one is two", 1, 2)]))

    assert found.status == "refuted"
    assert "one is two" in found.reason


def test_empty_derivation_refutes_a_page(page):
    assert examine_page(with_derivation(page, list)).status == "refuted"


def test_page_without_derivation_is_no_identity_of_symbols(page):
    assert examine_page(page).level == "symbolic"
    assert examine_page(with_derivation(page, None)).level == "rational"


def test_page_of_another_claim_is_refused(page):
    from dataclasses import replace

    from pgtheory.tabular.errors import InvalidArgument

    claim = next(claim for paper in all_papers() for claim in paper.claims)
    with pytest.raises(InvalidArgument, match="an id such as T12"):
        replace(page, claim=claim)


def test_level_of_proof_needs_the_kernel(page):
    from pgtheory.proofs.kernel.verdict import Verdict
    from pgtheory.proofs.verification import with_kernel

    found = examine_page(page)

    assert with_kernel(found, Verdict(id="T02", status="accepted")).level == "proof"
    assert with_kernel(found, Verdict(id="T02", status="refused", reasons=("why",))).status == "refuted"
    lacking = with_kernel(found, Verdict(id="T02", status="not checked", reasons=("no coqc",)))
    assert (lacking.status, lacking.level) == ("not checked", "symbolic")


@pytest.mark.parametrize(("status", "verdict_status", "level"), [
    ("holds", "accepted", "proof"), ("holds", "refused", "float"), ("holds", "not checked", "float"), ("refuted", "accepted", "float"),
])  # fmt: skip
def test_claim_of_a_paper_is_proved_only_if_its_theorem_is_accepted_and_its_cases_hold(status, verdict_status, level):
    from pgtheory.proofs.kernel.verdict import Verdict
    from pgtheory.proofs.verification import Finding, with_kernel

    claim = next(claim for paper in all_papers() for claim in paper.claims if claim.theorem == "T57")
    found = with_kernel(Finding(claim=claim, status=status), Verdict(id="T57", status=verdict_status))

    assert (found.status, found.level) == (status, level)


def test_claim_cannot_call_itself_proved():
    from dataclasses import replace

    from pgtheory.tabular.errors import InvalidArgument

    with pytest.raises(InvalidArgument, match="known are symbolic"):
        replace(PAGES[0].claim, level="proof")


def test_kit_agrees_with_the_library():
    """The definitions that pages use against the library's exact solver: V, Q, occupancy and advantage, with and without a horizon."""
    from pgtheory.proofs.pages.finite import cases
    from pgtheory.tabular.exact.rational import evaluate_exactly

    for case in cases(7):
        assert isinstance(case, Case)
        p = case.process
        endless = evaluate_exactly(p.model(case.mu), case.pi)
        assert (endless.V, endless.Q, endless.occupancy) == (p.value(case.pi), p.action_value(case.pi), p.occupancy(case.mu, case.pi))
        finite = evaluate_exactly(p.model(case.mu, case.n), case.pi)
        assert [p.V(case.pi, case.n - t) for t in range(case.n)] == finite.V
        assert [p.Q(case.pi, case.n - t - 1) for t in range(case.n)] == finite.Q
        reach = lambda t, case=case, p=p: [sum(case.mu[s] * row[x] for s, row in enumerate(p.reach(case.pi, t))) * p.gamma**t for x in p.states]
        assert finite.occupancy == [reach(t) for t in range(case.n)]
