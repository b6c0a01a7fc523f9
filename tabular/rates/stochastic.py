"""Gradients from one sample, on bandits with rewards in [0, 1]: bounds on expectations, which are exact sums over all sample paths.

Write E for the mean over an arm a ~ pi, x~ for x - E x. Along a direction u the derivatives of J = E r are joint cumulants of r and u, and Var(u) <= |u|^2/2, |u~| <= sqrt 2 |u|, whence

    |J''| = |E r~ u~ u~| <= |u|^2/2,                                                                   J is L-smooth, L = 1/2
    |J'''| = |E r~ u~ u~ u~ - 3 E r~ u~ Var(u)| <= (sqrt 2/2 + 3 sqrt 2/8) |u|^3,                       L_2 = 7 sqrt 2/8
    E|r(a) score(a)|^2 <= E|score(a)|^2 = 1 - |pi|^2 <= G^2,                                            G^2 = 1 - 1/K
    E|r(a) (score(a) - w score_last(a))|^2 <= exp(sqrt 2 |u|) |u|^2,  u = theta - theta_last            the mean of d/dx [pi_x(a)/pi(a) score_x(a)] squared, from last to theta

With a step alpha along d/|d|, e = d - grad J, smoothness gives J' >= J + alpha (|grad J| - 2 |e|) - L alpha^2/2. What is left of a theorem is the error of d:

    recursive      e_t = (1 - eta) e_{t-1} + what has mean 0,    |e_t|^2 <= (1 - eta)^2 |e_{t-1}|^2 + ((1 - eta) exp(alpha/sqrt 2) alpha + eta G)^2
    transported    e_t = (1 - eta) e_{t-1} + Z + eta noise,      |e_t|^2 <= ((1 - eta) |e_{t-1}| + (1 - eta)/eta L_2 alpha^2/2)^2 + eta^2 G^2

with |e|^2 for E|e|^2 and alpha for that of the step before.

From gradients to gaps: grad J = F r with F the Fisher information, whose null vectors are the constant ones, so that with * for the best arm

    gap = <e_* - pi, r> = <F^+ (e_* - pi), grad J> <= kappa |grad J|,     F^+ (e_* - pi) = (e_* - 1/K)/pi(*),     kappa = (1 - 1/K)^(1/2)/pi(*) <= |e_* - pi|/mu_F,

mu_F the least eigenvalue of F on logits of mean zero; for two arms the last two are equal. Papers assume mu_F > 0 for every theta. With softmax there is no such number, and no bound on
the mean gap that vanishes: of two arms that pay, a path that draws the worse one every time moves along (e_2 - e_1)/2^(1/2) by exactly alpha_t at step t, for each d_t is a positive
multiple of it (recursive: with c_t for the multiple and p_t for pi(2), c_t - 2^(1/2) r_2 (1 - p_t) = (1 - eta)(c_{t-1} - w 2^(1/2) r_2 (1 - p_{t-1})), and w <= 1, so that it stays at
least 0). The chance of the worse arm is then w(A_t) = 1/(1 + exp(-2^(1/2) A_t)), A_t the sum of the steps before t, and as A_t grows like t^(1/3) or t^(2/7) the chance that this never
ends, prod_t w(A_t), is positive.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pgtheory.tabular.dynamics.expected import EveryOutcome
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import Run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Power, SignalToNoise
from pgtheory.tabular.dynamics.stochastic import AtExact, OneSample, noise
from pgtheory.tabular.dynamics.tracking import Recursive, Tracking, Transported
from pgtheory.tabular.dynamics.updates import Gradient, Update
from pgtheory.tabular.rates.instances import constant_step, one_decision, uniform_start, unit_rewards
from pgtheory.tabular.rates.theorem import Constants, Setting, Theorem

ETA, ALPHA = 0.5, 0.25
"""Steps at which the theorems are run; they hold for each."""

L, L_2 = 0.5, 7 * np.sqrt(2) / 8

BANDITS = {"one decision": one_decision, "rewards in [0, 1]": unit_rewards}


def sampled(update: Callable[[Stack], Update]) -> Callable[[Stack], Setting]:
    """One sample a step, from theta = 0."""
    return lambda stack: Setting(stack=stack, oracle=SoftmaxOracle(stack), update=update(stack), theta=np.zeros(stack.r.shape), law=OneSample())


def second_moment(setting: Setting) -> np.ndarray:
    """G^2 = 1 - 1/K."""
    return np.full(setting.stack.N, 1 - 1 / setting.stack.A)


def before(x: np.ndarray) -> np.ndarray:
    """Sums over the steps before t, (T, N)."""
    return np.concatenate([np.zeros_like(x[:1]), np.cumsum(x, axis=0)[:-1]])


def reinforce(eta: float) -> Theorem:
    """The theorem at a step eta."""
    return Theorem(
        id="T83", name="reinforce",
        statement="one decision, rewards in [0, 1], one sample a step, step eta: (1/t) sum_{s<t} E|grad J_s|^2 <= gap_0/(eta t) + eta (1 - 1/K)/4",
        source="re-derived, see tabular/rates/stochastic.py: J is 1/2-smooth and E|r score|^2 <= 1 - 1/K; the form is that of Ghadimi, Lan (2013), theorem 2.1, and of Klein, Weissmann, Doering (2024) "
        "for one stage, whose smoothness constant is 5/2",
        setting=sampled(lambda stack: Gradient(Constant(eta))),
        assumptions={**BANDITS, f"step {eta:g}": constant_step(lambda stack: eta)},
        watch=lambda setting: {"|grad J|^2": lambda o: o.gradient_norm**2},
        of="mean |gradient|^2", quantity=lambda run: before(run.watched["|grad J|^2"]) / np.maximum(run.t, 1)[:, None],
        constants=lambda setting, run: {"gap_0": np.asarray(run.gap)[0], "G^2": second_moment(setting)},
        bound=lambda run, k: k["gap_0"] / (eta * np.maximum(run.t, 1)[:, None]) + eta * L * k["G^2"] / 2,
        rescaled=lambda c: reinforce(c * eta),
    )  # fmt: skip


REINFORCE = reinforce(ETA)


def signal_to_noise(stack: Stack) -> Gradient:
    """Steps SNR/(1 + SNR)/L from the exact signal and noise."""
    return Gradient(AtExact(SignalToNoise(L, noise(OneSample()))))


def share(outlook) -> np.ndarray:
    """SNR/(1 + SNR) of one sample, 0 where the gradient is."""
    square = outlook.gradient_norm**2
    total = square + noise(OneSample())(outlook)
    return np.divide(square, total, out=np.zeros_like(square), where=total > 0)


SNR = Theorem(
    id="T84", name="signal-to-noise",
    statement="one decision, rewards in [0, 1], one sample a step, step 2 SNR/(1+SNR), SNR = |grad J|^2/trace Cov g: (1/t) sum_{s<t} E[|grad J_s|^2 SNR_s/(1+SNR_s)] <= gap_0/t",
    source="re-derived from the descent lemma with L = 1/2: the step that gains most, |grad J|^2 SNR/(2 L (1+SNR)); Huang, Sheng, Zheng (2025)",
    setting=sampled(signal_to_noise),
    assumptions={
        **BANDITS,
        "step 2 SNR/(1+SNR)": lambda setting, run: (abs(run.size[1:] - run.watched["share"][:-1] / L) < 1e-9 * (1 + run.size[1:])).all(axis=0),
    },
    watch=lambda setting: {"gain": lambda o: o.gradient_norm**2 * share(o), "share": share},
    of="mean gain", quantity=lambda run: before(run.watched["gain"]) / np.maximum(run.t, 1)[:, None],
    constants=lambda setting, run: {"gap_0": np.asarray(run.gap)[0]},
    bound=lambda run, k: 2 * L * k["gap_0"] / np.maximum(run.t, 1)[:, None],
)  # fmt: skip


def weight(p: float) -> Callable[[Any], Any]:
    """t -> (2/(t+2))^p, for one step or many."""
    return lambda t: (2 / (t + 2)) ** p


def tracking(rule: type[Tracking], p: float, q: float) -> Callable[[Stack], Setting]:
    """Normalised steps ALPHA (2/(t+2))^q along an average with weights (2/(t+2))^p."""
    return sampled(lambda stack: rule(Power(ALPHA * 2**q, q, 2.0), weight(p), EveryOutcome(stack), np.random.default_rng(0)))


def schedule(rule: type[Tracking], p: float, q: float) -> dict:
    """The checks of rule, weights and steps."""
    steps = lambda run: ALPHA * weight(q)(run.t[:-1])[:, None]
    return {
        **BANDITS,
        f"weights (2/(t+2))^{p:.2g} of the rule": lambda setting, run: np.full(
            setting.stack.N, type(setting.update) is rule and all(abs(setting.update.eta(t) / weight(p)(t) - 1) < 1e-9 for t in run.t)
        ),
        f"steps {ALPHA:g} (2/(t+2))^{q:.2g}": lambda setting, run: (abs(run.size[1:] / steps(run) - 1) < 1e-9).all(axis=0),
    }


def errors(rule: type[Tracking], p: float, q: float, G: np.ndarray, steps: int) -> np.ndarray:
    """The bounds on (E|e_t|^2)^(1/2) of the module's docstring, t = 0 .. steps, (T, N)."""
    found = [G]
    for t in range(1, steps + 1):
        eta, alpha = weight(p)(t), ALPHA * weight(q)(t - 1)
        if rule is Recursive:
            square = ((1 - eta) * found[-1]) ** 2 + ((1 - eta) * np.exp(alpha / np.sqrt(2)) * alpha + eta * G) ** 2
        else:
            square = ((1 - eta) * found[-1] + (1 - eta) / eta * L_2 * alpha**2 / 2) ** 2 + (eta * G) ** 2
        found.append(np.sqrt(square))
    return np.stack(found)


