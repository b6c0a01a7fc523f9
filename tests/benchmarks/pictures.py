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
LAWS = ("#0b5fa5", "#3b9ede", "#d1495b", "#e98a5b", "#7b4fa3", "#b39bd0", "#1f2933", "#2a9d62", "#7cc8a0", "#8a8f2a")
LATE = r"$\uparrow$"
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
    figure, axes = plt.subplots(2, len(FAMILIES), figsize=(3 * len(FAMILIES), 6), sharex="col", sharey="row")
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
    if any(line.get_marker() == LATE for axis in axes.flat for line in axis.get_lines()):
        handles.append(Line2D([], [], color="#444444", marker=LATE, linestyle="", label="over the limit of time"))
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
                axis.plot(laps[0]["S"], 20 if laps[0]["S"] >= 1e6 else 10, color=color, marker=LATE, markersize=9)
    for cell, laps in cells.items():
        other = scaled(cell, triad) if triad else None
        if other is not None:
            axis.plot(laps[0]["S"], other[1], color="#b08900", marker="*", markersize=8, linestyle="", zorder=1)
    axis.set(xscale="log", yscale="log")
    sizes = [laps[0]["S"] for laps in cells.values()]
    if len(sizes) > 1 and max(sizes) < 10 * min(sizes):
        plain_ticks(axis, sizes)
    axis.grid(which="major", color="#e5e7eb", linewidth=0.7)
    axis.set_axisbelow(True)


def variance() -> None:
    """Seconds of each law against S, A and T, with lines of slope 1 and 2 for the eye, and the textbook recursion beside the library."""
    found = [v for v in results.read("laws").values() if v.get("kind") == "growth"]
    names = list(dict.fromkeys(v["name"] for v in found))
    color = dict(zip(names, LAWS, strict=False))
    figure, axes = plt.subplots(1, 4, figsize=(12, 4.9), width_ratios=(1.35, 1, 1, 1.15))
    for axis, letter, what in zip(axes, "SAT", ("states S", "actions A", "steps T"), strict=False):
        curves = [v for v in found if v["axis"] == letter]
        for v in curves:
            axis.plot(*zip(*v["points"], strict=True), color=color[v["name"]], marker="o", markersize=4, linewidth=1.4)
        axis.set(xscale="log", yscale="log", xlabel=what, title=f"growth in {letter}")
        if letter != "S":
            plain_ticks(axis, sorted({x for v in curves for x, _ in v["points"]}))
        for slope in sorted({v["stated"][0] for v in curves}):
            guide(axis, [v["points"] for v in curves if v["stated"][0] == slope], slope)
        axis.grid(which="major", color="#e5e7eb", linewidth=0.7)
    axes[0].set_ylabel("seconds")
    against(axes[3], [v for v in results.read("laws").values() if v.get("kind") == "against"])
    handles = [Line2D([], [], color=color[name], marker="o", markersize=4, label=name) for name in names]
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=8)
    figure.tight_layout(rect=(0, 0.18, 1, 1))
    figure.savefig(IMAGES / "variance.png")
    plt.close(figure)


def plain_ticks(axis, values) -> None:
    """The sizes that were measured, as plain numbers."""
    axis.set_xticks(values, [str(x) for x in values])
    axis.minorticks_off()


def guide(axis, curves, slope) -> None:
    """A dashed line of this slope above the curves that should have it."""
    x0, x1 = min(c[0][0] for c in curves), max(c[-1][0] for c in curves)
    y1 = 2.2 * max(c[-1][1] for c in curves)
    axis.plot((x0, x1), (y1 * (x0 / x1) ** slope, y1), color="#9ca3af", linestyle="--", linewidth=1)
    axis.annotate(f"slope {slope}", (x1, y1), xytext=(0, 3), textcoords="offset points", ha="right", va="bottom", color="#6b7280", fontsize=8)


def against(axis, cases) -> None:
    """The textbook recursion and the library, a line a case."""
    for i, v in enumerate(cases):
        axis.plot((v["ours"], v["theirs"]), (i, i), color="#c7cbd1", linewidth=2, zorder=1)
        axis.plot(v["theirs"], i, color="#6b7280", marker="s", markersize=7)
        axis.plot(v["ours"], i, color="#0b5fa5", marker="o", markersize=7)
        times = v["theirs"] / v["ours"]
        axis.annotate(f"{times:.0f} times" if times > 9.5 else f"{times:.1f} times", ((v["ours"] * v["theirs"]) ** 0.5, i), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axis.set_yticks(range(len(cases)), [v["case"].replace(", ", "\n") for v in cases], fontsize=8)
    axis.set(xscale="log", xlabel="seconds", title="covariance of GAE", ylim=(-0.5, len(cases) + 0.1))
    handles = [
        Line2D([], [], color=c, marker=m, linestyle="", label=text) for c, m, text in (("#6b7280", "s", "textbook"), ("#0b5fa5", "o", "pgtheory"))
    ]
    axis.legend(handles=handles, frameon=False, fontsize=8, loc="upper left", ncols=2)
    axis.grid(axis="x", color="#e5e7eb", linewidth=0.7)
