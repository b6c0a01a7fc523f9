"""Work on blocks of columns, in this process or in others. Blocks depend on the size of the model alone, so that results do not depend on the number of workers."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from pgtheory.tabular.arrays import require_count

BUDGET = 2**24
"""Numbers that the tables of one block may hold together: 128 megabytes a worker."""

TABLES = 16
"""Tables of S A numbers a column that a step keeps at once, rounded up."""

WIDEST = 256
"""Columns of the widest block: beyond, tables leave the cache and nothing is gained."""

Work = Callable[[int, int], Any]


def over_blocks(work: Work, count: int, *, size: int, workers: int) -> list[Any]:
    """work(begin, end) for blocks of `count` columns, in order; `size` is the length of a table for one column.

    With several workers each is a new process, to which `work` is sent once: start-up about a second.

    Raises:
        InvalidArgument: workers is not a whole number of at least 1.
    """
    width = max(1, min(WIDEST, BUDGET // (TABLES * size)))
    blocks = [(begin, min(begin + width, count)) for begin in range(0, count, width)]
    if require_count("workers", workers) == 1 or len(blocks) == 1:
        return [work(*block) for block in blocks]
    with ProcessPoolExecutor(min(workers, len(blocks)), mp_context=get_context("spawn"), initializer=_receive, initargs=(work,)) as pool:
        return list(pool.map(_run, blocks))


_sent: list[Work] = []


def _receive(work: Work) -> None:
    _sent.append(work)


def _run(block: tuple[int, int]) -> Any:
    return _sent[0](*block)
