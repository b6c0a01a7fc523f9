"""Checking claims: each case, each dropped assumption, each mutant."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from time import perf_counter
from typing import Any, Literal

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Level, Value
from pgtheory.proofs.kernel.verdict import Verdict
from pgtheory.proofs.relations import Comparison, Exact
from pgtheory.proofs.theorem import Page, Step

Status = Literal["holds", "refuted", "not checked"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Both sides of a claim on one case, and how they compare."""

    case: str
    left: Value
    right: Value
    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """Numbers, lists and strings; an infinite distance is None."""
        found = self.comparison
        return {
            "case": self.case,
            "holds": bool(found.holds),
            "distance": found.distance if np.isfinite(found.distance) else None,
            "threshold": found.threshold,
            "origin": found.origin,
            "left": brief(self.left),
            "right": brief(self.right),
        }


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check of one claim found.

    Attributes:
        status: "holds" if the relation holds on every case and fails wherever it should; "refuted" otherwise; "not checked" without a module it needs.
        reason: why, if it does not hold.
        cases: evidence on the cases.
        dropped: assumption -> evidence on the case without it.
        mutants: mutant -> the evidence on the case where it is refuted best.
        steps: of a theorem's page: evidence on each step of the derivation.
        kernel: what the proof kernel says about the theorem, or about the one that implies the claim; None if it was not asked.
        seconds: time of the check.
    """

    claim: Claim
    status: Status
    reason: str = ""
    cases: tuple[Evidence, ...] = ()
    dropped: dict[str, Evidence] = field(default_factory=dict)
    mutants: dict[str, Evidence] = field(default_factory=dict)
    steps: tuple[Evidence, ...] = ()
    kernel: Verdict | None = None
    seconds: float = 0.0

    @property
    def level(self) -> Level:
        """How sure: "proof" only if the kernel has accepted the theorem and nothing here speaks against it; "symbolic" if a derivation holds."""
        if self.kernel is not None and self.kernel.status == "accepted" and self.status == "holds":
            return "proof"
        return "symbolic" if self.steps and all(e.comparison.holds for e in self.steps) else self.claim.level

    @property
    def worst(self) -> Evidence | None:
        """The evidence that stands out: of equalities and bounds the largest distance in units of its threshold, of gaps the smallest."""
        if not self.cases:
            return None
        return min(self.cases, key=lambda e: (e.comparison.holds, room(e.comparison)))

    def to_dict(self) -> dict[str, Any]:
        """Everything as numbers, lists and strings."""
        claim = self.claim
        return {
            "id": claim.id, "status": self.status, "reason": self.reason, "kind": claim.kind, "level": self.level, "statement": claim.statement,
            "relation": claim.relation.sign, "source": claim.source, "corrects": claim.corrects, "seconds": self.seconds,
            "cases": [e.to_dict() for e in self.cases],
            "without": {name: e.to_dict() for name, e in self.dropped.items()},
            "mutants": {name: e.to_dict() for name, e in self.mutants.items()},
            "steps": [e.to_dict() for e in self.steps],
            "theorem": claim.theorem,
            "kernel": None if self.kernel is None else self.kernel.to_dict(),
        }  # fmt: skip


def examine(claim: Claim) -> Finding:
    """Check one claim. Cost: both sides on every case, on every dropped assumption, and the mutants on every case."""
    absent = [module for module in claim.needs if find_spec(module) is None]
    if absent:
        return Finding(claim=claim, status="not checked", reason=f"{', '.join(absent)} not installed")
    begin = perf_counter()
    cases = list(claim.cases())
    lefts = [claim.left(case) for case in cases]
    found = tuple(judged(claim, case, left, claim.right) for case, left in zip(cases, lefts, strict=True))
    dropped = {name: judged(claim, case, claim.left(case), claim.right) for name, case in ((name, make()) for name, make in claim.assumes.items())}
    mutants = {}
    for name, side in claim.mutants.items():
        tried = [judged(claim, case, left, side) for case, left in zip(cases, lefts, strict=True)]
        mutants[name] = next((e for e in tried if not e.comparison.holds), tried[0])
    reason = complaint(found, dropped, mutants)
    return Finding(
        claim=claim,
        status="refuted" if reason else "holds",
        reason=reason,
        cases=found,
        dropped=dropped,
        mutants=mutants,
        seconds=perf_counter() - begin,
    )


def examine_page(page: Page) -> Finding:
    """Check a theorem's page: its instances as a claim, and every step of its derivation as symbols. Cost: seconds."""
    begin = perf_counter()
    found = examine(page.claim)
    steps = () if page.derivation is None else tuple(followed(step) for step in page.derivation())
    wrong = next((e for e in steps if not e.comparison.holds), None)
    if page.derivation is not None and not steps:
        return replace(found, status="refuted", reason="the derivation has no steps")
    if wrong is not None and found.status != "refuted":
        found = replace(found, status="refuted", reason=f"the step {wrong.case!r} is wrong")
    return replace(found, steps=steps, seconds=perf_counter() - begin)


