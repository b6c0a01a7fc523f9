"""A sweep survives kills without loss or duplicates, and its results do not depend on who ran them."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pgtheory import sweeping
from pgtheory.cli import app, main
from pgtheory.sweeping import alone, cells, records, run_cell, sweep
from pgtheory.tabular.errors import InvalidArgument, MissingExtra, MissingFile, PgtheoryError

ROOT = Path(__file__).parents[2]
run = CliRunner().invoke


def plan(seeds=3, steps=8):
    return cells(["gradient", "natural"], ["two-state", "chain/3"], [0.1, 1.0], seeds, steps=steps, spread=1.0)


class Here:
    """An executor that runs a cell when it is handed over, and counts."""

    def __init__(self, stop_after=None):
        self.count, self.stop_after = 0, stop_after

    def submit(self, function, cell):
        if self.count == self.stop_after:
            raise KeyboardInterrupt
        self.count += 1
        future = Future()
        future.set_result(function(cell))
        return future


@pytest.fixture
def here(monkeypatch):
    """Cells run in this process."""

    def put(pool):
        @contextmanager
        def executor(workers, scheduler, count):
            yield pool

        monkeypatch.setattr(sweeping, "executor", executor)
        return pool

    return put


def test_every_combination_is_run_once_in_order(here, tmp_path):
    here(Here())

    found = sweep(plan(), tmp_path / "s.jsonl")

    assert [sweeping.keyed(record) for record in found] == [cell.key for cell in plan()]
    assert len({cell.key for cell in plan()}) == 24
    assert (tmp_path / "s.jsonl").read_text().splitlines() == [json.dumps(record) for record in found]


def test_cell_is_what_a_run_by_hand_gives():
    """Gradient ascent on the two-state process, written out."""
    from pgtheory.tabular.models.classic import two_state
    from pgtheory.tabular.objectives.returns import return_gradient
    from pgtheory.tabular.policies.softmax import Softmax
    from pgtheory.tabular.solve.evaluation import evaluate
    from pgtheory.tabular.solve.optimal import optimal

    cell = cells(["gradient"], ["two-state"], [0.1], 2, steps=4, spread=0.5)[1]
    theta = 0.5 * np.random.default_rng(1).normal(size=(1, 2, 2))[0]
    for _ in range(4):
        theta = theta + 0.1 * return_gradient(two_state(), Softmax(theta)).reshape(2, 2)

    record = run_cell(cell)

    assert record["t"] == [0, 1, 2, 4]
    assert record["gap"][-1] == pytest.approx(optimal(two_state()).J - evaluate(two_state(), Softmax(theta)).J, rel=1e-10)


def test_stop_in_the_middle_loses_and_doubles_nothing(here, tmp_path):
    path = tmp_path / "s.jsonl"
    here(Here(stop_after=10))
    with pytest.raises(KeyboardInterrupt):
        sweep(plan(), path)
    before = path.read_text().splitlines()
    assert 0 < len(before) <= 10

    rest = here(Here())
    found = sweep(plan(), path)

    assert rest.count == 24 - len(before)
    assert set(before) <= set(path.read_text().splitlines())
    other = tmp_path / "other.jsonl"
    here(Here())
    assert sweep(plan(), other) == found
    assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_line_that_was_cut_off_is_run_again(here, tmp_path, cut):
    path = tmp_path / "s.jsonl"
    here(Here())
    sweep(plan(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])

    again = here(Here())
    sweep(plan(), path)

    assert again.count == 1
    assert path.read_bytes() == whole


def test_larger_plan_keeps_what_is_there(here, tmp_path):
    path = tmp_path / "s.jsonl"
    here(Here())
    sweep(plan(seeds=2), path)

    more = here(Here())
    sweep(plan(seeds=3), path)

    assert more.count == 8
    assert len(records(path)) == 24


def test_two_processes_give_the_bytes_of_one_and_a_killed_sweep_goes_on(here, tmp_path):
    """The whole way: a real process with two workers is killed without warning; a second one finishes its file."""
    path, alone_path = tmp_path / "s.jsonl", tmp_path / "one.jsonl"
    words = ["--update", "gradient", "--problem", "two-state", "--step", "0.1", "--step", "1", "--seeds", "6", "--steps", "1000"]
    command = [sys.executable, "-c", "from pgtheory.cli import main; main()", "sweep", str(path), *words, "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not path.exists() or len(path.read_text().splitlines()) < 3):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(path.read_text().splitlines()) >= 3

    here(Here())
    expected = sweep(cells(["gradient"], ["two-state"], [0.1, 1.0], 6, steps=1000, spread=1.0), alone_path)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)

    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["cell"] for record in found] == [record["cell"] for record in expected]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours["gap"], theirs["gap"], rtol=1e-9, atol=1e-15)
    assert list(tmp_path.iterdir()) in ([path, alone_path], [alone_path, path])


@pytest.mark.parametrize("wait", [0.0, 0.3])
def test_interrupt_while_workers_start_ends_them_without_a_word(tmp_path, wait):
    """Ctrl-C as soon as the first worker is there, while it imports, and a little later: nothing on standard error but where the sweep stands."""
    path = tmp_path / "runs.jsonl"
    words = f"sweep {path} --update natural --problem two-state --step 0.1 --seeds 50 --steps 20000 --workers 2".split()
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from pgtheory.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", start, *words], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    children, deadline = Path(f"/proc/{process.pid}/task/{process.pid}/children"), time.monotonic() + 120
    while time.monotonic() < deadline and len(children.read_text().split()) < 3:  # the tracker of resources, and two workers
        time.sleep(0.01)
    time.sleep(wait)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)

    assert process.returncode == 130
    assert err.endswith(f" of 50 runs are in {path}; the same command goes on from there.\ninterrupted\n") and err.count("\n") == 2


def test_interrupt_says_how_to_go_on_and_the_same_command_does(here, tmp_path):
    """As a stranger would, from another folder: Ctrl-C reaches a real process and its worker; what is done stays, and the end is that of a sweep in one go."""
    path = tmp_path / "runs.jsonl"
    words = f"sweep {path} --update natural --problem two-state --step 0.1 --step 1 --seeds 5 --steps 2000 --json".split()
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from pgtheory.cli import main; main()"  # a shell may have it ignored
    command, environment = [sys.executable, "-c", start, *words, "--workers", "1"], {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not path.exists() or len(path.read_text().splitlines()) < 3):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    done = len(path.read_text().splitlines())

    assert process.returncode == 130
    assert 3 <= done < 10
    assert err == f"{done} of 10 runs are in {path}; the same command goes on from there.\ninterrupted\n"
    assert json.loads(out)["exit_code"] == 130

    here(Here())
    rest = run(app, words)
    found = json.loads(rest.stdout)
    assert rest.stderr == f"{done} of 10 runs are in {path} already.\n"
    assert [(record["cell"]["step"], record["cell"]["seed"]) for record in found] == [(step, seed) for step in (0.1, 1.0) for seed in range(5)]
    assert [json.loads(line) for line in path.read_text().splitlines()] == found


def test_bad_cell_does_not_stop_the_others(here, tmp_path):
    here(Here())

    found = sweep(cells(["gradient"], ["loop", "two-state"], [0.1], 1, steps=3), tmp_path / "s.jsonl")

    assert found[0]["error"].startswith("InvalidModel: loop has a horizon")
    assert "gap" in found[1]


def test_second_sweep_on_the_same_file_is_refused(tmp_path):
    path = tmp_path / "s.jsonl"
    with alone(path), pytest.raises(InvalidArgument, match="another sweep is writing"):
        sweep(plan(), path)


def test_progress_counts_earlier_cells_and_estimates_the_rest(here, tmp_path):
    path, seen = tmp_path / "s.jsonl", []
    here(Here())
    sweep(plan(seeds=1), path)
    sweep(plan(seeds=3), path, progress=seen.append)

    assert [now.done for now in seen] == list(range(8, 25))
    assert seen[-1].left == 0
    assert np.isnan(seen[0].left)
    assert all(now.left >= 0 for now in seen[1:])
    assert all(now.total == 24 for now in seen)


def test_dask_cluster_runs_the_cells(tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        found = sweep(plan(seeds=1), tmp_path / "s.jsonl", scheduler=cluster.scheduler_address)

    assert found == [run_cell(cell) for cell in plan(seeds=1)]


def test_address_where_nobody_answers_is_named(monkeypatch, tmp_path):
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweeping, "PATIENCE", 0.2)

    with pytest.raises(InvalidArgument, match=r"no dask scheduler answers at 'tcp://127\.0\.0\.1:1'"):
        sweep(plan(), tmp_path / "s.jsonl", scheduler="tcp://127.0.0.1:1")


def test_scheduler_without_dask_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(MissingExtra, match="pgtheory\\[dist\\]"):
        sweep(plan(), tmp_path / "s.jsonl", scheduler="tcp://nowhere:1")


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((["newton"], ["two-state"], [1.0], 1), "a sweep runs gradient"),
        ((["natrual"], ["two-state"], [1.0], 1), "Did you mean 'natural'"),
        (([], ["two-state"], [1.0], 1), "at least one update"),
        ((["gradient"], ["two-state"], [-1.0], 1), "a step size is -1.0"),
        ((["gradient"], ["two-state"], [1.0], 0), "seeds is 0"),
        ((["gradient"], ["two-state", "two-sate"], [1.0], 1), "no problem is called 'two-sate'"),
        ((["gradient"], ["two-state", "no/such/file.npz"], [1.0], 1), "no/such/file.npz"),
    ],
)
def test_bad_plans_are_refused(parts, text):
    with pytest.raises(PgtheoryError, match=text):
        cells(*parts, steps=3)


def test_file_of_something_else_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")

    with pytest.raises(InvalidArgument, match=r"line 1 of .*notes.txt is not a record"):
        sweep(plan(), path)
    assert path.read_text() == "hello\n"


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingFile, match="no folder"):
        sweep(plan(), tmp_path / "nowhere" / "s.jsonl")


def test_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InvalidArgument, match=r"cannot be written \(File name too long\)"):
        sweep(plan(), tmp_path / ("x" * 300))


def test_command_says_why_a_cell_failed(here, tmp_path):
    """A model that the dynamics cannot run, with two steps: one reason, and the other problem ran."""
    here(Here())
    problems = ["--problem", "loop", "--problem", "two-state"]

    found = run(app, ["sweep", str(tmp_path / "s.jsonl"), "--update", "gradient", *problems, "--step", "0.1", "--step", "1", "--steps", "8"])

    assert found.exit_code == 3
    assert found.output.count("loop has a horizon") == 1
    assert [("error" in record) for record in map(json.loads, (tmp_path / "s.jsonl").read_text().splitlines())] == [True, True, False, False]


def test_command_prints_a_line_a_combination_and_has_json(here, tmp_path):
    words = ["sweep", str(tmp_path / "s.jsonl"), "--update", "gradient", "--problem", "two-state", "--step", "0.1", "--seeds", "2", "--steps", "8"]
    here(Here())

    text, data = run(app, words), run(app, [*words, "--json"])

    assert text.exit_code == data.exit_code == 0
    assert "two-state" in text.output
    assert len(json.loads(data.stdout)) == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--update", "newton", "--problem", "two-state", "--step", "1"], "newton"),
        (["--update", "gradient", "--problem", "two-state", "--problem", "two-sate", "--step", "1"], "no problem is called 'two-sate'"),
        (["--update", "gradient", "--problem", "two-state", "--step", "1", "--step", "0"], "a step size is 0.0"),
    ],
)
def test_command_refuses_a_slip_before_anything_runs(monkeypatch, capsys, here, tmp_path, words, text):
    """Exit code 2, the text of the error, no cell, no file."""
    pool = here(Here())
    monkeypatch.setattr("sys.argv", ["pgtheory", "sweep", str(tmp_path / "s.jsonl"), *words])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    assert text in capsys.readouterr().err
    assert pool.count == 0
    assert not list(tmp_path.iterdir())
