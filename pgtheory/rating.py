"""An update on a problem beside a theorem: what `pgtheory rate` and `assert_rate` find."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from textwrap import fill
from typing import Any, Literal

import numpy as np
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from pgtheory.functions.load import load_target
from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.dynamics.mirror import PolicyIteration
from pgtheory.tabular.dynamics.running import Run, run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.updates import Ascent, FunctionUpdate, State, Update
from pgtheory.tabular.errors import InvalidArgument, PgtheoryError, UserFunctionError
from pgtheory.tabular.models.problems import problem as problem_named
from pgtheory.tabular.rates.fit import Rate, change_point, identify
from pgtheory.tabular.rates.registry import THEOREMS, theorem_named
from pgtheory.tabular.rates.sameness import Sameness, compare
from pgtheory.tabular.rates.theorem import Outcome, Theorem, hold
from pgtheory.tabular.spelling import did_you_mean

Answer = Literal["HOLDS", "REFUTED", "NOT COVERED", "MEASURED"]
STYLE = {"HOLDS": "bold green", "REFUTED": "bold red", "NOT COVERED": "bold yellow", "MEASURED": "bold"}

BUILTIN = {
    "gradient": "softmax", "gradient-entropy": "softmax-entropy", "natural": "natural", "natural-entropy": "natural-entropy", "mirror": "mirror",
    "mirror-euclidean": "mirror-euclidean", "mirror-growing": "mirror-growing", "projected": "projected", "policy-iteration": "policy-iteration",
    "normalised": "normalised", "polyak": "polyak-bandit", "bandit-gradient": "softmax-bandit", "reinforce": "reinforce", "signal-to-noise": "signal-to-noise",
    "recursive-momentum": "recursive-momentum", "implicit-transport": "implicit-transport", "backward": "backward", "backward-rollouts": "backward-rollouts",
}  # fmt: skip
"""Update on the command line -> the theorem that says how it is run."""

SMALL, MIDDLE, LARGE = (
    f"sparse-garnet/{shape},b=3,gamma={gamma},seed=0" for shape, gamma in (("S=3,A=3", 0.3), ("S=10,A=4", 0.5), ("S=10,A=4", 0.9))
)

EXAMPLES: dict[str, tuple[str, int]] = {
    # A discount that is not close to 1: the step (1-gamma)^3/8 then shows its 1/t within the run.
    "softmax": (SMALL, 6000), "softmax-lojasiewicz": (SMALL, 2000), "softmax-entropy": (SMALL, 4000), "projected": (SMALL, 2000), "gradient-domination": (SMALL, 2000),
    "softmax-bandit": ("bandit/K=3", 2000), "softmax-bandit-lower": ("bandit/K=3", 2000), "lock-plateau": ("lock/8", 200), "slow-chain": ("slow-chain/3", 200),
    "natural": (MIDDLE, 1000), "mirror": (MIDDLE, 1000), "mirror-euclidean": (LARGE, 200), "mirror-growing": (LARGE, 150), "natural-entropy": (LARGE, 20),
    "trust-region": (LARGE, 100), "natural-improves": (LARGE, 100), "performance-difference": (LARGE, 100),
    "policy-iteration": ("sparse-garnet/S=100,A=10,b=3,gamma=0.9,seed=0", 6), "normalised": (SMALL, 30), "polyak-bandit": ("bandit/K=2", 20), "committal": ("bandit/K=2", 60),
    "reinforce": ("bandit/K=2", 12), "signal-to-noise": ("bandit/K=2", 12), "recursive-momentum": ("bandit/K=2", 12), "implicit-transport": ("bandit/K=2", 12), "recursive-momentum-commits": ("bandit/K=2", 12),
    "implicit-transport-commits": ("bandit/K=2", 12),
    "backward": ("lock/4", 80), "backward-rollouts": ("lock/2", 30),
}  # fmt: skip
"""Theorem -> the problem and the number of steps on which it is shown unless others are given."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Rating:
    """What was found.

    Attributes:
        update, problem: names.
        answer: HOLDS, REFUTED (the bound is violated, the update goes the opposite way, or no theorem was asked for and the gap grows), NOT COVERED (an assumption
            fails: the theorem says nothing), MEASURED (no theorem was asked for).
        run: what was recorded.
        rate: the rate that the gaps show.
        plateau: the step at which a plateau turns into the asymptote, if a line with a break fits.
        outcome: the theorem on the run, if one was asked for.
        same: how a function of the user's compares with the theorem's update.
        reason: why the answer is not HOLDS.
    """

    update: str
    problem: str
    answer: Answer
    run: Run
    rate: Rate
    plateau: int | None = None
    outcome: Outcome | None = None
    same: Sameness | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """Of what was rated."""
        return self.update

    @property
    def headline(self) -> str:
        """The answer."""
        return self.answer

    def __str__(self) -> str:
        console = Console(width=150, file=StringIO())
        console.print(self.as_rich())
        return console.file.getvalue()  # type: ignore[attr-defined]

    @property
    def exit_code(self) -> int:
        """0 holds or measured, 1 refuted, 3 not covered."""
        return {"HOLDS": 0, "MEASURED": 0, "REFUTED": 1, "NOT COVERED": 3}[self.answer]

    def to_dict(self) -> dict[str, Any]:
        """Everything in types that JSON knows; the run thinned to about 50 steps a decade."""
        outcome, rows = self.outcome, thinned(self.run.t)
        found: dict[str, Any] = {
            "update": self.update, "problem": self.problem, "answer": self.answer, "exit_code": self.exit_code, "reason": self.reason,
            "rate": {"kind": self.rate.kind, "text": self.rate.text, "exponent": clean(self.rate.exponent), "factor": clean(self.rate.factor)},
            "plateau": self.plateau, "theorem": None, "same": None,
            "run": {"t": self.run.t[rows].tolist(), "value": clean(self.run.value[rows, 0]), "gap": clean(np.asarray(self.run.gap)[rows, 0])},
        }  # fmt: skip
        if outcome is not None:
            keep = thinned(outcome.t)
            found["theorem"] = {
                "id": outcome.theorem.id, "name": outcome.theorem.name, "statement": outcome.theorem.statement, "of": outcome.theorem.of, "source": outcome.theorem.source,
                "assumptions": {name: bool(so[0]) for name, so in outcome.assumptions.items()},
                "constants": {name: clean(x)[0] for name, x in outcome.constants.items()},
                "holds": bool(outcome.certificate.holds[0]), "violated": int(outcome.certificate.violated[0]),
                "tightness": clean(outcome.certificate.tightness)[0], "t": outcome.t[keep].tolist(), "bound": clean(outcome.bound[keep, 0]),
                "quantity": clean(outcome.quantity[keep, 0]),
            }  # fmt: skip
        if self.same is not None:
            found["same"] = {"kind": self.same.kind, "factor": clean(self.same.factor[:, 0]), "residual": clean(self.same.residual[:, 0])}
        return found

    def as_rich(self) -> Group:
        """The answer first, then the theorem, its constants, the rate, and the run by decades."""
        lines = [Text.assemble((self.answer, STYLE[self.answer]), f"  {self.update} on {self.problem}, {self.run.t[-1]} steps")]
        add = lambda label, text: lines.append(Text.assemble((f"  {label:<12} ", "bold"), text))
        if self.reason:
            add("because", self.reason)
        if self.outcome is not None:
            theorem, certificate = self.outcome.theorem, self.outcome.certificate
            add("theorem", f"{theorem.id} {theorem.name}: {theorem.statement}")
            add("source", theorem.source)
            for name, so in self.outcome.assumptions.items():
                add("assumes", f"{name}: {'yes' if so[0] else 'see update' if excused(name, self.same) else 'NO'}")
            add("constants", "  ".join(f"{name} = {float(x[0]):.4g}" for name, x in self.outcome.constants.items()) or "none")
            if np.isfinite(certificate.tightness[0]):
                add("tightness", f"{certificate.tightness[0]:.3g} of the bound at the end, {certificate.closest[0]:.3g} where it is closest")
        if self.same is not None:
            add("update", sentence(self.same))
        add("rate", self.rate.text + (f"; the plateau ends at step {self.plateau}" if self.plateau else ""))
        return Group(*lines, Text(), self._table())

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        outcome = self.outcome
        bounded = [] if outcome is None else ["bound"] if outcome.theorem.of == "gap" else [outcome.theorem.of, "bound"]
        for name in ("t", "value", "gap", "|gradient|", *bounded):
            table.add_column(name, justify="right")
        t = self.run.t
        shown = sorted(
            {0, len(t) - 1, *(int(np.searchsorted(t, x)) for x in 10.0 ** np.arange(0, np.log10(max(t[-1], 1)) + 0.01))} & set(range(len(t)))
        )
        for k in shown:
            row = [str(t[k]), f"{self.run.value[k, 0]:.8g}", f"{np.asarray(self.run.gap)[k, 0]:.3e}", f"{self.run.gradient_norm[k, 0]:.3e}"]
            if outcome is not None:
                at = np.flatnonzero(outcome.t == t[k])
                sides = [outcome.bound] if outcome.theorem.of == "gap" else [outcome.quantity, outcome.bound]
                row += [f"{side[at[0], 0]:.3e}" if len(at) else "" for side in sides]
            table.add_row(*row)
        return table


