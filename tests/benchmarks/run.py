"""Runs all benchmarks and prints their table: python tests/benchmarks/run.py"""

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path.insert(0, str(here.parents[1]))
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", f"--rootdir={here.parents[1]}", *sys.argv[1:], *map(str, sorted(here.glob("bench_*.py")))]))
