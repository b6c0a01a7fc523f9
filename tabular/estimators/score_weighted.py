"""A group's baseline that weights each reward by the squared norm of its score: the baseline of least variance, estimated from the group."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.estimators.groups import grouped, require_group, to_rows
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, kw_only=True)
class ScoreWeighted:
    """A_i = r_i - sum_j w_j r_j / sum_j w_j, w_j = |S_j|^2, S_j the sum of the scores of row j in parameter space.

    The sums run over the other rows of the group (unbiased, like the mean of the others), or over all of them (biased, and not along the gradient). Where all
    weights are zero the plain mean takes their place. b* = E[|S|^2 r] / E[|S|^2], which it estimates, depends on the parametrisation.
    Source: Huang, Sheng and Zheng (2025), OBLR-PO; b*: Greensmith, Bartlett and Baxter (2004).

    Attributes:
        leave_one_out: whether a row's own reward is left out of its baseline.

    Cost: O(N B T D), memory N B D and the table of scores S A D.

    Raises:
        InvalidArgument: a group of one completion has no others.
    """

    leave_one_out: bool = True

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N B 1"]:
        rewards, order = grouped(data)
        G = rewards.shape[-1]
        if self.leave_one_out:
            require_group(G, 2, "a baseline of the other rewards", "Take more completions a prompt, or leave_one_out=False.")
        S = np.einsum("nbtd,nbt->nbd", score(scene.policy())[data.state, data.action], data.mask)
        weight = np.take_along_axis((S**2).sum(axis=2), order.reshape(len(data), -1), axis=1).reshape(order.shape)
        mask = 1 - np.eye(G) if self.leave_one_out else np.ones((G, G))
        total = weight @ mask
        mean = (weight * rewards) @ mask
        baseline = np.where(total > 0, mean / np.where(total > 0, total, 1), rewards @ mask / mask.sum(axis=0))
        return to_rows(rewards - baseline, order)
