"""The deterministic policies among which the best one is sought."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.bands import Bands
from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.compiled import compiler
from pgtheory.tabular.solve.reachability import edges_of, endable, ends_surely, exits_of, likely_policy
from pgtheory.tabular.solve.rows import Rows
from pgtheory.tabular.solve.structure import UNIT, Structure

SMALL = 200
"""Up to so many states every matrix is kept dense where sweeps are not compiled: a call to a sparse routine costs more than the zeros."""

SPARSE = 0.125
"""Above `SMALL`, a dense table with a smaller share of nonzero entries is turned into a sparse one."""

COMPILED = 1000
"""Entries from which on sweeps are compiled: those of a hundred states take half of the time of a dense factorisation then."""

NARROW = 16
"""A band with at most so many products (below) x (below + above) is eliminated in O(S)."""


STEPS = 10_000
"""Limit of the evaluations of policy iteration. The queue of 100 000 states takes 141; what is proven, some S A / (1 - gamma) log(1 / (1 - gamma)), is far
from what is met."""


class Unbounded(Exception):
    """A policy that runs for ever earns more than one that ends: the supremum is infinite, or is not reached."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Play:
    """A model without horizon, its states `inside` (S,) and the actions `kept` (S, A) that are allowed there; kept actions never leave `inside`.

    Vectors have length S and are 0 outside. With gamma = 1, `inside` are the states from which some policy ends almost surely.
    """

    mdp: MDP
    inside: Bool[np.ndarray, "S"]
    kept: Bool[np.ndarray, "S A"]

    @classmethod
    def of(cls, mdp: MDP) -> "Play":
        """All policies; with gamma = 1 those that can be completed to one that ends almost surely.

        Raises:
            NonTerminating: gamma is 1 and from a first state no policy ends almost surely.
        """
        everything = np.ones((mdp.S, mdp.A), dtype=bool)
        if mdp.gamma < 1:
            return cls(mdp=mdp, inside=everything[:, 0], kept=everything)
        inside, kept = endable(mdp, everything)
        if (mdp.mu[~inside] > 0).any():
            state = int(np.flatnonzero((mdp.mu > 0) & ~inside)[0])
            raise NonTerminating(
                f"gamma is 1 and no policy ends almost surely from state {state}, where episodes start. The undiscounted return does not exist. "
                "Give gamma < 1, a horizon, or let the row P[s, a] of an absorbing state sum to less than one: the missing mass ends the episode."
            )
        return cls(mdp=mdp, inside=inside, kept=kept)

    @cached_property
    def everything(self) -> bool:
        """Whether every action of every state is allowed."""
        return bool(self.kept.all())

    @cached_property
    def whole(self) -> bool:
        """Whether every state is inside."""
        return bool(self.inside.all())

    @cached_property
    def transition(self) -> np.ndarray | sp.csr_array:
        """The rows (S*A, S) of the model, dense or sparse as its size and its zeros advise."""
        P: Any = self.mdp.transition
        S = self.mdp.S
        if sp.issparse(P):
            return P if S > SMALL or (self.stochastic and worth_compiling(P)) else P.toarray()
        return sp.csr_array(P) if S > SMALL and np.count_nonzero(P) < SPARSE * P.size else P

    @cached_property
    def structure(self) -> Structure:
        """The rows of all actions (S*A, S), for their product with a vector."""
        return Structure(self.transition, self.mdp.gamma)

    @cached_property
    def bands(self) -> Bands | None:
        """The transitions by diagonals, where these are few and mostly filled."""
        P: Any = self.transition
        return Bands.of(P, self.mdp.A, NARROW) if sp.issparse(P) else None

    @cached_property
    def worth_compiling(self) -> bool:
        """Whether there is a compiler, and enough to do for it."""
        return worth_compiling(self.transition)

    @cached_property
    def compiled(self) -> Rows | None:
        """Compiled sweeps, where they are worth it and no action ends the episode."""
        P: Any = self.transition
        return Rows.of(P, self.mdp.mean_reward, self.mdp.gamma) if self.stochastic and self.worth_compiling else None

    @cached_property
    def linear(self) -> str | None:
        """The method of `chain.py` that suits every policy; None: the chain looks for itself."""
        if not sp.issparse(self.transition):
            return "dense"
        return "banded" if self.bands else None

    @cached_property
    def reward(self) -> Float[np.ndarray, "S A"]:
        """The mean rewards, in that order of memory in which `after` is."""
        return np.asfortranarray(self.mdp.mean_reward) if self.bands else self.mdp.mean_reward

    @cached_property
    def stochastic(self) -> bool:
        """Whether no action ever ends the episode, and gamma < 1: then a constant is added to V and to T V alike, up to gamma."""
        return self.mdp.gamma < 1 and not self.mdp.ends.any()

    @cached_property
    def first(self) -> Int[np.ndarray, "S"]:
        """A policy to begin with: the best for one step, or with gamma = 1 the likeliest short way out."""
        if self.mdp.gamma == 1:
            return likely_policy(self.mdp, self.kept)
        return self.mdp.mean_reward.argmax(axis=1)

    def rows(self, policy: Int[np.ndarray, "S"]) -> np.ndarray | sp.csr_array:
        """Transitions (S, S) of a policy."""
        return self.transition[np.arange(self.mdp.S) * self.mdp.A + policy]

    def ends(self, policy: Int[np.ndarray, "S"]) -> bool:
        """Whether the policy has a value from every state inside: gamma < 1, or it ends almost surely."""
        if self.mdp.gamma < 1:
            return True
        taken = np.eye(self.mdp.A, dtype=bool)[policy]
        found = ends_surely(edges_of(self.mdp, taken & self.inside[:, None]), exits_of(self.mdp, taken) | ~self.inside)
        return bool((found | ~self.inside).all())

    def chain(self, policy: Int[np.ndarray, "S"]) -> Chain:
        """The chain of a policy on the states inside. The last one is kept with its factors: what solved for a value often certifies it too."""
        last, known = self.__dict__.get("_chain", (None, None))
        if known is None or not np.array_equal(last, policy):
            rows = self.bands.chain(policy) if self.whole and self.bands else self.rows(policy)
            if not self.whole:
                where = np.flatnonzero(self.inside)
                rows = rows[np.ix_(where, where)]  # type: ignore[index]
            known = Chain(K=rows, gamma=self.mdp.gamma, method=self.linear)
            self.__dict__["_chain"] = policy.copy(), known
        return known

    def value(self, policy: Int[np.ndarray, "S"]) -> Float[np.ndarray, "S"]:
        """V of a policy, by a linear system."""
        return self.spread(self.chain(policy).solve(self.mdp.mean_reward[self.inside, policy[self.inside]]))

    def spread(self, x: Float[np.ndarray, "I"]) -> Float[np.ndarray, "S"]:
        """A vector over the states inside as one over all states."""
        if self.whole:
            return x
        full = np.zeros(self.mdp.S)
        full[self.inside] = x
        return full

    def backup(self, V: Float[np.ndarray, "S"]) -> Float[np.ndarray, "S A"]:
        """Q of the value V; minus infinity at actions that are not allowed."""
        Q = self.after(V)
        Q *= self.mdp.gamma
        Q += self.reward
        return Q if self.everything else np.where(self.kept, Q, -np.inf)

    def rounding(self, V: Float[np.ndarray, "S"]) -> float:
        """Bound of the rounding error of an entry of backup(V) - V."""
        return rounding_of_change(self.mdp.branching, self.mdp.largest_reward, float(abs(V).max()))

    def longest(self, start: Int[np.ndarray, "S"], tied: Bool[np.ndarray, "S A"]) -> Float[np.ndarray, "S"]:
        """Largest expected number of steps over the policies of the actions `tied`, up to half a step an action: x >= 1/2 + P_a x for each of them.

        Policy iteration from `start`. Each switch gains more than half a step; where rounding alone feigns a quarter, it could go on for ever.

        Raises:
            Unbounded: some such policy does not end, or so rarely that rounding decides what is longer; STEPS evaluations were not enough.
        """
        policy, s = start, np.arange(self.mdp.S)
        for _ in range(STEPS):
            if not self.ends(policy):
                raise Unbounded
            x = self.spread(self.chain(policy).length)
            longer = np.where(tied, 1 + self.after(x), -np.inf)
            if not abs(longer[s, policy] - x)[self.inside].max(initial=0) < 0.25:
                raise Unbounded
            better = self.inside & (longer.max(axis=1) > x + 0.5)
            if not better.any():
                return x
            policy = np.where(better, longer.argmax(axis=1), policy)
        raise Unbounded

    def after(self, x: Float[np.ndarray, "S"]) -> Float[np.ndarray, "S A"]:
        """Expectation of x after a step, without discount."""
        return self.bands.expectation(x) if self.bands else self.structure.product(x, False).reshape(self.mdp.S, self.mdp.A)


def worth_compiling(P: Any) -> bool:
    """Whether there is a compiler, and enough to do for it."""
    return sp.issparse(P) and len(P.data) >= COMPILED and compiler() is not None


def rounding_of_change(branching: Any, largest_reward: Any, V_max: Any) -> Any:
    """Bound of the rounding error of an entry of r + gamma P V - V where |V| <= V_max; the parts may be arrays of many models.

    A sum of n terms (zeros not counted) errs by at most n u / (1 - n u) times the sum of their absolute values (Higham 2002, Section 3.1). Here it is n of P V,
    then the discount, the reward and V itself, n + 4 roundings of V; the mean of a reward of transitions and of the end took 2 n + 3 of its own. One more of
    each covers 1 - n u and rows of P that exceed one.
    """
    return UNIT * ((branching + 5) * V_max + (2 * branching + 6) * largest_reward)
