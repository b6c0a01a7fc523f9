"""Many models of one shape, as arrays with a leading axis: a thousand problems cost little more than one."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import ROUNDING, freeze, require_shape
from pgtheory.tabular.errors import InvalidModel, NonTerminating, PgtheoryError
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.solve.reachability import edges_of, ends_surely, exits_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Stack:
    """N dense models without horizon and with the same S and A. Problem n is `models[n]`; it obeys the rules of `MDP`.

    Attributes:
        P: transitions; a row may sum to less than one, the rest ends the episode.
        r: mean reward of a pair.
        mu: distribution of the first state.
        gamma: discounts; 1 where, under a policy that takes every action, the episode ends almost surely from every state.

    Memory: N S^2 A. Cost of building: one validated model a problem.

    Raises:
        InvalidModel: shapes that do not fit, or a problem that is no model; the text names its number.
        NonTerminating: gamma is 1 and some state never ends.
    """

    P: Float[np.ndarray, "N S A S"]
    r: Float[np.ndarray, "N S A"]
    mu: Float[np.ndarray, "N S"]
    gamma: Float[np.ndarray, "N"]

    def __post_init__(self) -> None:
        for name in ("P", "r", "mu", "gamma"):
            object.__setattr__(self, name, freeze(name, getattr(self, name)))
        if self.P.ndim != 4 or not self.P.size:
            raise InvalidModel(f"P has shape {self.P.shape}, expected (N, S, A, S). One model is a stack of one: Stack.of([model]).")
        N, S, A, _ = self.P.shape
        require_shape("P", self.P, (N, S, A, S), "N, S, A, S")
        require_shape("r", self.r, (N, S, A), "N, S, A")
        require_shape("mu", self.mu, (N, S), "N, S")
        require_shape("gamma", self.gamma, (N,), "one discount a problem")
        models = self.models
        # Where every state has an action that may end the episode, no graph needs to be searched.
        at_once = (self.P.sum(axis=3) < 1 - ROUNDING).any(axis=2).all(axis=1)
        for n in np.flatnonzero((self.gamma == 1) & ~at_once):
            everything = np.ones((S, A), dtype=bool)
            ends = ends_surely(edges_of(models[n], everything), exits_of(models[n], everything))
            if not ends.all():
                raise NonTerminating(
                    f"problem {n} has gamma 1, and from state {np.flatnonzero(~ends)[0]} the episode never ends. "
                    "Give gamma < 1, or let the rows of an absorbing state sum to less than one: the rest ends the episode."
                )
        self._lay_out()

    def _lay_out(self) -> None:
        for name in ("P", "r", "mu"):
            array = aligned(getattr(self, name))
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, models: Iterable[object]) -> Self:
        """The stack of some models (MDP, Bandit, TokenTree or anything with an attribute `mdp`), sparse ones made dense.

        Raises:
            InvalidModel: no model, a model with a horizon, or two shapes.
        """
        mdps = [as_mdp(model) for model in models]
        if not mdps:
            raise InvalidModel("a stack needs at least one model; the list is empty.")
        first = mdps[0]
        for n, mdp in enumerate(mdps):
            if mdp.S != first.S or mdp.A != first.A:
                raise InvalidModel(
                    f"problem {n} has (S, A) = {(mdp.S, mdp.A)}, problem 0 has {(first.S, first.A)}. A stack holds models of one shape."
                )
            if mdp.horizon is not None:
                raise InvalidModel(f"problem {n} has a horizon. Give with_time(model).model, whose states carry the time and which has none.")
        dense = lambda mdp: mdp.P.toarray().reshape(mdp.S, mdp.A, mdp.S) if sp.issparse(mdp.P) else mdp.P
        return cls(
            P=np.stack([dense(mdp) for mdp in mdps]),
            r=np.stack([mdp.mean_reward for mdp in mdps]),
            mu=np.stack([mdp.mu for mdp in mdps]),
            gamma=np.array([mdp.gamma for mdp in mdps]),
        )

    def repeated(self, count: int) -> Self:
        """Each problem `count` times, one after the other; nothing is checked again."""
        return self.taken(np.repeat(np.arange(self.N), count))

    def taken(self, which: Int[np.ndarray, "K"]) -> Self:
        """Some of the problems, by their numbers; nothing is checked again."""
        copy = object.__new__(type(self))
        for name in ("P", "r", "mu", "gamma"):
            object.__setattr__(copy, name, getattr(self, name)[which])
        object.__setattr__(copy, "models", tuple(self.models[n] for n in which))
        copy._lay_out()
        return copy

    @property
    def N(self) -> int:
        """Number of problems."""
        return self.P.shape[0]

    @property
    def S(self) -> int:
        """Number of states."""
        return self.P.shape[1]

    @property
    def A(self) -> int:
        """Number of actions."""
        return self.P.shape[2]

    @cached_property
    def models(self) -> tuple[MDP, ...]:
        """The problems one by one."""
        found = []
        for n in range(len(self.P)):
            try:
                found.append(MDP(P=self.P[n], r=self.r[n], mu=self.mu[n], gamma=float(self.gamma[n])))
            except PgtheoryError as problem:
                raise type(problem)(f"problem {n}: {problem}") from None
        return tuple(found)

    @cached_property
    def discounted(self) -> Float[np.ndarray, "N S A S"]:
        """gamma P."""
        return self.gamma[:, None, None, None] * self.P

    @cached_property
    def identity(self) -> Float[np.ndarray, "S S"]:
        """The identity of size S."""
        return np.eye(self.S)

    def kernel(self, pi: Float[np.ndarray, "N S A"]) -> Float[np.ndarray, "N S S"]:
        """gamma P_pi. Cost O(N S^2 A)."""
        if self.N == 1:  # half the overhead of einsum
            return (pi[:, :, None, :] @ self.discounted)[:, :, 0]
        return np.einsum("nsa,nsat->nst", pi, self.discounted)

    def backup(self, V: Float[np.ndarray, "N S"], r: Float[np.ndarray, "N S A"] | None = None) -> Float[np.ndarray, "N S A"]:
        """Q[s, a] = r(s, a) + gamma sum_t P[s, a, t] V[t], with another reward if one is given. Cost O(N S^2 A)."""
        if self.N == 1:
            return (self.r if r is None else r) + self.discounted[0] @ V[0]
        return (self.r if r is None else r) + np.einsum("nsat,nt->nsa", self.discounted, V)


def aligned(x: Float[np.ndarray, "N *X"]) -> Float[np.ndarray, "N *X"]:
    """The same array with the problems next to each other in memory, so that a sum over few actions runs along many problems: ten times faster."""
    return np.asfortranarray(x) if len(x) > 1 else x
