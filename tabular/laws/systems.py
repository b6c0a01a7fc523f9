"""The linear systems of a law without horizon: (I - c P_b) x = y on the states that the data reach, P_b the moves under the policy that samples."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.reachability import edges_of, ends_surely, exits_of, reachable


def reached_states(mdp: MDP, actions: Float[np.ndarray, "S A"], nu: float) -> Bool[np.ndarray, "S"]:
    """States that the data reach.

    Raises:
        NonTerminating: nu is 1 and from one of them the episode may run for ever.
    """
    edges = edges_of(mdp, actions > 0)
    reached = reachable(edges, mdp.mu > 0)
    endless = reached & ~ends_surely(edges, exits_of(mdp, actions > 0))
    if nu == 1 and endless.any():
        raise NonTerminating(
            f"the scores are not discounted, and from state {int(np.flatnonzero(endless)[0])}, which is reached from mu, the episode may never end under the policy "
            "that samples: the sum over its steps has neither mean nor variance. Give the sampling or the model a horizon, let episodes end (rows of P below one), or "
            "discount the scores (gamma < 1 with step_discount=True)."
        )
    return reached


class Systems:
    """(I - c P_b) x = y and its transpose, one factorisation a discount c; x is zero where the data never come.

    With `dense` P_b is made dense, for right-hand sides as many as states: then its S^2 numbers are the smallest table of all.
    """

    def __init__(self, mdp: MDP, actions: Float[np.ndarray, "S A"], reached: Bool[np.ndarray, "S"], *, dense: bool = False) -> None:
        kernel: Any = mdp.kernel(actions)
        kernel = kernel.toarray() if dense and sp.issparse(kernel) else kernel
        self.inside = np.flatnonzero(reached)
        self.K = kernel if reached.all() else kernel[np.ix_(self.inside, self.inside)]
        self.chains: dict[float, Chain] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Without the factorisations, which do not travel to other processes."""
        return {**self.__dict__, "chains": {}}

    def chain(self, c: float) -> Chain:
        """The system with discount c."""
        return self.chains.setdefault(c, Chain(K=self.K, gamma=c))

    def solve(self, c: float, y: Float[np.ndarray, "S *k"]) -> Float[np.ndarray, "S *k"]:
        """x."""
        x = np.zeros_like(y)
        x[self.inside] = self.chain(c).solve(y[self.inside])
        return x

    def solve_transposed(self, c: float, y: Float[np.ndarray, "S *k"]) -> Float[np.ndarray, "S *k"]:
        """x of the transposed system."""
        x = np.zeros_like(y)
        x[self.inside] = self.chain(c).solve_transposed(y[self.inside])
        return x
