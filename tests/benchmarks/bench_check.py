"""What a user waits for: the import, one check, the table of all built-in estimators. Each run is a new process, so that nothing is warm."""

import statistics

import pytest

PART = "check"
TIMED = "import time; start = time.perf_counter(); {code}; print(time.perf_counter() - start)"


def test_import(record, fresh):
    runs = [(fresh("pass")[0], fresh("import pgtheory")[0]) for _ in range(15)]
    added = statistics.median(loaded - bare for bare, loaded in runs)
    record("`import pgtheory` above `python -c pass`", f"{added:.3f} s", "0.15 s", added <= 0.15)


@pytest.mark.parametrize(
    ("name", "imports", "limit"),
    [
        ("grpo", "torch._dynamo", 2),  # the first vmap(grad) of a process imports torch's compiler
        ("grpo_looped", "torch._dynamo", 2),
        ("grpo", "torch", None),
    ],
)
def test_check_of_one_loss(record, fresh, name, imports, limit):
    imports = f"import {imports}, pgtheory.checking, pgtheory.deep.adapt"
    code = f"v = pgtheory.checking.check('tests/benchmarks/losses.py:{name}'); assert v.exit_code == 1"
    took = statistics.median(float(fresh(imports + "\n" + TIMED.format(code=code))[1]) for _ in range(5))
    text = f"`check` of the torch loss `{name}` after `{imports.split(',')[0]}`"
    record(text, f"{took:.2f} s", f"{limit} s" if limit else "", took < limit if limit else None)


def test_default_table(record, fresh):
    code = "found = list(pgtheory.table.rows()); assert all(row.agrees for row in found)"
    took = statistics.median(float(fresh("import pgtheory.table\n" + TIMED.format(code=code))[1]) for _ in range(3))
    record("default table of all built-in estimators", f"{took:.1f} s", "20 s", took < 20)
