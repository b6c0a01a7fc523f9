"""The bandit: one decision, then the end. With several contexts, the first state is drawn from `mu`."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_distribution, require_nonnegative, require_shape
from pgtheory.tabular.errors import InvalidModel
from pgtheory.tabular.models.mdp import MDP, Outcomes


@dataclass(frozen=True, eq=False, kw_only=True)
class Bandit:
    """K arms in C contexts.

    Attributes:
        r: mean reward, (K,) or (C, K).
        mu: distribution of the context; default uniform.
        bernoulli: the reward is 0 or 1 with mean r; else it is r itself.

    >>> Bandit(r=[0.2, 0.7]).mdp.S
    1
    """

    r: Float[np.ndarray, "C K"]
    mu: Float[np.ndarray, "C"] | None = None
    bernoulli: bool = False

    def __post_init__(self) -> None:
        r = np.atleast_2d(freeze("r", self.r))
        if r.ndim != 2 or not r.size:
            raise InvalidModel(f"r has shape {r.shape}, expected (K,) or (C, K): mean reward of each arm, in each context.")
        mu = freeze("mu", np.full(len(r), 1 / len(r)) if self.mu is None else self.mu)
        require_shape("mu", mu, (len(r),), "one probability a context")
        require_distribution("mu", mu)
        if self.bernoulli:
            require_nonnegative("r", r)
            require_nonnegative("1 - r", 1 - r)
        r.setflags(write=False)
        object.__setattr__(self, "r", r)
        object.__setattr__(self, "mu", mu)

    @cached_property
    def mdp(self) -> MDP:
        """The same problem as a decision process whose every row ends the episode."""
        (C, K), mu = self.r.shape, np.asarray(self.mu)
        P = np.zeros((C, K, C))
        if not self.bernoulli:
            return MDP(P=P, r=self.r, mu=mu)
        chance = np.stack([1 - self.r, self.r], axis=-1)
        return MDP(P=P, mu=mu, outcomes=Outcomes(values=np.array([0.0, 1.0]), chance=chance))
