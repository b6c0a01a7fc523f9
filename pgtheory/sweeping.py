"""Many runs: every combination of update, problem, step size and seed, on worker processes or on a cluster, with results that survive a kill.

One line of JSON a cell is appended as soon as the cell is done. A second call reads the file, drops a line that was cut off in the middle, and runs only what is
missing; at the end the file is replaced, atomically, by the same lines in the order of the cells. So neither kills nor the number of workers leave a trace.
"""

import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidArgument, MissingExtra, MissingFile, PgtheoryError
from pgtheory.tabular.spelling import did_you_mean

UPDATES = ("gradient", "normalised", "natural", "mirror", "momentum")
"""Updates that a sweep can run, each with a constant step size."""

QUEUED = 4
"""Cells that wait for each worker: enough that none is ever idle, few enough that a stop is quick."""


PATIENCE = 10.0
"""Seconds within which a cluster must answer."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run: `steps` steps of an update from a random point; softmax logits are normal with standard deviation `spread`, drawn from `seed`."""

    update: str
    problem: str
    step: float
    seed: int
    steps: int
    spread: float = 0.0

    @property
    def key(self) -> str:
        """The cell as text; what identifies its line."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a sweep stands.

    Attributes:
        done, total: cells, those of earlier calls included.
        seconds: since this call began.
        left: estimate of the seconds that remain, from the cells of this call; NaN before the first.
    """

    done: int
    total: int
    seconds: float
    left: float


def cells(updates: Sequence[str], problems: Sequence[str], sizes: Sequence[float], seeds: int, *, steps: int, spread: float = 0.0) -> list[Cell]:
    """All combinations, in order. Each problem is built once, so that a misspelt one is found before anything runs.

    Raises:
        InvalidArgument: an unknown update, nothing to combine, a step size that is not positive, a spread that is negative or not finite.
        UnknownProblem, MissingFile, InvalidModel, MissingExtra: as `problem`.
    """
    from pgtheory.tabular.models.problems import problem as problem_named

    for update in updates:
        if update not in UPDATES:
            raise InvalidArgument(f"update is {update!r}; a sweep runs {', '.join(UPDATES)}.{did_you_mean(update, UPDATES)}")
    if not (updates and problems and sizes):
        raise InvalidArgument("a sweep needs at least one update, one problem and one step size.")
    for size in sizes:
        if not 0 < size < np.inf:
            raise InvalidArgument(f"a step size is {size}; expected a positive finite number.")
    if not 0 <= spread < np.inf:
        raise InvalidArgument(f"spread is {spread}; expected a finite number of at least 0, the standard deviation of the first logits.")
    require_count("seeds", seeds)
    require_count("steps", steps)
    for problem in problems:
        problem_named(problem)
    combined = product(updates, problems, sizes, range(seeds))
    return [Cell(update=u, problem=p, step=float(c), seed=s, steps=steps, spread=spread) for u, p, c, s in combined]


def run_cell(cell: Cell) -> dict[str, Any]:
    """The record of one cell: the gap at powers of two, and its rate. The same on every machine and in every process up to the last digits of BLAS.

    An error of the library becomes part of the record: one bad cell does not stop a sweep.
    """
    from pgtheory.rating import measured, naming, stacked
    from pgtheory.tabular.dynamics.mirror import PolicyMirrorDescent
    from pgtheory.tabular.dynamics.momentum import Momentum
    from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
    from pgtheory.tabular.dynamics.running import run
    from pgtheory.tabular.dynamics.steps import Constant
    from pgtheory.tabular.dynamics.updates import Gradient, Natural, Normalised

    heavy = lambda size: Momentum(Gradient(size), 0.9)
    made = {"gradient": Gradient, "normalised": Normalised, "natural": Natural, "mirror": PolicyMirrorDescent, "momentum": heavy}
    try:
        with naming(cell.problem):
            stack = stacked(cell.problem, None)
            theta = cell.spread * np.random.default_rng(cell.seed).normal(size=stack.r.shape)
            found = run(made[cell.update](Constant(cell.step)), SoftmaxOracle(stack), theta, cell.steps, record="log")
        gap = np.asarray(found.gap)[:, 0]
        shown = measured(found)
        at = [int(t) for t in found.t if t & (t - 1) == 0 or t == cell.steps]
        result = {"t": at, "gap": [float(gap[np.searchsorted(found.t, t)]) for t in at], "rate": shown["rate"].kind, "text": shown["rate"].text, "plateau": shown["plateau"]}  # fmt: skip
    except PgtheoryError as problem:
        result = {"error": f"{type(problem).__name__}: {problem}"}
    return {"cell": asdict(cell), **result}