def tracked(rule: type[Tracking], p: float, q: float) -> Callable[[Run, Constants], np.ndarray]:
    """[gap_0 + sum_{s<t} (2 alpha_s |e_s| + L alpha_s^2/2)] / sum_{s<t} alpha_s."""

    def bound(run: Run, k: Constants) -> np.ndarray:
        alpha = ALPHA * weight(q)(run.t)[:, None]
        lost = before(2 * alpha * errors(rule, p, q, np.sqrt(k["G^2"]), int(run.t[-1])) + L * alpha**2 / 2)
        return (k["gap_0"] + lost) / np.maximum(before(alpha), alpha)

    return bound


def follows(rule: type[Tracking], p: float, q: float, *, id: str, name: str, statement: str, source: str) -> Theorem:
    """The theorem on the weighted mean of |grad J| along a rule."""
    mean = lambda run: (
        before(ALPHA * weight(q)(run.t)[:, None] * run.gradient_norm) / np.maximum(before(ALPHA * weight(q)(run.t)[:, None]), ALPHA * 2.0**-20)
    )
    return Theorem(
        id=id, name=name, statement=statement, source=source, setting=tracking(rule, p, q), assumptions=schedule(rule, p, q), of="mean |gradient|", quantity=mean,
        constants=lambda setting, run: {"gap_0": np.asarray(run.gap)[0], "G^2": second_moment(setting)}, bound=tracked(rule, p, q),
    )  # fmt: skip


