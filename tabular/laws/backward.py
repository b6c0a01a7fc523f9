"""The moments of what follows, carried from the last step to the first: the one place where the recursions of the GAE family stand.

With g_t = sum_{j>=t} nu^(j-t) psi_j A_j one has A_t = delta_t + kappa A_{t+1} and g_t = psi_t A_t + nu g_{t+1}, and what follows depends on the past through s_{t+1} alone.
Moments given the state, those of the next step with a prime, averages over the actions of the data written E_b:

    m = E[A|s],  q = E[A^2|s],  mu = E[g|s],  h = E[A g|s]
    Q1(s,a) = E[A_t|s,a]   = E[delta|s,a] + kappa P m'
    Q2(s,a) = E[A_t^2|s,a] = E[delta^2|s,a] + 2 kappa (P o delta) m' + kappa^2 P q'
    U(s,a)  = E[A_t g_{t+1}|s,a] = (P o delta) mu' + kappa P h'
    m = E_b Q1,  q = E_b Q2,  mu = E_b[psi Q1] + nu E_b P mu',  h = E_b[psi Q2] + nu E_b U

The end of the episode is a transition after which everything is zero. U takes nearly all of the time. A critic that changes with t costs no new matrices:
(P o delta) mu' + kappa P h' = (P o r) mu' + P (gamma V' mu' + kappa h') - V (P mu'), and the compiled loop has delta entry by entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.laws.columns import Columns
from pgtheory.tabular.laws.compiled import compiled_step_back
from pgtheory.tabular.laws.forms import Differences
from pgtheory.tabular.laws.transitions import Rewards


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """What step t looks like from behind.

    Attributes:
        t: the step.
        before: V_t.
        after: V_{t+1}.
        Q1: E[A_t | s, a].
        Q2: E[A_t^2 | s, a].
    """

    t: int
    before: Float[np.ndarray, "S"]
    after: Float[np.ndarray, "S"]
    Q1: Float[np.ndarray, "S A"]
    Q2: Float[np.ndarray, "S A"]


def steps_back(form: Differences, rewards: Rewards) -> Iterator[Step]:
    """The steps of a form with a horizon, the last one first. Cost: O(nnz) time a step, O(nnz) memory."""
    S, A = form.actions.shape
    m, q, x = np.zeros(S), np.zeros(S), None
    for t in reversed(range(form.horizon)):  # type: ignore[arg-type]
        if x is None or form.values.ndim > 1 or t + 2 == form.horizon:
            x = rewards.transitions(form.after(t), form.before(t), form.gamma)
        ahead = lambda kernel, values: (kernel @ values).reshape(S, A)
        Q1 = x.mean + form.kappa * ahead(x.P, m)
        Q2 = x.square + 2 * form.kappa * ahead(x.first, m) + form.kappa**2 * ahead(x.P, q)
        yield Step(t=t, before=form.before(t), after=form.after(t), Q1=Q1, Q2=Q2)
        m, q = (form.actions * Q1).sum(axis=1), (form.actions * Q2).sum(axis=1)


class Following:
    """mu and h of a block of columns: E[g_t | s] and E[A_t g_t | s]. Start after the last step, then call `step` for each of `steps_back`.

    Cost: 2 k nnz multiply-adds a step (3 k nnz if compiled, or if rewards depend on the next state), O(S A k) memory.
    """

    def __init__(self, columns: Columns, form: Differences, rewards: Rewards, *, compiled: bool = False) -> None:
        self.columns, self.form, self.rewards = columns, form, rewards
        self.compiled = compiled and sp.issparse(rewards.P)
        S, k = len(form.actions), columns.size
        self.table, self.spare = np.zeros((S, 2 * k)), np.empty((S, 2 * k))
        self.average = form.nu * form.actions
        if self.compiled:
            P: Any = rewards.P
            self.entries = P.indptr.astype(np.uint32), P.indices.astype(np.uint32), P.data, rewards.moments[0]

    @property
    def mu(self) -> Float[np.ndarray, "S k"]:
        """E[g_t | s]."""
        return self.table[:, : self.columns.size]

    @property
    def h(self) -> Float[np.ndarray, "S k"]:
        """E[A_t g_t | s]."""
        return self.table[:, self.columns.size :]

    def step(self, step: Step, into: Float[np.ndarray, "SA k"], weight: Float[np.ndarray, "S A"]) -> None:
        """Go one step back; `weight` times U_t is added to `into`."""
        after, before = self.form.gamma * step.after, step.before
        if self.compiled:
            compiled_step_back()(*self.entries, after, before, self.form.kappa, self.table, weight, self.average, into, self.spare)
        else:
            self.h[...] *= self.form.kappa
            self.h[...] += after[:, None] * self.mu
            ahead = lookahead(self.rewards, self.table, before)
            into += weight.reshape(-1, 1) * ahead[:, self.columns.size :]
            self.spare = np.einsum("sa,sac->sc", self.average, ahead.reshape(*weight.shape, -1))
        self.table, self.spare = self.spare, self.table
        self.columns.add_mean(self.mu, step.Q1)
        self.columns.add_mean(self.h, step.Q2)


def lookahead(rewards: Rewards, table: Float[np.ndarray, "S m"], before: Float[np.ndarray, "S"]) -> Float[np.ndarray, "SA m"]:
    """[P x | P z + (P o r) x - before (P x)] for table = [x | z]."""
    k, mdp = table.shape[1] // 2, rewards.mdp
    ahead = rewards.P @ table
    level = -np.broadcast_to(before[:, None], (mdp.S, mdp.A))
    if mdp.by_pair:
        level = level + mdp.r
    else:
        ahead[:, k:] += rewards.first @ table[:, :k]
    ahead[:, k:] += level.reshape(-1, 1) * ahead[:, :k]
    return ahead
