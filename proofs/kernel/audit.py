"""What Coq says about the theorems of a compiled file: statements, axioms, definitions, as text and parsed.

The files are required, not imported: the notations and coercions of ours are then not active, and a statement is printed for what it is.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pgtheory.proofs.kernel.prover import AT_ONCE, Build, coq, digest
from pgtheory.proofs.kernel.sources import LIBRARY, Source, closure

PREAMBLE = "From mathcomp Require Import all_ssreflect all_algebra.\nSet Printing Width 150.\nSet Printing Depth 1000.\n"

CLOSED = "Closed under the global context"

MARK = "=== "

TOGETHER = "*"
"""In place of a theorem's name: all that are asked for their axioms at once, below the first file that holds one of them."""


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


def script(sources: Iterable[Source], groups: Iterable[Sequence[Source]] = ()) -> str:
    """The questions, as a Coq file. Each answer stands below a line that says what was asked.

    The theorems of the files of a group are asked for their axioms at once, as what one constant is made of: Coq walks a single time through the libraries that
    they share. (Values of `let`, not a tuple: the type of a tuple holds all types before it at each of its pairs, which costs the square.)
    """
    lines = [PREAMBLE]
    ask = lambda what, file, name, command: [f'Goal True. idtac "{MARK}{what} {file} {name}". Abort.', command]
    groups = [[source for source in group if source.theorems] for group in groups]
    grouped = {source.name for group in groups for source in group}
    for source in sources:
        module = f"{LIBRARY}.{source.name}"
        lines.append(f"Require {module}.")
        for name in source.theorems:
            lines += ask("check", source.name, name, f"Check {module}.{name}.")
            if source.name not in grouped:
                lines += ask("axioms", source.name, name, f"Print Assumptions {module}.{name}.")
        for name in source.definitions:
            lines += ask("print", source.name, name, f"Print {module}.{name}.")
    for number, group in enumerate(filter(None, groups)):
        values = "".join(f"let _ := @{LIBRARY}.{source.name}.{name} in " for source in group for name in source.theorems)
        lines += [f"Definition together{number} := {values}I.", *ask("axioms", group[0].name, TOGETHER, f"Print Assumptions together{number}.")]
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
    """The records of compiled files; those that are not stored are asked for, in two runs of Coq side by side.

    Files that rest on nothing classical are asked for axioms together; where there is one after all, each theorem is asked, so that it has a name. Of the others
    each file is asked, and its theorems are taken to rest on all that one of them rests on.

    Raises:
        AuditFailed: Coq does not answer what was asked.
    """
    key = {name: digest(f"{build.done[name]}\0{script([source])}".encode()) for name, source in sources.items()}
    kept = {} if build.fresh else {name: content for name in sources if (content := build.store.get(key[name], "json")) is not None}
    texts = {name: {tuple(what.split()): answer for what, answer in json.loads(content).items()} for name, content in kept.items()}
    asked = [source for name, source in sources.items() if name not in kept]
    if asked and build.compiling:
        say(f"asking Coq about {sum(len(source.theorems) for source in asked)} theorems")
        pure = [source for source in asked if not any(file.classical for file in closure({source.name}, sources).values())]
        rest = [source for source in asked if source not in pure]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ask = lambda name, files, groups: shared(asking(build, name, script(files, groups)), groups)
            found, others = pool.map(ask, ("Audit", "AuditRest"), (pure, rest), ([pure], [[source] for source in rest]))
        if any(found["axioms", source.name, name].strip() != CLOSED for source in pure for name in source.theorems):
            found = asking(build, "Audit", script(pure))
        found |= others
        for source in asked:
            texts[source.name] = {what: answer for what, answer in found.items() if what[1] == source.name}
            build.store.put(key[source.name], "json", json.dumps({" ".join(what): answer for what, answer in texts[source.name].items()}).encode())
    return {name: record(sources[name], text) for name, text in texts.items()}


def shared(found: Mapping[tuple[str, str, str], str], groups: Iterable[Sequence[Source]]) -> dict[tuple[str, str, str], str]:
    """The answers, in which what a group of files was told about its axioms is the answer to each of its theorems.

    Raises:
        AuditFailed: a group was told nothing.
    """
    given = {what: answer for what, answer in found.items() if what[2] != TOGETHER}
    for holders in filter(None, ([source for source in group if source.theorems] for group in groups)):
        answer = found.get(("axioms", holders[0].name, TOGETHER))
        if answer is None:
            raise AuditFailed(f"Coq said nothing to the axioms of {', '.join(source.name for source in holders)}.")
        given |= {("axioms", source.name, name): answer for source in holders for name in source.theorems}
    return given


def asking(build: Build, name: str, questions: str) -> dict[tuple[str, str, str], str]:
    """Coq's answers to a script, which becomes the file `name`.

    Raises:
        AuditFailed: it refuses the script.
    """
    (build.folder / f"{name}.v").write_text(questions, encoding="utf8")
    given = coq(build.folder, f"{name}.v", build.prover)
    if given.returncode:
        raise AuditFailed(given.stderr.strip())
    return answers(given.stdout)


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
