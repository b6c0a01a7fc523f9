"""Gradient domination, projected gradient ascent, and what follows from it: inequalities that hold at every point, and the rate of t^(-1/2)."""

import numpy as np

from pgtheory.tabular.dynamics.mirror import Euclidean, MirrorDescent
from pgtheory.tabular.dynamics.oracles import DirectOracle
from pgtheory.tabular.dynamics.outlook import PolicyOutlook
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.rates.instances import (
    best_probability,
    best_visits,
    column,
    constant_step,
    discounted,
    horizon_rest,
    mismatch,
    never_ends,
    starts_everywhere,
    strictly_discounted,
    unit_rewards,
)
from pgtheory.tabular.rates.softmax import cubed, gradient_setting
from pgtheory.tabular.rates.theorem import Setting, Theorem


def distance_ratio(setting: Setting):
    """max_s d*(s)/d_pi(s), both unnormalised, as a watch.

    Theorem: T47, T50.
    """
    d = best_visits(setting)

    def watch(outlook: PolicyOutlook) -> np.ndarray:
        return np.divide(d, outlook.occupancy, out=np.where(d > 0, np.inf, 0.0), where=outlook.occupancy > 0).max(axis=1)

    return watch


LOJASIEWICZ = Theorem(
    id="T50", name="softmax-lojasiewicz",
    statement="softmax, at every point: gap <= sqrt(S) max_s(d*/d_pi) |grad J| / min_s pi(a*(s)|s)",
    source="Mei, Xiao, Szepesvari, Schuurmans (2020), lemma 8",
    setting=gradient_setting(cubed),
    assumptions={"gamma < 1": discounted, "mu > 0": starts_everywhere},
    watch=lambda setting: {"ratio": distance_ratio(setting), "pi_best": best_probability(setting)},
    constants=lambda setting, run: {"S": np.full(setting.stack.N, float(setting.stack.S))},
    bound=lambda run, k: np.sqrt(k["S"]) * run.watched["ratio"] * run.gradient_norm / run.watched["pi_best"],
    first=0,
)  # fmt: skip


def projected_step(stack: Stack) -> np.ndarray:
    """(1 - gamma)^3 / (2 gamma A), one over the smoothness constant of J in the probabilities."""
    return horizon_rest(stack) ** 3 / (2 * stack.gamma * stack.A)


def projected_setting(stack: Stack) -> Setting:
    """Projected gradient ascent from the uniform policy."""
    update = MirrorDescent(Constant(projected_step(stack)), Euclidean())
    return Setting(stack=stack, oracle=DirectOracle(stack), update=update, theta=np.full(stack.r.shape, 1 / stack.A))


DOMINATION = Theorem(
    id="T47", name="gradient-domination",
    statement="probabilities as parameters, at every point: gap <= max_s(d*/d_pi) max over policies p of <p - pi, grad J>",
    source="Agarwal, Kakade, Lee, Mahajan (2021), lemma 4",
    setting=projected_setting,
    assumptions={"0 < gamma < 1": strictly_discounted, "mu > 0": starts_everywhere},
    watch=lambda setting: {
        "ratio": distance_ratio(setting),
        "best direction": lambda o: (o.gradient.max(axis=2) - (o.pi * o.gradient).sum(axis=2)).sum(axis=1),
    },
    constants=lambda setting, run: {},
    bound=lambda run, k: run.watched["ratio"] * run.watched["best direction"],
    first=0,
)  # fmt: skip

PROJECTED = Theorem(
    id="T75", name="projected",
    statement="projected gradient, rewards in [0, 1], mu > 0, step (1-gamma)^3/(2 gamma A): min_{s<=t} gap_s <= 8 sqrt(gamma S A/t) max(d*/mu)/(1-gamma)^3",
    source="Agarwal, Kakade, Lee, Mahajan (2021), theorem 5",
    setting=projected_setting,
    assumptions={
        "never ends": never_ends, "0 < gamma < 1": strictly_discounted, "rewards in [0, 1]": unit_rewards,
        "mu > 0": starts_everywhere, "step of the theorem": constant_step(projected_step),
    },
    of="least gap", quantity=lambda run: np.minimum.accumulate(np.asarray(run.gap), axis=0),
    constants=lambda setting, run: {
        "gamma": setting.stack.gamma, "S A": np.full(setting.stack.N, float(setting.stack.S * setting.stack.A)), "mismatch": mismatch(setting),
    },
    bound=lambda run, k: 8 * np.sqrt(k["gamma"] * k["S A"] / column(run.t)) * k["mismatch"] / (1 - k["gamma"]) ** 3,
)  # fmt: skip