def rate(
    update: object,
    *,
    problem: object = None,
    theorem: str | Theorem | None = None,
    steps: int | None = None,
    gamma: float | None = None,
    theta: np.ndarray | None = None,
    name: str = "",
    progress: Callable[[State], None] | None = None,
) -> Rating:
    """Run an update with exact gradients and hold a theorem against it.

    Args:
        update: name of a built-in one, an `Update` (`training.training_step` makes one of a loss and a torch optimiser), a function theta (S, A) -> theta, or
            "file.py:function".
        problem: id of a problem, or a model; default that of `EXAMPLES` for a built-in update.
        theorem: its name or id; default that of a built-in update, none for others. A built-in update of the theorem's own kind takes the theorem's step.
        steps: number of steps; default that of `EXAMPLES` if the problem is too, else 1000.
        gamma: another discount.
        theta: first point; default that of the theorem.
        name: what to call the update.

    Raises:
        InvalidArgument: an unknown update or theorem, a problem that the dynamics cannot run.
        UserFunctionError, NotConverged: as `run`.
    """
    if isinstance(update, str) and ":" in update:
        update, title, _ = load_target(update)
        name = name or title
    if isinstance(update, str) and update not in BUILTIN:
        hint = theorem_meant(update) or did_you_mean(update, BUILTIN) or f" There are: {', '.join(BUILTIN)}."
        raise InvalidArgument(f"no built-in update is called {update!r}.{hint} For one of your own give path/to/file.py:function.")
    if not isinstance(update, str) and not callable(update) and not hasattr(update, "step"):
        raise InvalidArgument(f"update is {update!r}, expected the name of a built-in one, an Update, or a function theta (S, A) -> theta.")
    frame = THEOREMS[BUILTIN[update]] if isinstance(update, str) else None
    chosen = frame if theorem is None else named(theorem)
    shown, length = EXAMPLES.get(chosen.name, (LARGE, 1000)) if frame is not None and chosen is not None else (LARGE, 1000)
    steps = require_count("steps", steps if steps is not None else length if problem is None else 1000)
    default, problem = problem is None, shown if problem is None else problem
    problem_name = problem if isinstance(problem, str) else type(problem).__name__
    name = name or (update if isinstance(update, str) else getattr(update, "__name__", type(update).__name__))
    own: Any
    with naming(problem_name, default=default and frame is None):
        stack = stacked(problem, gamma)
        own = framed(frame, chosen, stack) if frame is not None else update if hasattr(update, "step") else FunctionUpdate(alone(update))  # type: ignore[arg-type]
        record = "all" if steps <= 20_000 else "log"
        if chosen is None:
            setting = THEOREMS["natural"].setting(stack)
            found = run(own, setting.oracle, setting.theta if theta is None else theta, steps, record=record, progress=progress)
            shown = measured(found)
            grows = "the gap grows: a wrong sign, or steps that are too large" if shown["rate"].kind == "growing" else ""
            return Rating(update=name, problem=problem_name, answer="REFUTED" if grows else "MEASURED", run=found, reason=grows, **shown)
        start = chosen.setting(stack).theta if theta is None else theta
        same = None if isinstance(update, str) or isinstance(own, Ascent | PolicyIteration) else compare_with(own, chosen, stack, start)
        if same is not None and same.kind == "rescaled" and np.ptp(same.factor) < 1e-8 and chosen.rescaled is not None:
            chosen = chosen.rescaled(float(same.factor[0, 0]))
        outcome = hold(chosen, stack, steps, update=own, theta=start, record=record, progress=progress)
        answer, reason = judged(outcome, same)
        return Rating(
            update=name, problem=problem_name, answer=answer, run=outcome.run, outcome=outcome, same=same, reason=reason, **measured(outcome.run)
        )


