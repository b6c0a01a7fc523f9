"""The command line: exit codes, JSON, pictures, and one text without a traceback for every kind of bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pgtheory.cli import app, main
from pgtheory.tabular.errors import PgtheoryError

LOSSES = Path(__file__).parents[1] / "fixtures" / "losses"
RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, list(map(str, arguments)))


def as_user(monkeypatch, capsys, *arguments):
    """Exit code and everything that is printed, through the entry point that turns errors into texts."""
    monkeypatch.setattr(sys, "argv", ["pgtheory", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    streams = capsys.readouterr()
    return caught.value.code or 0, streams.out + streams.err


@pytest.mark.parametrize(
    "target, code",
    [
        ("leave-one-out", 0),
        ("group-mean", 1),
        ("kl/k1-loss-token", 1),
        (f"{LOSSES}/verl_like.py:rloo_outcome_advantage", 0),
        (f"{LOSSES}/trl_like.py:grpo_loss", 1),
    ],
)
def test_exit_codes_are_those_of_the_verdict(target, code):
    """0 unbiased, 1 refuted."""
    assert run("check", target).exit_code == code


def test_several_targets_give_the_worst_code_and_all_answers():
    """One after the other."""
    found = run("check", "leave-one-out", "group-mean")
    assert found.exit_code == 1
    assert found.output.index("UNBIASED  leave-one-out") < found.output.index("UNBIASED UP TO A CONSTANT  group-mean")


def test_up_to_scale_accepts_a_constant():
    """(G-1)/G with the option."""
    assert run("check", "group-mean", "--up-to-scale").exit_code == 0


def test_json_holds_the_whole_verdict():
    """Class, constant, both sides, cures; and it is JSON."""
    found = run("check", "group-mean", "--json")
    content = json.loads(found.output)
    assert content["kind"] == "scaled"
    assert content["scale"]["text"] == "(G-1)/G"
    assert len(content["mean"]) == len(content["gradient"])
    assert content["cures"] == [{"text": "multiply by G/(G-1)"}]
    assert content["exit_code"] == 1


def test_the_answer_stands_on_the_first_line():
    """Also the counterexample's command, which runs and shows the same numbers."""
    found = run("check", "group-mean").output
    assert found.startswith("UNBIASED UP TO A CONSTANT  group-mean")
    command = next(line.strip() for line in found.splitlines() if "pgtheory check group-mean --problem" in line)
    again = run(*command.split()[1:])
    assert again.exit_code == 1
    assert "4 data sets" in again.output


def test_own_problems():
    """A named problem with a group size, a decision process with a horizon, and a wanted objective."""
    assert run("check", "group-mean", "--problem", "coin/p=0.3", "--group", "4").exit_code in (0, 1)
    assert run("check", "reward-to-go", "--problem", "two-state", "--horizon", "2").exit_code == 0
    assert run("check", "pass-at-2", "--objective", "pass@2").exit_code == 0


def test_compare_two_estimators():
    """The same law under two names, different variance, different mean."""
    same = run("check", "gae/1", "reward-to-go/value-baseline", "--compare", "--json")
    assert json.loads(same.output)["same"] is False
    assert run("check", "leave-one-out", "leave-one-out", "--compare").exit_code == 0
    different = run("check", "leave-one-out", "group-reward", "--compare")
    assert different.exit_code == 1
    assert "same mean" in different.output


def test_solve_to_a_tolerance_by_a_named_method():
    """Each option in a call in which it changes the answer; a large problem lists its states with --all only."""
    found = json.loads(run("solve", "two-state", "--method", "gauss-seidel", "--tolerance", "1e-3", "--json").output)
    assert found["method"] == "gauss-seidel"
    assert 1e-12 < found["bound"] <= 1e-3
    large = ("solve", "queue/S=10001", "--json")
    assert json.loads(run(*large).output)["V"] is None
    assert len(json.loads(run(*large, "--all").output)["V"]) == 10001


