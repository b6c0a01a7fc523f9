"""The expected return and its derivatives."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_between
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.policy import Policy, score
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.chain import UNIT, Chain
from pgtheory.tabular.solve.evaluation import evaluate


@dataclass(frozen=True)
class Return:
    """J: the expected return of the model's own criterion: discounted, of finite horizon, or episodic.

    grad J = sum_s d(s) sum_a pi(a|s) Q(s, a) score(s, a), d not normalised (Sutton, McAllester, Singh, Mansour 1999, theorem 1); with a horizon d and Q
    carry the time, and the terms are summed over it.
    """

    @property
    def name(self) -> str:
        """J."""
        return "J"

    def model(self, scene: Scene) -> MDP:
        """The decision process whose criterion is meant."""
        return scene.mdp

    def value(self, scene: Scene) -> float:
        """mu V."""
        return evaluate(self.model(scene), scene.policy()).J

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """Cost: one evaluation and one pullback. The advantage stands for Q: the score has mean zero in every state."""
        policy, found = scene.policy(), evaluate(self.model(scene), scene.policy())
        W = found.occupancy[..., None] * policy.probabilities * found.advantage
        return policy.pullback(W.reshape(-1, *policy.probabilities.shape).sum(axis=0))

    def gradient_with_bound(self, scene: Scene) -> tuple[Float[np.ndarray, "D"], float]:
        """The gradient and a proven sup-norm bound of its error (no horizon).

        With |V error| <= v and |d error|_1 <= e: |error| <= max|score| (|d|_1 2 v + e max|A|) + rounding of the final sums. The column sums of the transposed
        inverse are the row sums of the inverse, so that e follows from the same norm.
        """
        mdp, policy = self.model(scene), scene.policy()
        found, inside = evaluate(mdp, policy), inner_chain(mdp, policy)[1]
        residual = mdp.mu - found.occupancy + mdp.gamma * (mdp.kernel(policy.probabilities).T @ found.occupancy)
        total = float(abs(found.occupancy).sum())
        e = inner_chain(mdp, policy)[0].inverse_norm * (float(abs(residual[inside]).sum()) + 8 * UNIT * mdp.S * total)
        largest = float(abs(score(policy)).max(initial=0))
        size = float(abs(found.advantage).max(initial=0))
        bound = largest * (total * 2 * found.bound + e * size) + 4 * (mdp.S * mdp.A + 8) * UNIT * largest * total * size
        return self.gradient(scene), bound

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """sum d pi [Q (score score' + second derivative of log pi) + gamma score (P grad V)' + its transpose].

        The theorem of the policy gradient applied twice (Furmston, Lever, Barber 2016, theorem 3). Cost: D right-hand sides, O(S^2 D + S A D^2).
        """
        mdp, policy = self.model(scene), scene.policy()
        found, pi, table = evaluate(mdp, policy), policy.probabilities, score(policy)
        steps = mdp.horizon or 1
        Q, d = found.Q.reshape(steps, mdp.S, mdp.A), found.occupancy.reshape(steps, mdp.S)
        slope = np.zeros((mdp.S, table.shape[2]))
        cross = np.zeros((table.shape[2],) * 2)
        if mdp.horizon is None:
            chain, inside = inner_chain(mdp, policy)
            slope[inside] = chain.solve(np.einsum("sa,sa,sad->sd", pi, Q[0], table)[inside])
        for t in range(steps - 1, -1, -1):
            following = mdp.gamma * (mdp.transition @ slope).reshape(mdp.S, mdp.A, -1)
            cross += np.einsum("sa,sai,saj->ij", d[t][:, None] * pi, table, following, optimize=True)
            if mdp.horizon is not None:
                slope = np.einsum("sa,sad->sd", pi, Q[t][..., None] * table + following)
        W = (d[..., None] * pi * Q).sum(axis=0)
        return np.einsum("sa,sai,saj->ij", W, table, table, optimize=True) + policy.log_hessian(W) + cross + cross.T


def inner_chain(mdp: MDP, policy: Policy) -> tuple[Chain, np.ndarray]:
    """The chain of the policy on the states whose value exists, and their numbers."""
    inside = np.flatnonzero(evaluate(mdp, policy).ends)
    kernel = mdp.kernel(policy.probabilities)
    return Chain(K=kernel if len(inside) == mdp.S else kernel[np.ix_(inside, inside)], gamma=mdp.gamma), inside


@dataclass(frozen=True)
class ReturnAt(Return):
    """The return with another discount: gamma = 1 is the undiscounted return of an episodic or finite-horizon model."""

    gamma: float = 1.0

    def __post_init__(self) -> None:
        require_between("gamma", self.gamma, 0, 1)

    @property
    def name(self) -> str:
        """The return at this discount."""
        return "undiscounted return" if self.gamma == 1 else f"return at gamma = {self.gamma:g}"

    def model(self, scene: Scene) -> MDP:
        """The same model with another discount."""
        return replace(scene.mdp, gamma=self.gamma)
