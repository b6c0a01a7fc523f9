"""The Coq files: what they require, which theorems they hold, and which words they must not contain."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "coq"
"""The files of the theorems."""

GOLDEN = FOLDER / "statements.txt"

LIBRARY = "PG"
"""Logical name of the folder."""

FORBIDDEN = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjecture|Declare\s+Module|bypass_check|"
    r"Unset\s+(?:Guard|Positivity|Universe)\s+Checking|Set\s+Type\s+In\s+Type|Type\s+In\s+Type)\b|-type-in-type"
)
"""What closes a proof without proving it. `Print Assumptions` sees most of them again; two nets are better than one."""

COMMAND = r"(?:^|(?<=[.\s]))(?:(?:#\[[^\]]*\]|Local|Global|Program|Polymorphic)\s+)*"
NAMED = re.compile(COMMAND + r"(Theorem|Lemma|Corollary|Proposition|Remark|Fact|Example)\s+([\w']+)")
DEFINED = re.compile(COMMAND + r"(Definition|Fixpoint|CoFixpoint|Record|Inductive|Structure|Variant|Class)\s+([\w']+)")
REQUIRED = re.compile(r"(?:From\s+([\w.]+)\s+)?Require\s+(?:Import\s+|Export\s+)?([\w.\s]+?)\.(?=\s|$)")
ID = re.compile(r"(T\d\d)_\w+")
MUTANT = re.compile(r"(T\d\d)_mutant_\w+")
INSTANCE = re.compile(r"(T\d\d)_instance_\w+")
"""Theorems that say of something that it meets a premise, so that what rests on the premise is not about nothing."""


@dataclass(frozen=True)
class Source:
    """A Coq file.

    Attributes:
        name: its module below the library, "FiniteHorizon" or "mutants.Softmax".
        text: what stands in it.
    """

    name: str
    text: str

    @cached_property
    def code(self) -> str:
        """The text without comments."""
        return without_comments(self.text)

    @property
    def path(self) -> str:
        """Where it lies below the folder."""
        return self.name.replace(".", "/") + ".v"

    @property
    def theorems(self) -> tuple[str, ...]:
        """Names of its theorems and mutants that carry an id, in order."""
        return tuple(name for _, name in NAMED.findall(self.code) if ID.fullmatch(name))

    @property
    def definitions(self) -> tuple[str, ...]:
        """Names of its definitions, in order."""
        return tuple(dict.fromkeys(name for _, name in DEFINED.findall(self.code)))

    @property
    def classical(self) -> bool:
        """Whether it requires the libraries of real analysis, which rest on axioms."""
        return bool(re.search(r"\bmathcomp\.(classical|analysis)\b", self.code))

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Forbidden words, with their lines."""
        return tuple(f"{self.path}:{self.code.count(chr(10), 0, found.start()) + 1} {found[0]}" for found in FORBIDDEN.finditer(self.code))

    def requires(self, others: Mapping[str, "Source"]) -> tuple[str, ...]:
        """Names of the files of the library that it requires."""
        found: dict[str, None] = {}
        for prefix, words in REQUIRED.findall(self.code):
            if prefix not in ("", LIBRARY) and not prefix.startswith(f"{LIBRARY}."):
                continue
            inside = prefix.removeprefix(LIBRARY).removeprefix(".")
            for word in words.split():
                whole = f"{inside}.{word}" if inside else word.removeprefix(f"{LIBRARY}.")
                found.update(dict.fromkeys([whole] if whole in others else [name for name in others if name.endswith(f".{whole}")]))
        return tuple(found)


def without_comments(text: str) -> str:
    """Coq's comments as blanks, newlines kept. They nest; a string is no comment, and within a comment a string hides its brackets, as in Coq.

    >>> without_comments('a (* b (* c *) "*)" *) d')
    'a                      d'
    """
    out, depth, quoted, i = [], 0, False, 0
    while i < len(text):
        pair = text[i : i + 2]
        if text[i] == '"':
            quoted = not quoted
        if not quoted and pair in ("(*", "*)") and (depth or pair == "(*"):
            depth += 1 if pair == "(*" else -1
            out.append("  ")
            i += 2
            continue
        out.append(text[i] if not depth or text[i] == "\n" else " ")
        i += 1
    return "".join(out)


def read(folder: Path = FOLDER) -> dict[str, Source]:
    """All files of a folder by name, each after the ones it requires.

    Raises:
        ValueError: files require each other in a circle.
    """
    found = {}
    for path in sorted(folder.rglob("*.v")):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        found[name] = Source(name, path.read_text(encoding="utf8"))
    return in_order(found)


def in_order(found: Mapping[str, Source]) -> dict[str, Source]:
    """The files, each after the ones it requires.

    Raises:
        ValueError: files require each other in a circle.
    """
    ordered: dict[str, Source] = {}
    left = {name: set(source.requires(found)) - {name} for name, source in found.items()}
    while left:
        ready = [name for name, needs in left.items() if needs <= ordered.keys()]
        if not ready:
            raise ValueError(f"the Coq files {', '.join(sorted(left))} require each other in a circle.")
        ordered.update({name: found[name] for name in ready})
        left = {name: needs for name, needs in left.items() if name not in ordered}
    return ordered


def closure(names: set[str], found: Mapping[str, Source]) -> dict[str, Source]:
    """These files and all that they require, in order."""
    wanted, todo = set(names), list(names)
    while todo:
        for name in found[todo.pop()].requires(found):
            if name not in wanted:
                wanted.add(name)
                todo.append(name)
    return {name: source for name, source in found.items() if name in wanted}
