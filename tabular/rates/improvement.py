"""What one step gains at least: the surrogate minus a penalty for moving away."""

import numpy as np

from pgtheory.tabular.dynamics.running import Run, Watch
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Natural
from pgtheory.tabular.rates.instances import constant_step, discounted
from pgtheory.tabular.rates.natural import softmax_setting
from pgtheory.tabular.rates.theorem import Constants, Setting, Theorem


def tables(setting: Setting) -> dict[str, Watch]:
    """Policy, advantage and visits of every recorded step; memory T N S A."""
    return {"pi": lambda o: o.pi, "advantage": lambda o: o.advantage, "d": lambda o: o.occupancy}


def surrogate(run: Run) -> np.ndarray:
    """sum_s d_{t-1}(s) sum_a pi_t(a|s) A_{t-1}(s, a), (T, N); 0 at t = 0."""
    w = run.watched
    gain = np.einsum("tns,tnsa,tnsa->tn", w["d"][:-1], w["pi"][1:], w["advantage"][:-1])
    return np.concatenate([np.zeros_like(gain[:1]), gain])


def movement(run: Run) -> np.ndarray:
    """alpha_t = max_s total variation between pi_{t-1}(.|s) and pi_t(.|s), (T, N); 0 at t = 0."""
    alpha = abs(np.diff(run.watched["pi"], axis=0)).sum(axis=3).max(axis=2) / 2
    return np.concatenate([np.zeros_like(alpha[:1]), alpha])


def penalty(run: Run, k: Constants) -> np.ndarray:
    """4 gamma eps_{t-1} alpha_t^2 / (1 - gamma)^2, eps = max |A|."""
    eps = abs(run.watched["advantage"]).max(axis=(2, 3))
    return 4 * k["gamma"] * np.concatenate([eps[:1], eps[:-1]]) * movement(run) ** 2 / (1 - k["gamma"]) ** 2


TRUST_REGION = Theorem(
    id="T54", name="trust-region",
    statement="any step: J_t - J_{t-1} >= sum_s d_{t-1}(s) sum_a pi_t(a|s) A_{t-1}(s, a) - 4 gamma eps alpha^2/(1-gamma)^2, eps = max |A_{t-1}|, alpha = max_s TV(pi_{t-1}, pi_t)",
    source="Schulman, Levine, Moritz, Jordan, Abbeel (2015), theorem 1; Kakade, Langford (2002), theorem 4.1, for mixtures",
    setting=softmax_setting(lambda stack: Natural(Constant(0.005), normalised=True)),
    assumptions={"gamma < 1": discounted},
    watch=tables,
    of="gain", quantity=lambda run: np.concatenate([np.zeros_like(run.value[:1]), np.diff(run.value, axis=0)]),
    constants=lambda setting, run: {"gamma": setting.stack.gamma},
    bound=lambda run, k: surrogate(run) - penalty(run, k),
    side="lower",
)  # fmt: skip

NATURAL_IMPROVES = Theorem(
    id="T77", name="natural-improves",
    statement="theta += eta/(1-gamma) advantage, any eta > 0: J_t - J_{t-1} >= (1-gamma)/eta sum_s mu(s) log Z_{t-1}(s) >= 0, Z(s) = sum_a pi(a|s) exp(eta A(s, a)/(1-gamma))",
    source="Agarwal, Kakade, Lee, Mahajan (2021), lemma 17",
    setting=softmax_setting(lambda stack: Natural(Constant(1.0), normalised=True)),
    assumptions={"gamma < 1": discounted, "step 1": constant_step(lambda stack: 1.0)},
    watch=lambda setting: {"log Z": lambda o: log_partition(o, setting.stack)},
    of="gain", quantity=lambda run: np.concatenate([np.zeros_like(run.value[:1]), np.diff(run.value, axis=0)]),
    constants=lambda setting, run: {"1-gamma": 1 - setting.stack.gamma},
    bound=lambda run, k: k["1-gamma"] * np.concatenate([run.watched["log Z"][:1], run.watched["log Z"][:-1]]),
    side="lower",
)  # fmt: skip


def log_partition(outlook, stack: Stack) -> np.ndarray:
    """sum_s mu(s) log sum_a pi(a|s) exp(A(s, a)/(1-gamma)), for eta = 1."""
    z = (outlook.pi * np.exp(outlook.advantage / (1 - stack.gamma)[:, None, None])).sum(axis=2)
    return (stack.mu * np.log(z)).sum(axis=1)