RECURSIVE = follows(
    Recursive, 2 / 3, 2 / 3, id="T85", name="recursive-momentum",
    statement="one decision, rewards in [0, 1], one sample a step, d_t = g_t + (1 - eta_t)(d_{t-1} - w g_t at theta_{t-1}), steps alpha_t d_t/|d_t|, eta_t = (2/(t+2))^(2/3), alpha_t = eta_t/4: "
    "sum_{s<t} alpha_s E|grad J_s| / sum alpha_s <= (gap_0 + sum (2 alpha_s eps_s + alpha_s^2/4)) / sum alpha_s = O(t^(-1/3) log t), "
    "eps_t^2 = (1-eta_t)^2 eps_{t-1}^2 + ((1-eta_t) exp(alpha_{t-1}/sqrt 2) alpha_{t-1} + eta_t (1 - 1/K)^(1/2))^2",
    source="re-derived, see tabular/rates/stochastic.py; Barakat, Fatkhullin, He (2023), N-VR-PG, and Cutkosky, Orabona (2019), STORM, have the rate",
)  # fmt: skip

TRANSPORTED = follows(
    Transported, 4 / 7, 5 / 7, id="T86", name="implicit-transport",
    statement="one decision, rewards in [0, 1], one sample a step at theta~ = theta_t + (1-eta_t)/eta_t (theta_t - theta_{t-1}), d_t = (1-eta_t) d_{t-1} + eta_t g, steps alpha_t d_t/|d_t|, "
    "eta_t = (2/(t+2))^(4/7), alpha_t = (2/(t+2))^(5/7)/4: sum_{s<t} alpha_s E|grad J_s| / sum alpha_s <= (gap_0 + sum (2 alpha_s eps_s + alpha_s^2/4)) / sum alpha_s = O(t^(-2/7) log t), "
    "eps_t^2 = ((1-eta_t) eps_{t-1} + (1-eta_t)/eta_t 7 sqrt 2 alpha_{t-1}^2/16)^2 + eta_t^2 (1 - 1/K)",
    source="re-derived, see tabular/rates/stochastic.py; Fatkhullin, Barakat, Kireeva, He (2023), N-PG-IGT, and Cutkosky, Mehta (2020) have the rate",
)  # fmt: skip


