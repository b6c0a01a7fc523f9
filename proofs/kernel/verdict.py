"""Which theorems are accepted: built, stated as the golden file says, on allowed axioms, with mutants that are refuted."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from pgtheory.proofs.kernel import sources as files
from pgtheory.proofs.kernel.audit import AuditFailed, Fact, Record, audit
from pgtheory.proofs.kernel.prover import Build, NoProver, Rejected, Store, cache_folder, find
from pgtheory.proofs.kernel.sources import INSTANCE, MUTANT, Source

CLASSICAL = frozenset({"functional_extensionality_dep", "propositional_extensionality", "constructive_indefinite_description"})
"""The axioms of real analysis in MathComp: functions and propositions that agree are equal, and a choice function."""

HOMES = ("mathcomp.classical.boolp.", "mathcomp.analysis.boolp.", "boolp.")
"""Where these axioms may come from, as Coq qualifies them."""

ANALYTIC = frozenset({"T29", "T36"})
"""The theorems about real derivatives, which alone may rest on them."""

MUTANTS = 2
"""False variants that a theorem needs at least."""

REFUTATION = re.compile(
    r"(?:forall (?:F : realFieldType|R : reals\.Real\.type),\s+|forall \(F : realFieldType\) \(ex ln : F -> F\),\s+ExpLog\.explog \(F:=F\) ex ln ->\s+)?~\s+(\(forall\s.*\))",
    re.DOTALL,
)
"""The form of a mutant: not for all ..., over one field, every ordered field, or every exp and log. Before the negation no other premise may stand: nobody might meet it."""

NAMED = re.compile(r"\b(?:mutants\.)?([A-Z]\w*\.\w+)")
SYMBOL = re.compile(r"\\[a-z]+|\*m|\*:|\^\+|%:[A-Z]|<=|\bunitmx\b")
"""What a statement is about: definitions by file and name; where it has none, the signs of MathComp."""

ASSUMED = frozenset({"Derivation.derivation"})
"""Properties of which a mutant takes an instance, such as the derivation of the dual numbers."""

Status = Literal["accepted", "refused", "not checked"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the kernel says about one id.

    Attributes:
        status: accepted, refused, or not checked: nothing was built, or the mutants are too few.
        reasons: why it is not accepted.
        facts: name in Coq -> statement and axioms, of the theorem.
        mutants: the same of its false variants, whose statements are negations. Instances of premises are checked and not listed.
    """

    id: str
    status: Status
    reasons: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    mutants: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def axioms(self) -> tuple[str, ...]:
        """What the theorem rests on besides the rules of Coq."""
        return tuple(sorted({axiom for fact in self.facts.values() for axiom in fact.axioms}))

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "id": self.id, "status": self.status, "reasons": list(self.reasons), "axioms": list(self.axioms),
            "statements": {name: fact.statement for name, fact in self.facts.items()}, "mutants": {name: fact.statement for name, fact in self.mutants.items()},
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Report:
    """The verdicts on some ids.

    Attributes:
        prover: "Coq 8.16.1", or why nothing was checked.
        verdicts: by id.
        golden: the text that the golden file should have; empty where not everything was asked.
        seconds: time of the check.
    """

    prover: str
    verdicts: Mapping[str, Verdict]
    golden: str = ""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 all accepted, 1 one is refused, 3 one is not checked and none refused."""
        found = {verdict.status for verdict in self.verdicts.values()}
        return 1 if "refused" in found else 0 if found == {"accepted"} else 3

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "exit_code": self.exit_code, "prover": self.prover, "seconds": self.seconds,
            "theorems": [verdict.to_dict() for verdict in self.verdicts.values()],
        }  # fmt: skip


def ids(found: Mapping[str, Source] | None = None) -> tuple[str, ...]:
    """The ids of all theorems in Coq, in order; read off the sources."""
    found = files.read() if found is None else found
    return tuple(sorted({name[:3] for source in found.values() for name in source.theorems}))


def check(
    wanted: Iterable[str] | None = None,
    *,
    folder: Path = files.FOLDER,
    store: Store | None = None,
    fresh: bool = False,
    compiling: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Checks the theorems with these ids, or all: builds what is not in the store, asks Coq, compares.

    `fresh` trusts no stored file. Without `compiling` only the store is asked: what is not there is not checked. Cost: 280 seconds of a core for all, about two and a half minutes on two,
    seconds where all is stored.
    """
    start = perf_counter()
    sources = files.read(folder)
    known = ids(sources)
    chosen = known if wanted is None else tuple(wanted)
    needed = files.closure({name for name, source in sources.items() if wanted is None or any(t[:3] in chosen for t in source.theorems)}, sources)
    try:
        prover = find()
    except NoProver as error:
        return Report(prover=str(error), verdicts={id: Verdict(id=id, status="not checked", reasons=(str(error),)) for id in chosen})
    with Build(prover, store or Store(cache_folder()), fresh=fresh, compiling=compiling) as build:
        build.make(needed, say)
        try:
            records = audit(build, {name: source for name, source in needed.items() if name in build.done}, say)
        except AuditFailed as error:
            return Report(prover=f"Coq {prover.version}", verdicts={id: Verdict(id=id, status="refused", reasons=(str(error),)) for id in chosen})
        golden = parse(text.read_text(encoding="utf8")) if (text := folder / files.GOLDEN.name).exists() else {}
        judge = lambda id: judged(id, sources, records, build.refused, build.absent, golden)
        return Report(
            prover=f"Coq {prover.version}",
            verdicts={id: judge(id) for id in chosen},
            golden=listing(records) if wanted is None and not build.refused and not build.absent else "",
            seconds=perf_counter() - start,
        )


