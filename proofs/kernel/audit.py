"""What Coq says about the theorems of a compiled file: statements, axioms, definitions, as text and parsed.

The files are required, not imported: the notations and coercions of ours are then not active, and a statement is printed for what it is.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pgtheory.proofs.kernel.prover import Build, coq, digest
from pgtheory.proofs.kernel.sources import LIBRARY, Source

PREAMBLE = "From mathcomp Require Import all_ssreflect all_algebra.\nSet Printing Width 150.\nSet Printing Depth 1000.\n"

CLOSED = "Closed under the global context"

MARK = "=== "


class AuditFailed(Exception):
    """Coq did not answer an audit as expected."""


@dataclass(frozen=True)
class Fact:
    """A theorem as Coq has it.

    Attributes:
        statement: its type.
        axioms: qualified names of what it rests on.
    """

    statement: str
    axioms: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """What a compiled file says: theorems by name and definitions by name, within the file."""

    facts: dict[str, Fact] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)


def script(sources: Iterable[Source]) -> str:
    """The questions, as a Coq file. Each answer stands below a line that says what was asked."""
    lines = [PREAMBLE]
    for source in sources:
        module = f"{LIBRARY}.{source.name}"
        lines.append(f"Require {module}.")
        ask = lambda what, name, command: [f'Goal True. idtac "{MARK}{what} {source.name} {name}". Abort.', command]  # noqa: B023
        for name in source.theorems:
            lines += ask("check", name, f"Check {module}.{name}.") + ask("axioms", name, f"Print Assumptions {module}.{name}.")
        for name in source.definitions:
            lines += ask("print", name, f"Print {module}.{name}.")
    return "\n".join([*lines, ""])


def answers(text: str) -> dict[tuple[str, str, str], str]:
    """(what, file, name) -> the answer below it."""
    found = {}
    for part in re.split(rf"^{MARK}", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        what, file, name = head.split()
        found[what, file, name] = body.strip("\n")
    return found


def statement(answer: str) -> str:
    """The type in the answer to `Check`.

    Raises:
        AuditFailed: the answer has another form.
    """
    found = re.fullmatch(r"[\w.']+(?:@\{[^}]*\})?\s+:\s(.*)", answer.strip(), flags=re.DOTALL)
    if found is None:
        raise AuditFailed(f"Coq answers a Check with {answer[:200]!r}.")
    return "\n".join(line.rstrip().removeprefix("       ") for line in found[1].splitlines())


def axioms(answer: str) -> tuple[str, ...]:
    """Qualified names in the answer to `Print Assumptions`; whatever is not understood is returned as it stands, and allowed to nobody.

    >>> axioms("Closed under the global context")
    ()
    >>> axioms("Axioms:\\nboolp.funext : forall x,\\n   x = x\\nf is assumed to be guarded.")
    ('boolp.funext', 'f is assumed to be guarded.')

    Raises:
        AuditFailed: the answer is neither the sentence that there are none, nor a list.
    """
    lines = answer.strip().splitlines()
    if [line.strip() for line in lines] == [CLOSED]:
        return ()
    if not lines or lines[0].strip() != "Axioms:":
        raise AuditFailed(f"Coq answers Print Assumptions with {answer[:200]!r}.")
    found = []
    for line in lines[1:]:
        if line[:1].isspace() or not line.strip():
            continue  # the type of the axiom above
        name = re.fullmatch(r"([\w.']+)(?: :.*)?", line.rstrip())
        found.append(name[1] if name else line.rstrip())
    if not found:
        raise AuditFailed(f"Coq lists axioms and names none: {answer[:200]!r}.")
    return tuple(found)


def audit(build: Build, sources: Mapping[str, Source], say: Callable[[str], None] = lambda _: None) -> dict[str, Record]:
    """The records of compiled files; those that are not stored are asked for, all in one run of Coq.

    Raises:
        AuditFailed: Coq does not answer what was asked.
    """
    key = {name: digest(f"{build.done[name]}\0{script([source])}".encode()) for name, source in sources.items()}
    kept = {} if build.fresh else {name: content for name in sources if (content := build.store.get(key[name], "json")) is not None}
    texts = {name: {tuple(what.split()): answer for what, answer in json.loads(content).items()} for name, content in kept.items()}
    asked = [source for name, source in sources.items() if name not in kept]
    if asked and build.compiling:
        say(f"asking Coq about {sum(len(source.theorems) for source in asked)} theorems")
        (build.folder / "Audit.v").write_text(script(asked), encoding="utf8")
        given = coq(build.folder, "Audit.v", build.prover)
        if given.returncode:
            raise AuditFailed(given.stderr.strip())
        found = answers(given.stdout)
        for source in asked:
            texts[source.name] = {what: answer for what, answer in found.items() if what[1] == source.name}
            build.store.put(key[source.name], "json", json.dumps({" ".join(what): answer for what, answer in texts[source.name].items()}).encode())
    return {name: record(sources[name], text) for name, text in texts.items()}


def record(source: Source, text: Mapping[tuple[str, ...], str]) -> Record:
    """The answers about one file, parsed.

    Raises:
        AuditFailed: an answer is missing.
    """

    def answer(what: str, name: str) -> str:
        if (what, source.name, name) not in text:
            raise AuditFailed(f"Coq said nothing to {what} {source.name}.{name}.")
        return text[what, source.name, name]

    facts = {name: Fact(statement(answer("check", name)), axioms(answer("axioms", name))) for name in source.theorems}
    return Record(facts, {name: body(answer("print", name)) for name in source.definitions})


def body(answer: str) -> str:
    """A definition without what Coq appends about its implicit arguments."""
    return "\n".join(line.rstrip() for line in answer.split("\n\n")[0].splitlines())
