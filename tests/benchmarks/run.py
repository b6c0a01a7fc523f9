"""Measures and rewrites the tables and pictures of docs/performance.md from what was measured.

    python tests/benchmarks/run.py                              everything
    python tests/benchmarks/run.py policy gradient              some parts: check, enumeration, laws, policy, gradient
    python tests/benchmarks/run.py laws gradient policy --minutes 13    thirteen minutes, shared by the parts; what is not reached keeps its figures
    python tests/benchmarks/run.py policy -k garnet
    python tests/benchmarks/run.py page                         nothing is measured

Options after the parts go to pytest.
"""

import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PARTS = {
    "check": ["bench_check.py"],
    "enumeration": ["bench_groups.py", "bench_laws.py"],
    "laws": ["bench_variance.py"],
    "policy": ["bench_solvers.py::test_policy"],
    "gradient": ["bench_solvers.py::test_gradient"],
}


def main(arguments: list[str]) -> int:
    """The worst exit code of the parts."""
    from tests.benchmarks import page, pictures, results

    named = [a for a in arguments if a in (*PARTS, "page")]
    options = [a for a in arguments if a not in named]
    end = float("inf")
    if "--minutes" in options:
        where = options.index("--minutes")
        end = time.time() + 60 * float(options[where + 1])
        del options[where : where + 2]
    worst, wanted = 0, [part for part in named or PARTS if part in PARTS]
    for number, part in enumerate(wanted):
        share = time.time() + (end - time.time()) / (len(wanted) - number)
        files = [str(HERE / name) for name in PARTS[part]]
        settings = ["-q", "-s", "-p", "no:cacheprovider", f"--rootdir={ROOT}", "--timeout=0", f"--deadline={share}"]
        worst = max(worst, pytest.main([*settings, *files, *options]))
        results.compact(part)
    pictures.draw()
    page.rewrite()
    return worst


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
