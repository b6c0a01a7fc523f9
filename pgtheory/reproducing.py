"""The main experiment of a paper in small: what `pgtheory reproduce` prints and draws."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pgtheory.proofs.claim import Paper
from pgtheory.proofs.headline import Result
from pgtheory.proofs.index import all_papers, paper
from pgtheory.tabular.errors import InvalidArgument, MissingExtra


@dataclass(frozen=True, eq=False, kw_only=True)
class Reproduction:
    """The result of the main experiment of a paper."""

    paper: Paper
    result: Result

    @property
    def exit_code(self) -> int:
        """0 if every number points in the expected direction, else 1."""
        return 0 if all(self.result.expected.values()) else 1

    def to_dict(self) -> dict[str, Any]:
        """Table and directions as plain data."""
        result = self.result
        return {
            "paper": self.paper.id, "question": self.paper.headline.question, "exit_code": self.exit_code, "columns": list(result.columns),
            "rows": [[plain(x) for x in row] for row in result.rows], "expected": {text: bool(came) for text, came in result.expected.items()},
        }  # fmt: skip

    def as_rich(self) -> Group:
        """The directions first, then the table."""
        lines = [Text.assemble(("as expected  " if came else "NOT SO       ", "bold green" if came else "bold red"), text) for text, came in self.result.expected.items()]  # fmt: skip
        table = Table(box=None, pad_edge=False)
        for name in self.result.columns:
            table.add_column(escape(str(name)), justify="right")
        for row in self.result.rows:
            table.add_row(*(shown(x) for x in row))
        head = Text.assemble((f"{self.paper.id}  ", "bold"), self.paper.title)
        return Group(head, Text(self.paper.headline.question), Text(), *lines, Text(), table)


def reproduce(id: str, progress: Callable[[str], None] = lambda _: None) -> Reproduction:
    """Run the main experiment of a paper.

    Raises:
        InvalidArgument: no such paper, or its experiment is not here.
        MissingExtra: the experiment needs a module that is not installed.
    """
    found = paper(id)
    if found.headline is None:
        there = ", ".join(p.id for p in all_papers() if p.headline) or "none"
        raise InvalidArgument(f"the main experiment of {found.id} is not here; there are those of: {there}.")
    absent = [module for module in found.headline.needs if find_spec(module) is None]
    if absent:
        raise MissingExtra(f"the experiment of {found.id} needs {', '.join(absent)}: pip install 'pgtheory[deep]'.")
    return Reproduction(paper=found, result=found.headline.run(progress))


def shown(x: Any) -> str:
    """A cell of the table."""
    return f"{x:.4g}" if isinstance(x, float) or hasattr(x, "dtype") else escape(str(x))


def plain(x: Any) -> Any:
    """A cell as JSON has it; what is not finite is None."""
    if hasattr(x, "item"):
        x = x.item()
    return None if isinstance(x, float) and not abs(x) < float("inf") else x


def draw(reproduction: Reproduction) -> Any:
    """The picture, one panel beside the other, each legend below its panel, where it hides no line.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    from pgtheory.plots import pyplot

    panels = reproduction.result.panels
    lines = max(len(panel.curves) for panel in panels)
    figure, axes = pyplot().subplots(1, len(panels), figsize=(5.6 * len(panels), 4 + 0.19 * lines), squeeze=False, layout="constrained")
    groups = list(dict.fromkeys(curve.group or curve.label for panel in panels for curve in panel.curves))
    for axis, panel in zip(axes[0], panels, strict=True):
        for curve in panel.curves:
            width = {"linewidth": 6, "alpha": 0.35} if curve.wide else {}
            axis.plot(
                curve.x, curve.y, "--" if curve.dashed else "-", label=curve.label, color=f"C{groups.index(curve.group or curve.label)}", **width
            )
        axis.set(title=panel.title, xlabel=panel.x, ylabel=panel.y, xscale="log" if "x" in panel.log else "linear", yscale="log" if "y" in panel.log else "linear")  # fmt: skip
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    figure.suptitle(f"{reproduction.paper.id}: {reproduction.paper.headline.question}", fontsize=11)
    return figure
