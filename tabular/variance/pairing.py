"""How the moments of an estimate depend on the values inside it: E[Z_s . g] and E[Z_s] . u, where Z_s = d g / d V(s).

With the eligibility e_k = kappa e_{k-1} + nu^k psi_k an estimate of the GAE family is g = sum_k delta_k e_k, so that V_k(s) enters it by

    Z_{k, s} = 1{s_k = s} (gamma e_{k-1} - e_k),    e_{-1} = 0, and without e_k after the last step.

Given the state, past and future are independent. With G_k = sum_{j<k} delta_j e_j, the part of g that is over, and the rest kappa e_{k-1} A_k + nu^k g_k,

    E[e_{k-1} . g; s] = E[e_{k-1} . G_k; s] + kappa E[|e_{k-1}|^2; s] m_k(s) + nu^k E[e_{k-1}; s] . mu_k(s)
    E[e_k . g; s, a]  = E[e_k . G_k; s, a] + E[|e_k|^2; s, a] Q1_k(s, a) + nu^(k+1) E[e_k; s, a] . (P mu_{k+1})(s, a)

with m, mu, Q1 the means ahead: E[A|s], E[g|s], E[A|s, a]. E[x; s] is E[x 1{s_k = s}]. What lies behind goes forwards; to have no power of nu in the step it is kept as

    state = nu^(2k) p_k,  trace = nu^k E[e_{k-1}; s],  square = E[|e_{k-1}|^2; s],  past = nu^k E[G_k; s],  product = E[e_{k-1} . G_k; s].

The step is linear and the same for every k, so that without horizon the sums over k are its fixed point: systems with the discounts nu^2, nu kappa, kappa^2, nu, kappa.
Everything is a sum over the columns of psi: blocks of them go one after the other. Nothing is assumed of the mean of psi.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.laws.forms import Differences
from pgtheory.tabular.laws.systems import Systems
from pgtheory.tabular.laws.transitions import Kernel, Rewards


@dataclass(frozen=True, eq=False, kw_only=True)
class Behind:
    """What lies before a step, jointly with its state."""

    state: Float[np.ndarray, "S"]
    trace: Float[np.ndarray, "S k"]
    square: Float[np.ndarray, "S"]
    past: Float[np.ndarray, "S k"]
    product: Float[np.ndarray, "S"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairing:
    """The sums of one form on one model. Results are (T + 1, S), the last row for the values after the last step; without horizon (1, S), the sum over the steps."""

    rewards: Rewards
    form: Differences
    systems: Systems | None

    @cached_property
    def kernel(self) -> Kernel:
        """P_b' (S, S)."""
        return self.rewards.mdp.kernel(self.form.actions).T

    @cached_property
    def transposed(self) -> Kernel:
        """P' (S, S A)."""
        P = self.rewards.P
        return sp.csr_array(P.T) if sp.issparse(P) else P.T

    @cached_property
    def advantages(self) -> Float[np.ndarray, "T S A"]:
        """Q1 of every step, E[A_k | s, a]; without horizon of one."""
        form, mdp = self.form, self.rewards.mdp
        ahead = lambda t, m: mdp.mean_reward + self.back(form.gamma * form.after(t) + form.kappa * m) - form.before(t)[:, None]
        if form.horizon is None:
            return ahead(0, self.systems.solve(form.kappa, self.average(ahead(0, np.zeros(mdp.S)))))[None]
        found, m = np.zeros((form.horizon, mdp.S, mdp.A)), np.zeros(mdp.S)
        for t in reversed(range(form.horizon)):
            found[t] = ahead(t, m)
            m = self.average(found[t])
        return found

    def second(self, psi: Float[np.ndarray, "S A k"]) -> tuple[Float[np.ndarray, "T1 S"], Float[np.ndarray, "T1 S"]]:
        """E[Z_{k, s} . g] and E[|Z_{k, s}|^2] over the columns psi.

        Cost: 5 T nnz k multiply-adds (7 if rewards depend on the next state); the means ahead of every step are kept, T S k numbers.
        Without horizon three systems with k right-hand sides.
        """
        form = self.form
        if form.horizon is None:
            return self._stationary(psi)
        Q1, T, (S, _, k) = self.advantages, form.horizon, psi.shape
        m, mu = np.zeros((T + 1, S)), np.zeros((T + 1, S, k))
        for t in reversed(range(T)):
            m[t], mu[t] = self.average(Q1[t]), self.average(psi * Q1[t][..., None] + form.nu * self.back(mu[t + 1]))
        zero = np.zeros
        behind = Behind(state=self.rewards.mdp.mu, trace=zero((S, k)), square=zero(S), past=zero((S, k)), product=zero(S))
        found, size = zero((T + 1, S)), zero((T + 1, S))
        for t in range(T + 1):
            found[t] = form.gamma * self._entering(behind, m[t], mu[t])
            size[t] = form.gamma**2 * behind.square
            if t < T:
                size[t] = self._size(behind, psi)
                pairs = self._pairs(behind, psi)
                found[t] -= self._leaving(pairs, Q1[t], mu[t + 1])
                behind = self._step(t, behind, pairs)
        return found, size

    def first(self, y: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "T1 S"]:
        """E[Z_{k, s}] . u for a direction u with psi . u = y. Cost: T nnz multiply-adds, or two systems."""
        form, mu = self.form, self.rewards.mdp.mu
        leave = lambda state, trace: form.actions * (form.kappa * trace[:, None] + state[:, None] * y)
        enter = lambda pairs: self.transposed @ pairs.ravel()
        if form.horizon is None:
            state = self.systems.solve_transposed(form.nu, mu)
            trace = self.systems.solve_transposed(form.kappa, enter(leave(state, np.zeros_like(mu))))
            return (form.gamma * trace - leave(state, trace).sum(axis=1))[None]
        state, trace, found = mu, np.zeros_like(mu), np.zeros((form.horizon + 1, len(mu)))
        for t in range(form.horizon):
            pairs = leave(state, trace)
            found[t] = form.gamma * trace - pairs.sum(axis=1)
            state, trace = form.nu * (self.kernel @ state), enter(pairs)
        found[-1] = form.gamma * trace
        return found

    def weight(self) -> Float[np.ndarray, "S A"]:
        """sum_k nu^k p_k(s) b(a|s) Q1_k(s, a), so that E[g] = sum_sa weight psi. Cost: T nnz, or one system."""
        form, state = self.form, self.rewards.mdp.mu
        if form.horizon is None:
            return self.systems.solve_transposed(form.nu, state)[:, None] * form.actions * self.advantages[0]
        total = np.zeros_like(form.actions)
        for Q1 in self.advantages:
            total += state[:, None] * form.actions * Q1
            state = form.nu * (self.kernel @ state)
        return total

    def back(self, x: Float[np.ndarray, "S *n"]) -> Float[np.ndarray, "S A *n"]:
        """P x."""
        return (self.rewards.P @ x).reshape(*self.form.actions.shape, *x.shape[1:])

    def average(self, table: Float[np.ndarray, "S A *n"]) -> Float[np.ndarray, "S *n"]:
        """The mean over the actions of the data."""
        return np.einsum("sa,sa...->s...", self.form.actions, table)

    def _entering(self, behind: Behind, m: np.ndarray, mu: np.ndarray) -> Float[np.ndarray, "S"]:
        """E[e_{k-1} . g; s]."""
        return behind.product + self.form.kappa * behind.square * m + (behind.trace * mu).sum(axis=1)

    def _leaving(self, pairs: Float[np.ndarray, "S A k2"], Q1: np.ndarray, mu: np.ndarray) -> Float[np.ndarray, "S"]:
        """E[e_k . g; s]."""
        trace, square, product = pairs[..., :-2], pairs[..., -2], pairs[..., -1]
        return (product + square * Q1 + self.form.nu * (trace * self.back(mu)).sum(axis=2)).sum(axis=1)

    def _size(self, behind: Behind, psi: Float[np.ndarray, "S A k"]) -> Float[np.ndarray, "S"]:
        """E[|gamma e_{k-1} - e_k|^2; s], where gamma e_{k-1} - e_k = (gamma - kappa) e_{k-1} - nu^k psi_k."""
        left = self.form.gamma - self.form.kappa
        own = behind.state[:, None] * (psi**2).sum(axis=2) - 2 * left * np.einsum("sak,sk->sa", psi, behind.trace)
        return self.average(own) + left**2 * behind.square

    def _pairs(self, behind: Behind, psi: Float[np.ndarray, "S A k"]) -> Float[np.ndarray, "S A k2"]:
        """nu^k E[e_k; s, a], and E[|e_k|^2; s, a] and E[e_k . G_k; s, a] as two more columns."""
        kappa, b, column = self.form.kappa, self.form.actions[..., None], lambda x: x[:, None]
        along = lambda x: np.einsum("sak,sk->sa", psi, x)
        trace = kappa * behind.trace[:, None] + behind.state[:, None, None] * psi
        square = kappa**2 * column(behind.square) + 2 * kappa * along(behind.trace) + column(behind.state) * (psi**2).sum(axis=2)
        product = kappa * column(behind.product) + along(behind.past)
        return b * np.concatenate([trace, square[..., None], product[..., None]], axis=2)

    def _step(self, t: int, behind: Behind, pairs: Float[np.ndarray, "S A k2"]) -> Behind:
        nu, (plain, with_delta) = self.form.nu, self._forth(t, pairs)
        return Behind(
            state=nu**2 * (self.kernel @ behind.state),
            trace=nu * plain[:, :-2],
            square=plain[:, -2],
            past=nu * (self.kernel @ behind.past + with_delta[:, :-2]),
            product=plain[:, -1] + with_delta[:, -2],
        )

    def _forth(self, t: int, x: Float[np.ndarray, "S A n"]) -> tuple[Float[np.ndarray, "S n"], Float[np.ndarray, "S n"]]:
        """P' x and (P o delta_t)' x = (P o r)' x + gamma V_{t+1} (P' x) - P' (V_t x)."""
        form, mdp = self.form, self.rewards.mdp
        level = (mdp.r if mdp.by_pair else 0.0) - np.broadcast_to(form.before(t)[:, None], form.actions.shape)
        flat = x.reshape(level.size, -1)
        plain = self.transposed @ flat
        with_delta = self.transposed @ (level.reshape(-1, 1) * flat) + form.gamma * form.after(t)[:, None] * plain
        return plain, with_delta if mdp.by_pair else with_delta + self.rewards.first.T @ flat

    def _stationary(self, psi: Float[np.ndarray, "S A k"]) -> tuple[Float[np.ndarray, "1 S"], Float[np.ndarray, "1 S"]]:
        """The fixed point of `_step`, one unknown after the other."""
        form, Q1 = self.form, self.advantages[0]
        kappa, nu, solve = form.kappa, form.nu, self.systems.solve_transposed
        mu = self.systems.solve(nu, self.average(psi * Q1[..., None]))
        S, _, k = psi.shape
        zero = np.zeros
        sums = Behind(state=solve(nu**2, self.rewards.mdp.mu), trace=zero((S, k)), square=zero(S), past=zero((S, k)), product=zero(S))
        ahead = lambda: self._step(0, sums, self._pairs(sums, psi))
        sums = replace(sums, trace=solve(nu * kappa, ahead().trace))
        sums = replace(sums, square=solve(kappa**2, ahead().square), past=solve(nu, ahead().past))
        sums = replace(sums, product=solve(kappa, ahead().product))
        found = form.gamma * self._entering(sums, self.average(Q1), mu) - self._leaving(self._pairs(sums, psi), Q1, mu)
        return found[None], self._size(sums, psi)[None]