def test_pictures_are_written(tmp_path):
    """A verdict with closed form and profile: a file that begins as a PNG does."""
    path = tmp_path / "verdict.png"
    assert run("check", "ppo-clip/group-std", "--plot", path).exit_code == 1
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_the_table_of_all_built_in_estimators(tmp_path):
    """Exit code 0 iff each gets the verdict that it declares; 65 lines, a picture, and JSON that agrees."""
    path = tmp_path / "table.png"
    found = run("check", "--plot", path)
    assert found.exit_code == 0, found.output
    assert path.stat().st_size > 10_000
    from pgtheory.tabular.estimators.registry import BUILTIN

    assert all(name in found.output for name in BUILTIN)
    assert f"{len(BUILTIN)} of {len(BUILTIN)} estimators" in found.output


def test_a_wrong_declaration_fails_the_table(monkeypatch):
    """Planted: leave-one-out declares that it is biased."""
    from dataclasses import replace

    from pgtheory import table
    from pgtheory.tabular.estimators.registry import BUILTIN

    wrong = replace(BUILTIN["leave-one-out"], declared=replace(BUILTIN["leave-one-out"].declared, verdict="biased"))
    monkeypatch.setattr(table, "BUILTIN", {"leave-one-out": wrong})
    found = run("check")
    assert found.exit_code == 1
    assert "declared biased" in found.output


BAD = [
    (("check", "nonsense"), "no built-in estimator"),
    (("check", "nowhere.py:f"), "no file"),
    (("check", f"{LOSSES}/trl_like.py:grpo"), "Did you mean 'grpo_loss'"),
    (("check", "leave-one-out", "--group", "0"), "whole number"),
    (("check", "reward-to-go", "--gamma", "1.5"), "outside [0, 1]"),
    (("check", "leave-one-out", "--problem", "nonsense"), "nonsense"),
    (("check", "leave-one-out", "--problem", "world:nonsense"), "no world"),
    (("check", "leave-one-out", "--problem", "missing.npz"), "missing.npz"),
    (("check", "leave-one-out", "--objective", "nonsense"), "no objective"),
    (("check", "reward-to-go", "--problem", "two-state"), "--horizon"),
    (("check", "reward-to-go", "--problem", "two-state", "--horizon", "2", "--theta", "[1, 2]"), "S A = 4"),
    (("check", "reward-to-go", "--problem", "two-state", "--horizon", "2", "--theta", "junk"), "no list of numbers"),
    (("check", f"{LOSSES}/trl_like.py:grpo_loss", "--set", "epsilon_low"), "NAME=VALUE"),
    (("check", f"{LOSSES}/trl_like.py:grpo_loss", "--set", "epsilon=1"), "no parameter 'epsilon'"),
    (("check", f"{LOSSES}/trl_like.py:grpo_loss", "--as", "magic"), "loss, gradient, advantage"),
    (("check", f"{LOSSES}/trl_like.py:Trainer.compute_loss", "--convention", "magic"), "trl, verl, openrlhf"),
    (("check", "leave-one-out", "--compare"), "two targets"),
    (("check", "leave-one-out", "reward-to-go", "--compare"), "never see the same data"),
    (("check", "leave-one-out", "group-mean", "--compare", "--plot", "x.png"), "--compare draws no picture"),
    (("check", "leave-one-out", "--plot", "no/such/folder/x.png"), "no folder"),
    (("check", "leave-one-out", "--plot", "x.nonsense"), "x.nonsense"),
    (("solve", "nonsense"), "nonsense"),
    (("solve", "two-state", "--gamma", "1.5"), "outside [0, 1]"),
    (("solve", "two-state", "--method", "magic"), "magic"),
    (("solve", f"sparse-garnet/S={10**14}"), "not enough memory"),
    (("rate", "natural", "--steps", "2", "--plot", "folder.png"), "cannot be written"),
    (("sweep", ".", "--update", "natural", "--problem", "two-state", "--step", "1"), "is a folder"),
    (("sweep", "s.jsonl", "--update", "natural", "--problem", "two-state", "--step", "1", "--spread", "nan"), "spread is nan"),
    (("solve", "two-state", "--tolerance", "-1"), "expected a positive number"),
    (("solve", "chain/5", "--criterion", "average"), "the average reward is that of a process which never ends"),
]  # fmt: skip


