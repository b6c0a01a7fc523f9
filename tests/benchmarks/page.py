"""Writes the tables of docs/performance.md from results/: what stands between `<!-- table: NAME -->` and `<!-- end -->` is replaced, the rest is the author's."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks import results
from tests.benchmarks.cells import FAMILIES
from tests.benchmarks.peers import scaled

PAGE = Path(__file__).parents[2] / "docs/performance.md"
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewrite() -> None:
    """Replace every block of the page."""
    PAGE.write_text(BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], PAGE.read_text()))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown; figures stand to the right."""
    head = list(head)
    line = lambda cells: "| " + " | ".join(cells) + " |\n"
    return line(head) + line(["---", *["---:"] * (len(head) - 1)]) + "".join(map(line, rows))


def duration(seconds: float) -> str:
    """Two digits that say something, with a unit: 0.31 ms, 12 ms, 1.2 s."""
    value, unit = (seconds, "s") if seconds >= 0.9995 else (1e3 * seconds, "ms")
    digits = max(0, 1 - math.floor(math.log10(float(f"{value:.2g}"))))
    return f"{value:.{digits}f} {unit}"


def machine(part: str) -> str:
    """One line on what a part was measured on."""
    found = results.read(part).get("machine")
    if found is None:
        return "Not measured yet.\n"
    packages = ", ".join(f"{name} {number}" for name, number in found["packages"].items() if number != "not installed")
    triad = f", triad {found['triad']} GB/s" if "triad" in found else ""
    return f"{found['cores']} cores {found['architecture']}, load {found['load']} at the start{triad}; Python {found['python']}, {packages}.\n"


def figures(part: str) -> str:
    """Figure, measured, target, reached."""
    word = {True: "yes", False: "**no**", None: ""}
    rows = [(key, v["measured"], v["target"], word[v["reached"]]) for key, v in results.read(part).items() if key != "machine"]
    return machine(part) + "\n" + table(("figure", "measured", "target", "reached"), rows)


# Laws


def against() -> str:
    """The library beside the textbook recursion."""
    rows = [
        (v["case"], duration(v["theirs"]), duration(v["ours"]), f"{v['theirs'] / v['ours']:.1f}", f"{v['distance']:.0e}")
        for v in results.read("laws").values()
        if v.get("kind") == "against"
    ]
    return machine("laws") + "\n" + table(("covariance of GAE", "textbook recursion", "pgtheory", "times faster", "they differ by"), rows)


def growth() -> str:
    """Fitted and stated exponents, one law a line."""
    found: dict[str, dict] = {}
    for v in results.read("laws").values():
        if v.get("kind") == "growth":
            found.setdefault(v["name"], {})[v["axis"]] = v
    rows = []
    for name, axes in found.items():
        fitted = [f"{axes[x]['slope']:.1f} ({' to '.join(map(str, dict.fromkeys(axes[x]['stated'])))})" if x in axes else "" for x in "SAT"]
        largest, took = axes["S"]["points"][-1]
        _, A, T = axes["S"]["base"]
        rows.append((name, *fitted, f"{duration(took)} at S = {largest}, A = {A}" + (f", T = {T}" if T else "")))
    text = table(("law", "in S", "in A", "in T", "largest in S"), rows)
    for v in results.read("laws").values():
        if v.get("kind") == "memory":
            text += f"\nAlong a direction, S = {v['S']}, A = 4, T = {v['T']}: {duration(v['seconds'])} and {v['memory']:.0f} MB at the peak; one vector of S numbers is {v['vector']:.1f} MB.\n"  # fmt: skip
    return text


# Solvers and gradients


def by_cell(task: str) -> dict[str, list[dict]]:
    """Cell -> what each competitor did, in the order of the families and sizes."""
    found: dict[str, list[dict]] = {}
    for key, v in results.read(task).items():
        if key != "machine":
            found.setdefault(v["cell"], []).append(v)
    order = list(FAMILIES)
    return dict(sorted(found.items(), key=lambda item: (order.index(item[1][0]["family"]), item[1][0]["size"])))


def best(laps: list[dict], group: str) -> dict | None:
    """The fastest right answer of a group."""
    right = [v for v in laps if v["group"] == group and v.get("right") and v["seconds"]]
    return min(right, key=lambda v: v["seconds"], default=None)


def rival(laps: list[dict]) -> dict | None:
    """The best right answer of anybody else."""
    return min((v for group in ("quantecon", "by hand") if (v := best(laps, group))), key=lambda v: v["seconds"], default=None)


def ratio(laps: list[dict]) -> float | None:
    """Seconds of the library over those of the best right answer of anybody else."""
    ours, other = best(laps, "ours"), rival(laps)
    return ours["seconds"] / other["seconds"] if ours and other else None


