"""Laws by dynamic programming: moments carried over the states, whatever the number of trajectories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from pgtheory.tabular.errors import TooLarge
from pgtheory.tabular.laws.differences import NAME, differences_law
from pgtheory.tabular.laws.forms import Differences, Form, LeftOut, Whole, family_of, form_of, horizon_of
from pgtheory.tabular.laws.leave_one_out import leave_one_out_law
from pgtheory.tabular.laws.types import Estimator, Law
from pgtheory.tabular.laws.whole_return import whole_return_law
from pgtheory.tabular.models.mdp import nonzeros
from pgtheory.tabular.scene import Scene

ENGINES: Mapping[type[Form], Callable[[Any, Scene], Law]] = MappingProxyType(
    {Differences: differences_law, Whole: whole_return_law, LeftOut: leave_one_out_law}
)
"""How the law of each form is found."""

LARGEST = 20_000
"""Rows of a covariance up to which it is formed: 3.2 GB."""

START, STEP = 1e6, 5e4
"""What a law and each of its steps cost beside their multiply-adds, in the time of that many: calls of numpy on small tables."""


@dataclass(frozen=True)
class DynamicProgramming:
    """Second-moment recursions for the estimators of `forms.py`; no data set is formed, so that `count` of the law is 0 and `zero` unknown (nan)."""

    name = NAME
    exact = True
    needs = (
        "GAE, a reward-to-go, a step's reward, a whole return or a group's mean as the advantage of a PolicyGradient, lengths that do not depend on the data, no ratio or one of the "
        "token, and OnPolicy, OffPolicy or Groups"
    )

    def applies(self, estimator: Estimator, sampling: object, scene: Scene) -> bool:
        """Whether a form fits, by the types of the parts."""
        return family_of(estimator, sampling) in ENGINES

    def cost(self, estimator: Estimator, sampling: object, scene: Scene) -> float:
        """Multiply-adds, in the time of which the overhead of small steps is counted; infinite where no form fits."""
        if not self.applies(estimator, sampling, scene):
            return np.inf
        mdp, steps = scene.mdp, horizon_of(sampling, scene.mdp)
        D = min(scene.policy().theta.size, mdp.S * mdp.A)
        products = 2.0 * int(nonzeros(mdp.transition).sum()) * D
        if steps is None:
            return START + 5.0 * mdp.S**3 + 2.0 * mdp.S**2 * D + products + D**2
        return START + steps * (products + STEP) + D**2

    def run(self, estimator: Estimator, sampling: object, scene: Scene) -> Law:
        """The exact law.

        Raises:
            TooLarge: the covariance has more than LARGEST rows.
        """
        D = min(scene.policy().theta.size, scene.mdp.S * scene.mdp.A)
        if D > LARGEST:
            raise TooLarge(
                f"the covariance of {D} parameters takes {8e-9 * D**2:.0f} GB, and twice as much beside it while it is made; the limit is {LARGEST} parameters. Ask for the "
                "variance along directions, of each parameter or in total (pgtheory.tabular.variance), which form no covariance."
            )
        form = form_of(estimator, sampling, scene)
        return ENGINES[type(form)](form, scene)  # type: ignore[index]