def alone(function: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], Any]:
    """A function of one theta (S, A) as one of a stack of one; what is no array is handed on as it is."""

    def stacked(theta: np.ndarray) -> Any:
        found = function(theta[0])
        return found if found is None or isinstance(found, str) else [found]

    return stacked


def framed(frame: Theorem, chosen: Theorem | None, stack: Stack) -> Update:
    """The update of the chosen theorem if it is of the kind of the update's own theorem, as seen on the example of that one, else the latter."""
    if chosen is not None and chosen is not frame:
        other = chosen.setting(stack).update
        if type(other) is type(frame.setting(stacked(EXAMPLES[frame.name][0], None)).update):
            return other
    return frame.setting(stack).update


@contextmanager
def naming(problem: str, *, default: bool = False) -> Iterator[None]:
    """Errors about problem 0 of a stack of one call it by its name, and those of a user's function say so if it is one that nobody chose."""
    try:
        yield
    except PgtheoryError as reason:
        text = str(reason).replace("problem 0", problem)
        if default and isinstance(reason, UserFunctionError):
            text += f" No problem was given; the update was run on {problem}. Give the one that it is written for."
        reason.args = (text, *reason.args[1:])
        raise


def stacked(problem: object, gamma: float | None) -> Stack:
    """A problem, by its id or as a model, as a stack of one."""
    stack = Stack.of([problem_named(problem) if isinstance(problem, str) else problem])
    return stack if gamma is None else Stack(P=stack.P, r=stack.r, mu=stack.mu, gamma=np.array([gamma]))


