"""One problem of this package: an estimator of the GAE family on a model, seen along directions of its parameters."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.columns import Table, directions
from pgtheory.tabular.laws.forms import Differences, form_of
from pgtheory.tabular.laws.law import METHODS
from pgtheory.tabular.laws.systems import Systems, reached_states
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.laws.types import Estimator, require_parts
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.conditional import Conditional, Parts
from pgtheory.tabular.variance.pairing import Pairing


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """What a worker needs: no scene, no functions."""

    rewards: Rewards
    form: Differences
    policy: Policy
    systems: Systems | None

    @classmethod
    def of(cls, estimator: Estimator, sampling: object, scene: Scene) -> Self:
        """The problem of an estimator under a sampling law at the scene's point.

        Raises:
            InvalidArgument: the estimator is no sum of temporal differences; the text names the exact methods that give its whole covariance.
            NonTerminating: no horizon, scores that are not discounted, and episodes that may run for ever.
        """
        require_parts(estimator, sampling, scene)
        form = form_of(estimator, sampling, scene)
        if not isinstance(form, Differences):
            methods = [repr(m.name) for m in METHODS if m.exact and m.applies(estimator, sampling, scene)]
            cure = f"the exact methods of law() that apply are {', '.join(methods)}" if methods else "no exact method of law() applies here either"
            raise InvalidArgument(
                f"{_name(estimator)} under {type(sampling).__name__} is not of the GAE family, for which this recursion holds: PolicyGradient of GAE, RewardToGo or "
                f"StepReward, with the length EveryToken or PerConstant, under OnPolicy, OffPolicy or Groups. For this one {cure}."
            )
        systems = None if form.horizon is not None else Systems(scene.mdp, form.actions, reached_states(scene.mdp, form.actions, form.nu))
        return cls(rewards=Rewards(scene.mdp), form=form, policy=scene.policy(), systems=systems)

    @property
    def size(self) -> int:
        """Numbers that one direction takes: a table of pairs, or its parameters if they are more."""
        return max(self.form.actions.size, self.policy.theta.size)

    def columns(self, X: Float[np.ndarray, "k D"]) -> Table:
        """The directions as weights of the pairs.

        Raises:
            InvalidPolicy: the data contain an action that the policy never takes, whose score is not finite.
        """
        return directions(self.form, self.policy, X)

    def mean(self) -> Float[np.ndarray, "D"]:
        """E[g], without columns: the pullback of the weight of each pair. Cost O(T nnz), or two linear systems."""
        form = self.form
        return form.scale * self.policy.pullback(form.ratio * Pairing(rewards=self.rewards, form=form, systems=self.systems).weight())

    def parts(self, X: Float[np.ndarray, "k D"], *, split: bool = False) -> Parts:
        """Mean and parts of the variance along the rows of X."""
        return Conditional(rewards=self.rewards, form=self.form, columns=self.columns(X), systems=self.systems, split=split).parts()


def require_directions(X: object, D: int) -> Float[np.ndarray, "k D"]:
    """Directions as a finite array (k, D).

    Raises:
        InvalidArgument: another shape.
    """
    array = freeze("X", X, error=InvalidArgument)
    if array.ndim != 2 or array.shape[1] != D or not len(array):
        raise InvalidArgument(
            f"X has shape {array.shape}, expected (k, D) with D = {D}, the size of theta: one direction a row. For a table x of theta's shape give x.reshape(1, -1)."
        )
    return array


def units(policy: Policy, begin: int, end: int) -> Float[np.ndarray, "k D"]:
    """The unit vectors of the parameters begin to end."""
    return np.eye(end - begin, policy.theta.size, begin)


def _name(estimator: object) -> str:
    parts = [type(getattr(estimator, name)).__name__ for name in ("advantage", "length") if hasattr(estimator, name)]
    return f"{type(estimator).__name__}({', '.join(parts)})"
