"""The best policy of a finite model, and proof of how good it is.

V*(s) = max_a r(s, a) + gamma sum_t P[s, a, t] V*(t); with a horizon the same backwards in time. Whatever the method, the answer carries bounds that are
checked on it afterwards (`certificates.py`): they do not rest on the method having converged.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import ROUNDING
from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve.certificates import certified
from pgtheory.tabular.solve.chain import require_tolerance
from pgtheory.tabular.solve.evaluation import backup_rounding, require_tables
from pgtheory.tabular.solve.iteration.choice import chosen
from pgtheory.tabular.solve.iteration.inexact import inexact_policy_iteration
from pgtheory.tabular.solve.iteration.linear_program import occupancy_program
from pgtheory.tabular.solve.iteration.modified import gauss_seidel, modified_policy_iteration
from pgtheory.tabular.solve.iteration.policy import policy_iteration
from pgtheory.tabular.solve.iteration.value import value_iteration
from pgtheory.tabular.solve.play import Play

METHODS = {
    "policy-iteration": policy_iteration,
    "modified-policy-iteration": modified_policy_iteration,
    "gauss-seidel": gauss_seidel,
    "inexact-policy-iteration": inexact_policy_iteration,
    "value-iteration": value_iteration,
    "linear-programming": occupancy_program,
}
"""Every method, by its name."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Optimal:
    """The optimal solution. With a horizon the arrays have a leading axis of T steps.

    Attributes:
        V: optimal value, (S,) or (T, S).
        Q: value of an action followed by the best ones, (S, A) or (T, S, A).
        policy: number of a best action, the lowest among ties, (S,) or (T, S).
        J: optimal return, mu . V.
        bound: proven bound of |V - V*| in every state.
        gap: proven bound of V* - V_policy in every state.
        steps: evaluations, sweeps, simplex iterations, or time steps.
        method: what was run.

    With gamma = 1 and no horizon, the policies compared are those that end almost surely. Where there is none, V and Q are minus infinity, as they are for an
    action that leads there. `bound` and `gap` are infinite if actions that are as good as the best run for ever.

    Of the average reward J is the gain of the policy, V its bias, `bound` that of |J - g*| and `gap` that of g* - gain of the policy.
    """

    V: Float[np.ndarray, "*T S"]
    Q: Float[np.ndarray, "*T S A"]
    policy: Int[np.ndarray, "*T S"]
    J: float
    bound: float
    gap: float
    steps: int
    method: str

    def as_policy(self) -> Direct:
        """The policy as a table of probabilities (S, A), or (T*S, A) with a horizon: what `evaluate` takes."""
        return Direct(np.eye(self.Q.shape[-1])[self.policy.ravel()])


def optimal(model: object, *, method: str | None = None, tolerance: float | None = None, criterion: str = "return") -> Optimal:
    """The optimal value and a policy that attains it.

    Args:
        model: MDP, Bandit, TokenTree or anything with an attribute `mdp`.
        method: a name of METHODS; None lets the structure choose (`iteration/choice.py`). A horizon is solved by backward induction whatever the method.
        tolerance: proven error of V in every state, or NotConverged; `gap` says what is proven of the policy. None: the linear systems of policy iteration go
            to rounding, sweeps to ten digits of the largest value, or to rounding.
        criterion: "return", or "average" for the average reward of a model that never ends: J is then the gain, V the bias of the policy (`gain.py`).

    Cost: up to 200 states and on narrow bands a few linear systems; else some dozens of sweeps of O(S^2 A) or O(nnz) where chains forget their start,
    some hundreds where they do not.

    Raises:
        InvalidArgument: an unknown method, a tolerance that is not positive, a horizon whose tables do not fit into memory.
        NonTerminating: gamma is 1, and from a first state no policy ends almost surely, or the return is infinite.
        NotConverged: the tolerance cannot be proven, or a method that was asked for comes to a stop; `best` is its last value, `bound` what is proven of it.
        Multichain: the best average reward may depend on the start.

    >>> from pgtheory.tabular.models.classic import chain
    >>> found = optimal(chain(3))
    >>> found.policy, round(found.J, 12)
    (array([1, 1, 1]), 0.81)

    Theorem: T56.
    """
    if method is not None and not (isinstance(method, str) and method in METHODS):
        raise InvalidArgument(f"method is {method!r}, expected one of {', '.join(METHODS)}.")
    require_tolerance(tolerance)
    if criterion not in ("return", "average"):
        raise InvalidArgument(f"criterion is {criterion!r}, expected 'return' or 'average'.")
    mdp = as_mdp(model)
    if criterion == "average":
        from pgtheory.tabular.solve.gain import optimal_gain

        return optimal_gain(mdp, method=method, tolerance=tolerance)
    if mdp.horizon is not None:
        found = backward_induction(mdp, mdp.horizon)
    else:
        play = Play.of(mdp)
        if method is None:
            method, (V, policy, steps, Q) = chosen(play, tolerance)
        else:
            V, policy, steps, Q = METHODS[method](play, tolerance)
        proof, J = certified(play, V, Q, policy), float(mdp.mu @ V)
        V = V if play.everything else np.where(play.inside, V, -np.inf)
        found = Optimal(V=V, Q=Q, policy=policy, J=J, bound=proof.bound, gap=proof.gap, steps=steps, method=method)
    if tolerance is not None and not found.bound <= tolerance:
        why = "rounding in float64 allows no smaller one" if np.isfinite(found.bound) else "actions that are as good as the best run for ever"
        raise NotConverged(
            f"{found.method} reached the proven bound {found.bound:.3g} after {found.steps} steps, not {tolerance:g}: {why}. Give a larger tolerance, or none.",
            best=found.V,
            bound=found.bound,
        )
    return found


def backward_induction(mdp: MDP, T: int) -> Optimal:
    """V_T = 0, V_t = max_a r + gamma P V_{t+1}. An error of Q of at most e costs a policy at most 4 e a step: 2 e in the tie, e on either side of it.

    Cost: T backups, memory O(T S A). Source: Puterman (1994), Section 4.5.

    Raises:
        InvalidArgument: the tables of all steps do not fit into memory.

    Theorem: T30.
    """
    require_tables(mdp, T)
    V, Q, policy = np.zeros((T + 1, mdp.S)), np.zeros((T, mdp.S, mdp.A)), np.zeros((T, mdp.S), dtype=int)
    bound, gap, growth = 0.0, 0.0, mdp.gamma * (1 + 2 * ROUNDING)
    for t in reversed(range(T)):
        Q[t] = mdp.backup(V[t + 1])
        V[t] = Q[t].max(axis=1)
        bound = growth * bound + backup_rounding(mdp, max(abs(V[t]).max(), abs(V[t + 1]).max()))
        policy[t] = (Q[t] >= V[t][:, None] - 2 * bound).argmax(axis=1)
        gap = growth * gap + 4 * bound
    return Optimal(V=V[:-1], Q=Q, policy=policy, J=float(mdp.mu @ V[0]), bound=float(bound), gap=gap, steps=T, method="backward-induction")
