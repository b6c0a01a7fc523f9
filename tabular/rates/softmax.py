"""Softmax policy gradient with exact gradients: upper bounds of order 1/t, the matching lower bound, the linear rate with entropy, and an exponential plateau.

Everywhere J is the return from mu with d not normalised, so that grad J is that of the cited papers.
"""

import numpy as np

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import Run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.rates.instances import (
    best_probability,
    column,
    constant_step,
    discounted,
    horizon_rest,
    mismatch,
    never_ends,
    one_decision,
    starts_everywhere,
    uniform_start,
    unit_rewards,
)
from pgtheory.tabular.rates.theorem import Constants, Setting, Theorem

TAU = 0.2
"""Temperature at which the entropy-regularised theorem is run; it holds for each."""


def gradient_setting(step, tau: float = 0.0):
    """Exact gradient ascent from theta = 0 with a step that depends on the problems."""

    def made(stack: Stack) -> Setting:
        return Setting(stack=stack, oracle=SoftmaxOracle(stack, tau=tau), update=Gradient(Constant(step(stack))), theta=np.zeros(stack.r.shape))

    return made


def least(name: str):
    """The infimum of a watched quantity over the run so far, (T, N)."""
    return lambda run: np.minimum.accumulate(run.watched[name], axis=0)


def watch_best(setting: Setting) -> dict:
    return {"pi_best": best_probability(setting)}


BANDIT = Theorem(
    id="T81", name="softmax-bandit",
    statement="one decision, rewards in [0, 1], step 2/5: gap_t <= 5 / (c^2 t), c = inf_{s<=t} pi_s(a*)",
    source="Mei, Xiao, Szepesvari, Schuurmans (2020), theorem 2",
    setting=gradient_setting(lambda stack: 0.4),
    assumptions={"one decision": one_decision, "rewards in [0, 1]": unit_rewards, "step 2/5": constant_step(lambda stack: 0.4)},
    watch=watch_best,
    constants=lambda setting, run: {"c": least("pi_best")(run)[-1]},
    bound=lambda run, k: 5 / (least("pi_best")(run) ** 2 * column(run.t)),
    a_posteriori=True,
)  # fmt: skip


def cubed(stack: Stack) -> np.ndarray:
    """(1 - gamma)^3 / 8, one over the smoothness constant of J.

    Theorem: T51.
    """
    return horizon_rest(stack) ** 3 / 8


SOFTMAX = Theorem(
    id="T52", name="softmax",
    statement="gamma < 1, rewards in [0, 1], mu > 0, step (1-gamma)^3/8: gap_t <= 16 S max(d*/mu)^2 / (c^2 (1-gamma)^5 t), c = inf pi_s(a*(s)|s)",
    source="re-derived from T49, T50, T51, see `softmax_constants`; Mei, Xiao, Szepesvari, Schuurmans (2020), theorem 4, has a further factor max(1/mu)/(1-gamma), which a return from another start than mu needs",
    setting=gradient_setting(cubed),
    assumptions={
        "never ends": never_ends, "gamma < 1": discounted, "rewards in [0, 1]": unit_rewards, "mu > 0": starts_everywhere,
        "step (1-gamma)^3/8": constant_step(cubed),
    },
    watch=watch_best,
    constants=lambda setting, run: softmax_constants(setting, run),
    bound=lambda run, k: 16 * k["S"] * k["mismatch"] ** 2 / (least("pi_best")(run) ** 2 * k["1-gamma"] ** 5 * column(run.t)),
    a_posteriori=True,
)  # fmt: skip


