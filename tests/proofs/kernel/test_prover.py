"""Files are compiled in an order that leaves no long chain for the end."""

import pytest

from pgtheory.proofs.kernel import prover as kernel
from pgtheory.proofs.kernel.prover import Build, ways
from pgtheory.proofs.kernel.sources import Source, in_order

LONG = "Definition long := 0. (* a file on which none waits, longer than each of the others *)\n"
FILES = in_order({
    name: Source(name, text)
    for name, text in {
        "Alone": LONG,
        "Start": "Definition start := 0.\n",
        "Middle": "From PG Require Import Start.\nDefinition middle := start.\n",
        "End": "From PG Require Import Middle.\nDefinition last := middle.\n",
        "Side": "From PG Require Import Start.\n",
    }.items()
})  # fmt: skip


def letters(*names):
    return sum(len(FILES[name].text) for name in names)


def test_way_of_a_file_is_the_longest_chain_that_waits_for_it():
    before = {name: set(source.requires(FILES)) for name, source in FILES.items()}

    assert ways(FILES, before) == {
        "Alone": letters("Alone"), "Start": letters("Start", "Middle", "End"), "Middle": letters("Middle", "End"), "End": letters("End"), "Side": letters("Side"),
    }  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 2])
def test_longest_way_is_compiled_first_and_each_file_after_those_it_requires(at_once, prover, store, monkeypatch):
    """One at a time, the chain from Start comes before Alone, which is longer than each of its files and the first by name; End waits for Alone."""
    monkeypatch.setattr(kernel, "AT_ONCE", at_once)
    begun, compile_file = [], kernel.compile_file
    monkeypatch.setattr(kernel, "compile_file", lambda folder, path, prover: begun.append(path) or compile_file(folder, path, prover))

    with Build(prover, store) as build:
        build.make(FILES, lambda _: None)

    assert build.done.keys() == FILES.keys()
    if at_once == 1:
        assert begun == ["Start.v", "Middle.v", "Alone.v", "End.v", "Side.v"]
    else:
        assert {*begun[:2]} == {"Start.v", "Alone.v"} and begun.index("Start.v") < begun.index("Middle.v") < begun.index("End.v")
