"""Threads keep the order; the compiler is optional, and absent it changes nothing."""

import builtins
import subprocess
import sys

import pytest

from pgtheory.tabular.solve import compiled as module
from pgtheory.tabular.solve.compiled import CHUNKS, compiled, compiler, on_threads, ranges


def triangle(start, stop):
    total = 0
    for i in range(start, stop):
        total += i
    return total


@pytest.mark.parametrize("rows", [0, 1, CHUNKS, 101])
def test_ranges_cover_every_row_once(rows):
    assert [i for start, stop in ranges(rows) for i in range(start, stop)] == list(range(rows))
    assert len(ranges(rows)) == CHUNKS


@pytest.mark.parametrize("cores", [1, 2, None])
def test_threads_answer_in_order(monkeypatch, cores):
    monkeypatch.setattr(module.os, "cpu_count", lambda: cores)
    module._pool.cache_clear()
    try:
        assert on_threads(lambda a, b: a - b, [5, 4, 3], [1, 2, 3]) == [4, 2, 0]
        assert (module._pool() is None) == (cores != 2)
    finally:
        module._pool.cache_clear()


def test_an_error_on_a_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        on_threads(lambda a: 1 // a, [1, 0])


def without_numba(monkeypatch):
    honest = builtins.__import__

    def refuse(name, *rest):
        if name.split(".")[0] == "numba":
            raise ImportError(name)
        return honest(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_a_loop_is_the_same_compiled_and_not(monkeypatch):
    pytest.importorskip("numba")
    fast = compiled(triangle)
    assert fast is not triangle and fast(3, 9) == triangle(3, 9) == 33
    compiler.cache_clear()
    compiled.cache_clear()
    try:
        without_numba(monkeypatch)
        assert compiler() is None
        assert compiled(triangle) is triangle
    finally:
        monkeypatch.undo()
        compiler.cache_clear()
        compiled.cache_clear()


def test_importing_and_solving_a_small_problem_never_loads_numba():
    code = (
        "import sys, numpy as np; from pgtheory.tabular.models.large import sparse_garnet; from pgtheory.tabular.policies.softmax import Softmax;"
        "from pgtheory.tabular.solve.evaluation import evaluate; evaluate(sparse_garnet(400), Softmax(np.zeros((400, 4)))); assert 'numba' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert result.returncode == 0, result.stderr
