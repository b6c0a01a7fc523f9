"""The verdict: the answer first, then the numbers that support it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pgtheory.judging.classes import HEADLINES, Kind

EXIT = {Kind.UNBIASED: 0, Kind.UNDECIDED: 3}
"""Exit codes; every other class refutes the claim `unbiased for the target`: 1."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdict:
    """What `check` found.

    Attributes:
        name: of the function.
        kind: the class.
        target: name of the objective whose gradient was compared.
        scale: the constant c in E[g] = c grad, as a formula, with its value and what it means; None if E[g] is not proportional.
        mean, gradient, covariance: E[g], the target's gradient and Cov(g) on the deciding world at its first point.
        angle: largest angle in degrees between E[g] and the gradient over all worlds and points.
        bias: |E[g] - c grad| / |E[g]| at its worst, with the best c.
        worst: world, point and coordinate of the worst difference.
        objective: of which objective E[g] is the gradient (None: of none in the catalogue), with coefficients and residual.
        weight: w_G(p) and Phi_G where the closed form holds.
        identity: a closed form of E[g] that is no gradient, where one was recognised.
        preconditioner: what M is in E[g] = M grad, where it is one.
        conservative: whether the field is the gradient of anything; None: not decided or not asked.
        variance: total variance, against leave-one-out and the optimal baseline at matched scale, samples for a 10 % error.
        events: name -> exact probability of data sets that are NaN, give zero, or dwarf the others.
        profile: weight against importance ratio, for both signs of the advantage.
        downhill: a world and a policy at which E[g] has a negative inner product with the gradient.
        worlds: what was found on each world.
        counterexample: the smallest problem on which the estimator goes wrong, with a snippet that runs.
        causes: switches of the world that remove the bias.
        cures: changes that were tried and acquitted.
        bindings: what every parameter of the function was bound to.
        notes: remarks.
        exact: False if Monte Carlo was used anywhere.
        accepts_scale: whether a constant other than a convention counts as unbiased (--up-to-scale).
    """

    name: str
    kind: Kind
    target: str
    exact: bool
    count: int
    scale: Mapping[str, Any] | None = None
    mean: np.ndarray | None = None
    gradient: np.ndarray | None = None
    covariance: np.ndarray | None = None
    angle: float | None = None
    bias: float | None = None
    worst: Mapping[str, Any] | None = None
    objective: Mapping[str, Any] | None = None
    weight: Mapping[str, Any] | None = None
    identity: str | None = None
    preconditioner: str | None = None
    conservative: bool | None = None
    curl: Mapping[str, float] | None = None
    variance: Mapping[str, Any] | None = None
    events: Mapping[str, float] = field(default_factory=dict)
    profile: Mapping[str, Any] | None = None
    downhill: Mapping[str, Any] | None = None
    worlds: tuple[Mapping[str, Any], ...] = ()
    counterexample: Mapping[str, Any] | None = None
    causes: tuple[Mapping[str, Any], ...] = ()
    cures: tuple[Mapping[str, Any], ...] = ()
    bindings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accepts_scale: bool = False

    @property
    def unbiased(self) -> bool | None:
        """True or False; None if undecided."""
        if self.kind is Kind.UNDECIDED:
            return None
        return self.kind is Kind.UNBIASED or (self.accepts_scale and self.kind is Kind.SCALED and bool(self.scale and self.scale["common"]))

    @property
    def exit_code(self) -> int:
        """0 unbiased for the target, 1 refuted, 3 undecided."""
        return 0 if self.unbiased else EXIT.get(self.kind, 1)

    @property
    def headline(self) -> str:
        """The class in capitals."""
        return HEADLINES[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """Everything, in types that JSON knows: arrays become nested lists."""
        return {name: plain(getattr(self, name)) for name in ("name", "headline", "unbiased", "exit_code")} | {
            name: plain(getattr(self, name)) for name in self.__dataclass_fields__ if name != "name"
        }

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=2)

    def __str__(self) -> str:
        from pgtheory.report import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from pgtheory.report import as_html

        return as_html(self)


def plain(value: Any) -> Any:
    """A value in types that JSON knows."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
