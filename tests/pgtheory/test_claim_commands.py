"""`verify`, `papers`, `reproduce`: exit codes, JSON, and errors that say what there is."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from pgtheory import verifying
from pgtheory.cli import app, main
from pgtheory.proofs import index
from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Curve, Headline, Panel, Result
from pgtheory.reproducing import draw, reproduce
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.verifying import verify

run = CliRunner().invoke


def invented(right=4.0, needs=(), points=True):
    """A paper that holds, or does not."""
    claim = Claim(
        id="P999.C1", kind="identity", statement="x^2 = 4", left=lambda case: case.x**2, right=lambda case: right, needs=needs,
        cases=lambda: [Case("two", x=2.0)], assumes={"x = 2": lambda: Case("three", x=3.0)},
    )  # fmt: skip
    curves = [
        Curve(label="c", x=[1, 2], y=[3, 4], group="g", wide=True), Curve(label="a line with a long name", x=[1, 2], y=[3, 1], group="g", dashed=True),
        Curve(label="d", x=[1, 2], y=[2, 4]),
    ]  # fmt: skip
    panel = Panel(title="t", x="step", y="gap", log="xy", curves=curves)
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


def printed(found, width=100):
    """The lines on a terminal."""
    console = Console(width=width, file=io.StringIO())
    console.print(found.as_rich())
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_verify_prints_a_line_a_claim():
    """Long statements are cut; of a claim alone the whole statement is printed."""
    names = ["P025.C2", "P025.C4"]
    several, alone = printed(verify(names)), printed(verify(["P025.C4"]))

    assert [line[:7] for line in several[3:]] == names
    assert all(line.endswith("…") and " holds " in line for line in several[3:])
    assert " ".join(" ".join(alone).split()).endswith("nu the root of sum = 1")


def test_verify_prints_in_full_what_does_not_hold(only):
    """Reason and statement, whatever the width."""
    holds, fails = invented(), invented(right=5.0).claims[0]
    only(replace(holds, claims=(*holds.claims, replace(fails, id="P999.C2", statement="x^2 = 5 for every number x, however small"))))
    text = " ".join(" ".join(printed(verify(["P999"]), width=60)).split())

    assert "P999.C2 refuted: on two: 1 against" in text
    assert text.endswith("x^2 = 5 for every number x, however small")
    assert "P999.C1 refuted" not in text


def test_verify_tells_a_reason_once(only):
    bare = invented(needs=("no_such_module",))
    only(replace(bare, claims=(*bare.claims, replace(bare.claims[0], id="P999.C2"))))

    assert printed(verify(["P999"]))[-1] == "P999.C1, P999.C2 not checked: no_such_module not installed"


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
        (["verify", "P25"], "Did you mean 'P025'"),
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


def test_lines_of_a_group_share_a_colour_and_the_legend_hides_no_line(only):
    only(invented())

    figure = draw(reproduce("P999"))
    (axis,) = figure.axes
    figure.canvas.draw()
    wide, dashed, other = axis.get_lines()
    legend = axis.get_legend().get_window_extent()

    assert wide.get_color() == dashed.get_color() != other.get_color()
    assert wide.get_linewidth() > 2 * dashed.get_linewidth()
    assert (dashed.get_linestyle(), other.get_linestyle()) == ("--", "-")
    assert 0 <= legend.y0 < legend.y1 < axis.get_window_extent().y0
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["c", "a line with a long name", "d"]


def test_paper_without_its_experiment_says_which_have_one(monkeypatch, capsys):
    bare = replace(invented(), headline=None)
    monkeypatch.setattr("pgtheory.reproducing.paper", lambda id: bare)
    monkeypatch.setattr("sys.argv", ["pgtheory", "reproduce", "P999"])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    assert "the main experiment of P999 is not here" in capsys.readouterr().err


def test_a_bound_without_a_proof_is_no_unknown_theorem():
    """T63 to T90 are in the book, too: `verify` says where they are held against runs; T99 is nowhere."""
    with pytest.raises(InvalidArgument, match="T79 has no page: it is a bound that runs are held against.*`pgtheory rate UPDATE --theorem T79`"):
        verify(["t79"])
    with pytest.raises(InvalidArgument, match="no theorem here is called 'T99'. There are T01, "):
        verify(["T99"])
