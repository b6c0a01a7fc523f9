"""`verify`, `papers`, `reproduce`: exit codes, JSON, and errors that say what there is."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from pgtheory import verifying
from pgtheory.cli import app, main
from pgtheory.proofs import index
from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Curve, Headline, Panel, Result
from pgtheory.reproducing import draw, reproduce

run = CliRunner().invoke


def invented(right=4.0, needs=(), points=True):
    """A paper that holds, or does not."""
    claim = Claim(
        id="P999.C1", kind="identity", statement="x^2 = 4", left=lambda case: case.x**2, right=lambda case: right, needs=needs,
        cases=lambda: [Case("two", x=2.0)], assumes={"x = 2": lambda: Case("three", x=3.0)},
    )  # fmt: skip
    panel = Panel(title="t", x="step", y="gap", log="xy", curves=[Curve(label="c", x=[1, 2], y=[3, 4])])
    result = Result(columns=("n", "gap"), rows=((1, 0.5), (2, float("inf"))), panels=(panel,), expected={"the gap falls": points})
    headline = Headline(question="does it fall?", run=lambda progress: result)
    return Paper(
        id="P999", slug="s", title="t", authors="a", year=2000, family="tests", claims=(claim,), code={"x": "pgtheory:MDP"}, headline=headline
    )


@pytest.fixture
def only(monkeypatch):
    """The index holds one invented paper and no other."""

    def put(paper):
        monkeypatch.setattr(index, "paper_ids", lambda: ("P999",))
        monkeypatch.setattr(index, "page_ids", lambda: ())
        monkeypatch.setattr(index, "paper", lambda id: paper)
        for module in ("verifying", "reproducing"):
            monkeypatch.setattr(f"pgtheory.{module}.paper", lambda id: paper)
        monkeypatch.setattr(verifying, "all_papers", lambda: (paper,))

    return put


@pytest.mark.parametrize(("parts", "code"), [({}, 0), ({"right": 5.0}, 1), ({"needs": ("no_such_module",)}, 3)])
def test_exit_code_of_verify(only, parts, code):
    only(invented(**parts))

    found = run(app, ["verify", "P999"])

    assert found.exit_code == code, found.output
    assert "P999.C1" in found.output


def test_verify_prints_every_case_on_demand(only):
    only(invented())

    text = run(app, ["verify", "--cases"]).output

    assert "without" in text
    assert "x = 2: three" in text


def test_verify_has_json(only):
    only(invented(right=5.0))

    data = json.loads(run(app, ["verify", "P999.C1", "--json"]).output)

    assert data["exit_code"] == 1
    assert data["claims"][0]["cases"][0]["distance"] == 1.0


def test_index_of_papers_names_claims_and_code():
    listing, one = run(app, ["papers"]).output, run(app, ["papers", "P025"]).output
    data = json.loads(run(app, ["papers", "P025", "--json"]).output)

    assert "P025" in listing
    assert "P025.C3" not in listing
    assert "P025.C3" in one
    assert "pgtheory.tabular.estimators.kl_regularised:KLRegularised" in one
    assert [claim["id"] for claim in data[0]["claims"]][:2] == ["P025.C1", "P025.C2"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["verify", "P25"], "Did you mean P025"),
        (["verify", "P025.C99"], "it has P025.C1"),
        (["papers", "P1025"], "P025"),
        (["reproduce", "PPP"], "no paper"),
    ],
)
def test_unknown_names_are_bad_use(monkeypatch, capsys, words, text):
    monkeypatch.setattr("sys.argv", ["pgtheory", *words])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(("points", "code"), [(True, 0), (False, 1)])
def test_reproduce_exits_by_the_direction(only, points, code):
    only(invented(points=points))

    found = run(app, ["reproduce", "P999"])

    assert found.exit_code == code
    assert "does it fall?" in found.output


def test_reproduce_has_json_without_infinities(only):
    only(invented())

    data = json.loads(run(app, ["reproduce", "P999", "--json"]).output)

    assert data["rows"] == [[1, 0.5], [2, None]]
    assert data["expected"] == {"the gap falls": True}


def test_reproduce_writes_a_picture(only, tmp_path):
    only(invented())

    assert run(app, ["reproduce", "P999", "--plot", str(tmp_path / "p.png")]).exit_code == 0
    assert (tmp_path / "p.png").stat().st_size > 5000
    assert len(draw(reproduce("P999")).axes) == 1


def test_paper_without_its_experiment_says_which_have_one(monkeypatch, capsys):
    bare = replace(invented(), headline=None)
    monkeypatch.setattr("pgtheory.reproducing.paper", lambda id: bare)
    monkeypatch.setattr("sys.argv", ["pgtheory", "reproduce", "P999"])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    assert "the main experiment of P999 is not here" in capsys.readouterr().err