@pytest.mark.parametrize("arguments, text", BAD, ids=[" ".join(str(a).rsplit("/", 1)[-1] for a in arguments) for arguments, _ in BAD])
def test_bad_input_gives_one_text_and_code_2(monkeypatch, capsys, tmp_path, arguments, text):
    """The library's own text, no traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    code, printed = as_user(monkeypatch, capsys, *arguments)
    assert code == 2, printed
    assert text in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("words", [("check", "leave-one-out"), ("check",), ("rate", "natural"), ("reproduce", "P043")], ids=" ".join)
@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("no/such/x.png", "no folder"),
        ("folder.png", "cannot be written"),
        ("x" * 300 + ".png", "name too long"),
        ("x.nonsense", "the ending is none of"),
    ],
    ids=["folder missing", "a folder", "name too long", "ending"],
)
def test_a_picture_that_cannot_be_written_is_refused_before_the_work(monkeypatch, capsys, tmp_path, words, place, text):
    """In every command that draws one; none of them begins."""

    def begun(*_, **__):
        raise AssertionError("the work has begun")

    for work in ("checking.check", "table.rows", "rating.rate", "reproducing.reproduce"):
        monkeypatch.setattr(f"pgtheory.{work}", begun)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    code, printed = as_user(monkeypatch, capsys, *words, "--plot", place)
    assert code == 2
    assert text in printed
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.png"]


def test_a_command_that_fails_leaves_pictures_alone(monkeypatch, capsys, tmp_path):
    """An older picture keeps its bytes, a new one is not begun."""
    old, new = tmp_path / "old.png", tmp_path / "new.png"
    old.write_bytes(b"a picture")
    for path in (old, new):
        assert as_user(monkeypatch, capsys, "rate", "nonsense", "--plot", path)[0] == 2
    assert old.read_bytes() == b"a picture"
    assert not new.exists()


def test_user_code_that_is_wrong_gives_code_2(monkeypatch, capsys, tmp_path):
    """Raises, never returns, unknown parameters, not a scalar."""
    path = tmp_path / "mine.py"
    path.write_text(
        "def raises(logprobs, rewards):\n    return logprobs.nothing\n\n"
        "def endless(logprobs, rewards):\n    while True:\n        pass\n\n"
        "def unknown(logprobs, rewardz):\n    return 0\n\n"
        "def vector(logprobs, rewards):\n    return logprobs.sum(1) * rewards\n"
    )
    for name, text in (("raises", "logprobs.nothing"), ("endless", "did not return"), ("unknown", "'rewardz'"), ("vector", ".mean()")):
        code, printed = as_user(monkeypatch, capsys, "check", f"{path}:{name}", "--time-limit", "0.5")
        assert code == 2
        assert text in printed


def test_a_missing_extra_is_named(monkeypatch):
    """Without matplotlib the text says which extra brings it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    from pgtheory.plots import pyplot

    with pytest.raises(PgtheoryError, match=r"pgtheory\[plot\]"):
        pyplot()


def test_a_missing_framework_is_named(monkeypatch):
    """A torch loss without torch."""
    monkeypatch.setitem(sys.modules, "pgtheory.deep.adapt", None)
    from pgtheory.checking import check

    with pytest.raises(PgtheoryError, match=r"pgtheory\[deep\]"):
        check(f"{LOSSES}/trl_like.py:grpo_loss")


def test_help_and_wrong_usage():
    """--help is 0, an unknown option 2."""
    assert run("--help").exit_code == 0
    assert run("check", "--nonsense").exit_code == 2


def test_the_module_runs_as_a_program():
    """In its own process, plain text without a terminal."""
    found = subprocess.run([sys.executable, "-m", "pgtheory.cli", "check", "leave-one-out"], capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0
    assert "\x1b[" not in found.stdout


def test_solution_that_is_not_proven_exits_with_3():
    """With gamma 1 a step back and forth on the chain costs nothing: rounding decides between it and the way out."""
    assert RUNNER.invoke(app, ["solve", "chain/3", "--gamma", "1"]).exit_code == 3
    assert RUNNER.invoke(app, ["solve", "chain/3"]).exit_code == 0
