"""The average reward of a policy and its derivatives."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import probability_gradient, probability_hessian, probability_pullback
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.average import unichain
from pgtheory.tabular.solve.evaluation import evaluate


@dataclass(frozen=True)
class AverageReward(Combinable):
    """The gain: mean reward of a step in the long run, of a process that never ends. Neither the discount nor the start plays a part.

    grad = sum_s d(s) sum_a Q(s, a) grad pi(a|s), d the stationary law and Q(s, a) = r - gain + sum_t P h(t) the differential action value; a constant added
    to Q changes nothing, for grad pi sums to zero over the actions (Sutton, McAllester, Singh, Mansour 1999, theorem 1, average reward).

    Raises:
        InvalidArgument: the model ends or has a horizon.
        Multichain: the policy has two closed classes, so that its gain depends on the start.

    Theorem: T57.
    """

    @property
    def name(self) -> str:
        """average reward."""
        return "average reward"

    def value(self, scene: Scene) -> float:
        """d . r_pi."""
        return evaluate(scene.mdp, scene.policy(), criterion="average").J

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """One evaluation and one pullback; no table (S, A, D)."""
        found = evaluate(scene.mdp, scene.policy(), criterion="average")
        return probability_pullback(scene.policy(), found.occupancy[:, None] * found.Q)

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """sum d Q (second derivative of pi) + sum d [grad pi (P grad h)' + its transpose], grad h = D sum_a Q grad pi up to a constant, which P leaves alone.

        From differentiating h + J = r_pi + P_pi h twice and multiplying by d. Cost: D solves with one factorisation, O(S A D^2); memory S A D.
        """
        policy, mdp = scene.policy(), scene.mdp
        found, dpi = evaluate(mdp, policy, criterion="average"), probability_gradient(policy)
        slope = unichain(mdp, policy).deviation(np.einsum("sa,sad->sd", found.Q, dpi))
        after = mdp.transition @ slope
        cross = (found.occupancy[:, None, None] * dpi).reshape(after.shape).T @ after
        return probability_hessian(policy, found.occupancy[:, None] * found.Q) + cross + cross.T
