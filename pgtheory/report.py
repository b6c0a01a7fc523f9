"""Verdicts and tables as text, HTML and rich renderables."""

from collections.abc import Collection, Iterator, Mapping
from html import escape
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pgtheory.judging.classes import Kind
from pgtheory.verdict import Verdict

COLOURS = {
    Kind.UNBIASED: "green", Kind.SCALED: "yellow", Kind.OBJECTIVE: "cyan", Kind.PRECONDITIONED: "cyan",
    Kind.BIASED: "red", Kind.VACUOUS: "red", Kind.UNDECIDED: "magenta",
}  # fmt: skip

TINY = 1e-14
"""A variance below is printed as zero: numbers here are of order one."""

SHOWN = 6
"""Coordinates of a gradient that are printed."""


def lines(v: Verdict) -> Iterator[tuple[str, str]]:
    """The lines of a verdict as (label, text), the answer first."""
    how = "exact" if v.exact else "Monte Carlo"
    yield v.headline, f"{v.name} {sentence(v)}   [{v.count} data sets, {how}]"
    yield "target", f"{v.target} of the current policy"
    if v.scale is not None:
        reason = f": {v.scale['reason']}" if v.scale["reason"] else (" (a convention)" if v.scale["convention"] and v.scale["text"] != "1" else "")
        yield "scale", f"E[g] = c gradient with c = {v.scale['text']}{reason}"
    if v.mean is not None and v.gradient is not None and v.kind is not Kind.UNBIASED:
        yield "E[g]", vector(v.mean)
        yield "gradient", vector(v.gradient)
    if v.scale is None and v.angle is not None and v.kind is not Kind.VACUOUS:
        yield "direction", f"largest angle {v.angle:.3g} degrees; |E[g] - c gradient| / |E[g]| = {v.bias:.3g} at its worst"
    if v.downhill is not None:
        point = ", ".join(f"{p:g}" for p in v.downhill["probabilities"])
        yield "downhill", f"<E g, gradient> < 0 (cosine {v.downhill['cosine']:.3g}) on {v.downhill['world']} where pi(0|s) = {point}"
    if v.objective is not None:
        yield "objective", f"E[g] is the gradient of {v.objective['text']}   (residual {v.objective['residual']:.1e} on held-out points)"
    if v.weight is not None:
        yield "w_G(p)", v.weight["text"]
    if v.identity is not None:
        yield "closed form", v.identity
    if v.preconditioner is not None:
        yield "E[g] = M grad", v.preconditioner
    if v.conservative is not None and v.kind not in (Kind.UNBIASED, Kind.SCALED):
        yield "field", field_text(v)
    if v.variance is not None:
        yield "variance", variance_text(v.variance)
    happened = [f"{name} {probability:.6g}" for name, probability in v.events.items() if probability > 0]
    if happened:
        yield "probability of", "; ".join(happened)
    if v.profile is not None:
        yield "profile", f"A > 0: {v.profile['positive']}; A < 0: {v.profile['negative']}   = {v.profile['method']}"
    if v.counterexample is not None:
        yield "smallest", counterexample_text(v.counterexample)
        yield "", v.counterexample["command"]
    for cause in v.causes:
        yield "cause", cause["text"]
    for cure in v.cures:
        yield "cure", f"{cure['text']}   (tried: unbiased)"
    for note in v.notes:
        yield "note", note
    for binding in v.bindings:
        yield "bound", binding


def sentence(v: Verdict) -> str:
    """The answer in words."""
    match v.kind:
        case Kind.UNBIASED:
            return f"is unbiased for the gradient of {v.target}"
        case Kind.SCALED:
            return f"is unbiased for the gradient of {v.target} up to the constant c"
        case Kind.OBJECTIVE:
            return f"is not unbiased for {v.target}: it is the exact gradient of {objective_text(v)}"
        case Kind.PRECONDITIONED:
            known = "unknown" not in (v.preconditioner or "unknown")
            return (
                f"is a preconditioned gradient of {v.target}"
                if known
                else f"is not unbiased for {v.target}; its mean has a positive inner product with the gradient wherever tried"
            )
        case Kind.VACUOUS:
            return "has mean zero everywhere: it teaches nothing"
        case Kind.UNDECIDED:
            return "could not be decided: no bias was seen, and none was excluded"
    if v.events.get("not finite"):
        return f"is not finite on some data sets (probability {v.events['not finite']:.6g}): its mean does not exist"
    if v.scale is not None and v.scale["value"] < 0:
        return f"points downhill: it is minus the gradient of {v.target}"
    return f"is not unbiased for the gradient of {v.target}"


def objective_text(v: Verdict) -> str:
    """The objective whose gradient E[g] is: the closed form for all group sizes where it has a name, else the catalogue's."""
    if v.objective and v.objective["all_rewards"]:
        return v.objective["text"]
    if v.weight and v.weight["name"]:
        return f"{v.weight['name']} (rewards 0 and 1)"
    if v.objective:
        return v.objective["text"]
    return "Phi_G(p), a function of the success probability"


def vector(x: Collection[float]) -> str:
    """The first coordinates of a vector."""
    shown = "  ".join(f"{value: .6f}" for value in list(x)[:SHOWN])
    return shown + ("  ..." if len(x) > SHOWN else "")


def field_text(v: Verdict) -> str:
    """Whether E[g] is a gradient, with the evidence."""
    evidence = f"   (curl {v.curl['curl']:.1e}, error {v.curl['error']:.1e}, on {v.curl['world']})" if v.curl else ""
    return ("the gradient of some function" if v.conservative else "not the gradient of anything") + evidence


def variance_text(found: Mapping[str, Any]) -> str:
    """Total variance beside its references."""
    names = [n for n in found if n not in ("world", "total", "matched", "scale", "batches_for_10_percent")]
    own = f"{found['matched']:.6g} at matched scale" if found["matched"] is not None else f"{found['total']:.6g} as it is (no common scale)"
    parts = [own] + [f"{name} {found[name] if found[name] > TINY else 0:.6g}" for name in names]
    needed = found.get("batches_for_10_percent")
    if needed is not None:
        parts.append(f"{needed:.3g} batches for a 10 % error")
    return "; ".join(parts)


def counterexample_text(found: Mapping[str, Any]) -> str:
    """World and both sides at the worst coordinate."""
    i = found["coordinate"]
    left = found["mean_fraction"] or f"{found['mean'][i]:.12g}"
    right = found["gradient_fraction"] or f"{found['gradient'][i]:.12g}"
    return f"{found['world']} ({found['datasets']} data sets): E[g][{i}] = {left}, gradient {right}"


def as_rich(v: Verdict) -> Group:
    """A verdict as rich renderables: the answer on a line of its own, then a grid."""
    (headline, answer), *rest = lines(v)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, min_width=14)
    grid.add_column(overflow="fold")
    for label, text in rest:
        dim = "dim" if label in ("bound", "note") else ""
        grid.add_row(Text(f"  {label}", style=dim or "bold"), Text(text, style=dim))
    return Group(Text(f"{headline}  {answer}", style=f"bold {COLOURS[v.kind]}"), grid)


def as_text(v: Verdict) -> str:
    """A verdict as plain text."""
    return "\n".join(f"{label:<16}{text}" if number else f"{label}  {text}" for number, (label, text) in enumerate(lines(v)))


def as_html(v: Verdict) -> str:
    """A verdict as an HTML table, for notebooks."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(label)}</th><td style='text-align:left'>{escape(text)}</td></tr>" for label, text in lines(v)
    )
    return f"<table>{rows}</table>"