def softmax_constants(setting: Setting, run: Run) -> Constants:
    """S, 1 - gamma, max(d*/mu) with d* normalised, c over the whole run. The bound follows from three theorems of the book.

    J is L-smooth, L = 8/(1-gamma)^3 (T51), so that a step 1/L gains at least |grad J|^2/(2L). |grad J| >= c gap / (sqrt(S) M) (T50), where M = max(d*/d_pi), both not normalised,
    is at most max(d*/mu)/(1-gamma), for d_pi >= mu. Hence gap' <= gap - k gap^2, k = c^2/(2 L S M^2), and gap_t <= 1/(k t) (T49).

    Theorem: T49, T52.
    """
    stack = setting.stack
    return {
        "c": least("pi_best")(run)[-1], "mismatch": mismatch(setting), "S": np.full(stack.N, float(stack.S)), "1-gamma": 1 - stack.gamma,
    }  # fmt: skip


def entropy_step(stack: Stack) -> np.ndarray:
    """(1 - gamma)^3 / (8 + tau (4 + 8 log A)), one over the smoothness constant of J with entropy."""
    return horizon_rest(stack) ** 3 / (8 + TAU * (4 + 8 * np.log(stack.A)))


ENTROPY = Theorem(
    id="T63", name="softmax-entropy",
    statement="J + tau entropy, gamma < 1, rewards in [0, 1], mu > 0, step (1-gamma)^3/(8 + tau (4 + 8 log A)): gap_t <= gap_0 exp(-C t), "
    "C = (1-gamma)^4/(8/tau + 4 + 8 log A) min mu c^2 / max(d*/mu), c = inf pi(a|s)",
    source="re-derived, see `entropy_constants`; Mei, Xiao, Szepesvari, Schuurmans (2020), theorem 6, has C/S in the place of C, and a further factor max(1/mu)/(1-gamma) for a return from another start than mu",
    setting=gradient_setting(entropy_step, TAU),
    assumptions={
        "never ends": never_ends, "gamma < 1": discounted, "rewards in [0, 1]": unit_rewards, "mu > 0": starts_everywhere,
        "step of the theorem": constant_step(entropy_step),
    },
    watch=lambda setting: {"pi_least": lambda outlook: outlook.pi.min(axis=(1, 2))},
    constants=lambda setting, run: entropy_constants(setting, run),
    bound=lambda run, k: k["gap_0"] * np.exp(-k["C"] * run.t[:, None]),
    first=0, a_posteriori=True,
)  # fmt: skip


def entropy_constants(setting: Setting, run: Run) -> Constants:
    """c over the whole run, C and the first gap. The bound follows from two lemmas.

    J is L-smooth, L = (8 + tau (4 + 8 log A))/(1-gamma)^3 (Mei et al., lemmas 7 and 14), so that a step 1/L gains at least |grad J|^2/(2L). With a the soft advantage
    Q - tau log pi - V, whose mean under pi is 0, and all visits d not normalised,

        gap <= sum_s d*(s) tau log sum_a pi(a|s) exp(a(s, a)/tau)      performance difference, and the best reply to Q
            <= sum_s d*(s) max_a a(s, a)^2 / (2 tau)                   Hoeffding's lemma
            <= max(d*/d) sum_s d(s)^2 sum_a pi(a|s)^2 a(s, a)^2 / (2 tau min d c^2)  =  max(d*/d) |grad J|^2 / (2 tau min d c^2),

    where d >= mu and max(d*/d) <= max(d*/mu)/(1-gamma), here with d* normalised. Hence gap' <= (1 - C) gap.
    """
    stack = setting.stack
    c = least("pi_least")(run)[-1]
    C = (1 - stack.gamma) ** 4 / (8 / TAU + 4 + 8 * np.log(stack.A)) * stack.mu.min(axis=1) * c**2 / mismatch(setting)
    return {"c": c, "C": C, "gap_0": np.asarray(run.gap)[0]}


