"""Entropy and Kullback-Leibler divergences, of whole sequences and state by state."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

Level = Literal["sequence", "state"]


@dataclass(frozen=True)
class _Divergence:
    """Shared part: sequence level sums over the undiscounted occupancy of a trajectory, state level over a constant weight of each state."""

    level: Level = "sequence"

    def __post_init__(self) -> None:
        if self.level not in ("sequence", "state"):
            raise InvalidArgument(f"level is {self.level!r}; known are 'sequence' and 'state'.")

    def episodic(self, scene: Scene) -> MDP:
        """The model without its discount.

        Raises:
            NonTerminating: some episode never ends, so that sequences have no law.
        """
        return replace(scene.mdp, gamma=1.0)


def state_weights(scene: Scene) -> Float[np.ndarray, "S"]:
    """Constant weights of the state level: the undiscounted occupancy of the reference policy, which never moves."""
    found = evaluate(replace(scene.mdp, gamma=1.0), scene.policy("ref")).occupancy
    return found.sum(axis=0) if found.ndim == 2 else found


@dataclass(frozen=True)
class Entropy(_Divergence):
    """sequence: entropy of the actions along a trajectory, -E[sum_t log pi(a_t|s_t)]; state: sum_s w(s) entropy(pi(.|s)).

    Sequence level: E[sum_t c(s_t, a_t)] with c = -log pi, whose gradient is the policy gradient for the reward c: the explicit dependence of c on theta has
    mean zero (the score). State weights w are those of `state_weights`, or 1 without a reference.
    """

    @property
    def name(self) -> str:
        """entropy."""
        return "entropy" if self.level == "sequence" else "state entropy"

    def value(self, scene: Scene) -> float:
        """See the class."""
        return _running_value(self, scene, -scene.policy().log_probabilities)

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """See the class."""
        return _running_gradient(self, scene, -scene.policy().log_probabilities)

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """See `running_hessian`."""
        return _running_hessian(self, scene, -scene.policy().log_probabilities, sign=-1.0)


@dataclass(frozen=True)
class ReverseKL(_Divergence):
    """KL(current || ref): sequence: of the trajectory laws, E_current[sum_t log pi - log ref]; state: sum_s w(s) KL(pi(.|s) || ref(.|s))."""

    @property
    def name(self) -> str:
        """reverse KL."""
        return "reverse KL" if self.level == "sequence" else "state reverse KL"

    def cost(self, scene: Scene) -> Float[np.ndarray, "S A"]:
        """log pi - log ref."""
        return scene.policy().log_probabilities - scene.policy("ref").log_probabilities

    def value(self, scene: Scene) -> float:
        """See the class."""
        return _running_value(self, scene, self.cost(scene))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """See the class."""
        return _running_gradient(self, scene, self.cost(scene))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """See `running_hessian`."""
        return _running_hessian(self, scene, self.cost(scene), sign=1.0)


@dataclass(frozen=True)
class ForwardKL(_Divergence):
    """KL(ref || current): sequence: E_ref[sum_t log ref - log pi]; state: sum_s w(s) KL(ref(.|s) || pi(.|s)).

    Both are sum_s d(s) sum_a ref(a|s) (log ref - log pi) with weights d that do not move, so that the derivatives are those of -log pi.
    """

    @property
    def name(self) -> str:
        """forward KL."""
        return "forward KL" if self.level == "sequence" else "state forward KL"

    def weights(self, scene: Scene) -> Float[np.ndarray, "S A"]:
        """d(s) ref(a|s) with d the undiscounted occupancy of ref: at both levels the same."""
        return state_weights(scene)[:, None] * scene.policy("ref").probabilities

    def value(self, scene: Scene) -> float:
        """See the class."""
        return float((self.weights(scene) * (scene.policy("ref").log_probabilities - scene.policy().log_probabilities)).sum())

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """-sum d ref score."""
        return -scene.policy().pullback(self.weights(scene))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """-sum d ref (second derivative of log pi)."""
        return -scene.policy().log_hessian(self.weights(scene))


def _weights(objective: _Divergence, scene: Scene) -> Float[np.ndarray, "S"]:
    return state_weights(scene) if "ref" in scene.policies else np.ones(scene.mdp.S)


def _running_value(objective: _Divergence, scene: Scene, cost: Float[np.ndarray, "S A"]) -> float:
    if objective.level == "state":
        return float(_weights(objective, scene) @ (scene.policy().probabilities * cost).sum(axis=1))
    return evaluate(_priced(objective, scene, cost), scene.policy()).J


def _running_gradient(objective: _Divergence, scene: Scene, cost: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "D"]:
    policy = scene.policy()
    pi = policy.probabilities
    if objective.level == "state":
        return policy.pullback(_weights(objective, scene)[:, None] * pi * cost)
    found = evaluate(_priced(objective, scene, cost), policy)
    return policy.pullback((found.occupancy[..., None] * pi * found.advantage).reshape(-1, *pi.shape).sum(axis=0))


def _priced(objective: _Divergence, scene: Scene, cost: Float[np.ndarray, "S A"]) -> MDP:
    """The undiscounted model with reward cost[s, a]; where the policy never acts so, the cost is irrelevant and set to zero."""
    mdp = objective.episodic(scene)
    return MDP(P=mdp.P, mu=mdp.mu, r=np.where(np.isfinite(cost), cost, 0.0), gamma=1.0, horizon=mdp.horizon)


def _running_hessian(objective: _Divergence, scene: Scene, cost: Float[np.ndarray, "S A"], *, sign: float) -> Float[np.ndarray, "D D"]:
    """Second derivative of E[sum_t c] with c = sign log pi + constant: that of the return for the reward c, with one more term d pi sign score score'.

    grad J = E[sum_t score_t Q_t] and Q moves with c as well: d/dtheta of the immediate part of Q is sign score, and of the later part sign E[score] = 0.
    """
    policy, pi, table = scene.policy(), scene.policy().probabilities, score(scene.policy())
    extra = lambda W: sign * np.einsum("sa,sai,saj->ij", W, table, table, optimize=True)
    if objective.level == "state":
        W = _weights(objective, scene)[:, None] * pi
        return np.einsum("sa,sai,saj->ij", W * cost, table, table, optimize=True) + policy.log_hessian(W * cost) + extra(W)
    priced = _priced(objective, scene, cost)
    found = evaluate(priced, policy).occupancy
    d = found.sum(axis=0) if found.ndim == 2 else found
    return Return().hessian(replace(scene, model=priced)) + extra(d[:, None] * pi)
