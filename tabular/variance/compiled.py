"""Steps of the variance along one direction over a sparse model, compiled by numba (extra `fast`): all products of a step in one pass over the transitions.

`conditional.py` has the same on scipy, for any number of directions; both give the same numbers to rounding.
"""

from collections.abc import Callable

import numpy as np

from pgtheory.tabular.solve.compiled import compiled


def step(begin, end, starts, columns, chance, by_pair, reward, ends, reward_end, noise, actions, y, before, kappa, nu, after, new):
    """Write the numbers (5, S) of a step into `new`, from those of the next step: for each state E[A | s], E[e | s], alpha, beta, gamma.

    Args:
        begin, end: the states that are written; each is found by itself, so that threads may share the work.
        starts, columns, chance: P in CSR form.
        by_pair, reward: whether rewards are those of pairs, (S A,), or stand on the entries of P, (nnz,).
        ends, reward_end, noise, actions, y: (S, A).
        before: V_t (S,).
        kappa, nu: numbers.
        after: the numbers of the next step (5, S), but gamma V_{t+1} + kappa E[A_{t+1} | s] in the first row.
        new: (5, S).
    """
    A = y.shape[1]
    q, e = np.zeros(A), np.zeros(A)
    for s in range(begin, end):
        advantage = mean = alpha = beta = gamma = 0.0
        for a in range(A):
            row = s * A + a
            b, u, first, last = actions[s, a], y[s, a], starts[row], starts[row + 1]
            total, next_mean, next_alpha, next_beta, next_gamma = ends[s, a] * reward_end[s, a], 0.0, 0.0, 0.0, 0.0
            for z in range(first, last):
                p, t = chance[z], columns[z]
                total += p * (reward[row if by_pair else z] + after[0, t])
                next_mean += p * after[1, t]
                next_alpha += p * after[2, t]
                next_beta += p * after[3, t]
                next_gamma += p * after[4, t]
            moves, together, of_mean = ends[s, a] * (reward_end[s, a] - total) ** 2, 0.0, ends[s, a] * next_mean**2
            for z in range(first, last):
                p, t = chance[z], columns[z]
                x, d = reward[row if by_pair else z] + after[0, t] - total, after[1, t] - next_mean
                moves += p * x * x
                together += p * x * d
                of_mean += p * d * d
            together -= ends[s, a] * (reward_end[s, a] - total) * next_mean
            q[a] = total - before[s]
            e[a] = u * q[a] + nu * next_mean
            advantage += b * q[a]
            mean += b * e[a]
            own = moves + noise[s, a] + kappa * kappa * next_alpha
            cross = nu * (together + kappa * next_beta)
            alpha += b * own
            beta += b * (own * u + cross)
            gamma += b * (own * u * u + 2 * cross * u + nu * nu * (of_mean + next_gamma))
        for a in range(A):
            b, dq, de = actions[s, a], q[a] - advantage, e[a] - mean
            alpha += b * dq * dq
            beta += b * dq * de
            gamma += b * de * de
        new[0, s], new[1, s], new[2, s], new[3, s], new[4, s] = advantage, mean, alpha, beta, gamma


def steps(count, starts, columns, chance, by_pair, reward, ends, reward_end, noise, actions, y, values, final, gamma, kappa, nu, after, new):
    """All `count` steps of a horizon: `new` are the numbers at the first one, `after` is room for those of the next step, and zero.

    Args, where not as in `step`:
        values: V_t, (T, S), or one row for all steps.
        final: V after the last step, (S,).
        gamma: a number.
    """
    S, rows = new.shape[1], values.shape[0]
    for t in range(count - 1, -1, -1):
        for s in range(S):
            after[0, s] = gamma * (final[s] if t + 1 == count else values[(t + 1) % rows, s]) + kappa * after[0, s]
        step(0, S, starts, columns, chance, by_pair, reward, ends, reward_end, noise, actions, y, values[t % rows], kappa, nu, after, new)
        after[:, :] = new


def compiled_step() -> Callable[..., None]:
    """`step` as machine code, compiled once an installation. Importing numba takes half a second: ask for it where there is more to do."""
    return compiled(step)


def compiled_steps() -> Callable[..., None]:
    """`steps` as machine code."""
    return compiled(steps, step)