def judged(
    id: str,
    sources: Mapping[str, Source],
    records: Mapping[str, Record],
    refused: Mapping[str, Rejected],
    absent: Iterable[str],
    golden: Mapping[str, str],
) -> Verdict:
    """The verdict on one id: everything that its statement, its proof and its mutants rest on."""
    holders = {name for name, source in sources.items() if any(theorem[:3] == id for theorem in source.theorems)}
    behind = files.closure(holders, sources)
    if not holders:
        return Verdict(id=id, status="refused", reasons=(f"no theorem in Coq has the id {id}",))
    rejected = [str(refused[name]) for name in behind if name in refused]
    if not rejected and (waiting := [name for name in behind if name in absent]):
        return Verdict(id=id, status="not checked", reasons=(f"not built on this machine yet: {', '.join(waiting)}",))
    facts = {n: fact for name in holders if name in records for n, fact in records[name].facts.items() if n[:3] == id}
    mutants = {name: fact for name, fact in facts.items() if MUTANT.fullmatch(name)}
    instances = {name: fact for name, fact in facts.items() if INSTANCE.fullmatch(name)}
    proper = {name: fact for name, fact in facts.items() if name not in {*mutants, *instances}}
    reasons = [
        *rejected,
        *(f"forbidden: {word}" for name in behind for word in sources[name].forbidden),
        *repeated(id, [sources[name] for name in behind if name in holders]),
    ]
    if not rejected:
        entries = listing_of({name: records[name] for name in behind}, id)
        reasons += complaints(id, proper, mutants, instances) + idle(proper, mutants, entries)
        reasons += unlike_golden(entries, golden)
    if not reasons and len(mutants) < MUTANTS:
        few = f"{id} is proved as it is stated, and {len(mutants)} of its mutants are refuted in Coq, fewer than {MUTANTS}: what the statement excludes is not shown"
        return Verdict(id=id, status="not checked", reasons=(few,), facts=proper, mutants=mutants)
    return Verdict(id=id, status="refused" if reasons else "accepted", reasons=tuple(reasons), facts=proper, mutants=mutants)


def repeated(id: str, holders: Iterable[Source]) -> list[str]:
    """The theorems of an id whose name stands in two files: one of them would hide the other."""
    places: dict[str, list[str]] = {}
    for source in holders:
        for name in source.theorems:
            places.setdefault(name, []).append(source.path)
    return [f"{name} stands in {' and in '.join(paths)}" for name, paths in places.items() if name[:3] == id and len(paths) > 1]


def complaints(id: str, proper: Mapping[str, Fact], mutants: Mapping[str, Fact], instances: Mapping[str, Fact]) -> list[str]:
    """What the facts of an id rest on and may not: an instance may be about the reals, whatever the theorem is about."""
    found = [] if proper else [f"{id} has mutants or instances and no theorem"]
    for name, fact in {**proper, **mutants, **instances}.items():
        extra = [axiom for axiom in fact.axioms if not (allowed(id, axiom) or (name in instances and classical(axiom)))]
        if extra:
            found.append(f"{name} rests on {', '.join(extra)}")
    return found


