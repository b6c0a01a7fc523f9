"""A race: the competitors one after the other in turns (A B C A B C ...), each under a limit of time, in one process for each group of them.

A process that is over its limit is ended and started anew for the others of its group; who was late says so in the table and is not tried again on larger
problems of that structure. Loading and compiling is over before anything is timed.
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

LONG = 8.0
"""Seconds of a first call from which on it counts, for there is no time for a second; in it code for large problems is loaded, and memory seen for the first time."""


def serve(pipe, task):
    """The loop of one process: ("cell", cell) loads a problem, ("run", (name, calls)) answers (seconds of each call, answer, method)."""
    competitors = {c.name: c for c in TASKS[task]}
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
            (name, calls), found = value, []
            for _ in range(calls):
                given = competitors[name].prepare(mdp)
                gc.collect()
                start = time.perf_counter()
                answer, method = competitors[name].call(given)
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
    """The process of one group of competitors.

    Attributes:
        late: (name, family) -> the cell in which it was over its limit.
        loaded: the cell whose problem the process holds.
        warm: (name, family) that have run on a small problem.
    """

    task: str
    group: str
    late: dict[tuple[str, str], str] = field(default_factory=dict)
    process: multiprocessing.process.BaseProcess | None = None
    loaded: cells.Cell | None = None
    warm: set[tuple[str, str]] = field(default_factory=set)

    def ask(self, order, value, limit):
        """The answer to an order.

        Raises:
            TooSlow, Failed.
        """
        if self.process is None:
            spawn = multiprocessing.get_context("spawn")
            self.pipe, theirs = spawn.Pipe()
            self.process = spawn.Process(target=serve, args=(theirs, self.task), daemon=True)
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
            self.process, self.loaded, self.warm = None, None, set()

    def load(self, cell):
        """Make the process hold the problem of a cell."""
        if self.loaded != cell:
            self.ask("cell", cell, STARTING)
            self.loaded = cell

    def warm_up(self, name, family):
        """Compile on a small problem."""
        if (name, family) not in self.warm:
            self.load(cells.SMALL[family])
            self.ask("run", (name, 2), STARTING)
            self.warm.add((name, family))

    def run(self, name, calls, cell, limit):
        """(seconds of each call, answer, method), on the problem of the cell."""
        self.warm_up(name, cell.family)
        self.load(cell)
        return self.ask("run", (name, calls), limit)


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
    """(rounds, calls a round) of a competitor whose first call took this long; beyond LONG seconds there is no other."""
    if first < 0.02:
        return 7, max(1, min(20, int(0.02 / first)))
    return (7, 1) if first < 0.3 else (5, 1) if first < 1 else (3, 1) if first < 3 else (2, 1) if first < LONG else (0, 1)


def race(runners, competitors, cell) -> dict[str, Lap]:
    """Everybody's laps in a cell; `runners` has a process for each group. The first call is a rehearsal, unless it takes more than LONG seconds: then it counts."""
    laps, plan = {c.name: Lap() for c in competitors}, {}
    for c in competitors:
        if (c.name, cell.family) in runners[c.group].late:
            laps[c.name].word = f"not tried: over the limit at {runners[c.group].late[c.name, cell.family]}"
            continue
        try:
            runners[c.group].warm_up(c.name, cell.family)
            plan[c.name] = (1, 1)
        except (TooSlow, Failed) as reason:
            laps[c.name].word = f"failed: {reason or 'on a small problem over the limit'}"
    for c in competitors:
        runner, lap = runners[c.group], laps[c.name]
        if c.name not in plan:
            continue
        try:
            (first,), lap.answer, lap.method = runner.run(c.name, 1, cell, cell.limit)
        except TooSlow:
            runner.late[c.name, cell.family] = str(cell)
            lap.word = f"> {cell.limit:g} s"
            del plan[c.name]
            continue
        except Failed as reason:
            lap.word = f"failed: {reason}"
            del plan[c.name]
            continue
        if first >= LONG:
            lap.seconds.append(first)
        plan[c.name] = wanted(first)
    for number in range(max((rounds for rounds, _ in plan.values()), default=0)):
        for c in competitors:
            rounds, calls = plan.get(c.name, (0, 0))
            if number < rounds:
                try:
                    found, *_ = runners[c.group].run(c.name, calls, cell, 2 * cell.limit)
                except (TooSlow, Failed) as reason:
                    laps[c.name].word = f"unsteady: {reason or 'once over the limit'}"
                    del plan[c.name]
                    continue
                laps[c.name].seconds.append(statistics.median(found))
    return laps
