"""The value of a policy: V, Q, advantage, occupancy and return, with a proven error bound.

Stationary (no horizon):  V = r_pi + gamma P_pi V,            d = mu + gamma P_pi^T d,          J = mu . V = d . r_pi.
Finite horizon T:         V_t = r_pi + gamma P_pi V_{t+1},    d_{t+1} = gamma P_pi^T d_t,       V_T = 0, d_0 = mu, J = mu . V_0.

The bound of the stationary case: |V - V_pi|_inf <= |(I - gamma P_pi)^-1|_inf |r_pi + gamma P_pi V - V|_inf for any V whatever, and the same for d with
the 1-norm of the transposed residual; the norm is bounded in `chain.py`, the rounding of the residuals is added to them. Cutting off what is negative in d
takes it no further from the exact one, which is not. Source of the equations: Puterman (1994), Sections 4.2, 6.1 and 6.9.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import ROUNDING, freeze, require_distribution
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, NonTerminating, NotConverged
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.policies.policy import Policy, require_policy
from pgtheory.tabular.solve.chain import UNIT, Chain, require_method, require_tolerance
from pgtheory.tabular.solve.linear.solver import Aim
from pgtheory.tabular.solve.reachability import edges_of, ends_surely, exits_of, reachable
from pgtheory.tabular.solve.structure import Structure

NUMBERS = 2e9
"""Entries of the tables of all steps of a horizon: 16 GB."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """What a policy is worth. With a horizon the arrays have a leading axis of T steps.

    Attributes:
        V: expected discounted return from each state, (S,) or (T, S).
        Q: the same when the first action is given, (S, A) or (T, S, A).
        advantage: Q - V.
        occupancy: expected discounted number of visits, sum_t gamma^t Pr(s_t = s); not normalised. (S,) or (T, S).
        J: expected return, mu . V.
        bound: proven bound of |V - V_pi| in every entry; it also bounds the error of J up to its own rounding.
        occupancy_bound: proven bound of |occupancy - exact|_1, the sum of the errors over the states; of each step, (T,), with a horizon.
        method: what solved for V: a name of `chain.SOLVERS`, "backward-induction" or "one-state-apart".
        steps: of that method.
        ends: states from which the value exists. All True unless gamma is 1: then states that cannot be reached from mu may run for ever; their V is 0.
    """

    V: Float[np.ndarray, "*T S"]
    Q: Float[np.ndarray, "*T S A"]
    advantage: Float[np.ndarray, "*T S A"]
    occupancy: Float[np.ndarray, "*T S"]
    J: float
    bound: float
    occupancy_bound: Float[np.ndarray, "*T"]
    method: str
    steps: int
    ends: Bool[np.ndarray, "S"]


def evaluate(model: object, policy: Policy, *, criterion: str = "return", method: str | None = None, tolerance: float | None = None) -> Evaluation:
    """Exact value of a policy, up to what `bound` accounts for.

    Args:
        model: MDP, Bandit, TokenTree or anything with an attribute `mdp`.
        criterion: "return", or "average" for the average reward of a model that never ends: J is then the gain, V the bias, `occupancy` the stationary law
            (`average.py`); the discount plays no part.
        policy: anything with `probabilities` (S, A). With a horizon T also (T*S, A), row t*S + s: one table a time step, the policy of `with_time`.
        method: name of a method for the linear system, see `chain.SOLVERS`; None chooses by the structure of P_pi. A horizon is solved backwards
            whatever it is; the average reward chooses for itself.
        tolerance: the error of V that is to be proven; the occupancy is sought to that error relative to its sum. None: direct methods go to rounding,
            iterative ones to ten digits of the largest value, or to rounding.

    With gamma = 1 and no horizon, states from which the episode may run for ever and that are never reached from mu get V = 0 and count as 0 in Q.
    Cost: dense at most O(S^3 + S^2 A) time, O(S^2 A) memory; sparse O(nnz) a step of an iteration, or the fill-in of a sparse LU; with a horizon O(T S^2 A) or
    O(T nnz).

    Raises:
        InvalidArgument: an unknown method, a tolerance that is not positive, a horizon whose tables do not fit into memory.
        NotConverged: the tolerance cannot be proven; `best` is the value that was found, `bound` what is proven of it.
        InvalidPolicy: the policy does not fit the model.
        NonTerminating: gamma is 1 and a state reached from mu never ends under this policy.
        InvalidArgument: an unknown criterion; the average reward of a model that ends.
        Multichain: the average reward depends on the start.

    >>> from pgtheory.tabular.models.mdp import MDP
    >>> from pgtheory.tabular.policies.direct import Direct
    >>> half = MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0])
    >>> evaluate(half, Direct([[1.0]])).J
    2.0

    Theorem: T17.
    """
    if criterion not in ("return", "average"):
        raise InvalidArgument(f"criterion is {criterion!r}, expected 'return' or 'average'.")
    require_method(method)
    require_tolerance(tolerance)
    mdp = as_mdp(model)
    if mdp.horizon is not None:
        require_tables(mdp, mdp.horizon)
    pi = policy_table(mdp, policy)
    if criterion == "average":
        from pgtheory.tabular.solve.average import average_evaluation

        found = average_evaluation(mdp, pi)
    else:
        found = _stationary(mdp, pi, method, tolerance) if mdp.horizon is None else _finite(mdp, pi, mdp.horizon)
    if tolerance is not None and not found.bound <= tolerance:
        raise NotConverged(
            f"{found.method} proves the value of this policy to {found.bound:.3g} after {found.steps} steps, not to {tolerance:g}. "
            "Give a larger tolerance, or leave the method out so that others are tried.",
            best=found.V,
            bound=found.bound,
        )
    return found


def policy_table(mdp: MDP, policy: Policy) -> Float[np.ndarray, "*T S A"]:
    """The validated probabilities of a policy: (S, A), or (T, S, A) with a horizon.

    Raises:
        InvalidPolicy: wrong shape, or rows that are no distributions.
    """
    require_policy(policy)
    pi = freeze("probabilities", policy.probabilities, error=InvalidPolicy)
    S, A, T = mdp.S, mdp.A, mdp.horizon
    if pi.shape != (S, A) and (T is None or pi.shape != (T * S, A)):
        steps = "" if T is None else f" or (T*S, A) = {(T * S, A)}"
        raise InvalidPolicy(f"the policy has probabilities of shape {pi.shape}, the model needs (S, A) = {(S, A)}{steps}.")
    require_distribution("probabilities", pi, error=InvalidPolicy)
    if T is None:
        return pi
    return np.broadcast_to(pi, (T, S, A)) if pi.shape == (S, A) else pi.reshape(T, S, A)


def require_tables(mdp: MDP, T: int) -> None:
    """Refuse a horizon whose tables of all steps have more than NUMBERS entries.

    Raises:
        InvalidArgument: names the memory that they would take.
    """
    if T * mdp.S * (mdp.A + 2) > NUMBERS:
        raise InvalidArgument(
            f"the horizon is {T}, and the tables of {mdp.S} states and {mdp.A} actions at every step would take {8e-9 * T * mdp.S * (mdp.A + 2):.3g} GB. "
            "Give a smaller horizon, or none and a discount: of that many steps the first one differs little."
        )


def require_ending(mdp: MDP, ends: Bool[np.ndarray, "S"], edges: sp.csr_array, what: str) -> None:
    """Refuse a state outside `ends` that is reached from mu along `edges`.

    Raises:
        NonTerminating: names the first such state from which there is no way out at all.
    """
    lost = reachable(edges, mdp.mu > 0) & ~ends
    if lost.any():
        state = int(np.flatnonzero(lost)[0])
        raise NonTerminating(
            f"gamma is 1 and the episode may never end {what}: from state {state}, which is reached from mu. The undiscounted return does not exist. "
            "Give gamma < 1, a horizon, or let the row P[s, a] of an absorbing state sum to less than one: the missing mass ends the episode."
        )


def ending(mdp: MDP, taken: Bool[np.ndarray, "S A"]) -> Bool[np.ndarray, "S"]:
    """The states from which the episode ends almost surely under a policy that takes these actions.

    Cost O(nnz); where every action is taken, as by a softmax policy, the graph is searched once a model.

    Raises:
        NonTerminating: another state is reached from mu.
    """
    known = mdp.__dict__.get("_ending") if taken.all() else None
    if known is None:
        edges = edges_of(mdp, taken)
        known = ends_surely(edges, exits_of(mdp, taken))
        require_ending(mdp, known, edges, "under this policy")
        if taken.all():
            known.setflags(write=False)
            mdp.__dict__["_ending"] = known
    return known


def backup_rounding(mdp: MDP, V_max: float) -> float:
    """Bound of the rounding error of sum_a pi (r + gamma P V) - V in one state, when |V| <= V_max.

    Sums of n terms (zeros not counted) err by at most n u / (1 - n u) times the sum of absolute values, in whatever order (Higham 2002, Section 3.1); the factor 2 covers 1 - n u.
    """
    return 2 * (2 * mdp.branching + mdp.A + 8) * UNIT * (mdp.largest_reward + 2 * V_max)


def inner_chain(mdp: MDP, pi: Float[np.ndarray, "S A"], *, method: str | None = None) -> tuple[Chain, Bool[np.ndarray, "S"]]:
    """The chain of a policy on the states whose value exists, and which states these are: all of them unless gamma is 1.

    Raises:
        NonTerminating: gamma is 1 and a state reached from mu never ends under this policy.
    """
    K, ends = mdp.kernel(pi), np.ones(mdp.S, dtype=bool)
    if mdp.gamma == 1:
        ends = ending(mdp, pi > 0)
    inside = np.flatnonzero(ends)
    return Chain(K=K if ends.all() else K[np.ix_(inside, inside)], gamma=mdp.gamma, method=method), ends


def _stationary(mdp: MDP, pi: np.ndarray, method: str | None, tolerance: float | None) -> Evaluation:
    chain, ends = inner_chain(mdp, pi, method=method)
    # The entries of P_pi carry A + 2 roundings: the exact matrix is that much away from the chain's.
    blur = mdp.gamma * (mdp.A + 2) * UNIT * (1 + ROUNDING)
    norm = chain.inverse_norm
    norm = norm / (1 - norm * blur) if norm * blur < 1 else np.inf
    r_pi = np.einsum("sa,sa->s", pi, mdp.mean_reward)
    # Half of the tolerance is left to rounding.
    value, visits = (chain.aim, chain.aim) if tolerance is None else (Aim(absolute=0.5 * tolerance / norm), Aim(relative=0.5 * tolerance / norm))
    solved, flow = chain.find(r_pi[ends], aim=value), chain.find(mdp.mu[ends], transposed=True, aim=visits)
    V, occupancy = np.zeros(mdp.S), np.zeros(mdp.S)
    V[ends], occupancy[ends] = solved.x, np.maximum(flow.x, 0.0)
    # `MDP.backup` on threads, of which a model knows nothing; `Play.backup` has diagonals and forbidden actions besides.
    Q = Structure(mdp.transition, mdp.gamma).product(V, False).reshape(mdp.S, mdp.A)
    Q *= mdp.gamma
    Q += mdp.mean_reward
    residual = np.max(abs(np.einsum("sa,sa->s", pi, Q) - V)[ends], initial=0) + backup_rounding(mdp, abs(V).max())
    return Evaluation(
        V=V,
        Q=Q,
        advantage=Q - V[:, None],
        occupancy=occupancy,
        J=float(mdp.mu @ V),
        bound=proven(norm * residual),
        occupancy_bound=np.array(proven(norm * float(flow.residual + blur * flow.size))),
        method=solved.method,
        steps=solved.steps,
        ends=ends,
    )


def proven(bound: float) -> float:
    """A bound with the rounding of its own product; infinite where it is not a number."""
    return np.inf if np.isnan(bound) else float(bound * (1 + 8 * UNIT))


def _finite(mdp: MDP, pi: np.ndarray, T: int) -> Evaluation:
    V, Q, occupancy = np.zeros((T + 1, mdp.S)), np.zeros((T, mdp.S, mdp.A)), np.zeros((T, mdp.S))
    bound = 0.0
    for t in reversed(range(T)):
        Q[t] = mdp.backup(V[t + 1])
        V[t] = (pi[t] * Q[t]).sum(axis=1)
        # Rows of P and pi may exceed one by ROUNDING each: an error grows by that factor at most.
        bound = mdp.gamma * (1 + 3 * ROUNDING) * bound + backup_rounding(mdp, max(abs(V[t]).max(), abs(V[t + 1]).max()))
    occupancy[0], error = mdp.mu, np.zeros(T)
    for t in range(T - 1):
        occupancy[t + 1] = mdp.gamma * (mdp.transition.T @ (occupancy[t][:, None] * pi[t]).ravel())
        error[t + 1] = mdp.gamma * (1 + 3 * ROUNDING) * error[t] + 2 * (mdp.S * mdp.A + 8) * UNIT * (1 + 2 * float(occupancy[t].sum()))
    V = V[:-1]
    return Evaluation(
        V=V,
        Q=Q,
        advantage=Q - V[..., None],
        occupancy=occupancy,
        J=float(mdp.mu @ V[0]),
        bound=float(bound),
        occupancy_bound=error,
        method="backward-induction",
        steps=T,
        ends=np.ones(mdp.S, dtype=bool),
    )
