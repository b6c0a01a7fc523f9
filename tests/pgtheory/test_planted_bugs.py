"""`check` on planted bugs, their twins, and exact estimators in unusual clothes; the tables of docs/planted-bugs.md are the expectations."""

import importlib.util
import re
from pathlib import Path

import pytest

from pgtheory.checking import check

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in (ROOT / "docs" / "planted-bugs.md").read_text().splitlines()
    if ":" in line and line[0:2] == "| "
]
PLANTED = [row for row in ROWS if len(row) == 6]
EXACT = [row for row in ROWS if len(row) == 3]


def verdict(folder, target):
    file, function = target.split(":")
    return check(f"{FIXTURES / folder / file}.py:{function}")


@pytest.fixture(scope="module")
def by_hand():
    """The enumeration that shares nothing with the library."""
    spec = importlib.util.spec_from_file_location("by_hand", FIXTURES / "by_hand.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("target, line, kind", [pytest.param(row[0], row[4].strip("`"), row[3], id=row[0]) for row in PLANTED])
def test_a_planted_bug_is_refuted_and_named(target, line, kind):
    """Exit 1, the class, and the line that names it, from the function alone."""
    found = verdict("planted", target)
    assert found.exit_code == 1
    assert found.kind.value == kind
    assert line in str(found)


@pytest.mark.parametrize("target, line, twin", [pytest.param(row[0], row[4].strip("`"), row[5], id=row[0]) for row in PLANTED])
def test_the_twin_is_acquitted_or_recognised(target, line, twin):
    """Unbiased with c = 1; a method that is biased itself has another line than the bug."""
    found = verdict("planted", f"{target}_correct")
    kind, *recognised = (part.strip("` ") for part in twin.split(", `"))
    assert found.kind.value == kind
    assert line not in str(found)
    if kind == "unbiased":
        assert (found.exit_code, found.scale["text"]) == (0, "1")
    else:
        assert found.exit_code == 1
        assert recognised[0] in str(found)


@pytest.mark.parametrize("target, factor", [pytest.param(row[0], row[2], id=row[0]) for row in EXACT])
def test_an_exact_estimator_is_acquitted(target, factor):
    """Exit 0, whatever its clothes; a sum over the batch is a convention."""
    found = verdict("exact", target)
    assert found.exit_code == 0
    assert found.scale["text"] == factor


def test_the_tables_are_true_by_hand(by_hand):
    """Every number of the tables again, by an enumeration without the library; twins and exact estimators on each of its worlds."""
    found = {}
    for folder in ("planted", "exact"):
        for line in by_hand.table(folder):
            file, function, cells = line.strip("| ").split(" | ")
            found[f"{file}:{function}"] = dict(cell.split(": ") for cell in cells.split("; "))
    for target, _, hand, *_, twin in PLANTED:
        world, value = hand.split(": ")
        assert found[target][world].startswith(value), target
        if twin == "unbiased":
            assert set(found[f"{target}_correct"].values()) == {"1"}, target
        elif "reverse KL" in twin:
            of = "J - 0.1 KL" if "1/10" in twin else "-KL"
            assert all(cell.endswith(f"(1 of {of})") for cell in found[f"{target}_correct"].values()), target
    for target, _, factor in EXACT:
        rows = {"one episode": "1", "0/1, G = 4": "4", "two prompts": "4"}
        expected = {world: "1" if factor == "1" else rows.get(world, "2") for world in found[target]}
        assert found[target] == expected, target


def test_every_fixture_stands_in_the_table(by_hand):
    """No bug without a line, no exact estimator without a test."""
    listed = {row[0] for row in ROWS}
    for folder in ("planted", "exact"):
        for path in (FIXTURES / folder).glob("*.py"):
            for name in by_hand.functions_in(path):
                assert f"{path.stem}:{re.sub('_correct$', '', name)}" in listed
