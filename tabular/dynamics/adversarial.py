"""Episodes whose costs an adversary chooses, and policy mirror descent against them, with estimates and bonuses.

Costs are in [0, 1] and paid at each of H steps; the moves stay the same. In episode k, at every step and state,

    pi_{k+1} proportional to pi_k exp(-eta (Qhat_k - B_k)),

Qhat_k an estimate of the action values Q_k of pi_k, B_k the action values of pi_k for a cost b_k: the bonus. With err = Qhat - Q and any policy pi*,

    V^{pi_k}(c) - V^{pi*}(c) = sum_h E_{pi*} <Qhat - B, pi_k - pi*> - sum_h E_{pi*} <err, pi_k - pi*> + V^{pi_k}(b) - V^{pi*}(b):

if |err| <= b/2, what the errors do on the path of pi* is paid by the bonus that pi_k itself collects.
Source: Even-Dar, Kakade and Mansour (2009); Sherman, Koren and Mansour (2023); the decomposition is derived here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import first, freeze, require_shape
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import MDP, as_mdp


class Episode(NamedTuple):
    """What an estimate or a bonus may look at: its number, the policy, exact action values, and the visits of (h, s, a) expected before it."""

    k: int
    pi: Float[np.ndarray, "H S A"]
    Q: Float[np.ndarray, "H S A"]
    visits: Float[np.ndarray, "H S A"]


@dataclass(frozen=True, eq=False, kw_only=True)
class AdversarialCosts:
    """K episodes of H steps on the moves and the start law of a model; its rewards, discount and horizon play no part.

    Attributes:
        model: P and mu.
        costs: of (h, s, a) in each episode, in [0, 1].
    """

    model: object
    costs: Float[np.ndarray, "K H S A"]

    def __post_init__(self) -> None:
        costs, mdp = freeze("costs", self.costs, error=InvalidArgument), as_mdp(self.model)
        require_shape("costs", costs, (*costs.shape[:2], mdp.S, mdp.A), "K, H, S, A", error=InvalidArgument)
        if not costs.size:
            raise InvalidArgument(f"costs has shape {costs.shape}: give at least one episode of one step.")
        wrong = (costs < 0) | (costs > 1)
        if wrong.any():
            raise InvalidArgument(f"costs{first(wrong)} is {costs[tuple(first(wrong))]}, outside [0, 1]. Rescale the costs.")
        object.__setattr__(self, "costs", costs)

    @cached_property
    def P(self) -> Float[np.ndarray, "S A S"]:
        """The moves."""
        return dense_moves(as_mdp(self.model))

    def action_values(self, cost: Float[np.ndarray, "H S A"], pi: Float[np.ndarray, "H S A"]) -> Float[np.ndarray, "H S A"]:
        """Q of a policy for one cost, backwards. Cost O(H S^2 A)."""
        Q, V = np.zeros(np.shape(cost)), np.zeros(self.P.shape[0])
        for h in range(len(Q) - 1, -1, -1):
            Q[h] = cost[h] + self.P @ V
            V = (pi[h] * Q[h]).sum(axis=1)
        return Q

    def visits(self, pi: Float[np.ndarray, "H S A"]) -> Float[np.ndarray, "H S A"]:
        """Probability of being at (s, a) at step h. Cost O(H S^2 A)."""
        found, law = np.zeros(np.shape(pi)), as_mdp(self.model).mu
        for h in range(len(found)):
            found[h] = law[:, None] * pi[h]
            law = np.einsum("sa,sat->t", found[h], self.P)
        return found

    def loss(self, cost: Float[np.ndarray, "*K H S A"], pi: Float[np.ndarray, "H S A"]) -> Float[np.ndarray, "*K"]:
        """Expected total cost of an episode, V^pi(c)."""
        return (cost * self.visits(pi)).sum(axis=(-3, -2, -1))

    @cached_property
    def best(self) -> Float[np.ndarray, "H S A"]:
        """The best fixed policy in hindsight: of least cost in total, the first action among ties. Cost O(H S^2 A)."""
        total, found, V = self.costs.sum(axis=0), np.zeros(self.costs.shape[1:]), np.zeros(self.P.shape[0])
        for h in range(len(found) - 1, -1, -1):
            Q = total[h] + self.P @ V
            found[h] = np.arange(Q.shape[1]) == Q.argmin(axis=1)[:, None]
            V = Q.min(axis=1)
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Play:
    """What was played, episode by episode.

    Attributes:
        game: the moves and the costs.
        pi: policies (K, H, S, A).
        estimate, bonus: Qhat_k and B_k.
        bonus_cost: b_k.
        loss: V^{pi_k}(c_k), (K,).
    """

    game: AdversarialCosts
    pi: Float[np.ndarray, "K H S A"]
    estimate: Float[np.ndarray, "K H S A"]
    bonus: Float[np.ndarray, "K H S A"]
    bonus_cost: Float[np.ndarray, "K H S A"]
    loss: Float[np.ndarray, "K"]

    @property
    def regret(self) -> Float[np.ndarray, "K"]:
        """sum_{j<=k} V^{pi_j}(c_j) - V^{pi*}(c_j), pi* the best policy for all K episodes: only the last entry is sure not to be negative by much."""
        return np.cumsum(self.loss - self.game.loss(self.game.costs, self.game.best))


Table = Callable[[Episode], Float[np.ndarray, "H S A"]]


def play(game: AdversarialCosts, eta: float, *, estimate: Table | None = None, bonus: Table | None = None) -> Play:
    """Policy mirror descent from the uniform policy, by the top of this file; logarithms of the policy are kept, so that no probability is lost to underflow.

    Args:
        estimate: Qhat of an episode; None: exact action values, full information.
        bonus: the cost b whose action values are subtracted; None: no bonus.

    Cost: O(K H S^2 A) time, O(K H S A) memory.

    Raises:
        InvalidArgument: eta is not positive, or an estimate or bonus has another shape or is not finite.
    """
    if not 0 < eta < np.inf:
        raise InvalidArgument(f"eta is {eta}, expected a positive finite number.")
    shape = game.costs.shape[1:]
    logits, visits, kept = np.zeros(shape), np.zeros(shape), []
    for k, cost in enumerate(game.costs):
        pi = np.exp(logits - logits.max(axis=2, keepdims=True))
        pi /= pi.sum(axis=2, keepdims=True)
        episode = Episode(k, pi, game.action_values(cost, pi), visits)
        Qhat = episode.Q if estimate is None else table("estimate", estimate(episode), shape)
        b = np.zeros(shape) if bonus is None else table("bonus", bonus(episode), shape)
        B = game.action_values(b, pi)
        logits = logits - eta * (Qhat - B)
        now = game.visits(pi)
        kept.append((pi, Qhat, B, b, (now * cost).sum()))
        visits = visits + now
    pi, Qhat, B, b, loss = (np.array(x) for x in zip(*kept, strict=True))
    return Play(game=game, pi=pi, estimate=Qhat, bonus=B, bonus_cost=b, loss=loss)


def table(name: str, values: object, shape: tuple[int, ...]) -> np.ndarray:
    """What a function of the user returned, if it is a table (H, S, A)."""
    found = freeze(name, values, error=InvalidArgument)
    require_shape(name, found, shape, "H, S, A", error=InvalidArgument)
    return found


def dense_moves(mdp: MDP) -> Float[np.ndarray, "S A S"]:
    """P as an array."""
    P = mdp.transition
    return np.reshape(P if isinstance(P, np.ndarray) else P.toarray(), (mdp.S, mdp.A, mdp.S))
