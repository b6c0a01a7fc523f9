"""Pictures of verdicts. matplotlib is loaded here and nowhere else."""

from typing import Any

import numpy as np

from pgtheory.judging.classes import Kind
from pgtheory.tabular.errors import MissingExtra
from pgtheory.tabular.fields.group_weight import GroupWeight
from pgtheory.verdict import Verdict

COLOURS = {
    Kind.UNBIASED: "#2e7d32", Kind.SCALED: "#b28704", Kind.OBJECTIVE: "#0277bd", Kind.PRECONDITIONED: "#6a4fa3",
    Kind.BIASED: "#c62828", Kind.VACUOUS: "#6d4c41", Kind.UNDECIDED: "#757575",
}  # fmt: skip


def pyplot() -> Any:
    """matplotlib.pyplot without a display.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise MissingExtra("pictures need matplotlib: pip install 'pgtheory[plot]'.") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "figure.constrained_layout.use": True})
    return plt


def verdict_picture(v: Verdict) -> Any:
    """E[g] beside the gradient, coordinate by coordinate; with w_G(p) and Phi_G(p), or the local profile, where there are any."""
    plt = pyplot()
    panels = 1 + (2 if v.weight else 0) + (1 if v.profile else 0)
    figure, axes = plt.subplots(1, panels, figsize=(4.2 * panels, 3.4), squeeze=False)
    figure.suptitle(f"{v.name}: {v.headline.lower()}", color=COLOURS[v.kind], fontweight="bold", x=0.02, ha="left")
    rest = list(axes[0])
    mean_panel(rest.pop(0), v)
    if v.weight:
        weights = {int(G): GroupWeight(np.asarray(c)) for G, c in v.weight["coefficients"].items()}
        weight_panels(rest.pop(0), rest.pop(0), weights)
    if v.profile:
        profile_panel(rest.pop(0), v)
    return figure


def mean_panel(axis: Any, v: Verdict) -> None:
    """Bars of E[g] and of the gradient."""
    assert v.mean is not None
    assert v.gradient is not None
    x = np.arange(len(v.mean))
    axis.bar(x - 0.2, v.gradient, 0.4, label=f"gradient of {v.target}", color="#9e9e9e")
    axis.bar(x + 0.2, v.mean, 0.4, label="E[g]", color=COLOURS[v.kind])
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set_xlabel("coordinate of theta")
    axis.set_xticks(x)
    axis.legend(frameon=False, loc="best")


def weight_panels(left: Any, right: Any, weights: dict[int, GroupWeight]) -> None:
    """w_G(p), the weight of a prompt of success probability p, and Phi_G(p), what is ascended; the return and log p for comparison."""
    p = np.linspace(0, 1, 301)
    plt = pyplot()
    for number, (G, w) in enumerate(sorted(weights.items())):
        shade = plt.get_cmap("viridis")(0.9 - 0.8 * number / max(1, len(weights) - 1))
        left.plot(p, w(p), label=f"G = {G}", color=shade)
        phi = w.phi(p)
        right.plot(p, phi / phi[-1], label=f"G = {G}", color=shade)
    left.plot(p, np.ones_like(p), color="grey", linestyle="--", linewidth=1, label="return")
    limit = left.get_ylim()[1]
    inside = p > 0.02
    left.plot(p[inside], np.minimum(1 / p[inside], 2 * limit), color="grey", linestyle=":", linewidth=1, label="log p")
    left.set_ylim(0, limit * 1.1)
    right.plot(p, p, color="grey", linestyle="--", linewidth=1, label="return")
    left.set_title("weight of a prompt, w_G(p)", fontsize=9)
    right.set_title("what is ascended, Phi_G(p) / Phi_G(1)", fontsize=9)
    for axis in (left, right):
        axis.set_xlabel("success probability p")
        axis.legend(frameon=False)


def profile_panel(axis: Any, v: Verdict) -> None:
    """Weight of a token against its importance ratio."""
    assert v.profile is not None
    rho = np.asarray(v.profile["ratios"])
    axis.plot(rho, v.profile["weights_positive"], marker=".", label="A > 0")
    axis.plot(rho, v.profile["weights_negative"], marker=".", label="A < 0")
    axis.plot(rho, rho, color="grey", linestyle="--", linewidth=1, label="rho")
    axis.set_xlabel("importance ratio rho")
    axis.set_title("weight / weight at rho = 1", fontsize=9)
    axis.legend(frameon=False)


def table_picture(rows: list[Any]) -> Any:
    """All built-in estimators: angle between E[g] and grad J, and total variance, coloured by verdict."""
    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 0.19 * len(rows) + 1.2), sharey=True, width_ratios=(1, 1))
    y = np.arange(len(rows))[::-1]
    for place, row in zip(y, rows, strict=True):
        v = row.verdict
        colour = COLOURS[v.kind]
        angle = v.angle or 0.0
        left.plot([0, angle], [place, place], color=colour, linewidth=2)
        left.plot(angle, place, "o", color=colour, markersize=5)
        if v.variance and v.variance["matched"]:
            right.plot(v.variance["matched"], place, "o", color=colour, markersize=5)
    left.set_yticks(y, [row.name for row in rows], fontsize=7.5)
    left.set_ylim(-1, len(rows))
    left.set_xlabel("largest angle between E[g] and grad J, degrees")
    right.set_xlabel("total variance at matched scale")
    right.set_xscale("log")
    for axis in (left, right):
        axis.grid(axis="y", color="#eeeeee")
        axis.set_axisbelow(True)
    kinds = list(dict.fromkeys(row.verdict.kind for row in rows))
    handles = [plt.Line2D([], [], marker="o", linestyle="", color=COLOURS[k], label=k.value) for k in kinds]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    return figure
