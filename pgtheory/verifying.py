"""Claims and theorems re-checked, and the index of papers: what `pgtheory verify` and `pgtheory papers` print."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pgtheory.proofs.claim import LETTER, Paper
from pgtheory.proofs.index import all_papers, claims_named, page, paper
from pgtheory.proofs.kernel.verdict import check
from pgtheory.proofs.relations import gap
from pgtheory.proofs.verification import Evidence, Finding, examine, examine_page, with_kernel

FEW = 3
"""Theorems that are told in full; of more there is a line each."""

STYLE = {"holds": "bold green", "refuted": "bold red", "not checked": "bold yellow"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Verification:
    """The findings on some claims."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 all hold, 1 one is refuted, 3 one is not checked and none refuted."""
        statuses = {finding.status for finding in self.findings}
        return 1 if "refuted" in statuses else 3 if "not checked" in statuses else 0

    def to_dict(self) -> dict[str, Any]:
        """Every finding with its evidence."""
        return {"exit_code": self.exit_code, "claims": [finding.to_dict() for finding in self.findings]}

    def as_rich(self) -> Group:
        """One line a claim, then why some do not hold, then a few theorems in full."""
        count = Counter(finding.status for finding in self.findings)
        head = Text("  ").join(Text(f"{n} {status}", style=STYLE[status]) for status, n in count.items())
        seconds = sum(finding.seconds for finding in self.findings)
        theorems = [finding for finding in self.findings if finding.claim.id.startswith("T")]
        told = [part for finding in theorems for part in (Text(), story(finding))] if len(theorems) <= FEW else []
        return Group(Text.assemble(head, f"   {seconds:.1f} s"), Text(), claim_table(self.findings), *complaints(self.findings), *told)

    def detail(self) -> Group:
        """Every case of every claim."""
        return Group(self.as_rich(), *(part for finding in self.findings for part in (Text(), details(finding))))


def claim_table(findings: Sequence[Finding]) -> Table:
    """Id, status, level, the number that decides, and the beginning of the statement; of a paper's claim alone the whole statement."""
    cut = len(findings) != 1 or findings[0].claim.id.startswith("T")
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("claim", "status", "level", "distance", "threshold"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("distance", "threshold") else "left")
    table.add_column("statement", ratio=1, no_wrap=cut, overflow="ellipsis" if cut else "fold")
    for finding in findings:
        worst = finding.worst
        numbers = ("", "") if worst is None else (f"{worst.comparison.distance:.1e}", f"{worst.comparison.threshold:.1e}")
        status = Text(finding.status, style=STYLE[finding.status])
        table.add_row(finding.claim.id, status, LETTER[finding.level], *numbers, escape(finding.claim.statement))
    return table