def followed(step: Step) -> Evidence:
    """The evidence on a step."""
    return Evidence(case=step.why, left=step.left, right=step.right, comparison=Exact()(step.left, step.right))


def with_kernel(found: Finding, verdict: Verdict) -> Finding:
    """The finding with what the kernel says. A theorem that it refuses is refuted, one that it could not check is not checked, whatever instances show."""
    own = found.claim.id == verdict.id
    if own and verdict.status != "accepted" and found.status == "holds":
        status: Status = "refuted" if verdict.status == "refused" else "not checked"
        return replace(found, kernel=verdict, status=status, reason="; ".join(verdict.reasons))
    return replace(found, kernel=verdict)


def examine_all(claims: Iterable[Claim], progress: Callable[[Finding], None] = lambda _: None) -> list[Finding]:
    """Check several claims; `progress` is told of each finding as it comes."""
    found = []
    for claim in claims:
        found.append(examine(claim))
        progress(found[-1])
    return found


def judged(claim: Claim, case: Case, left: Value, right: Callable[[Case], Value]) -> Evidence:
    """The evidence on one case."""
    other = right(case)
    return Evidence(case=case.label, left=left, right=other, comparison=claim.relation(left, other))


def complaint(cases: tuple[Evidence, ...], dropped: dict[str, Evidence], mutants: dict[str, Evidence]) -> str:
    """Why the claim does not hold; empty if it does."""
    wrong = next((e for e in cases if not e.comparison.holds), None)
    if not cases:
        return "there is no case"
    if wrong:
        found = wrong.comparison
        return f"on {wrong.case}: {found.distance:.3g} against {found.threshold:.3g} ({found.origin})"
    idle = next((name for name, e in dropped.items() if e.comparison.holds), None)
    if idle:
        return f"holds also without {idle!r} (on {dropped[idle].case}): the assumption is idle, or the check is too weak to see it"
    alive = next((name for name, e in mutants.items() if e.comparison.holds), None)
    return f"the mutant {alive!r} passes: the check is too weak to see it" if alive else ""


def room(found: Comparison) -> float:
    """How far a comparison is from failing, in units of its threshold."""
    size = max(abs(found.threshold), 1e-300)
    return abs(found.distance - found.threshold) / size


def brief(value: Value) -> Any:
    """A value as JSON: numbers and short arrays whole, long ones by shape and largest entry."""
    if any(not isinstance(x, int | float | np.generic | np.ndarray) for x in _leaves(value)):
        return _strings(value)
    array = np.asarray(value, dtype=float)
    if array.size > 24:
        return {"shape": list(array.shape), "largest": float(np.nanmax(abs(array)))}
    entries = array.astype(object)
    entries[~np.isfinite(array)] = None
    return entries.tolist() if array.ndim else entries.item()


def _strings(value: Any) -> Any:
    """Exact numbers and symbols as text, long ones cut."""
    if isinstance(value, list | tuple):
        return [_strings(part) for part in value]
    text = str(value)
    return text if len(text) <= 120 else f"{text[:110]} ... ({len(text)} characters)"


def _leaves(value: Any) -> Iterable[Any]:
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, list | tuple) else [value]
