"""Blocks of columns: which there are, and what becomes of workers that cannot start."""

import subprocess
import sys
from functools import partial

import pytest

import pgtheory.tabular.variance.blocks as blocks

LARGE = bytes(2**20)
"""More than a pipe holds (64 kB), as the tables of a model are."""

CALL = "over_blocks(bytes(2**20).count, 2, size=2**24, workers=2)"
"""Two blocks of one column. The work is a method of LARGE that takes two numbers: how many bytes `begin` stand from `end` on."""

SCRIPT = "from pgtheory.tabular.variance.blocks import over_blocks\n"


@pytest.mark.parametrize("count", [1, 5, 6, 7])
def test_blocks_are_all_columns_in_order_and_no_wider_than_allowed(count):
    """Tables of 2^20 / 3 numbers: three columns fill the budget."""
    found = blocks.over_blocks(lambda begin, end: range(begin, end), count, size=blocks.BUDGET // blocks.TABLES // 3, workers=1)
    assert [column for block in found for column in block] == list(range(count))
    assert [len(block) for block in found[:-1]] == [3] * (len(found) - 1)
    assert len(found[-1]) <= 3


def test_the_widest_block_is_one_of_few_numbers():
    found = blocks.over_blocks(lambda begin, end: end - begin, blocks.WIDEST + 1, size=1, workers=1)
    assert found == [blocks.WIDEST, 1]


def test_one_block_needs_no_worker():
    """To which a function without a name could not be sent."""
    assert blocks.over_blocks(lambda begin, end: (begin, end), 2, size=1, workers=2) == [(0, 2)]


def started(tmp_path, text, *, as_input=False):
    """What a script prints, as a file or from standard input."""
    path = tmp_path / "script.py"
    path.write_text(text)
    run = partial(subprocess.run, capture_output=True, text=True, timeout=60, check=False)
    return run([sys.executable, "-"], input=text) if as_input else run([sys.executable, path])


@pytest.mark.parametrize("as_input", [False, True], ids=["without a guard", "from standard input"])
def test_workers_that_cannot_start_are_an_error_and_no_endless_wait(tmp_path, as_input):
    """They import the script that was started: one that calls again while it is imported, or that is no file. Sent through a pipe, LARGE would block it for ever."""
    found = started(tmp_path, SCRIPT + CALL, as_input=as_input)
    assert found.returncode == 1
    assert "InvalidArgument: workers is 2, and the worker processes ended before they answered" in found.stderr
    assert '`if __name__ == "__main__":`' in found.stderr


def test_under_the_guard_workers_answer(tmp_path):
    found = started(tmp_path, SCRIPT + f'if __name__ == "__main__":\n    print({CALL})')
    assert (found.stdout.strip(), found.returncode) == (str([LARGE.count(0, 1), LARGE.count(1, 2)]), 0), found.stderr
