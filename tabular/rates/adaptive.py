"""Step sizes that adapt: normalised gradients of decreasing length, and Polyak's step."""

import numpy as np
from jaxtyping import Bool

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import Run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Polyak, Power
from pgtheory.tabular.dynamics.updates import Gradient, Normalised
from pgtheory.tabular.rates.instances import discounted, never_ends, one_decision, unit_rewards
from pgtheory.tabular.rates.theorem import Setting, Theorem

KAPPA = 10.0
"""kappa at which the theorem on normalised gradients is run."""


def normalised_setting(stack: Stack) -> Setting:
    """Steps of length 2 kappa / (t + 2) along the gradient, from theta = 0."""
    return Setting(stack=stack, oracle=SoftmaxOracle(stack), update=Normalised(Power(2 * KAPPA, p=1.0, t0=2.0)), theta=np.zeros(stack.r.shape))


NORMALISED = Theorem(
    id="T78", name="normalised",
    statement="steps of length 2 kappa/(t+2) along the gradient, gap <= kappa |grad J| on the run, rewards in [0, 1]: gap_t <= 2 L kappa^2/(t+2), L = 8/(1-gamma)^3",
    source="Fatkhullin, Barakat, Kireeva, He (2023), theorem 1 in its exact form (recursion of Frank and Wolfe)",
    setting=normalised_setting,
    assumptions={
        "never ends": never_ends, "gamma < 1": discounted, "rewards in [0, 1]": unit_rewards,
        "gap <= kappa |grad J|": lambda setting, run: (run.gap <= KAPPA * run.gradient_norm + 1e-13).all(axis=0),
        "steps 2 kappa/(t+2)": lambda setting, run: (abs(run.size[1:] * (run.t[1:, None] + 1) / (2 * KAPPA) - 1) < 1e-9).all(axis=0),
    },
    constants=lambda setting, run: {"L": 8 / (1 - setting.stack.gamma) ** 3},
    bound=lambda run, k: 2 * k["L"] * KAPPA**2 / (run.t[:, None] + 2),
    a_posteriori=True,
)  # fmt: skip


def polyak_setting(stack: Stack) -> Setting:
    """Exact Polyak steps (J* - J)/|grad J|^2 from theta = 0."""
    oracle = SoftmaxOracle(stack)
    return Setting(stack=stack, oracle=oracle, update=Gradient(Polyak(1.0, cap=np.inf)), theta=np.zeros(stack.r.shape))


def polyak_steps(setting: Setting, run: Run) -> Bool[np.ndarray, "N"]:
    """Whether each step is (J* - J)/|grad J|^2, wherever two steps in a row are recorded; where both are zero any is."""
    left = abs(run.size[1:] * run.gradient_norm[:-1] ** 2 - run.gap[:-1])
    return np.asarray(np.all((left <= 1e-9 * run.gap[:-1]) | (np.diff(run.t) > 1)[:, None], axis=0))


POLYAK = Theorem(
    id="T79", name="polyak-bandit",
    statement="two arms that differ by Delta, step (J* - J)/|grad J|^2: gap_t <= Delta exp(-t) (1 - p_0)/p_0, whatever Delta is",
    source="re-derived: the step moves the logit difference by exactly 1/p >= 1 (Li, Yuan, Fan, Schmidt, Horvath, Gower, Takac 2024 give the step)",
    setting=polyak_setting,
    assumptions={
        "one decision": one_decision, "two arms": lambda setting, run: np.full(setting.stack.N, setting.stack.A == 2),
        "arms that differ": lambda setting, run: np.ptp(setting.stack.r[:, 0], axis=1) > 0,
        "Polyak's step": polyak_steps,
    },
    constants=lambda setting, run: {"Delta": np.ptp(setting.stack.r[:, 0], axis=1), "gap_0": run.gap[0]},
    bound=lambda run, k: k["Delta"] * np.exp(-run.t[:, None]) * (k["gap_0"] / (k["Delta"] - k["gap_0"])),
    first=0,
)  # fmt: skip
