"""Which states can be reached, and from which the episode ends: questions about the graph of positive probabilities, not about numbers."""

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Int
from scipy.sparse.csgraph import breadth_first_order, shortest_path

from pgtheory.tabular.models.mdp import MDP


def reachable(edges: sp.csr_array, start: Bool[np.ndarray, "S"]) -> Bool[np.ndarray, "S"]:
    """States that a walk along `edges` (S, S) reaches from one of the states `start`, these included. Cost O(nnz)."""
    seen = np.zeros(len(start) + 1, dtype=bool)
    seen[breadth_first_order(_with_source(edges, start), len(start), return_predecessors=False)] = True
    return seen[:-1]


def ends_surely(edges: sp.csr_array, exits: Bool[np.ndarray, "S"]) -> Bool[np.ndarray, "S"]:
    """States from which a chain with these edges and exits ends almost surely: no state that it can reach is cut off from every exit.

    Cost O(nnz). Source: Kemeny and Snell (1960), Theorem 3.1.1: a finite chain ends in its absorbing states if each state can reach one.
    """
    backwards = edges.T.tocsr()
    never = ~reachable(backwards, exits)
    return ~reachable(backwards, never)


def edges_of(mdp: MDP, taken: Bool[np.ndarray, "S A"]) -> sp.csr_array:
    """The graph (S, S) of the moves that have positive probability when the actions `taken` are."""
    rows = sp.csr_array(mdp.transition)
    average = sp.csr_array((taken.ravel().astype(float), np.arange(taken.size), np.arange(0, taken.size + 1, mdp.A)), shape=(mdp.S, taken.size))
    return _positive(average @ rows)


def endable(mdp: MDP, allowed: Bool[np.ndarray, "S A"]) -> tuple[Bool[np.ndarray, "S"], Bool[np.ndarray, "S A"]]:
    """States from which some policy of allowed actions ends almost surely, and the actions that such a policy may take there.

    The largest set W such that each of its states reaches an exit by actions that never leave W (almost sure reachability).
    Cost O(nnz) a round; at most S rounds, one or two in practice. Source: de Alfaro (1997), Section 3.4; Bertsekas and Tsitsiklis (1991).
    """
    inside = np.ones(mdp.S, dtype=bool)
    while True:
        leaving = _positive(sp.csr_array(mdp.transition)) @ (~inside).astype(float)
        kept = allowed & inside[:, None] & (leaving.reshape(mdp.S, mdp.A) == 0)
        exits = exits_of(mdp, kept)
        smaller = inside & reachable(edges_of(mdp, kept).T.tocsr(), exits)
        if (smaller == inside).all():
            return inside, kept
        inside = smaller


def proper_policy(mdp: MDP, kept: Bool[np.ndarray, "S A"]) -> Int[np.ndarray, "S"]:
    """A policy that ends almost surely from every state of W, `kept` being the actions of `endable`: each moves closer to an exit with positive probability.

    Outside W the action is 0. Ties go to the lowest index. Cost O(nnz).
    """
    exits = exits_of(mdp, kept)
    graph = _with_source(edges_of(mdp, kept).T.tocsr(), exits)
    steps = shortest_path(graph, unweighted=True, indices=mdp.S)[:-1]
    rows = sp.coo_array(_positive(sp.csr_array(mdp.transition)))
    nearest = np.full(mdp.S * mdp.A, np.inf)
    np.minimum.at(nearest, rows.row, steps[rows.col])
    nearest[(mdp.ends > 0).ravel()] = 0
    return np.where(kept, nearest.reshape(mdp.S, mdp.A), np.inf).argmin(axis=1)


def _positive(matrix: sp.sparray) -> sp.csr_array:
    graph = sp.csr_array(matrix, copy=True)
    graph.data = (graph.data > 0).astype(float)
    graph.eliminate_zeros()
    return graph


def exits_of(mdp: MDP, taken: Bool[np.ndarray, "S A"]) -> Bool[np.ndarray, "S"]:
    """States in which one of the actions `taken` ends the episode with positive probability."""
    return np.any(taken & (mdp.ends > 0), axis=1)  # pyright: ignore[reportReturnType]


def _with_source(edges: sp.csr_array, start: Bool[np.ndarray, "S"]) -> sp.csr_array:
    """The graph with one more node, number S, that leads to every state of `start`."""
    source = sp.csr_array(start[None].astype(float))
    source.eliminate_zeros()
    S = len(start)
    return sp.vstack([sp.hstack([edges, sp.csr_array((S, 1))]), sp.hstack([source, sp.csr_array((1, 1))])]).tocsr()
