"""One run of `check`: from the examinations to the verdict."""

from collections.abc import Callable
from dataclasses import dataclass, field
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
from pgtheory.judging.subject import Subject
from pgtheory.tabular.errors import TooLarge
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.objectives.returns import Return
from pgtheory.verdict import Verdict
from pgtheory.worlds.default import WorldSpec
from pgtheory.worlds.tokens import TokenWorld
from pgtheory.worlds.world import World


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
            largest = max(e.allowance(e.scale) for e in examinations if e.informative)
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
        if kind is Kind.BIASED and first.scale is None and exact and not any(e.undefined for e in examinations):
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