def idle(proper: Mapping[str, Fact], mutants: Mapping[str, Fact], entries: Mapping[str, str]) -> list[str]:
    """The mutants that show nothing of the theorem: they deny nothing, are about something else, or are there twice.

    A variant differs in one place. So it mentions, itself or by its definitions, all that one of the theorems mentions but for one thing at most.
    """
    definitions = {name.removeprefix("mutants."): body for name, body in entries.items()}
    found = []
    for name, fact in mutants.items():
        if denied(fact.statement) is None:
            found.append(f"{name} refutes nothing: {fact.statement}")
        elif not any(about(theorem.statement, fact.statement, definitions) for theorem in proper.values()):
            found.append(f"{name} refutes something else, with other definitions than the theorem's: {fact.statement}")
        elif any(fact.statement == other.statement for earlier, other in mutants.items() if earlier < name):
            found.append(f"{name} refutes what another mutant does")
    return found


def denied(statement: str) -> str | None:
    """What a mutant says is not so for all; none where it has another form.

    >>> denied("~ (forall n : nat, n = 0)")
    '(forall n : nat, n = 0)'
    >>> denied("~ (forall n : nat, n = 0) -> (0 = 0)")
    """
    found = REFUTATION.fullmatch(statement)
    if found is None:
        return None
    depth = list(accumulate((letter == "(") - (letter == ")") for letter in found[1]))
    return found[1] if depth.index(0) == len(depth) - 1 else None


def about(theorem: str, variant: str, definitions: Mapping[str, str]) -> bool:
    """Whether a variant mentions all but one of the things that a theorem mentions, and one at least."""
    names = {name for name in NAMED.findall(theorem) if name in definitions} - ASSUMED
    wanted, there = (names, behind_names(variant, definitions)) if names else (set(SYMBOL.findall(theorem)), set(SYMBOL.findall(variant)))
    return len(wanted - there) <= 1 and bool(wanted & there)


def behind_names(statement: str, definitions: Mapping[str, str]) -> set[str]:
    """The definitions that a statement mentions, and those that they mention."""
    found, todo = set[str](), [statement]
    while todo:
        new = {name for name in NAMED.findall(todo.pop()) if name in definitions} - found
        found |= new
        todo += [definitions[name] for name in new]
    return found


def allowed(id: str, axiom: str) -> bool:
    """Whether a theorem may rest on an axiom, given by its qualified name."""
    return id in ANALYTIC and classical(axiom)


def classical(axiom: str) -> bool:
    """Whether an axiom is one of those of real analysis, and comes from where they are."""
    home, _, name = axiom.rpartition(".")
    return name in CLASSICAL and f"{home}." in HOMES


def listing_of(records: Mapping[str, Record], id: str | None = None) -> dict[str, str]:
    """Entries of the golden file: name of a fact (of one id, or of all) -> statement, file.name of a definition -> body."""
    facts = {name: fact.statement for record in records.values() for name, fact in record.facts.items() if id is None or name[:3] == id}
    definitions = {f"{file}.{name}": body for file, record in records.items() for name, body in record.definitions.items()}
    return dict(sorted(facts.items())) | dict(sorted(definitions.items()))


def listing(records: Mapping[str, Record]) -> str:
    """The golden file: a line for the name, and what Coq says indented below it."""
    block = lambda name, body: "\n".join([name, *(f"    {line}" for line in body.splitlines())])
    return "\n\n".join(block(name, body) for name, body in listing_of(records).items()) + "\n"


def parse(text: str) -> dict[str, str]:
    """The entries of the golden file."""
    blocks = (block.split("\n") for block in text.strip("\n").split("\n\n") if block)
    return {head: "\n".join(line.removeprefix("    ") for line in body) for head, *body in blocks}


def unlike_golden(entries: Mapping[str, str], golden: Mapping[str, str]) -> list[str]:
    """The entries that differ from the golden file, or are not in it."""
    differs = lambda name: "is not in the golden file" if name not in golden else "differs from the golden file"
    return [f"{name} {differs(name)}" for name, body in entries.items() if golden.get(name) != body]