def named(theorem: str | Theorem) -> Theorem:
    """A theorem, by value or by name."""
    return theorem if isinstance(theorem, Theorem) else theorem_named(theorem)


def theorem_meant(name: str) -> str:
    """If a theorem has this name or id: what to write instead, as a sentence after a space; else empty."""
    for theorem in THEOREMS.values():
        if name in (theorem.name, theorem.id):
            update = next((update for update, framed in BUILTIN.items() if framed == theorem.name), "UPDATE")
            return f" It is a theorem: rate {update} --theorem {theorem.name}."
    return ""


def compare_with(update: Update, theorem: Theorem, stack: Stack, theta: np.ndarray) -> Sameness:
    """A function of the user's beside the update that the theorem is about."""
    setting = theorem.setting(stack)
    return compare(update, setting.update, setting.oracle, theta)


def judged(outcome: Outcome, same: Sameness | None) -> tuple[Answer, str]:
    """The answer, and why. What a theorem asks of the step is settled for a user's function by comparing it with the theorem's update."""
    alike = same is not None and same.kind in ("same", "rescaled")
    failing = [name for name, so in outcome.assumptions.items() if not so[0] and not excused(name, same)]
    if failing:
        return "NOT COVERED", f"the theorem assumes {'; '.join(failing)}, which is not so here"
    if same is not None and same.kind == "backwards":
        return "REFUTED", "the update goes the opposite way: a wrong sign"
    if not outcome.certificate.holds[0]:
        what = "" if alike or same is None else " (the update is not that of the theorem)"
        return "REFUTED", f"the bound is violated at step {outcome.certificate.violated[0]}{what}"
    return "HOLDS", ""


def excused(assumption: str, same: Sameness | None) -> bool:
    """Whether it is one on the step, which of a user's function is settled by the comparison."""
    return same is not None and assumption.startswith("step")


