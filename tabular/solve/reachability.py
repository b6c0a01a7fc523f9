"""Which states can be reached, and from which the episode ends: questions about the graph of positive probabilities, not about numbers."""

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Int
from scipy.sparse.csgraph import breadth_first_order, connected_components, shortest_path

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


def closed_classes(edges: sp.csr_array) -> tuple[Int[np.ndarray, "S"], Int[np.ndarray, "k"]]:
    """The number of each state's communicating class, and the numbers of those classes that no edge leaves. Cost O(nnz).

    A finite chain is sooner or later in one of these and stays there. Source: Kemeny and Snell (1960), Section 2.4.
    """
    count, label = connected_components(edges, connection="strong")
    step = edges.tocoo()
    left = np.unique(label[step.row[label[step.row] != label[step.col]]])
    return label, np.setdiff1d(np.arange(count), left)


def endable(mdp: MDP, allowed: Bool[np.ndarray, "S A"]) -> tuple[Bool[np.ndarray, "S"], Bool[np.ndarray, "S A"]]:
    """States from which some policy of allowed actions ends almost surely, and the actions that such a policy may take there.

    The largest set W such that each of its states reaches an exit by actions that never leave W (almost sure reachability).
    Cost O(nnz) a round; at most S rounds, one or two in practice. Source: de Alfaro (1997), Section 3.4; Bertsekas and Tsitsiklis (1991).
    """
    inside = np.ones(mdp.S, dtype=bool)
    while True:
        kept = allowed & inside[:, None] & ~leads_into(mdp, ~inside)
        exits = exits_of(mdp, kept)
        smaller = inside & reachable(edges_of(mdp, kept).T.tocsr(), exits)
        if (smaller == inside).all():
            return inside, kept
        inside = smaller


def proper_policy(mdp: MDP, kept: Bool[np.ndarray, "S A"]) -> Int[np.ndarray, "S"]:
    """A policy that ends almost surely from every state of W, `kept` being the actions of `endable`: each moves closer to an exit with positive probability.

    Outside W the action is 0. Ties go to the lowest index. Cost O(nnz).
    """
    return approach(mdp, kept, mdp.ends > 0)


def likely_policy(mdp: MDP, kept: Bool[np.ndarray, "S A"]) -> Int[np.ndarray, "S"]:
    """A policy that ends almost surely from every state of W, `kept` being the actions of `endable`, by ways that are short and likely.

    Each action begins the way out of least cost, a move of probability p costing 1 - log p: it leads closer with positive probability. A way that is merely
    possible, as that of `proper_policy` is, may take 1e15 steps. Outside W the action is 0. Ties go to the lowest index.
    Cost: O(nnz log nnz). Source: Dijkstra (1959).
    """
    S, A = mdp.S, mdp.A
    rows = sp.coo_array(sp.csr_array(mdp.transition))
    moves = kept.ravel()[rows.row] & (rows.data > 0)
    pair, to, cost = rows.row[moves], rows.col[moves], 1 - np.log(rows.data[moves])
    leave = np.where(kept & (mdp.ends > 0), 1 - np.log(np.where(mdp.ends > 0, mdp.ends, 1.0)), np.inf)
    # The graph of the ways back: from an exit, node S, to the states it can be left from, and from each state to those that lead there.
    out = np.flatnonzero(np.isfinite(leave).any(axis=1))
    start = np.concatenate([to, np.full(len(out), S)])
    end, weight = np.concatenate([pair // A, out]), np.concatenate([cost, leave.min(axis=1)[out]])
    order = np.lexsort((weight, end, start))
    cheapest = order[np.r_[True, (np.diff(start[order]) != 0) | (np.diff(end[order]) != 0)]] if len(order) else order
    graph = sp.csr_array((weight[cheapest], (start[cheapest], end[cheapest])), shape=(S + 1, S + 1))
    distance = shortest_path(graph, method="D", indices=S)[:-1]
    nearest = leave.ravel()
    np.minimum.at(nearest, pair, cost + distance[to])
    return nearest.reshape(S, A).argmin(axis=1)


def approach(mdp: MDP, kept: Bool[np.ndarray, "S A"], goal: Bool[np.ndarray, "S A"]) -> Int[np.ndarray, "S"]:
    """In each state the first of the actions `kept` that may bring the process closest to a pair of `goal` that is kept, such a pair itself if there is one.

    Where no kept action leads to the goal, the first. Cost O(nnz).
    """
    graph = _with_source(edges_of(mdp, kept).T.tocsr(), np.any(kept & goal, axis=1))  # pyright: ignore[reportArgumentType]
    steps = shortest_path(graph, unweighted=True, indices=mdp.S)[:-1]
    rows = sp.coo_array(_positive(sp.csr_array(mdp.transition)))
    nearest = np.full(mdp.S * mdp.A, np.inf)
    np.minimum.at(nearest, rows.row, steps[rows.col])
    nearest[goal.ravel()] = 0
    return np.where(kept, nearest.reshape(mdp.S, mdp.A), np.inf).argmin(axis=1)


def leads_into(mdp: MDP, states: Bool[np.ndarray, "S"]) -> Bool[np.ndarray, "S A"]:
    """Pairs that move into one of the states with positive probability. Cost O(nnz)."""
    return (_positive(sp.csr_array(mdp.transition)) @ states.astype(float)).reshape(mdp.S, mdp.A) > 0


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
