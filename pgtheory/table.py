"""The table of all built-in estimators on the default problems."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from pgtheory.checking import check
from pgtheory.report import COLOURS, objective_text
from pgtheory.tabular.estimators.registry import BUILTIN
from pgtheory.verdict import Verdict


@dataclass(frozen=True, eq=False, kw_only=True)
class Row:
    """A built-in estimator: what it declares and what was found."""

    name: str
    declared: str
    verdict: Verdict

    @property
    def agrees(self) -> bool:
        """Whether the verdict is the declared one."""
        return self.declared == self.verdict.kind.value

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON knows."""
        return {"name": self.name, "declared": self.declared, "agrees": self.agrees, "verdict": self.verdict.to_dict()}


def rows(progress: Callable[[str, int, int], None] = lambda *_: None) -> Iterator[Row]:
    """A verdict for each built-in estimator, as it is found."""
    for number, name in enumerate(BUILTIN):
        progress(name, number, len(BUILTIN))
        yield Row(name=name, declared=BUILTIN[name].declared.verdict, verdict=check(name))


def summary(v: Verdict) -> str:
    """What a verdict says, in a few words."""
    match v.kind.value:
        case "unbiased":
            return "grad J" if not v.scale or v.scale["text"] == "1" else f"{v.scale['text']} grad J"
        case "scaled":
            return f"{v.scale['text']} grad J" if v.scale else ""
        case "objective":
            return f"grad {objective_text(v)}"
        case "preconditioned":
            return "M grad J, M unknown" if "unknown" in (v.preconditioner or "unknown") else "M grad J"
        case "vacuous":
            return "0"
    if v.identity:
        return v.identity.removeprefix("E[g] = ")
    if v.objective:
        return f"grad ({v.objective['text']}) on-policy"
    if v.weight:
        return "grad Phi_G(p) on-policy"
    return "; ".join(c["text"] for c in v.causes[:1])


def as_table(found: list[Row]) -> Table:
    """The table, one line an estimator."""
    table = Table(title="Built-in estimators on the default problems (exact)", title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column, justify in (
        ("estimator", "left"),
        ("verdict", "left"),
        ("E\\[g]", "left"),
        ("gradient of", "left"),
        ("angle", "right"),
        ("variance", "right"),
        ("declared", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for row in found:
        v = row.verdict
        field = "" if v.conservative is None else "something" if v.conservative else "nothing"
        variance = "" if not v.variance or v.variance["matched"] is None else f"{v.variance['matched']:.4g}"
        table.add_row(
            row.name, Text(v.kind.value, style=COLOURS[v.kind]), Text(summary(v)), "J" if v.kind.value in ("unbiased", "scaled") else field,
            "" if v.angle is None else f"{v.angle:.1f}", variance, Text("as declared", style="dim") if row.agrees else Text(f"declared {row.declared}", style="bold red"),
        )  # fmt: skip
    return table
