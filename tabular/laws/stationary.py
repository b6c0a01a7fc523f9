"""Mean and full covariance of the GAE family without a horizon: the recursions of `backward.py` at their fixed points, five linear systems in P_b.

    (I - kappa P_b) m = E_b E[delta|s,a],   (I - kappa^2 P_b) q = E_b[E[delta^2|s,a] + 2 kappa (P o delta) m],
    (I - nu P_b) mu = E_b[psi Q1],          (I - nu kappa P_b) h = E_b[psi Q2] + nu E_b (P o delta) mu,
    (I - nu^2 P_b') D = start,              E[g g'] = sum_s D(s) E_b[psi psi' Q2 + nu (psi U' + U psi')],
    (I - nu P_b') d = start,                E[g] = sum_s d(s) E_b[psi Q1].

They have a solution if nu < 1, for kappa <= gamma <= nu; or if the episode ends almost surely from every state that the data reach. (If every delta is zero the law
exists without either; that case is refused with the others.) States that the data never reach may run for ever: they are left out of the systems.
"""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.laws.backward import lookahead
from pgtheory.tabular.laws.columns import Columns
from pgtheory.tabular.laws.forms import Differences
from pgtheory.tabular.laws.moments import UNIT_ROUNDOFF
from pgtheory.tabular.laws.row import RowMoments, probability_roundings
from pgtheory.tabular.laws.systems import Systems, reached_states
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.mdp import nonzeros

BLOCK = 1024
"""Columns that are solved for at once."""


def stationary_moments(form: Differences, rewards: Rewards, columns: Columns) -> RowMoments:
    """The first two moments of a row that runs until its episode ends, or for ever.

    Cost: dense, O(S^3 + S^2 D) for five factorisations and two solves of D columns; O(nnz D) for products with P; memory 2 S D + 3 D^2 numbers.

    Raises:
        NonTerminating: see `reached_states`.
    """
    mdp, S, A = rewards.mdp, rewards.mdp.S, rewards.mdp.A
    systems = Systems(mdp, form.actions, reached_states(mdp, form.actions, form.nu), dense=True)
    gamma, kappa, nu = form.gamma, form.kappa, form.nu
    x = rewards.transitions(form.values, form.values, gamma)
    average = lambda table: (form.actions * table).sum(axis=1)
    ahead = lambda kernel, values: np.asarray(kernel @ values).reshape(S, A)
    m = systems.solve(kappa, average(x.mean))
    Q1 = x.mean + kappa * ahead(x.P, m)
    own = x.square + 2 * kappa * ahead(x.first, m)
    Q2 = own + kappa**2 * ahead(x.P, systems.solve(kappa**2, average(own)))
    d, D = systems.solve_transposed(nu, mdp.mu), systems.solve_transposed(nu**2, mdp.mu)
    start = np.flatnonzero(mdp.mu)
    cross = np.empty((columns.size, columns.size))
    first = None if form.rows.start == "row" else np.empty((len(start), columns.size))
    for place, block in columns.blocks(BLOCK):
        mu, h = np.zeros((S, block.size)), np.zeros((S, block.size))
        block.add_mean(mu, Q1)
        mu = systems.solve(nu, mu)
        U = lookahead(rewards, np.hstack([mu, gamma * form.values[:, None] * mu]), form.values)[:, block.size :]
        h = nu * np.einsum("sa,sak->sk", form.actions, U.reshape(S, A, -1))
        block.add_mean(h, Q2)
        U += kappa * (rewards.P @ systems.solve(nu * kappa, h))
        U *= (nu * D[:, None] * form.actions).reshape(-1, 1)
        cross[:, place] = columns.across(U)
        if first is not None:
            first[:, place] = mu[start]
    shared = None if first is None else (first.T * mdp.mu[start]) @ first
    error = weight_error(form, rewards, systems, m=m, d=d)
    return RowMoments(weight=d[:, None] * Q1, error=error, square=D[:, None] * Q2, cross=cross, shared=shared)


def weight_error(
    form: Differences, rewards: Rewards, systems: Systems, *, m: Float[np.ndarray, "S"], d: Float[np.ndarray, "S"]
) -> Float[np.ndarray, "S A"]:
    """Bound of the error of d(s) Q1(s, a), from the residuals of the two solves: whatever was solved, |m - m^| <= |(I - kappa P_b)^-1|_inf |residual|_inf, and
    |d - d^|_1 <= |(I - nu P_b)^-1|_inf |residual|_1. The rounding of the residuals is added, with that of the probabilities in P_b."""
    S, A = form.actions.shape
    roundings = 2 * (probability_roundings(form) + A + 12)
    rows, inside = int(nonzeros(rewards.P).max(initial=0)), systems.inside
    longest = max(int(nonzeros(systems.K).max(initial=0)), int(nonzeros(systems.K.T).max(initial=0)))
    size = rewards.size + np.asarray(rewards.P @ (form.gamma * abs(form.values) + form.kappa * abs(m))).reshape(S, A) + abs(form.values)[:, None]
    x = rewards.transitions(form.values, form.values, form.gamma)
    unit = lambda n: (n + roundings) * UNIT_ROUNDOFF
    y = (form.actions * x.mean).sum(axis=1)
    left = (
        abs(y[inside] - m[inside] + form.kappa * (systems.K @ m[inside]))
        + unit(longest + rows) * ((form.actions * size).sum(axis=1) + abs(m))[inside]
    )
    error_m = systems.chain(form.kappa).inverse_norm * left.max()
    error_Q = form.kappa * error_m + unit(rows) * size
    before = abs(rewards.mdp.mu[inside] - d[inside] + form.nu * (systems.K.T @ d[inside]))
    error_d = systems.chain(form.nu).inverse_norm * (before + unit(longest) * (rewards.mdp.mu + 2 * abs(d))[inside]).sum()
    bound = np.zeros((S, A))
    bound[inside] = 2 * (error_d * (size + error_Q) + abs(d)[:, None] * error_Q)[inside]
    return bound