def unlucky(rule: type[Tracking], p: float, q: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The probability that the first t of two arms drawn are all the worse one, and the gap then, in units of Delta, t = 0 .. steps."""
    t = np.arange(steps + 1)
    alpha, eta = ALPHA * weight(q)(t), weight(p)(t)
    length = before(alpha)
    ahead = (1 - eta) / eta * np.concatenate([[0.0], alpha[:-1]]) if rule is Transported else 0.0
    worse = lambda along: 1 / (1 + np.exp(-np.sqrt(2) * along))
    return np.cumprod(np.concatenate([[1.0], worse(length + ahead)[:-1]])), worse(length)


def commits(rule: type[Tracking], p: float, q: float, *, id: str, name: str, statement: str) -> Theorem:
    """The theorem on the mean gap along a rule."""
    return Theorem(
        id=id, name=name, statement=statement, setting=tracking(rule, p, q), side="lower",
        source="re-derived, see tabular/rates/stochastic.py; Chung, Thomas, Machado, Le Roux (2021) for steps that are not normalised",
        assumptions={
            **schedule(rule, p, q), "theta = 0": uniform_start,
            "two arms that pay": lambda setting, run: np.full(setting.stack.N, setting.stack.A == 2) & (setting.stack.r > 0).all(axis=(1, 2)),
        },
        constants=lambda setting, run: {"Delta": setting.oracle.optimum.missing.max(axis=(1, 2))},
        bound=lambda run, k: np.multiply(*unlucky(rule, p, q, int(run.t[-1])))[:, None] * k["Delta"],
    )  # fmt: skip


RECURSIVE_COMMITS = commits(
    Recursive, 2 / 3, 2 / 3, id="T89", name="recursive-momentum-commits",
    statement="as `recursive-momentum`, two arms that pay and differ by Delta, theta = 0: E gap_t >= Delta w(A_t) prod_{s<t} w(A_s) >= 0.0033 Delta for every t, w(x) = 1/(1 + exp(-sqrt 2 x)), A_t = sum_{s<t} alpha_s",
)  # fmt: skip

TRANSPORTED_COMMITS = commits(
    Transported, 4 / 7, 5 / 7, id="T90", name="implicit-transport-commits",
    statement="as `implicit-transport`, two arms that pay and differ by Delta, theta = 0: E gap_t >= Delta w(A_t) prod_{s<t} w(A_s + (1-eta_s)/eta_s alpha_{s-1}) >= 0.0036 Delta for every t, "
    "w(x) = 1/(1 + exp(-sqrt 2 x)), A_t = sum_{s<t} alpha_s",
)  # fmt: skip
