"""The problems of the benchmark of solvers: a structure and a size. Values lie between -1 and 1, so that 1e-8 means the same in every cell."""

from dataclasses import dataclass

import numpy as np

from pgtheory.tabular.models.large import frozen_lake, queue, sparse_garnet, torus
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.softmax import Softmax

FAMILIES = {
    "garnet": "sparse garnet, A = 4, b = 5, gamma = 0.99",
    "lake": "frozen lake, n times n cells, A = 4, gamma = 0.99",
    "queue": "queue, A = 3, gamma = 0.9999",
    "torus": "torus, n times n cells, A = 4, gamma = 0.999",
    "dense": "dense random rows, A = 4, gamma = 0.99",
}


def dense(S: int, A: int = 4, gamma: float = 0.99) -> MDP:
    """Every pair moves to every state, exponential weights, rewards (1 - gamma) U(0, 1)."""
    rng = np.random.default_rng(0)
    P = rng.exponential(size=(S, A, S))
    P /= P.sum(axis=2, keepdims=True)
    return MDP(P=P, r=(1 - gamma) * rng.random((S, A)), mu=np.full(S, 1 / S), gamma=gamma)


BUILD = {"garnet": sparse_garnet, "lake": frozen_lake, "queue": queue, "torus": torus, "dense": dense}


@dataclass(frozen=True)
class Cell:
    """One problem. `size` is S, or n for lake and torus."""

    family: str
    size: int

    def __str__(self) -> str:
        return f"{self.family}/{self.size}"

    @property
    def limit(self) -> float:
        """Seconds that a competitor has."""
        return 20.0 if self.size >= 1_000_000 else 10.0

    def build(self) -> MDP:
        return BUILD[self.family](self.size)


CELLS = (
    *(Cell("garnet", S) for S in (100, 1_000, 10_000, 100_000, 1_000_000)),
    *(Cell("lake", n) for n in (32, 100, 316)),
    *(Cell("queue", S) for S in (1_000, 10_000, 100_000)),
    *(Cell("torus", n) for n in (32, 100, 200)),
    *(Cell("dense", S) for S in (1_000, 4_000)),
)

SMALL = {
    "garnet": Cell("garnet", 400),
    "lake": Cell("lake", 30),
    "queue": Cell("queue", 1_000),
    "torus": Cell("torus", 20),
    "dense": Cell("dense", 300),
}
"""On these everybody compiles and loads before anything is timed."""


def softmax(mdp: MDP) -> Softmax:
    """The policy whose gradient is taken."""
    return Softmax(np.random.default_rng(1).normal(size=(mdp.S, mdp.A)))