def complaints(findings: Sequence[Finding]) -> Iterator[Text]:
    """Why claims do not hold, those of one reason together; of refuted ones also the statements."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.status != "holds":
            found.setdefault((finding.status, finding.reason), []).append(finding)
    for (status, reason), those in found.items():
        head = Text(f"\n{', '.join(finding.claim.id for finding in those)} {status}", style=STYLE[status])
        statements = "".join(f"\n  {finding.claim.statement}" for finding in those if status == "refuted")
        yield Text.assemble(head, f": {reason}{statements}")


def story(finding: Finding) -> Text:
    """A theorem: what it says and assumes, how sure it is, by how much it fails without each assumption, what the kernel has read."""
    one, kernel = page(finding.claim.id), finding.kernel
    missed = lambda e: f"on {e.case} it misses by {gap(one.claim.relation, e.left, e.right)}"
    lines = [f"{one.id}  {one.title}", "", one.words, one.claim.statement, ""]
    lines.append(f"level      {LETTER[finding.level]}  {LEVELS[finding.level]}")
    lines += [f"assumes    {name}; without that, {missed(e)}" for name, e in finding.dropped.items()]
    lines += [f"not so     {name}: {missed(e)}" for name, e in finding.mutants.items()]
    lines += [f"no need of {text}" for text in one.free]
    lines.append(f"evidence   {len(finding.steps)} steps in symbols, {len(finding.cases)} instances in exact numbers")
    lines += [f"function   {place}" for place in one.functions]
    if kernel is not None and kernel.status == "accepted":
        lines += [f"Coq        {name}, {axioms_text(kernel.axioms)}; refuted variants: {', '.join(kernel.mutants)}" for name in kernel.facts]
    elif kernel is not None:
        lines += [f"Coq        {kernel.status}: {reason}" for reason in kernel.reasons]
    return Text("\n".join(lines))


LEVELS = {
    "proof": "kernel-checked, for all finite problems", "symbolic": "an identity of symbols on one shape: no proof", "rational": "exact numbers on instances: no proof",
    "ball": "certified intervals on instances: no proof", "float": "floating point on instances: no proof",
}  # fmt: skip


def axioms_text(axioms: Sequence[str]) -> str:
    """What a theorem rests on."""
    return f"axioms: {', '.join(axioms)}" if axioms else "no axioms"


def details(finding: Finding) -> Table:
    """The cases, the dropped assumptions and the mutants of one claim."""
    table = Table(box=None, pad_edge=False, title=f"{finding.claim.id}  {escape(finding.claim.statement)}", title_justify="left", title_style="bold")
    for name in ("", "case", "outcome", "distance", "threshold", "from"):
        table.add_column(name, justify="right" if name in ("distance", "threshold") else "left")
    row = lambda kind, e, label: table.add_row(kind, escape(label), outcome(e, kind), f"{e.comparison.distance:.2e}", f"{e.comparison.threshold:.2e}", e.comparison.origin)  # fmt: skip
    for evidence in finding.cases:
        row("case", evidence, evidence.case)
    for name, evidence in finding.dropped.items():
        row("without", evidence, f"{name}: {evidence.case}")
    for name, evidence in finding.mutants.items():
        row("mutant", evidence, name)
    return table


def outcome(evidence: Evidence, kind: str) -> Text:
    """What happened, green if it is what should."""
    holds = evidence.comparison.holds
    return Text("holds" if holds else "refuted", style="green" if holds == (kind == "case") else "red")


def verify(names: Sequence[str], progress: Callable[[str], None] = lambda _: None) -> Verification:
    """Check the claims meant by `names`: claims, papers, families, theorems, or all. A theorem is also put to the proof kernel.

    Raises:
        InvalidArgument: a name means nothing.
    """
    claims = claims_named(names or ["all"])
    found = []
    for claim in claims:
        found.append(examine_page(page(claim.id)) if claim.id.startswith("T") else examine(claim))
        progress(f"{claim.id} {found[-1].status}")
    own = [claim.id for claim in claims if claim.id.startswith("T")]
    implying = [claim.theorem for claim in claims if claim.theorem]
    # A theorem that was asked for is built; one that stands behind a paper's claim is looked up.
    verdicts = dict(check(implying, compiling=False).verdicts) if implying else {}
    verdicts |= check(own, say=progress).verdicts if own else {}
    told = lambda finding: verdicts.get(finding.claim.theorem or finding.claim.id)
    return Verification(findings=tuple(with_kernel(finding, verdict) if (verdict := told(finding)) else finding for finding in found))


def paper_rows(id: str | None) -> list[Paper]:
    """One paper, or all.

    Raises:
        InvalidArgument: no such paper.
    """
    return [paper(id)] if id else list(all_papers())


def papers_dict(found: Sequence[Paper]) -> list[dict[str, Any]]:
    """The index as plain data."""
    return [
        {
            "id": p.id, "slug": p.slug, "title": p.title, "authors": p.authors, "year": p.year, "family": p.family, "code": dict(p.code),
            "headline": p.headline.question if p.headline else None, "notes": p.notes,
            "claims": [{"id": c.id, "kind": c.kind, "level": c.level, "statement": c.statement, "needs": list(c.needs), "corrects": c.corrects, "theorem": c.theorem} for c in p.claims],
        }
        for p in found
    ]  # fmt: skip


def papers_rich(found: Sequence[Paper], *, alone: bool) -> Group:
    """A line a paper; one that was asked for `alone` with its claims and code."""
    table = Table(box=None, pad_edge=False)
    for name in ("paper", "name", "family", "claims", "headline", "title"):
        table.add_column(name, no_wrap=name != "title", justify="right" if name == "claims" else "left")
    for p in found:
        table.add_row(p.id, p.slug, p.family, str(len(p.claims)), "yes" if p.headline else "-", escape(p.title))
    if not alone:
        return Group(table)
    (one,) = found
    claims = Table(box=None, pad_edge=False, padding=(0, 1, 1, 0))
    for name in ("claim", "kind", "level", "statement"):
        claims.add_column(name, no_wrap=name != "statement")
    for c in one.claims:
        note = f"\n[dim]instead of: {escape(c.corrects)}[/dim]" if c.corrects else ""
        claims.add_row(c.id, c.kind, LETTER[c.level], escape(c.statement) + note)
    code = [Text(f"  {word:<24} {place}") for word, place in one.code.items()]
    notes = [Text(), Text(one.notes)] if one.notes else []
    return Group(table, Text(f"{one.authors} ({one.year})", style="dim"), Text(), claims, Text(), *code, *notes)
