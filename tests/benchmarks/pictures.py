"""Draws docs/images/solvers.png and docs/images/variance.png from results/."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

from tests.benchmarks import results
from tests.benchmarks.cells import FAMILIES
from tests.benchmarks.page import best, by_cell
from tests.benchmarks.peers import scaled

IMAGES = Path(__file__).parents[2] / "docs/images"
STYLE = {"ours": ("#0b5fa5", "o", "pgtheory"), "quantecon": ("#d1495b", "s", "quantecon, best method"), "by hand": ("#6b7280", "^", "by hand, best")}
LAWS = ("#0b5fa5", "#3b9ede", "#d1495b", "#e98a5b", "#7b4fa3", "#2a9d62", "#8a8f2a")
TEXT = {"font.size": 9, "axes.titlesize": 9.5, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 150, "savefig.dpi": 150}


def draw() -> None:
    """Both pictures, as far as there are figures."""
    with plt.rc_context(TEXT):
        if by_cell("policy") or by_cell("gradient"):
            solvers()
        if any(v.get("kind") for v in results.read("laws").values()):
            variance()


def solvers() -> None:
    """Time against S, a column a structure: above the best policy, below the gradient."""
    figure, axes = plt.subplots(2, 4, figsize=(12, 6), sharex="col")
    for row, (task, label) in zip(axes, (("policy", "best policy to 1e-8"), ("gradient", "softmax policy gradient")), strict=True):
        found, triad = by_cell(task), results.read(task).get("machine", {}).get("triad")
        for axis, family in zip(row, FAMILIES, strict=True):
            panel(axis, {cell: laps for cell, laps in found.items() if laps[0]["family"] == family}, triad if task == "policy" else None)
        row[0].set_ylabel(f"{label}\nseconds")
    for axis, text in zip(axes[0], FAMILIES.values(), strict=True):
        name, _, rest = text.partition(", ")
        axis.set_title(f"{name}\n{rest}")
    for axis in axes[1]:
        axis.set_xlabel("states S")
    handles = [Line2D([], [], color=c, marker=m, label=text) for c, m, text in STYLE.values()]
    handles.append(Line2D([], [], color="#b08900", marker="*", linestyle="", label="storm or madupite, measured elsewhere and scaled"))
    handles.append(Line2D([], [], color="#444444", marker=r"$\uparrow$", linestyle="", label="over the limit of time"))
    figure.legend(handles=handles, loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(IMAGES / "solvers.png")
    plt.close(figure)


def panel(axis, cells, triad) -> None:
    """One structure."""
    for group, (color, marker, _) in STYLE.items():
        points = [(laps[0]["S"], found["seconds"]) for laps in cells.values() if (found := best(laps, group))]
        if points:
            axis.plot(*zip(*points, strict=True), color=color, marker=marker, markersize=5, linewidth=1.6, zorder=3 if group == "ours" else 2)
        for laps in cells.values():
            late = [v for v in laps if v["group"] == group and v["word"].startswith((">", "not tried"))]
            if late and best(laps, group) is None:
                axis.plot(laps[0]["S"], 20 if laps[0]["S"] >= 1e6 else 10, color=color, marker=r"$\uparrow$", markersize=9)
    for cell, laps in cells.items():
        other = scaled(cell, triad) if triad else None
        if other is not None:
            axis.plot(laps[0]["S"], other[1], color="#b08900", marker="*", markersize=8, linestyle="", zorder=1)
    axis.set(xscale="log", yscale="log")
    axis.grid(which="major", color="#e5e7eb", linewidth=0.7)
    axis.set_axisbelow(True)


def variance() -> None:
    """Seconds of each law against S, A and T, with the fitted exponents, and the textbook recursion beside the library."""
    found = [v for v in results.read("laws").values() if v.get("kind") == "growth"]
    names = list(dict.fromkeys(v["name"] for v in found))
    color = dict(zip(names, LAWS, strict=False))
    figure, axes = plt.subplots(1, 4, figsize=(12, 4.4), width_ratios=(1.35, 1, 1, 1))
    for axis, letter, what in zip(axes, "SAT", ("states S", "actions A", "steps T"), strict=False):
        for v in found:
            if v["axis"] == letter:
                x, y = zip(*v["points"], strict=True)
                axis.plot(x, y, color=color[v["name"]], marker="o", markersize=4, linewidth=1.4)
                axis.annotate(
                    f"{v['slope']:.1f}", (x[-1], y[-1]), xytext=(4, 0), textcoords="offset points", color=color[v["name"]], va="center", fontsize=8
                )
        axis.set(xscale="log", yscale="log", xlabel=what)
        axis.grid(which="major", color="#e5e7eb", linewidth=0.7)
    axes[0].set_ylabel("seconds")
    for axis, letter in zip(axes, "SAT", strict=False):
        axis.set_title(f"growth in {letter} (slope at the end)")
    against(axes[3], [v for v in results.read("laws").values() if v.get("kind") == "against"])
    handles = [Line2D([], [], color=color[name], marker="o", markersize=4, label=name) for name in names]
    figure.legend(handles=handles, loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    figure.savefig(IMAGES / "variance.png")
    plt.close(figure)


def against(axis, cases) -> None:
    """Bars: the textbook recursion and the library."""
    for i, v in enumerate(cases):
        axis.barh(i + 0.18, v["theirs"], height=0.34, color="#9ca3af")
        axis.barh(i - 0.18, v["ours"], height=0.34, color="#0b5fa5")
        axis.annotate(f"{v['theirs'] / v['ours']:.0f} times" if v["theirs"] > 9.5 * v["ours"] else f"{v['theirs'] / v['ours']:.1f} times", (v["ours"], i - 0.18), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)  # fmt: skip
    axis.set_yticks(range(len(cases)), [v["case"].replace(", ", "\n") for v in cases], fontsize=8)
    axis.set(xscale="log", xlabel="seconds", title="GAE: textbook (grey), pgtheory")
