"""Work on blocks of columns, in this process or in others. Blocks depend on the size of the model alone, so that results do not depend on the number of workers."""

import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidArgument

BUDGET = 2**24
"""Numbers that the tables of one block may hold together: 128 megabytes a worker."""

TABLES = 16
"""Tables of S A numbers a column that a step keeps at once, rounded up."""

WIDEST = 256
"""Columns of the widest block: beyond, tables leave the cache and nothing is gained."""

Work = Callable[[int, int], Any]


def over_blocks(work: Work, count: int, *, size: int, workers: int) -> list[Any]:
    """work(begin, end) for blocks of `count` columns, in order; `size` is the length of a table for one column.

    With several workers each is a new process, which reads `work` once: start-up about a second. It reads it from a file: a pipe to a process that has died
    before it read would never be emptied, and this one would wait for ever.

    Raises:
        InvalidArgument: workers is not a whole number of at least 1, or the workers die.
    """
    width = max(1, min(WIDEST, BUDGET // (TABLES * size)))
    blocks = [(begin, min(begin + width, count)) for begin in range(0, count, width)]
    if require_count("workers", workers) == 1 or len(blocks) == 1:
        return [work(*block) for block in blocks]
    with TemporaryDirectory() as folder:
        path = Path(folder, "work")
        with path.open("wb") as file:
            pickle.dump(work, file)
        with ProcessPoolExecutor(min(workers, len(blocks)), mp_context=get_context("spawn"), initializer=_receive, initargs=(path,)) as pool:
            try:
                return list(pool.map(_run, blocks))
            except BrokenProcessPool:
                raise InvalidArgument(
                    f"workers is {workers}, and the worker processes ended before they answered. Each of them imports the script that was started: let it be a file, and "
                    'its calls stand under `if __name__ == "__main__":`. If they do, memory ran out: take fewer workers.'
                ) from None


_sent: list[Work] = []


def _receive(path: Path) -> None:
    with path.open("rb") as file:
        _sent.append(pickle.load(file))


def _run(block: tuple[int, int]) -> Any:
    return _sent[0](*block)
