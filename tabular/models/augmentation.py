"""Larger models that carry more in their state, with the lift of the policy that keeps gradients in the user's parameters."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.policies.repeated import Repeated


@dataclass(frozen=True, eq=False)
class Augmented:
    """A larger model and the lift of a policy of the small one to it."""

    model: MDP
    lift: Callable[[Policy], Policy]


def with_time(model: object) -> Augmented:
    """The model of finite horizon T whose states are pairs (t, s), number t*S + s: a policy of it has one table a time step.

    The lift repeats a stationary policy at every step; its gradients are those of the stationary parameters.
    Cost: a sparse matrix of T times the nonzeros of P.

    Raises:
        InvalidArgument: the model has no horizon.
    """
    mdp = as_mdp(model)
    if mdp.horizon is None:
        raise InvalidArgument("with_time needs a model with a horizon; this one has horizon=None. Give MDP(..., horizon=T).")
    T, S = mdp.horizon, mdp.S
    shift = sp.eye_array(T, k=1)
    P = sp.csr_array(sp.kron(shift, sp.csr_array(mdp.transition)))
    mu = np.concatenate([mdp.mu, np.zeros((T - 1) * S)])
    tile = lambda table: np.tile(table, (T, 1))
    if not mdp.by_pair:
        raise InvalidArgument("with_time keeps rewards of the form r[s, a] only: the reward of the last step has no next state to be read from.")
    r2 = None if mdp.r2 is None else tile(mdp.r2)
    outcomes = None if mdp.outcomes is None else replace(mdp.outcomes, chance=np.tile(mdp.outcomes.chance, (T, 1, 1)))
    return Augmented(MDP(P=P, mu=mu, gamma=mdp.gamma, r=tile(mdp.r), r2=r2, outcomes=outcomes), lambda policy: Repeated(base=policy, times=T))
