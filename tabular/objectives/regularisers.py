"""Entropy and Kullback-Leibler divergences, of whole trajectories and state by state.

Sequence level: the divergence of the laws of the trajectory. Start, transitions and rewards have the same factors in both laws and cancel (chain rule):

    KL(current, ref) = sum_s d(s) KL(pi(.|s), ref(.|s)),  d = expected number of visits of s under the first argument, not discounted,

so that the gradient of the reverse divergence includes the movement of d. It needs episodes that end.

State level: sum_s w(s) KL(pi(.|s), ref(.|s)) with weights w that do not move: see `state_weights`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import first
from pgtheory.tabular.errors import InvalidArgument, NonTerminating, NoSupport
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import probability_hessian, probability_pullback, require_interior, score_products
from pgtheory.tabular.objectives.returns import by_step, priced, return_gradient, return_hessian
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.reachability import edges_of, reachable

Level = Literal["sequence", "state"]
Table: TypeAlias = Float[np.ndarray, "S A"]


def visited(mdp: MDP) -> Bool[np.ndarray, "S"]:
    """States that some policy reaches from mu."""
    return reachable(edges_of(mdp, np.ones((mdp.S, mdp.A), dtype=bool)), mdp.mu > 0)


def state_weights(scene: Scene) -> Float[np.ndarray, "S"]:
    """Weights w of the state level. If the role `sampler` is played by a policy that does not move: its expected number of visits, not discounted, which
    is the weight that a loss summed over sampled steps sees. Else 1 for every state that can be reached from mu, 0 for the others."""
    if scene.moves("sampler"):
        return visited(scene.mdp).astype(float)
    return visits(scene.mdp, scene.policy("sampler"), "the state level with a sampling policy of its own")


def visits(mdp: MDP, policy: Policy, what: str) -> Float[np.ndarray, "S"]:
    """Expected number of visits of each state, not discounted."""
    with whole_trajectories(what):
        return by_step(evaluate(priced(mdp, np.zeros((mdp.S, mdp.A))), policy), mdp)[0].sum(axis=0)


@contextmanager
def whole_trajectories(what: str) -> Iterator[None]:
    """Says what to do where an undiscounted sum over a trajectory does not exist.

    Raises:
        NonTerminating: a trajectory may never end.
    """
    try:
        yield
    except NonTerminating as problem:
        raise NonTerminating(
            f"{what} is a sum over whole trajectories, not discounted, and here a trajectory may never end. "
            f'Give the model a horizon, or rows of P that sum to less than one, or take level="state" without a fixed sampler. ({problem})'
        ) from None


@dataclass(frozen=True)
class _Running(Combinable, ABC):
    """Shared part of entropy and reverse divergence: expected sums of c(s, a) = sign log pi(a|s) + something that does not move.

    The explicit dependence of c on theta drops out of the gradient, since sum_a grad pi = 0. It adds sign * sum d pi score score' to the Hessian.
    """

    level: Level = "sequence"
    title: ClassVar[str]
    sign: ClassVar[float]

    def __post_init__(self) -> None:
        require_level(self.level)

    @property
    def name(self) -> str:
        """The name, with "state" in front at the state level."""
        return self.title if self.level == "sequence" else f"state {self.title}"

    @abstractmethod
    def cost(self, scene: Scene) -> Table:
        """c(s, a); 0 where the current policy never acts so."""

    def value(self, scene: Scene) -> float:
        """See the class."""
        cost, mdp = self.cost(scene), scene.mdp
        if self.level == "state":
            return float(state_weights(scene) @ (scene.policy().probabilities * cost).sum(axis=1))
        with whole_trajectories(self.name):
            return evaluate(priced(mdp, cost), scene.policy()).J

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """The policy gradient for the reward c; at the state level sum_s w(s) sum_a c grad pi."""
        cost, policy = self._interior_cost(scene), scene.policy()
        if self.level == "state":
            return probability_pullback(policy, state_weights(scene)[:, None] * cost)
        with whole_trajectories(self.name):
            return return_gradient(priced(scene.mdp, cost), policy)

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """That of the return for the reward c, and the term of the class."""
        cost, policy = self._interior_cost(scene), scene.policy()
        if self.level == "state":
            d = state_weights(scene)
            plain = probability_hessian(policy, d[:, None] * cost)
        else:
            d = visits(scene.mdp, policy, self.name)
            plain = return_hessian(priced(scene.mdp, cost), policy)
        return plain + self.sign * score_products(policy, sp.diags_array((d[:, None] * policy.probabilities).ravel()))

    def _interior_cost(self, scene: Scene) -> Table:
        require_interior(scene.policy(), np.broadcast_to(visited(scene.mdp)[:, None], scene.policy().probabilities.shape), self.name)
        return self.cost(scene)


@dataclass(frozen=True)
class Entropy(_Running):
    """sequence: entropy of the actions along a trajectory, E[-sum_t log pi(a_t|s_t)]; state: sum_s w(s) entropy(pi(.|s)).

    Raises:
        NonTerminating: sequence level, and a trajectory may never end.
        InvalidPolicy: the policy is on the boundary of the simplex (derivatives only).

    Theorem: T37.
    """

    title = "entropy"
    sign = -1.0

    def cost(self, scene: Scene) -> Table:
        """-log pi."""
        log_pi = scene.policy().log_probabilities
        return np.where(np.isneginf(log_pi), 0.0, -log_pi)


@dataclass(frozen=True)
class ReverseKL(_Running):
    """KL(current, ref). sequence: of the laws of the trajectory, E[sum_t log pi - log ref]; state: sum_s w(s) KL(pi(.|s), ref(.|s)).

    Raises:
        InvalidArgument: nobody plays the role `ref`.
        NoSupport: the current policy takes an action that ref never takes: the divergence is infinite.
        NonTerminating, InvalidPolicy: as `Entropy`.
    """

    title = "reverse KL"
    sign = 1.0

    def cost(self, scene: Scene) -> Table:
        """log pi - log ref."""
        return log_ratio(scene, "current", "ref", self.name)


@dataclass(frozen=True)
class ForwardKL(Combinable):
    """KL(ref, current). sequence: of the laws of the trajectory, E_ref[sum_t log ref - log pi]; state: sum_s w(s) KL(ref(.|s), pi(.|s)).

    Both are sum_s d(s) sum_a ref(a|s) (log ref - log pi) with weights d that do not move, so that the derivatives are those of -log pi.

    Raises:
        InvalidArgument: nobody plays the role `ref`.
        NoSupport: ref takes an action that the current policy never takes: the divergence is infinite.
        NonTerminating: sequence level, and a trajectory of ref may never end.
    """

    level: Level = "sequence"

    def __post_init__(self) -> None:
        require_level(self.level)

    @property
    def name(self) -> str:
        """forward KL, or state forward KL."""
        return "forward KL" if self.level == "sequence" else "state forward KL"

    def value(self, scene: Scene) -> float:
        """See the class."""
        return float((self._weights(scene) * log_ratio(scene, "ref", "current", self.name)).sum())

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """-sum d ref score."""
        return -scene.policy().pullback(self._weights(scene))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """-sum d ref (second derivative of log pi)."""
        return -scene.policy().log_hessian(self._weights(scene))

    def _weights(self, scene: Scene) -> Table:
        log_ratio(scene, "ref", "current", self.name)
        ref = scene.policy("ref")
        d = state_weights(scene) if self.level == "state" else visits(scene.mdp, ref, self.name)
        return d[:, None] * ref.probabilities


def log_ratio(scene: Scene, of: str, to: str, name: str) -> Table:
    """log of the ratio of two roles' probabilities; 0 where the first never acts so.

    Raises:
        NoSupport: in a state that can be reached, the first role takes an action that the second never takes.
    """
    above, below = scene.policy(of).log_probabilities, scene.policy(to).log_probabilities
    never = np.isneginf(above)
    wrong = visited(scene.mdp)[:, None] & ~never & np.isneginf(below)
    if wrong.any():
        s, a = first(wrong)
        raise NoSupport(
            f"the {to} policy never takes action {a} in state {s}, which the {of} policy takes with probability {scene.policy(of).probabilities[s, a]:.4g}: "
            f"the {name} is infinite. Give it positive probability there."
        )
    defined = ~never & ~np.isneginf(below)
    return np.where(defined, np.where(defined, above, 0.0) - np.where(defined, below, 0.0), 0.0)


def require_level(level: str) -> None:
    """Refuse a level that is neither of the two."""
    if level not in ("sequence", "state"):
        raise InvalidArgument(f"level is {level!r}; known are 'sequence' and 'state'.")
