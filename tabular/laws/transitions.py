"""What a law needs of a quantity x(s, a, s') on the transitions of a model: temporal differences and rewards, with the end of the episode.

x = r + discount * after[s'] - before[s] on a transition that goes on, and x = r_end - before[s] where the episode ends: the value after the end is zero.
A random reward enters through its second moment alone, E[x^2] = E[r^2] + 2 E[r] c + c^2 with c the rest, for it is independent of everything else given (s, a, s').
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.models.mdp import MDP, entries

Kernel = np.ndarray | sp.csr_array
"""A matrix (S*A, S), dense or CSR; row s*A + a."""

THIN = 8
"""A dense P with fewer than one entry in THIN that is not zero is taken as sparse: there the sparse product with a table is the faster one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Transitions:
    """The first two moments of x on each entry of P, and what follows from them; (S*A, S) matrices leave the end of the episode out, tables (S, A) have it.

    Attributes:
        P: transition probabilities.
        x: E[x | s, a, s'] on the entries of P.
        xx: E[x^2 | s, a, s'].
        mean: E[x | s, a].
        square: E[x^2 | s, a].
    """

    P: Kernel
    x: np.ndarray
    xx: np.ndarray
    mean: Float[np.ndarray, "S A"]
    square: Float[np.ndarray, "S A"]

    @cached_property
    def first(self) -> Kernel:
        """P o E[x]."""
        return weighted(self.P, self.x)

    @cached_property
    def second(self) -> Kernel:
        """P o E[x^2]."""
        return weighted(self.P, self.xx)


@dataclass(frozen=True, eq=False)
class Rewards:
    """The first two moments of the reward of a model on the pattern of P, from which x is built for any `after` and `before`. Cost O(nnz) each."""

    mdp: MDP

    @cached_property
    def P(self) -> Kernel:
        """The transitions of the model, as CSR if they are sparse or nearly so."""
        P = self.mdp.transition
        return P if sp.issparse(P) or THIN * np.count_nonzero(P) >= P.size else sp.csr_array(P)

    @cached_property
    def row(self) -> np.ndarray:
        """Number s*A + a of the pair of each entry of `P`."""
        P: Any = self.P
        return np.repeat(np.arange(P.shape[0]), np.diff(P.indptr)) if sp.issparse(P) else np.arange(P.shape[0])[:, None]

    @cached_property
    def column(self) -> np.ndarray:
        """Next state of each entry of `P`."""
        P: Any = self.P
        return P.indices if sp.issparse(P) else np.arange(P.shape[1])[None]

    @cached_property
    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """E[r] and E[r^2] on each entry of `P`."""
        r = self._on_entries(self.mdp.r)
        return r, r * r if self.mdp.r2 is None else self._on_entries(self.mdp.r2)

    @cached_property
    def at_end(self) -> tuple[Float[np.ndarray, "S A"], Float[np.ndarray, "S A"]]:
        """E[r] and E[r^2] where the episode ends after (s, a)."""
        mdp = self.mdp
        if mdp.by_pair:
            return mdp.r, mdp.r**2 if mdp.r2 is None else mdp.r2  # type: ignore[return-value]
        r = np.zeros((mdp.S, mdp.A)) if mdp.r_end is None else mdp.r_end
        return r, r**2 if mdp.r2_end is None else mdp.r2_end

    @cached_property
    def first(self) -> Kernel:
        """P o E[r]."""
        return weighted(self.P, self.moments[0])

    @cached_property
    def size(self) -> Float[np.ndarray, "S A"]:
        """E[|r| | s, a] for the mean rewards of the transitions: what the rounding of sums of rewards is measured by."""
        mdp = self.mdp
        going_on = np.asarray(weighted(self.P, abs(self.moments[0])).sum(axis=1)).reshape(mdp.S, mdp.A)
        return going_on + mdp.ends * abs(self.at_end[0])

    def _on_entries(self, table: object) -> np.ndarray:
        if self.mdp.by_pair:
            return np.asarray(table).ravel()[self.row]
        return entries(table if sp.issparse(table) else np.asarray(table).reshape(-1, self.mdp.S), self.row, self.column)

    def transitions(
        self, after: Float[np.ndarray, "S"] | None = None, before: Float[np.ndarray, "S"] | None = None, discount: float = 1.0
    ) -> Transitions:
        """The moments of x = r + discount * after[s'] - before[s]; without `after` and `before`, of the reward itself.

        Squares are taken transition by transition: E[x^2] from the moments of r and the values apart would cancel where values are large and x is small.
        """
        mdp, P = self.mdp, self.P
        zero = np.zeros(mdp.S)
        after, before = zero if after is None else after, zero if before is None else before
        (r, r2), (r_end, r2_end) = self.moments, self.at_end
        rest = discount * after[self.column] - before[self.row // mdp.A]
        x = r + rest
        xx = x * x + (r2 - r * r)
        total = lambda values: np.asarray(weighted(P, values).sum(axis=1)).reshape(mdp.S, mdp.A)
        x_end = r_end - before[:, None]
        mean = total(x) + mdp.ends * x_end
        square = total(xx) + mdp.ends * (x_end * x_end + (r2_end - r_end * r_end))
        return Transitions(P=P, x=x, xx=xx, mean=mean, square=square)


def weighted(P: Any, values: np.ndarray) -> Kernel:
    """P times `values` entry by entry."""
    return sp.csr_array((P.data * values, P.indices, P.indptr), shape=P.shape) if sp.issparse(P) else P * values