def entry(laps: list[dict], group: str) -> str:
    """Time and name of the best of a group, or why there is none."""
    found = best(laps, group)
    if found is not None:
        label = found["method"] if group == "ours" else found["name"].removeprefix("quantecon ")
        return f"{duration(found['seconds'])} {label}".strip()
    words = {v["word"].partition(":")[0] for v in laps if v["group"] == group and v["word"]}
    limits = [w for w in words if w.startswith(">")]
    return limits[0] if limits else "not installed" if words == {"not installed"} else "none in time" if words else "none right"


def race_table(task: str) -> str:
    """One cell a line: the library, the best of quantecon (policies only), the best by hand, figures from elsewhere, the ratio."""
    triad = results.read(task).get("machine", {}).get("triad")
    head, rows = ["problem", "S", "pgtheory", "its true error", "best of quantecon", "best by hand", "elsewhere, scaled", "ours / best"], []
    for cell, laps in by_cell(task).items():
        ours, other, r = best(laps, "ours"), scaled(cell, triad), ratio(laps)
        mine = next((v for v in laps if v["group"] == "ours"), {})
        error = f"{mine['bound']:.0e}" if mine.get("bound") is not None else ""
        elsewhere = f"{duration(other[1])} {other[0]}" if other else ""
        mark = "" if r is None else f"{r:.2f}" if r <= 2 else f"**{r:.1f}**"
        row = [cell, str(laps[0]["S"]), entry(laps, "ours") if ours else f"**{mine.get('word') or 'wrong'}**", error, entry(laps, "quantecon"), entry(laps, "by hand"), elsewhere, mark]  # fmt: skip
        rows.append(row)
    if task == "gradient":
        keep = [i for i, name in enumerate(head) if name not in ("best of quantecon", "elsewhere, scaled")]
        head, rows = [head[i] for i in keep], [[row[i] for i in keep] for row in rows]
    return machine(task) + "\n" + table(head, rows) + "\n" + verdict(task)


def verdict(task: str) -> str:
    """What is lost, in words."""
    ratios = {cell: r for cell, laps in by_cell(task).items() if (r := ratio(laps)) is not None}
    more = lambda laps: duration(best(laps, "ours")["seconds"] - rival(laps)["seconds"])  # type: ignore[index]
    lost = [f"{cell} ({r:.1f} times, {more(by_cell(task)[cell])} more)" for cell, r in ratios.items() if r > 2]
    close = [f"{cell} ({r:.1f})" for cell, r in ratios.items() if 1.05 < r <= 2]
    wrong = [f"{v['name']} on {cell} (error {v['bound']:.0e})" for cell, laps in by_cell(task).items() for v in laps if v.get("right") is False]
    say = lambda what, found: f"- {what}: {'; '.join(found) if found else 'none'}.\n"
    elsewhere = [f"{cell} ({name} {duration(seconds)}, ours {duration(ours)})" for cell, name, seconds, ours in faster_elsewhere(task)]
    return (
        say("Cells in which the library takes more than twice as long as the best right answer", lost)
        + say("Cells in which something else is faster, by less than that", close)
        + say("Answers that were fast or slow but wrong", wrong)
        + (say("Cells in which a figure from elsewhere, scaled, is smaller", elsewhere) if task == "policy" else "")
    )


def faster_elsewhere(task: str) -> list[tuple[str, str, float, float]]:
    """Cells in which a figure from elsewhere, scaled by the bandwidth, is below that of the library: cell, name, seconds, seconds of the library."""
    triad, found = results.read(task).get("machine", {}).get("triad"), []
    for cell, laps in by_cell(task).items():
        ours, other = best(laps, "ours"), scaled(cell, triad) if triad else None
        if ours and other and other[1] < ours["seconds"]:
            found.append((cell, *other, ours["seconds"]))
    return found


def everybody(task: str) -> str:
    """All competitors in all cells."""
    rows = []
    for cell, laps in by_cell(task).items():
        for v in laps:
            took = duration(v["seconds"]) if v["seconds"] else v["word"]
            bound = "" if v.get("bound") is None else f"{v['bound']:.0e}" + ("" if v["right"] else " **wrong**")
            rows.append((cell, v["name"], took, bound))
    return "<details><summary>Everybody in every cell</summary>\n\n" + table(("problem", "who", "time", "true error"), rows) + "\n</details>\n"


TABLES = {
    "check": lambda: figures("check"),
    "enumeration": lambda: figures("enumeration"),
    "laws-against": against,
    "laws-growth": growth,
    "policy": lambda: race_table("policy"),
    "policy-all": lambda: everybody("policy"),
    "gradient": lambda: race_table("gradient"),
    "gradient-all": lambda: everybody("gradient"),
}