LOWER = Theorem(
    id="T64", name="softmax-bandit-lower",
    statement="one decision, rewards in [0, 1], best arm unique by Delta, steps from 0 to 4/5: from the first t0 with gap <= Delta^2/18 on, gap_t >= 1 / (1/gap_t0 + 6 (t - t0)/Delta^2)",
    source="re-derived from Mei, Xiao, Szepesvari, Schuurmans (2020), theorem 9, with its step from which on it holds: J is 5/2-smooth and |grad J| <= sqrt 2 gap/Delta, "
    "so that a step closes at most (9/2) gap^2/Delta^2 of the gap, and none from 0 to 4/5 opens it",
    setting=gradient_setting(lambda stack: 0.4),
    assumptions={
        "one decision": one_decision, "rewards in [0, 1]": unit_rewards,
        "a unique best arm": lambda setting, run: (setting.oracle.optimum.missing == 0).sum(axis=(1, 2)) == 1,
        "steps from 0 to 4/5": lambda setting, run: ((run.size[1:] >= 0) & (run.size[1:] <= 0.8)).all(axis=0),
    },
    constants=lambda setting, run: lower_constants(setting, run),
    bound=lambda run, k: np.where(run.t[:, None] >= k["t0"], lower_curve(run.t[:, None] - k["t0"], k), 0.0),
    side="lower", a_posteriori=True,
)  # fmt: skip


def lower_curve(since: np.ndarray, k: Constants) -> np.ndarray:
    """Delta^2 / (Delta^2 / gap_t0 + 6 (t - t0)), 0 for arms that tie."""
    square = k["Delta"] ** 2
    below = square / np.maximum(k["gap_t0"], 1e-300) + 6 * np.maximum(since, 0)
    return np.divide(square, below, out=np.zeros(np.shape(below)), where=below > 0)


def lower_constants(setting: Setting, run: Run) -> Constants:
    """Delta, and the first recorded step with gap <= Delta^2 / 18; beyond the run where there is none."""
    Delta = np.sort(setting.oracle.optimum.missing[:, 0], axis=1)[:, 1]
    small = run.gap <= Delta**2 / 18
    at, reached = small.argmax(axis=0), small.any(axis=0)
    gap = np.take_along_axis(run.gap, at[None], axis=0)[0]
    return {"Delta": Delta, "t0": np.where(reached, run.t[at], run.t[-1] + 1.0), "gap_t0": gap}


PLATEAU = Theorem(
    id="T65", name="lock-plateau",
    statement="combination lock of H states, reward 1 after H right actions in a row, gamma = 1, step eta, theta = 0: J_t <= 1 / (A^H - 2 H eta t) while t < (A^H - 1)/(2 H eta)",
    source="re-derived: log J is concave in theta and |grad log J|^2 <= 2 H, so that log J_{t+1} <= log J_t + 2 H eta J_t; a plain form of the exponential time of "
    "Li, Wei, Chi, Gu, Chen (2021), whose own chain is `slow-chain`",
    setting=gradient_setting(lambda stack: 1.0),
    assumptions={"a combination lock": lambda setting, run: is_lock(setting.stack), "step 1": constant_step(lambda stack: 1.0), "theta = 0": uniform_start},
    of="value", quantity=lambda run: run.value,
    constants=lambda setting, run: {"H": np.full(setting.stack.N, float(setting.stack.S)), "A": np.full(setting.stack.N, float(setting.stack.A))},
    bound=lambda run, k: plateau(run.t[:, None], k),
)  # fmt: skip


def plateau(t: np.ndarray, k: Constants) -> np.ndarray:
    """1 / (A^H - 2 H t); 1, which is no bound, once that is reached."""
    left = k["A"] ** k["H"] - 2 * k["H"] * t
    return np.where(left > 1, 1 / np.maximum(left, 1.0), 1.0)


def is_lock(stack: Stack) -> np.ndarray:
    """Whether in every state one action goes on to the next state or, in the last, ends with reward 1, and all others end with 0; gamma = 1, start in state 0."""
    chain = np.zeros(stack.P.shape[1:])
    chain[np.arange(stack.S - 1), 0, np.arange(1, stack.S)] = 1
    pay = np.zeros(stack.r.shape[1:])
    pay[-1, 0] = 1
    same = (chain == stack.P).all(axis=(1, 2, 3)) & (stack.r == pay).all(axis=(1, 2))
    return same & (stack.gamma == 1) & (stack.mu[:, 0] == 1)