def sweep(
    plan: Sequence[Cell],
    path: Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Run what is missing in `path`, and return the records of all cells in order.

    Args:
        workers: processes on this machine.
        scheduler: address of a dask cluster; then its workers run the cells.
        progress: called when the file is read, and after each cell.

    Raises:
        MissingFile: the folder of `path` does not exist.
        InvalidArgument: `path` is a folder, holds something else or cannot be written, or another sweep writes to it at the moment.
        MissingExtra: a scheduler is given and dask is not installed.
    """
    require_count("workers", workers)
    if not path.parent.is_dir():
        raise MissingFile(f"there is no folder {str(path.parent)!r}. Make it, or give another path.")
    if os.path.isdir(path):  # False, where `is_dir` raises on a name that is too long
        raise InvalidArgument(f"{path} is a folder. Give the path of a file, for instance {path / 'runs.jsonl'}.")
    with alone(path):
        known = records(path)
        missing = [cell for cell in plan if cell.key not in known]
        begin, total = time.perf_counter(), len(plan)
        progress(Progress(done=total - len(missing), total=total, seconds=0.0, left=math.nan))
        with path.open("a", encoding="utf8") as file, executor(workers, scheduler, len(missing)) as pool:
            for number, record in enumerate(completed(pool, missing, QUEUED * workers), start=1):
                file.write(json.dumps(record) + "\n")
                file.flush()
                known[keyed(record)] = record
                seconds = time.perf_counter() - begin
                progress(Progress(done=total - len(missing) + number, total=total, seconds=seconds, left=seconds / number * (len(missing) - number)))
        ours = {cell.key for cell in plan}
        ordered = [known[cell.key] for cell in plan]
        others = [record for key, record in known.items() if key not in ours]
        replace_file(path, [*others, *ordered])
    return ordered


def completed(pool: Executor, plan: Sequence[Cell], queued: int) -> Iterator[dict[str, Any]]:
    """Records as they come, with at most `queued` cells handed out at a time. If the caller stops, what has not begun is cancelled."""
    waiting: set[Future] = set()
    rest = iter(plan)
    try:
        while True:
            for cell in rest:
                waiting.add(pool.submit(run_cell, cell))
                if len(waiting) >= queued:
                    break
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in waiting:
            future.cancel()


class Workers(ProcessPoolExecutor):
    """Processes that an interrupt ends without a word, from their first moment on: the process that reads Ctrl-C, too, says where the sweep stands."""

    def submit(self, /, *args: Any, **kwargs: Any) -> Future:
        """As that of the pool. A worker that is started here inherits that interrupts wait, until it has imported what it needs and is `end_silently`."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(*args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_silently() -> None:
    """In a worker: an interrupt, also one that waits, ends the process as the system does, without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def executor(workers: int, scheduler: str | None, cells: int) -> Iterator[Executor]:
    """Where cells run: processes that are spawned with one BLAS thread each, or a dask cluster.

    Raises:
        MissingExtra: dask is not installed.
        InvalidArgument: nobody answers at the address.
    """
    if scheduler is not None:
        try:
            from distributed import Client
        except ModuleNotFoundError:
            raise MissingExtra("--scheduler needs dask: pip install 'pgtheory[dist]'.") from None
        try:
            client = Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError) as problem:
            raise InvalidArgument(f"no dask scheduler answers at {scheduler!r} ({problem}). Start one with `dask scheduler`, and give the address that it prints.") from None  # fmt: skip
        with client:
            yield client.get_executor()
        return
    threads = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(dict.fromkeys(threads, "1"))
    pool = Workers(max(1, min(workers, cells)), mp_context=get_context("spawn"), initializer=end_silently)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in threads.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """A lock on the file, which the system gives back when the process ends, however it ends.

    Raises:
        InvalidArgument: another sweep holds it, or it cannot be written.
    """
    import fcntl

    try:
        opened = path.open("a")
    except OSError as problem:
        raise InvalidArgument(f"{path} cannot be written ({problem.strerror}). Give another path.") from None
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidArgument(f"another sweep is writing to {path}. Wait for it, or give another path.") from None
        yield


def records(path: Path) -> dict[str, dict[str, Any]]:
    """The records of a file by cell; a last line without its end is cut off from the file.

    Raises:
        InvalidArgument: a line is not a record.
    """
    if not path.exists():
        return {}
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    found = {}
    for number, line in enumerate(whole.decode("utf8").splitlines(), start=1):
        try:
            record = json.loads(line)
            found[keyed(record)] = record
        except (json.JSONDecodeError, KeyError, TypeError):
            raise InvalidArgument(f"line {number} of {path} is not a record of a sweep. Give another path, or remove the line.") from None
    return found


def keyed(record: dict[str, Any]) -> str:
    """The key of a record's cell."""
    return Cell(**record["cell"]).key


def replace_file(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Write all records and put the file in its place in one go."""
    draft = Path(f"{path}.new")
    with draft.open("w", encoding="utf8") as file:
        file.writelines(json.dumps(record) + "\n" for record in lines)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
