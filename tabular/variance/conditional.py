"""The variance of an estimate along k directions, split by what is random: the start, the actions, the transitions, the noise of the rewards.

Order of the randomness: s_0, then a_t, then s_{t+1} or the end, then the noise of r_t given (s_t, a_t, s_{t+1}). The law of total variance along this order is a sum of
variances of conditional means: nothing cancels, and a model without a source has exactly nothing from it.

Along a direction x write y(s, a) = <x, psi(s, a)>, and e_t = sum_{j>=t} nu^(j-t) y_j A_j for what is still to come. A past of trace f makes it f A_t + w e_t, whose next state
sees f' = kappa (f + w y) and w' = nu w. So the part of its variance that is due to one source is a quadratic alpha(s) f^2 + 2 beta(s) f w + gamma(s) w^2 with

    alpha = a + E[kappa^2 P alpha'],    beta = b + E[kappa^2 y P alpha' + kappa nu P beta'],    gamma = c + E[kappa^2 y^2 P alpha' + 2 kappa nu y P beta' + nu^2 P gamma'],

E over the actions of the data, primes at the next state, and (a, b, c) the variance that the source adds in this step. At the start f = 0 and w = 1.
Source: the law of total variance, applied step by step.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.laws.columns import Table
from pgtheory.tabular.laws.forms import Differences
from pgtheory.tabular.laws.systems import Systems
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.variance.compiled import compiled_step, compiled_steps
from pgtheory.tabular.variance.spread import Spread, noise, spread

WORTHWHILE = 2**24
"""Transitions times steps times directions from which on loading numba (half a second; at the first time ten) costs less than it saves."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Ahead:
    """What is still to come, given the state. The axis p has one entry a source (actions, transitions, rewards), or a single one for their sum.

    Attributes:
        advantage: E[A | s].
        mean: E[e | s].
        alpha, beta, gamma: the quadratics of the variance.
    """

    advantage: Float[np.ndarray, "S"]
    mean: Float[np.ndarray, "S k"]
    alpha: Float[np.ndarray, "S p"]
    beta: Float[np.ndarray, "S p k"]
    gamma: Float[np.ndarray, "S p k"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Parts:
    """Mean and parts of the variance of the estimate of one data set along k directions."""

    mean: Float[np.ndarray, "k"]
    start: Float[np.ndarray, "k"]
    rest: Float[np.ndarray, "p k"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Conditional:
    """The recursion of one form over k columns.

    Attributes:
        rewards: the model.
        form: the estimator.
        columns: the directions.
        systems: (I - c P_b) x = y, without horizon.
        split: whether the sources are kept apart.
    """

    rewards: Rewards
    form: Differences
    columns: Table
    systems: Systems | None
    split: bool = False

    @property
    def y(self) -> Float[np.ndarray, "S A k"]:
        """psi along the directions."""
        return self.columns.psi

    @cached_property
    def noise(self) -> Float[np.ndarray, "S A"]:
        """Variance of the reward once the next state is known."""
        return noise(self.rewards)

    def parts(self) -> Parts:
        """The parts, of the mean over all rows of the data set. The first states are noise of each row, of each group, or none, as the sampling has it."""
        form, mu, begin = self.form, self.rewards.mdp.mu, self.from_start()
        mean = mu @ begin.mean
        start, rest = mu @ (begin.mean - mean) ** 2, np.tensordot(mu, begin.gamma, axes=1)
        nothing, square = np.zeros(()), form.scale**2
        return Parts(
            mean=form.scale * mean,
            start=square * form.rows.covariance(start, start, nothing),
            rest=square * form.rows.covariance(rest, nothing, nothing),
        )

    def average(self, table: Float[np.ndarray, "S A *n"]) -> Float[np.ndarray, "S *n"]:
        """The mean over the actions of the data."""
        return np.einsum("sa,sa...->s...", self.form.actions, table)

    def ahead(self, *tables: Float[np.ndarray, "S *n"]) -> list[Float[np.ndarray, "S A *n"]]:
        """P x for each table x, by one product."""
        S, A = self.form.actions.shape
        flat = [x.reshape(S, -1) for x in tables]
        found = np.split(self.rewards.P @ np.concatenate(flat, axis=1), np.cumsum([x.shape[1] for x in flat])[:-1], axis=1)
        return [part.reshape(S, A, *x.shape[1:]) for part, x in zip(found, tables, strict=True)]

    def from_start(self) -> Ahead:
        """What is still to come at step 0.

        Cost: O(T nnz k), or five linear systems without horizon; memory O(S A k) and a copy of the nonzeros of P.
        """
        T = self.form.horizon
        if T is None:
            return self._stationary()
        P: Any = self.rewards.P
        if sp.issparse(P) and not self.split and T * P.nnz * self.columns.size >= WORTHWHILE and find_spec("numba") is not None:
            return self._compiled(T)
        after = self._nothing(self.columns.size)
        for t in reversed(range(T)):
            after = self._step(t, after)
        return after

    def _compiled(self, T: int) -> Ahead:
        """The same for the sum of the sources, in compiled code on as many threads as there are processors: memory O(S A) a direction.

        A thread takes whole directions, or, if there are fewer of them than threads, a range of the states of each step. A state's numbers do not depend on that.
        """
        form, mdp, threads, k = self.form, self.rewards.mdp, os.cpu_count() or 1, self.columns.size
        P: Any = self.rewards.P
        model = (P.indptr, P.indices, P.data, mdp.by_pair, self.rewards.at_end[0].ravel() if mdp.by_pair else self.rewards.moments[0])
        model = (*model, mdp.ends, self.rewards.at_end[0], self.noise, form.actions)
        found = np.zeros((k, 5, mdp.S))
        with ThreadPoolExecutor(threads) as pool:
            if k >= threads:
                whole, values = compiled_steps(), np.atleast_2d(form.values)
                alone = lambda i: whole(
                    T, *model, self._alone(i), values, form.final, form.gamma, form.kappa, form.nu, np.zeros((5, mdp.S)), found[i]
                )
                list(pool.map(alone, range(k)))
            else:
                edges, step = np.linspace(0, mdp.S, threads + 1).astype(int), compiled_step()
                for i, new in enumerate(found):
                    y, after = self._alone(i), np.zeros((5, mdp.S))
                    for t in reversed(range(T)):
                        after[0] = form.gamma * form.after(t) + form.kappa * after[0]
                        numbers = (*model, y, form.before(t), form.kappa, form.nu, after, new)
                        list(pool.map(lambda part, numbers=numbers: step(*part, *numbers), pairwise(edges)))
                        after[...] = new
        advantage, mean, alpha, beta, gamma = np.moveaxis(found, 0, -1)
        return Ahead(advantage=advantage[:, 0], mean=mean, alpha=alpha[:, :1], beta=beta[:, None], gamma=gamma[:, None])

    def _alone(self, i: int) -> Float[np.ndarray, "S A"]:
        """psi along one direction, in a table of its own."""
        return np.ascontiguousarray(self.y[..., i])

    def _nothing(self, k: int) -> Ahead:
        S, p = self.rewards.mdp.S, 3 if self.split else 1
        zero = np.zeros
        return Ahead(advantage=zero(S), mean=zero((S, k)), alpha=zero((S, p)), beta=zero((S, p, k)), gamma=zero((S, p, k)))

    def _step(self, t: int, after: Ahead) -> Ahead:
        form, average = self.form, self.average
        kappa, nu = form.kappa, form.nu
        moves = spread(self.rewards, form.gamma * form.after(t) + kappa * after.advantage)
        q = moves.mean - form.before(t)[:, None]
        mean, square, alpha, beta, gamma = self.ahead(after.mean, after.mean**2, after.alpha, after.beta, after.gamma)
        e = self.y * q[..., None] + nu * mean
        a, b, c = self._added(moves, q, e, after.mean, square - mean**2)
        return Ahead(
            advantage=average(q),
            mean=average(e),
            alpha=a + kappa**2 * average(alpha),
            beta=b + self._beta_from(alpha) + kappa * nu * average(beta),
            gamma=c + self._gamma_from(alpha, beta) + nu**2 * average(gamma),
        )

    def _stationary(self) -> Ahead:
        """The fixed point of `_step`."""
        form, rewards = self.form, self.rewards
        kappa, nu, before = form.kappa, form.nu, form.before(0)
        solve = lambda discount, x: self.systems.solve(discount, x.reshape(len(x), -1)).reshape(x.shape)
        one_step = spread(rewards, form.gamma * before).mean - before[:, None]
        advantage = solve(kappa, self.average(one_step))
        moves = spread(rewards, form.gamma * before + kappa * advantage)
        q = moves.mean - before[:, None]
        mean = solve(nu, self.average(self.y * q[..., None]))
        next_mean, next_square = self.ahead(mean, mean**2)
        a, b, c = self._added(moves, q, self.y * q[..., None] + nu * next_mean, mean, next_square - next_mean**2)
        alpha = solve(kappa**2, a)
        (next_alpha,) = self.ahead(alpha)
        beta = solve(kappa * nu, b + self._beta_from(next_alpha))
        (next_beta,) = self.ahead(beta)
        gamma = solve(nu**2, c + self._gamma_from(next_alpha, next_beta))
        return Ahead(advantage=advantage, mean=mean, alpha=alpha, beta=beta, gamma=gamma)

    def _added(
        self,
        moves: Spread,
        q: Float[np.ndarray, "S A"],
        e: Float[np.ndarray, "S A k"],
        after: Float[np.ndarray, "S k"],
        variance: Float[np.ndarray, "S A k"],
    ) -> tuple[Float[np.ndarray, "S p"], Float[np.ndarray, "S p k"], Float[np.ndarray, "S p k"]]:
        """(a, b, c), the variance that a step adds, from E[A | s, a], E[e | s, a], and E[e | s'] with its variance given (s, a)."""
        nu, y, column = self.form.nu, self.y, lambda table: table[..., None]
        dq, de = q - self.average(q)[:, None], e - self.average(e)[:, None]
        of_moves, noise = column(moves.variance), column(self.noise)
        together = nu * (moves.centred @ after).reshape(y.shape)
        a = (dq**2, moves.variance, self.noise)
        b = (column(dq) * de, of_moves * y + together, noise * y)
        c = (de**2, of_moves * y**2 + 2 * together * y + nu**2 * variance, noise * y**2)
        join = (lambda parts: self.average(np.stack(parts, axis=2))) if self.split else (lambda parts: self.average(np.sum(parts, axis=0))[:, None])
        return join(a), join(b), join(c)

    def _beta_from(self, alpha: Float[np.ndarray, "S A p"]) -> Float[np.ndarray, "S p k"]:
        """E[kappa^2 y P alpha]."""
        return self.form.kappa**2 * np.einsum("sap,sak->spk", self.form.actions[..., None] * alpha, self.y)

    def _gamma_from(self, alpha: Float[np.ndarray, "S A p"], beta: Float[np.ndarray, "S A p k"]) -> Float[np.ndarray, "S p k"]:
        """E[kappa^2 y^2 P alpha + 2 kappa nu y P beta]."""
        kappa, pi_y = self.form.kappa, self.form.actions[..., None] * self.y
        return kappa**2 * np.einsum("sap,sak->spk", alpha, pi_y * self.y) + 2 * kappa * self.form.nu * np.einsum("sak,sapk->spk", pi_y, beta)
