"""What theorems ask of problems: checks of assumptions, and constants of the best policy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.arrays import ROUNDING
from pgtheory.tabular.dynamics.running import Run, Watch
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.rates.theorem import Setting

Check = Callable[[Setting, Run], Any]


def never_ends(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether every row of P sums to one."""
    return np.all(abs(setting.stack.P.sum(axis=3) - 1) < ROUNDING, axis=(1, 2))


def discounted(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether gamma < 1."""
    return setting.stack.gamma < 1


def strictly_discounted(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether 0 < gamma < 1."""
    return (setting.stack.gamma > 0) & (setting.stack.gamma < 1)


def one_decision(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether the problem is a bandit: one state, and every action ends."""
    return np.full(setting.stack.N, setting.stack.S == 1) & (setting.stack.P == 0).all(axis=(1, 2, 3))


def unit_rewards(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether rewards lie in [0, 1]."""
    return np.asarray(np.all((setting.stack.r >= 0) & (setting.stack.r <= 1), axis=(1, 2)))


def starts_everywhere(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether mu is positive in every state."""
    return np.asarray(np.all(setting.stack.mu > 0, axis=1))


def uniform_start(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether the first policy is uniform: logits, or probabilities, that are the same for all actions of a state."""
    return np.asarray(np.all(np.ptp(setting.theta, axis=2) == 0, axis=1))


def horizon_rest(stack: Stack) -> Float[np.ndarray, "N"]:
    """1 - gamma, for steps that are powers of it.

    Raises:
        InvalidArgument: gamma is 1, or 0 where it divides.
    """
    if (stack.gamma == 1).any():
        raise InvalidArgument(
            f"problem {int(stack.gamma.argmax())} has gamma 1, where the step of this update, a power of 1 - gamma, is 0. Give gamma < 1."
        )
    return 1 - stack.gamma


def constant_step(c: Callable[[Stack], Any]) -> Check:
    """Whether every step had the size c; only an update that reports its size can say so."""
    return lambda setting, run: (abs(run.size[1:] / c(setting.stack) - 1) < 1e-9).all(axis=0)


def best_actions(setting: Setting) -> Int[np.ndarray, "N S"]:
    """A best action of each state, the first among ties."""
    return setting.oracle.optimum.missing.argmin(axis=2)


def best_probability(setting: Setting) -> Watch:
    """min over the states of pi(a*|s), as a watch.

    Theorem: T50.
    """
    a = best_actions(setting)[:, :, None]
    return lambda outlook: np.take_along_axis(outlook.pi, a, axis=2)[..., 0].min(axis=1)


def visits(stack: Stack, pi: Float[np.ndarray, "N S A"]) -> Float[np.ndarray, "N S"]:
    """Discounted visits of each state under a policy, not normalised. Cost: one solve a problem."""
    K = (pi[:, :, None, :] @ stack.discounted)[:, :, 0]
    return np.linalg.solve(np.swapaxes(stack.identity - K, 1, 2), stack.mu[..., None])[..., 0]


def best_visits(setting: Setting) -> Float[np.ndarray, "N S"]:
    """Visits of a best policy: of the deterministic one, or with a temperature of the unique best one."""
    optimum = setting.oracle.optimum
    if hasattr(optimum, "log_pi"):
        return visits(setting.stack, np.exp(optimum.log_pi))
    return visits(setting.stack, np.eye(setting.stack.A)[best_actions(setting)])


def mismatch(setting: Setting) -> Float[np.ndarray, "N"]:
    """max_s d*(s) / mu(s), with d* normalised; infinite where mu(s) = 0 < d*(s).

    Theorem: T48.
    """
    d, mu = best_visits(setting), setting.stack.mu
    d = d / d.sum(axis=1, keepdims=True)
    return np.divide(d, mu, out=np.where(d > 0, np.inf, 0.0), where=mu > 0).max(axis=1)


def divergence_from_best(setting: Setting) -> Float[np.ndarray, "N"]:
    """sum_s d*(s) D(pi*(.|s), pi_0(.|s)), d* normalised and D = KL, for a deterministic pi*: -sum_s d*(s) log pi_0(a*|s)."""
    d = best_visits(setting)
    outlook = setting.oracle(setting.oracle.start(setting.theta))
    log_pi = np.take_along_axis(outlook.log_pi, best_actions(setting)[:, :, None], axis=2)[..., 0]
    return -(d * log_pi).sum(axis=1) / d.sum(axis=1)


def column(t: np.ndarray) -> Float[np.ndarray, "T 1"]:
    """Steps as a column, beside constants (N,); t = 0 counts as 1, where no bound is read."""
    return np.maximum(t, 1)[:, None].astype(float)
