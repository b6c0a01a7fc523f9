"""A race: every competitor in a process of its own, one after the other in turns (A B C A B C ...), each under a limit of time.

A process that is over its limit is ended and says so in the table; it is not tried again on larger problems of that structure. Processes live through all
cells, so that loading and compiling is over before anything is timed.
"""

import gc
import multiprocessing
import statistics
import time
import traceback
from dataclasses import dataclass, field

from tests.benchmarks import cells
from tests.benchmarks.competitors import TASKS

STARTING = 180.0
"""Seconds that loading and compiling on a small problem may take."""


def serve(pipe, task, name):
    """The loop of one process: ("cell", cell) loads a problem, ("run", repeat) answers (seconds of each call, answer, method)."""
    competitor = next(c for c in TASKS[task] if c.name == name)
    mdp = None
    while True:
        order, value = pipe.recv()
        try:
            if order == "cell":
                mdp = None
                gc.collect()
                mdp = value.build()
                pipe.send(("ok", None))
                continue
            found = []
            for _ in range(value):
                given = competitor.prepare(mdp)
                gc.collect()
                start = time.perf_counter()
                answer, method = competitor.call(given)
                found.append(time.perf_counter() - start)
                del given
            pipe.send(("ok", (found, answer, method)))
        except Exception:
            pipe.send(("failed", traceback.format_exc(limit=-1).strip().splitlines()[-1]))


class TooSlow(Exception):
    """The process did not answer within its limit and was ended."""


class Failed(Exception):
    """The competitor raised."""


@dataclass
class Runner:
    """One competitor and its process.

    Attributes:
        late: family -> the cell in which it was over its limit.
    """

    task: str
    name: str
    late: dict[str, str] = field(default_factory=dict)
    process: multiprocessing.process.BaseProcess | None = None
    warm: set[str] = field(default_factory=set)

    def ask(self, order, value, limit):
        """The answer to an order.

        Raises:
            TooSlow, Failed.
        """
        if self.process is None:
            spawn = multiprocessing.get_context("spawn")
            self.pipe, theirs = spawn.Pipe()
            self.process = spawn.Process(target=serve, args=(theirs, self.task, self.name), daemon=True)
            self.process.start()
        self.pipe.send((order, value))
        if not self.pipe.poll(limit):
            self.stop()
            raise TooSlow
        try:
            state, found = self.pipe.recv()
        except EOFError:
            self.stop()
            raise Failed("the process died (out of memory?)") from None
        if state == "failed":
            raise Failed(found)
        return found

    def stop(self):
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process, self.warm = None, set()

    def load(self, cell):
        """Ready for a cell, compiled on a small one of its structure."""
        if cell.family not in self.warm:
            self.ask("cell", cells.SMALL[cell.family], STARTING)
            self.ask("run", 2, STARTING)
            self.warm.add(cell.family)
        self.ask("cell", cell, STARTING)


@dataclass
class Lap:
    """What one competitor did in one cell: seconds of each timed call, or a word that says why there are none."""

    seconds: list[float] = field(default_factory=list)
    answer: object = None
    method: str = ""
    word: str = ""

    @property
    def median(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None


def wanted(first: float) -> tuple[int, int]:
    """(rounds, calls a round) of a competitor whose first call took this long; beyond three seconds that call counts too."""
    if first < 0.02:
        return 7, max(1, min(20, int(0.02 / first)))
    return (7, 1) if first < 0.3 else (5, 1) if first < 1 else (3, 1) if first < 3 else (1, 1) if first < 8 else (0, 1)


def race(runners, cell) -> dict[str, Lap]:
    """Everybody's laps in a cell. The first call is a rehearsal, unless it takes more than three seconds: then it counts."""
    laps = {runner.name: Lap() for runner in runners}
    plan = {}
    for runner in runners:
        lap = laps[runner.name]
        if cell.family in runner.late:
            lap.word = f"not tried: over the limit at {runner.late[cell.family]}"
            continue
        try:
            runner.load(cell)
            (first,), lap.answer, lap.method = runner.ask("run", 1, cell.limit)
        except TooSlow:
            runner.late[cell.family] = str(cell)
            lap.word = f"> {cell.limit:g} s"
            continue
        except Failed as reason:
            lap.word = f"failed: {reason}"
            continue
        if first > 3:
            lap.seconds.append(first)
        plan[runner.name] = wanted(first)
    for number in range(max((rounds for rounds, _ in plan.values()), default=0)):
        for runner in runners:
            rounds, calls = plan.get(runner.name, (0, 0))
            if number < rounds:
                try:
                    found, *_ = runner.ask("run", calls, 2 * cell.limit)
                except (TooSlow, Failed) as reason:
                    laps[runner.name].word = laps[runner.name].word or f"unsteady: {reason or 'once over the limit'}"
                    del plan[runner.name]
                    continue
                laps[runner.name].seconds.append(statistics.median(found))
    return laps
