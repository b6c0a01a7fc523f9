"""The state baseline of least total variance for the whole return, g = sum_t psi_t (R - b(s_t)), in closed form.

With scores of mean zero under the policy of the data the parts Z_s = -sum_t psi_t 1{s_t = s} are not correlated, and b*(s) = E[sum_t 1{s_t = s} psi_t . g_0] / E|Z_s|^2,
g_0 = R Psi the estimate without baseline. Of the products of psi_t with R Psi, those survive in which no other score stands alone: with R_t the return from step t on,
discounted by c from there, and Psi_{<t}, Psi_{>t} the scores before and after,

    E[psi_t . R Psi; s] = E[sum_{k<t} c^k r_k; s] E_b|psi|^2 + c^t E_b[ p_t |psi|^2 Q_t + psi . E[Psi_{<t}; s] Q_t + p_t c psi . P E[R_{t+1} Psi_{t+1} | s'] ]

where Q_t = E[R_t | s, a] and E[R_t Psi_t | s] = E_b[psi Q_t + c P E[R_{t+1} Psi_{t+1} | s']]. Without horizon the sums over t solve systems with the discounts 1 and c.
Source: as `optimal_baseline.py`; the constant baseline of the whole return is that of Greensmith, Bartlett and Baxter (2004), section 4.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.columns import directions
from pgtheory.tabular.laws.forms import Whole
from pgtheory.tabular.laws.systems import Systems, reached_states
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.variance.blocks import over_blocks

MEAN_ZERO = 1e-12
"""Mean of a score relative to that of its absolute value, up to which it counts as zero: some thousand roundings."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Behind:
    """What lies before step t: p_t, c^t p_t, E[sum_{k<t} c^k r_k; s] and c^t E[Psi_{<t}; s]; or the sums of these over t."""

    state: Float[np.ndarray, "S"]
    discounted: Float[np.ndarray, "S"]
    past: Float[np.ndarray, "S"]
    trace: Float[np.ndarray, "S k"]


def whole_return_values(form: Whole, rewards: Rewards, policy: Policy, *, by_step: bool) -> Float[np.ndarray, "*T S"]:
    """b*(s), or b*_t(s) with `by_step`; zero where no baseline has an effect. Cost: 3 T nnz D multiply-adds, T S numbers a column of a block.

    Raises:
        InvalidArgument: scores have a mean; `by_step` without horizon.
        NonTerminating: no horizon, and episodes that may run for ever.
    """
    if by_step and form.horizon is None:
        raise InvalidArgument("values of their own at each step need a horizon. Give the sampling or the model one, or leave by_step=False.")
    D, S = policy.theta.size, rewards.mdp.S
    steps = form.horizon or 1
    block = lambda begin, end: _block(form, rewards, directions(form, policy, np.eye(end - begin, D, begin)).psi)
    blocks = over_blocks(block, D, size=max(form.actions.size, D) + steps * S, workers=1)
    product, size = np.sum(blocks, axis=0)
    if not by_step:
        product, size = product.sum(axis=0), size.sum(axis=0)
    return np.divide(product, size, out=np.zeros_like(size), where=size > 0)


def _block(form: Whole, rewards: Rewards, psi: Float[np.ndarray, "S A k"]) -> tuple[Float[np.ndarray, "T S"], Float[np.ndarray, "T S"]]:
    """E[psi_t . R Psi; s] and E[|psi_t|^2; s] of each step over some columns; without horizon their sums, as one step."""
    mdp, c, b, (S, A, k) = rewards.mdp, form.discount, form.actions, psi.shape
    average = lambda table: np.einsum("sa,sa...->s...", b, table)
    if (abs(average(psi)) > MEAN_ZERO * average(abs(psi))).any():
        raise InvalidArgument(
            "scores have a mean under the policy of the data (Direct, or data of another policy), and for the whole return no closed form is known then. "
            "Take a reward-to-go, whose best baseline is a linear system, or Softmax on its own data."
        )
    back = lambda x: (rewards.P @ x).reshape(S, A, *x.shape[1:])
    forth = lambda kernel, x: kernel.T @ (b[..., None] * x).reshape(S * A, -1)

    def step(behind: Behind) -> Behind:
        """One step on; without horizon its fixed point has the sums over all steps."""
        spread = lambda x: np.broadcast_to(x[:, None], (S, A))[..., None]
        return Behind(
            state=forth(rewards.P, spread(behind.state))[:, 0],
            discounted=c * forth(rewards.P, spread(behind.discounted))[:, 0],
            past=(forth(rewards.P, spread(behind.past)) + forth(rewards.first, spread(behind.discounted)))[:, 0],
            trace=c * forth(rewards.P, behind.trace[:, None] + behind.discounted[:, None, None] * psi),
        )

    def products(behind: Behind, Q: Float[np.ndarray, "S A"], Y: Float[np.ndarray, "S k"]) -> tuple[Float[np.ndarray, "S"], Float[np.ndarray, "S"]]:
        square, before, after = (psi**2).sum(axis=2), np.einsum("sak,sk->sa", psi, behind.trace), (psi * back(Y)).sum(axis=2)
        size = average(square)
        return behind.past * size + average(behind.discounted[:, None] * (square * Q + c * after) + before * Q), behind.state * size

    zero, mu = np.zeros((S, k)), mdp.mu
    start = Behind(state=mu, discounted=mu, past=np.zeros(S), trace=zero)
    if form.horizon is None:
        systems = Systems(mdp, b, reached_states(mdp, b, 1.0))
        V = systems.solve(c, average(mdp.mean_reward))
        Q = mdp.mean_reward + c * back(V)
        sums = replace(start, state=systems.solve_transposed(1.0, mu), discounted=systems.solve_transposed(c, mu))
        sums = replace(sums, past=systems.solve_transposed(1.0, step(sums).past), trace=systems.solve_transposed(c, step(sums).trace))
        product, size = products(sums, Q, systems.solve(c, average(psi * Q[..., None])))
        return product[None], size[None]
    Q, Y, V = np.zeros((form.horizon, S, A)), np.zeros((form.horizon + 1, S, k)), np.zeros(S)
    for t in reversed(range(form.horizon)):
        Q[t] = mdp.mean_reward + c * back(V)
        V, Y[t] = average(Q[t]), average(psi * Q[t][..., None] + c * back(Y[t + 1]))
    found, behind = [], start
    for t in range(form.horizon):
        found.append(products(behind, Q[t], Y[t + 1]))
        behind = step(behind)
    product, size = np.moveaxis(np.array(found), 1, 0)
    return product, size