def sentence(same: Sameness) -> str:
    """How the user's update compares with the theorem's, in words."""
    low, high = float(same.factor.min()), float(same.factor.max())
    number = f"{low:.6g}" if np.isclose(low, high, rtol=1e-8) else f"between {low:.4g} and {high:.4g}"
    return {
        "same": "makes the same policies as the theorem's update",
        "rescaled": f"goes along the theorem's direction with a step {number} times as long; the bound is that of this step where the theorem has one",
        "backwards": f"goes against the theorem's direction (factor {number}): a wrong sign",
        "other": f"goes in another direction than the theorem's update (residual {float(same.residual.max()):.2g})",
    }[same.kind]


def measured(found: Run) -> dict[str, Any]:
    """The rate of the gaps, and where a plateau ends."""
    gap, floor = np.asarray(found.gap)[:, 0], 64 * 2.0**-53 * float(abs(found.value).max())
    shown = identify(gap, found.t, floor=floor)
    positive = gap > floor
    ends = change_point(gap[positive], found.t[positive]) if shown.kind == "power" and positive[1:].sum() > 20 else None
    return {"rate": shown, "plateau": ends}


def thinned(t: np.ndarray) -> np.ndarray:
    """Numbers of about 50 recorded steps a decade."""
    if len(t) < 100:
        return np.arange(len(t))
    return np.unique(np.concatenate([[0], np.searchsorted(t, np.geomspace(1, t[-1], 1 + round(50 * np.log10(t[-1]))))]))


def clean(x: Any) -> list[float | None]:
    """Numbers, None in the place of what is not finite."""
    return [float(y) if np.isfinite(y) else None for y in np.atleast_1d(np.asarray(x, dtype=float))]


def rate_picture(found: Rating) -> Any:
    """Gap and bound against t, both axes logarithmic, with the end of the plateau; beside it the local exponent.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    from pgtheory.plots import pyplot
    from pgtheory.tabular.rates.fit import local_exponents

    figure, (left, right) = pyplot().subplots(1, 2, figsize=(10, 4), width_ratios=(3, 2))
    t, gap = found.run.t, np.asarray(found.run.gap)[:, 0]
    use = (t >= 1) & (gap > 0)
    left.loglog(t[use], gap[use], label="gap", color="#0277bd")
    if found.outcome is not None:
        outcome = found.outcome
        bound = outcome.bound[:, 0]
        shown = (outcome.t >= 1) & np.isfinite(bound) & (bound > 0)
        if outcome.theorem.of != "gap":
            quantity = outcome.quantity[:, 0]
            left.loglog(
                outcome.t[(outcome.t >= 1) & (quantity > 0)], quantity[(outcome.t >= 1) & (quantity > 0)], color="#6a1b9a", label=outcome.theorem.of
            )
        left.loglog(outcome.t[shown], bound[shown], "--", color="#c62828", label=f"bound of the {outcome.theorem.of}, {outcome.theorem.id}")
    if found.plateau:
        left.axvline(found.plateau, color="#757575", lw=0.8, ls=":")
        left.text(found.plateau, 0.02, " plateau ends", fontsize=8, color="#757575", va="bottom", transform=left.get_xaxis_transform())
    left.set_xlabel("step t")
    left.set_title(fill(found.rate.text, 70), fontsize=10)
    left.legend(frameon=False)
    left.grid(alpha=0.25)
    thin = np.flatnonzero(use)[np.unique(np.searchsorted(t[use], np.geomspace(1, t[-1], 60)).clip(0, use.sum() - 1))]
    middle = np.sqrt(t[thin][1:] * t[thin][:-1].astype(float))
    right.semilogx(middle, local_exponents(gap[thin], t[thin]), color="#0277bd")
    right.set(xlabel="step t", title="local exponent  -d log gap / d log t")
    right.title.set_fontsize(10)
    right.grid(alpha=0.25)
    for axis in (left, right):
        axis.tick_params(axis="x", which="minor", labelbottom=False)  # within two decades they would stand on each other
    colour = {"HOLDS": "#2e7d32", "REFUTED": "#c62828"}.get(found.answer, "#444444")
    figure.suptitle(f"{found.answer}: {found.update} on {found.problem}", fontweight="bold", color=colour, x=0.02, ha="left")
    return figure
