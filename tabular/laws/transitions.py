"""What a law needs of a quantity x(s, a, s') on the transitions of a model: temporal differences and rewards, with the end of the episode.

x = r + discount * after[s'] - before[s] on a transition that goes on, and x = r_end - before[s] where the episode ends: the value after the end is zero.
A random reward enters through its second moment alone, E[x^2] = E[r^2] + 2 E[r] c + c^2 with c the rest, for it is independent of everything else given (s, a, s').
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.models.mdp import MDP

Kernel = np.ndarray | sp.csr_array
"""A matrix (S*A, S), dense or CSR; row s*A + a."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Transitions:
    """P o E[x^i | s, a, s'] for i = 0, 1, 2 as (S*A, S) matrices, and E[x^i | s, a] for i = 1, 2 as (S, A), the end of the episode included.

    Attributes:
        P: transition probabilities.
        first: P o E[x].
        second: P o E[x^2].
        mean: E[x | s, a].
        square: E[x^2 | s, a].
    """

    P: Kernel
    first: Kernel
    second: Kernel
    mean: Float[np.ndarray, "S A"]
    square: Float[np.ndarray, "S A"]


@dataclass(frozen=True, eq=False)
class Rewards:
    """The first two moments of the reward of a model on the pattern of P, from which x is built for any `after` and `before`. Cost O(nnz) each."""

    mdp: MDP

    @cached_property
    def row(self) -> np.ndarray:
        """Number s*A + a of the pair of each entry of `P`."""
        P = self.mdp.transition
        return np.repeat(np.arange(P.shape[0]), np.diff(P.indptr)) if sp.issparse(P) else np.arange(P.shape[0])[:, None]

    @cached_property
    def column(self) -> np.ndarray:
        """Next state of each entry of `P`."""
        P = self.mdp.transition
        return P.indices if sp.issparse(P) else np.arange(P.shape[1])[None]

    @cached_property
    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """E[r] and E[r^2] on each entry of `P`."""
        mdp = self.mdp
        on = lambda table: self._on_pattern(table)
        r = on(mdp.r)
        return r, r * r if mdp.r2 is None else on(mdp.r2)

    @cached_property
    def at_end(self) -> tuple[Float[np.ndarray, "S A"], Float[np.ndarray, "S A"]]:
        """E[r] and E[r^2] where the episode ends after (s, a)."""
        mdp = self.mdp
        if mdp.by_pair:
            return mdp.r, mdp.r**2 if mdp.r2 is None else mdp.r2  # type: ignore[return-value]
        r = np.zeros((mdp.S, mdp.A)) if mdp.r_end is None else mdp.r_end
        return r, r**2 if mdp.r2_end is None else mdp.r2_end

    def _on_pattern(self, table: object) -> np.ndarray:
        if self.mdp.by_pair:
            return np.asarray(table).ravel()[self.row]
        if sp.issparse(table):
            return np.asarray(sp.csr_array(table)[self.row, self.column]).ravel()
        return np.asarray(table).reshape(-1, self.mdp.S)

    def transitions(
        self, after: Float[np.ndarray, "S"] | None = None, before: Float[np.ndarray, "S"] | None = None, discount: float = 1.0
    ) -> Transitions:
        """The moments of x = r + discount * after[s'] - before[s]; without `after` and `before`, of the reward itself."""
        mdp, P = self.mdp, self.mdp.transition
        zero = np.zeros(mdp.S)
        after, before = zero if after is None else after, zero if before is None else before
        (r, r2), (r_end, r2_end) = self.moments, self.at_end
        rest = discount * after[self.column] - before[self.row // mdp.A]
        x, xx = r + rest, r2 + 2 * r * rest + rest * rest
        weighted = lambda values: sp.csr_array((P.data * values, P.indices, P.indptr), shape=P.shape) if sp.issparse(P) else P * values
        first, second = weighted(x), weighted(xx)
        total = lambda matrix: np.asarray(matrix.sum(axis=1)).reshape(mdp.S, mdp.A)
        b = before[:, None]
        mean = total(first) + mdp.ends * (r_end - b)
        square = total(second) + mdp.ends * (r2_end - 2 * r_end * b + b * b)
        return Transitions(P=P, first=first, second=second, mean=mean, square=square)
