"""`check`: an exact verdict on an estimator, a loss or an advantage function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pgtheory.judging.causes import causes, decay_with_group, degenerate_groups
from pgtheory.judging.classes import Kind, classify, natural, positive, rescaled_states
from pgtheory.judging.counterexample import smallest
from pgtheory.judging.cures import try_cures
from pgtheory.judging.direction import downhill
from pgtheory.judging.examination import Examination, examine
from pgtheory.judging.identify import field_of, loss_note, projected, weighted
from pgtheory.judging.known_fields import recognised
from pgtheory.judging.price import price
from pgtheory.judging.profile import profile
from pgtheory.judging.subject import Remembered, Subject, subject_of
from pgtheory.tabular.arrays import require_between
from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.objectives.catalogue import objective_named
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.objectives.returns import Return
from pgtheory.verdict import Verdict
from pgtheory.worlds.custom import custom_worlds
from pgtheory.worlds.default import WorldSpec, default_worlds
from pgtheory.worlds.tokens import TokenWorld
from pgtheory.worlds.world import World


def check(
    target: object,
    *,
    objective: str | Objective | None = None,
    problem: str | object | None = None,
    gamma: float | None = None,
    group: int | None = None,
    theta: np.ndarray | None = None,
    horizon: int | None = None,
    kind: str | None = None,
    settings: Mapping[str, Any] | None = None,
    convention: str | None = None,
    advantage: object | None = None,
    up_to_scale: bool = False,
    time_limit: float = 10.0,
    micro_batch: int | None = None,
    drawn: int | None = None,
    name: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """An exact verdict on `target`: of what is it an unbiased gradient estimator, and at which price?

    Args:
        target: name of a built-in estimator, "path/to/file.py:function", "package.module:function", a function, or an estimator value.
        objective: objective whose gradient is wanted; default the return of the problem ("J").
        problem: a named problem, a file, a model, or "world:ID"; default the frozen default worlds.
        gamma, group, theta, horizon: of the problem: discount, completions a prompt, logits of the current policy, steps after which episodes end.
        kind: "loss", "gradient" or "advantage", where the return type does not decide.
        settings: values for parameters of the function that are not data.
        convention: preset of argument names: trl, verl, openrlhf.
        advantage: a separate advantage function, composed with the loss and detached.
        up_to_scale: accept a constant that is no convention.
        micro_batch: rows of a micro-batch; the function is called on each and averaged.
        drawn: prompts that are drawn at random for a batch; default every prompt once (and a world in which one is drawn).
        time_limit: seconds that one call of the function may take.
        progress: called with what is being done.

    Returns:
        The verdict. Cost: data sets times points evaluations of the function, about 2000 in all for an exact one, 6000 for a biased one.

    Raises:
        BindingError, UserFunctionError: the function cannot be called.
        UnknownProblem, InvalidArgument, MissingFile: the problem or an argument is not understood.
    """
    subject = subject_of(
        target, kind=kind, settings=settings, convention=convention, advantage=advantage, time_limit=time_limit, name=name, micro=micro_batch
    )
    specs: tuple[WorldSpec, ...] = ()
    if gamma is not None:
        require_between("gamma", gamma, 0, 1)
    if problem is None:
        idle = [name for name, value in (("theta", theta), ("horizon", horizon)) if value is not None]
        if gamma is not None and subject.setting == "tokens":
            idle.append("gamma")
        if group is not None and subject.setting == "episodes":
            idle.append("group")
        if idle:
            raise InvalidArgument(
                f"{idle[0]} has no effect on the default worlds of {subject.name} ({subject.setting}). Name a problem (--problem), or leave it out."
            )
        specs = adjusted(default_worlds(subject.setting, subject.uses, binary=subject.binary), gamma=gamma, group=group, drawn=drawn)
        worlds = [spec.build() for spec in specs]
    else:
        worlds = custom_worlds(problem, setting=subject.setting, gamma=gamma, group=group, theta=theta, horizon=horizon, drawn=drawn)
    goal = objective_of(objective, worlds[0])
    specs, worlds = where_defined(goal, specs, worlds)
    ordered = not all(subject.invariant(world) for world in worlds)
    chosen = [("as", kind), ("convention", convention), ("advantage", advantage), ("micro-batch", micro_batch)]
    chosen += [("objective", None if goal.name == Return().name else f"'{goal.name}'")]
    options = [f"--{name} {value}" for name, value in chosen if value is not None] + [
        f"--set {name}={value}" for name, value in (settings or {}).items()
    ]
    command = " ".join([subject.target, *options])
    subject = replace(subject, estimator=Remembered(subject.estimator))
    return Inquiry(
        subject=subject, specs=specs, worlds=worlds, objective=goal, ordered=ordered, up_to_scale=up_to_scale, target=command, progress=progress
    ).verdict()


def adjusted(specs: tuple[WorldSpec, ...], *, gamma: float | None, group: int | None, drawn: int | None) -> tuple[WorldSpec, ...]:
    """The default worlds with another discount, group size or number of drawn prompts."""
    found = []
    for spec in specs:
        change: dict[str, Any] = {}
        if group is not None and isinstance(spec, TokenWorld):
            change["group"] = group if spec.group == 3 else group + 1
        if drawn is not None and isinstance(spec, TokenWorld):
            change["drawn"] = drawn
        if gamma is not None and not isinstance(spec, TokenWorld):
            change["gamma"] = gamma
        found.append(replace(spec, **change))
    return tuple(dict.fromkeys(found))


def where_defined(goal: Objective, specs: tuple[WorldSpec, ...], worlds: list[World]) -> tuple[tuple[WorldSpec, ...], list[World]]:
    """The worlds on which the objective exists: functions of the success probability need rewards 0 and 1.

    Raises:
        InvalidArgument: it exists on none of them.
    """
    kept, reason = [], None
    for number, world in enumerate(worlds):
        try:
            goal.gradient(world.scene())
            kept.append(number)
        except InvalidArgument as problem:
            reason = problem
    if not kept and reason is not None:
        raise reason
    return tuple(specs[i] for i in kept) if specs else (), [worlds[i] for i in kept]


def objective_of(objective: str | Objective | None, world: World) -> Objective:
    """The objective with a name, or the return of the problem."""
    if objective is None or objective == "J":
        return Return()
    return objective_named(objective, world.scene()) if isinstance(objective, str) else objective


@dataclass(eq=False, kw_only=True)
class Inquiry:
    """One run of `check`, from the examinations to the verdict."""

    subject: Subject
    specs: tuple[WorldSpec, ...]
    worlds: list[World]
    objective: Objective
    ordered: bool
    up_to_scale: bool
    target: str
    progress: Callable[[str], None]
    notes: list[str] = field(default_factory=list)

    def verdict(self) -> Verdict:
        """The whole verdict."""
        examinations = [self.examined(world) for world in self.worlds]
        first = classify(examinations)
        kind, found = first.kind, {}
        if kind not in (Kind.UNBIASED, Kind.UNDECIDED):
            kind, found = self.explained(examinations, first)
        if kind is Kind.UNDECIDED and not any(e.informative for e in examinations):
            self.notes.append(
                "the gradient of the target is zero as well, so that nothing can be seen here: take a longer horizon, another theta or problem"
            )
        elif kind is Kind.UNDECIDED:
            largest = max(e.tolerance * (1 + abs(e.scale)) for e in examinations)
            self.notes.append(f"no difference was seen: |E[g] - c gradient| < {largest:.3g} in every coordinate")
        if (
            getattr(self.subject.estimator, "kind", "") == "loss"
            and all(e.exact for e in examinations)
            and not self.worlds[0].off_policy
            and len(self.worlds) > 1
        ):
            self.progress("gradient of the mean loss")
            self.notes.append(loss_note(self.subject.estimator, self.worlds[1], self.ordered))
        if self.subject.uses & {"old_logprobs", "sampler_logprobs"}:
            self.progress("local profile")
            shape = profile(self.subject.estimator)
            found["profile"] = shape.describe() if shape else None
        deciding = self.deciding(examinations, first)
        scale = first.scale
        events = self.subject.events(deciding.world, self.ordered)
        if max(e.undefined for e in examinations) > 0:
            self.notes.append("on some data sets the function is not finite, so that E[g] does not exist; the numbers leave those data sets out")
        best = scale.value if scale else deciding.scale
        self.progress("variance")
        return Verdict(
            name=self.subject.name,
            kind=kind,
            target=self.objective.name,
            exact=all(e.exact for e in examinations),
            count=sum(e.count for e in examinations),
            scale=None
            if scale is None
            else {
                "value": scale.value,
                "text": scale.text,
                "convention": scale.convention,
                "reason": scale.reason,
                "values": scale.values,
                "common": scale.common,
            },
            mean=deciding.means[0],
            gradient=deciding.targets[0],
            covariance=deciding.laws[0].covariance,
            angle=largest_angle(examinations),
            bias=max(relative_distance(e) for e in examinations),
            worst=worst(deciding),
            conservative=found.pop("conservative", True if kind in (Kind.UNBIASED, Kind.SCALED) else None),
            variance=price(deciding, best) if deciding.exact and kind is not Kind.VACUOUS else None,
            events=events,
            worlds=tuple(summary(e) for e in examinations),
            bindings=self.subject.bindings,
            notes=tuple(self.notes),
            accepts_scale=self.up_to_scale,
            **found,
        )

    def examined(self, world: World) -> Examination:
        """The examination of a world: exact where the data sets can be enumerated, else by Monte Carlo."""
        self.progress(world.id)
        try:
            return examine(self.subject.estimator, world, objective=self.objective, ordered=self.ordered)
        except TooLarge as problem:
            self.notes.append(f"{world.id}: {problem} Monte Carlo was used: it can refute, never acquit.")
            return examine(self.subject.estimator, world, objective=self.objective, method="monte-carlo")

    def deciding(self, examinations: list[Examination], first) -> Examination:
        """The world whose numbers are printed: the first that fails, else the first."""
        return first.failing[0] if first.failing else examinations[0]

    def explained(self, examinations: list[Examination], first) -> tuple[Kind, dict[str, Any]]:
        """Class and explanation of an estimator that is not unbiased."""
        estimator, ordered, uses = self.subject.estimator, self.ordered, self.subject.uses
        exact = all(e.exact for e in examinations)
        found: dict[str, Any] = {}
        kind = first.kind
        if kind is Kind.BIASED and first.scale is None and exact:
            kind = self.identified(examinations, first, found)
        if exact and kind is not Kind.VACUOUS and not any(e.undefined for e in examinations):
            self.progress("cures")
            found["cures"] = tuple(
                {"text": text}
                for text in try_cures(
                    estimator, examinations, first=first, uses=uses, objective=self.objective, ordered=ordered, progress=self.progress
                )
            )
            if self.specs and first.scale is None:
                found["causes"] = self.causes_of(examinations, first)
        if exact and kind is not Kind.VACUOUS:
            self.progress("smallest counterexample")
            found["counterexample"] = smallest(
                estimator, self.subject.setting, target=self.target, objective=self.objective, ordered=ordered,
                allowed=self.specs, failing=first.failing or tuple(examinations),
            )  # fmt: skip
        return kind, found

    def identified(self, examinations: list[Examination], first, found: dict[str, Any]) -> Kind:
        """Another objective, a preconditioned gradient, or a bias; fills `found` with the evidence."""
        estimator, ordered = self.subject.estimator, self.ordered
        failing = [e for e in first.failing if not e.world.off_policy]
        returns = self.objective.name == Return().name
        if returns:
            closed = weighted(estimator, examinations)
            if closed is not None and closed.name != "J":
                found["weight"] = {
                    "text": closed.text(), "factor": closed.factor, "name": closed.name, "names": closed.names,
                    "coefficients": {G: w.coefficients for G, w in closed.drawn.items()},
                }  # fmt: skip
            found["identity"] = recognised(examinations)
        if failing and self.specs:
            self.progress("catalogue of objectives")
            failed = {e.world.id for e in failing}
            specs = [spec for spec in self.specs if spec.id in failed and many_dimensions(spec)]
            binary_only = [s for s in specs if getattr(s, "rule", "") == "binary"]
            for chosen in (specs, binary_only):
                found["objective"] = projected(estimator, chosen[:3], ordered=ordered, progress=self.progress) if chosen else None
                if found["objective"] and found["objective"]["names"] == (self.objective.name,):
                    found["objective"] = (
                        None  # the target itself up to the tolerance of the fit: the bias is smaller than that, and is one all the same
                    )
                if found["objective"]:
                    found["objective"]["all_rewards"] = chosen is specs and specs != binary_only
                    break
        self.progress("is it a gradient of anything?")
        asked = [*failing[:1], *(e for e in failing[1:] if e.world.counts.get("P", 1) > 1)] or list(first.failing[:1])
        fields = [field_of(estimator, e.world, ordered=ordered) for e in asked[:2]]
        found["curl"] = max(fields, key=lambda f: f["curl"] / max(f["error"], 1e-300))
        found["conservative"] = (
            False if any(f["conservative"] is False for f in fields) else None if any(f["conservative"] is None for f in fields) else True
        )
        graded = [e for e in failing if not e.world.binary] if self.subject.setting == "tokens" else []
        if "weight" in found and graded and not found.get("objective"):
            self.notes.append("the closed form holds for 0/1 rewards; with graded rewards E[g] is no gradient of a function of p")
        off_policy_fails = any(e.world.off_policy for e in first.failing)
        if ("weight" in found or found.get("objective")) and not off_policy_fails and found["conservative"] is not False:
            return Kind.OBJECTIVE
        if any(e.undefined > 0 for e in examinations):
            return Kind.BIASED
        if rescaled_states(examinations, first.failing):
            found["preconditioner"] = "a positive number for each state: states are reweighted, every decision is pushed the right way"
            return Kind.PRECONDITIONED
        if natural(examinations):
            found["preconditioner"] = "the inverse Fisher information: the natural gradient"
            return Kind.PRECONDITIONED
        if positive(examinations):
            self.progress("a point at which it points downhill?")
            wrong = downhill(estimator, self.subject.setting, objective=self.objective, ordered=ordered, allowed=self.specs)
            if wrong is None:
                found["preconditioner"] = "unknown, but <E g, grad> > 0 at every point tried"
                return Kind.PRECONDITIONED
            found["downhill"] = wrong
        return Kind.BIASED

    def causes_of(self, examinations: list[Examination], first) -> tuple[dict[str, Any], ...]:
        """What switches the bias off, on the first failing world."""
        failing = {e.world.id for e in first.failing}
        spec = next((s for s in self.specs if s.id in failing), None)
        if spec is None:
            return ()
        found = causes(self.subject.estimator, spec, objective=self.objective, uses=self.subject.uses, ordered=self.ordered, progress=self.progress)
        rows = [{"switches": c.switches, "text": f"gone with {' and '.join(c.switches)}", "world": c.world} for c in found]
        local = isinstance(spec, TokenWorld) and self.subject.estimator.form != "whole"
        if local and degenerate_groups(self.subject.estimator, spec, objective=self.objective, ordered=self.ordered):  # pyright: ignore[reportArgumentType]
            rows.append({"switches": ("no group of equal rewards",), "text": "gone without groups of equal rewards", "world": spec.id})
        if not rows and isinstance(spec, TokenWorld):
            power = decay_with_group(self.subject.estimator, spec, objective=self.objective, ordered=self.ordered)
            if power is not None and power > 0.5:
                rows.append({"switches": ("large groups",), "text": f"falls as G^-{power:.2f} with the group size", "world": spec.id})
        return tuple(rows)


def many_dimensions(spec: WorldSpec) -> bool:
    """Whether a world has three effective dimensions or more, so that an objective can be told from another on it."""
    if not isinstance(spec, TokenWorld):
        return True
    return not spec.tied and spec.drawn is None and (spec.vocabulary > 2 or spec.prompts > 1)


def largest_angle(examinations: list[Examination]) -> float | None:
    """Largest angle in degrees between E[g] and the target over all worlds and points."""
    cosines = np.concatenate([e.cosines for e in examinations])
    cosines = cosines[np.isfinite(cosines)]
    return float(np.degrees(np.arccos(np.clip(cosines.min(), -1, 1)))) if len(cosines) else None


def relative_distance(exam: Examination) -> float:
    """max over points of |E g - c t| / |E g| with the best c; zero where it is rounding."""
    size = np.linalg.norm(exam.means, axis=1)
    if exam.proportional or not (size > exam.tolerance).any():
        return 0.0
    c = exam.scale if np.isfinite(exam.scale) else 0.0
    off = np.linalg.norm(exam.means - c * exam.targets, axis=1)
    return float((off[size > exam.tolerance] / size[size > exam.tolerance]).max())


def worst(exam: Examination) -> dict[str, Any]:
    """World, point and coordinate of the largest difference from the target."""
    difference = abs(exam.means - exam.targets)
    point, coordinate = (int(i) for i in np.unravel_index(np.argmax(difference), difference.shape))
    return {
        "world": exam.world.id, "point": point, "coordinate": coordinate,
        "mean": float(exam.means[point, coordinate]), "gradient": float(exam.targets[point, coordinate]), "tolerance": exam.tolerance,
    }  # fmt: skip


def summary(exam: Examination) -> dict[str, Any]:
    """One row of the table of worlds."""
    cosines = exam.cosines[np.isfinite(exam.cosines)]
    return {
        "id": exam.world.id, "features": exam.world.features, "datasets": exam.count, "points": len(exam.laws), "method": exam.laws[0].method,
        "proportional": exam.proportional, "scale": exam.scale, "distance": exam.distance, "tolerance": exam.tolerance,
        "cosine": float(cosines.min()) if len(cosines) else None, "undefined": exam.undefined, "variance": exam.laws[0].variance,
    }  # fmt: skip
