"""Estimators that weigh a whole episode, along directions: the law of `whole_return.py` and `leave_one_out.py` on a few columns."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.laws.columns import directions
from pgtheory.tabular.laws.forms import LeftOut, Whole
from pgtheory.tabular.laws.leave_one_out import leave_one_out_law
from pgtheory.tabular.laws.types import Law
from pgtheory.tabular.laws.whole_return import whole_return_law
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.blocks import over_blocks
from pgtheory.tabular.variance.conditional import Parts
from pgtheory.tabular.variance.directions import units


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
    """A whole return, or the mean of a group, at the point of a scene; the sources of its variance are not told apart.

    Cost along k directions: O(T nnz k) time and O(T S A) memory, or a few linear systems without horizon. Second moments are centred at the end: variances
    are right to rounding of E<x, g>^2.
    """

    form: Whole | LeftOut
    scene: Scene

    @property
    def policy(self) -> Policy:
        """The policy whose parameters the directions are of."""
        return self.scene.policy()

    @property
    def size(self) -> int:
        """Numbers that one direction takes: a table of pairs, or its parameters if they are more."""
        return max(self.form.actions.size, self.policy.theta.size)

    def mean(self) -> Float[np.ndarray, "D"]:
        """E[g]. Cost: D directions."""
        D = self.policy.theta.size
        return np.concatenate(over_blocks(lambda begin, end: self.law(units(self.policy, begin, end)).mean, D, size=self.size, workers=1))

    def parts(self, X: Float[np.ndarray, "k D"]) -> Parts:
        """Mean and variance along the rows of X, in one part."""
        found = self.law(X)
        variance = np.diag(found.covariance)
        return Parts(mean=found.mean, start=np.zeros_like(variance), rest=variance[None])

    def law(self, X: Float[np.ndarray, "k D"]) -> Law:
        """The law of <x, g> for the rows x of X."""
        columns = directions(self.form, self.policy, X)
        if isinstance(self.form, LeftOut):
            return leave_one_out_law(self.form, self.scene, columns)
        return whole_return_law(self.form, self.scene, columns)
