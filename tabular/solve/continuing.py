"""Models that never end, on which the average reward is defined, and the moves of their policies."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import first
from pgtheory.tabular.errors import InvalidArgument, Multichain
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.evaluation import backup_rounding
from pgtheory.tabular.solve.reachability import closed_classes, edges_of, leads_into

LISTED = 5
"""States of a class that an error names."""

CURE = 'Give a policy or a model that moves between them, a model of one of them alone, or gamma < 1 with criterion="return".'


@dataclass(frozen=True, eq=False, kw_only=True)
class Continuing:
    """A model without end and horizon; its discount plays no part.

    Rows of P and of a policy that miss one by rounding stand for themselves divided by their sums: everything here is exact for those.

    Attributes:
        mdp: the model.
        total: sums of the rows of P.
    """

    mdp: MDP
    total: Float[np.ndarray, "S A"]

    @classmethod
    def of(cls, mdp: MDP) -> "Continuing":
        """The model, if it never ends.

        Raises:
            InvalidArgument: it has a horizon, or some (s, a) ends the episode.
        """
        if mdp.horizon is not None:
            raise InvalidArgument(
                f"the model has the horizon {mdp.horizon}; the average reward is that of a process which never ends. "
                'Give horizon=None, or criterion="return".'
            )
        if (mdp.ends > 0).any():
            s, a = first(mdp.ends > 0)
            raise InvalidArgument(
                f"P[{s}, {a}] sums to {1 - mdp.ends[s, a]:.12g}: the episode may end there, and the average reward is that of a process which never ends. "
                'Let the missing mass start the next episode (add it to P[s, a, t] in proportion to mu), or give criterion="return".'
            )
        return cls(mdp=mdp, total=np.asarray(mdp.transition.sum(axis=1)).reshape(mdp.S, mdp.A))

    def kernel(self, pi: Float[np.ndarray, "S A"]) -> np.ndarray | sp.csr_array:
        """Moves (S, S) of a policy whose rows sum to one. Cost O(S^2 A) or O(nnz)."""
        return self.mdp.kernel(pi / self.total)

    def backup(self, h: Float[np.ndarray, "S"]) -> Float[np.ndarray, "S A"]:
        """r(s, a) + sum_t P[s, a, t] h(t), nothing discounted. Cost O(S^2 A) or O(nnz)."""
        return self.mdp.mean_reward + (self.mdp.transition @ h).reshape(self.mdp.S, self.mdp.A) / self.total

    def rounding(self, h: Float[np.ndarray, "S"]) -> float:
        """Bound of the rounding of sum_a pi(a|s) (backup(h) - h)(s, a): the sums of the rows of P and pi are twice as many terms, which the factor 2 covers."""
        return 2 * backup_rounding(self.mdp, float(abs(h).max()))


def the_closed_class(edges: sp.csr_array, whose: str) -> Bool[np.ndarray, "S"]:
    """The states of the only closed class of a graph.

    Raises:
        Multichain: there are two or more.
    """
    label, closed = closed_classes(edges)
    if len(closed) > 1:
        one, two = (listed(label == number) for number in closed[np.argsort([np.argmax(label == number) for number in closed[:2]])])
        raise Multichain(
            f"{whose} has {len(closed)} closed classes: it never leaves {one}, and never leaves {two}. Its average reward depends on the start. "
            f"{CURE}"
        )
    return label == closed[0]


def require_weakly_communicating(model: Continuing) -> None:
    """Refuse a model whose best average reward may depend on the start: there must be one class of states that reach each other, in which every policy ends up.

    Cost O(nnz) a round; as many rounds as the longest way that leads into the class in any case. Source: Puterman (1994), Section 8.3.

    Raises:
        Multichain: names two sets of states.
    """
    mdp = model.mdp
    inside = the_closed_class(edges_of(mdp, np.ones((mdp.S, mdp.A), dtype=bool)), "the model, whatever the policy,")
    kept = ~inside
    while True:
        smaller = kept & ~leads_into(mdp, ~kept).all(axis=1)
        if (smaller == kept).all():
            break
        kept = smaller
    if kept.any():
        raise Multichain(
            f"some policy never leaves {listed(kept)}, another leaves for {listed(inside)}, from where nothing leads back: "
            f"the best average reward may depend on the start. {CURE}"
        )


def listed(states: Bool[np.ndarray, "S"]) -> str:
    """`state 3`, `states 0, 1`, `states 0, 1, 2, 3, 4 and 95 more`."""
    numbers = np.flatnonzero(states)
    text = ", ".join(map(str, numbers[:LISTED]))
    more = f" and {len(numbers) - LISTED} more" if len(numbers) > LISTED else ""
    return f"state{'s' * (len(numbers) > 1)} {text}{more}"
