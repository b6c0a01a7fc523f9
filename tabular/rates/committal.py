"""Committal behaviour: a baseline that leaves the mean alone decides whether the best arm is ever found.

Two arms with sure rewards r_1 > r_2, natural gradient with one sample a ~ pi: theta_a += eta (r_a - b) / pi(a). On the path on which arm 2 is drawn every time the update is a
function of theta; the probability of this path is the product of pi_t(2).
"""

from dataclasses import dataclass

import numpy as np

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.updates import FunctionUpdate
from pgtheory.tabular.rates.instances import one_decision, uniform_start
from pgtheory.tabular.rates.theorem import Setting, Theorem

ETA, BASELINE = 0.5, -1.0


@dataclass(frozen=True)
class UnluckyPath:
    """theta_2 += eta (r_2 - b) / pi(2): what natural gradient does while it draws arm 2."""

    r: np.ndarray
    baseline: float
    eta: float = ETA

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """The next point, (N, 1, 2)."""
        pi = 1 / (1 + np.exp(theta[:, 0, 0] - theta[:, 0, 1]))
        theta[:, 0, 1] += self.eta * (self.r[:, 0, 1] - self.baseline) / pi
        return theta


def committal_setting(stack: Stack) -> Setting:
    """The path on which arm 2 is drawn every time, from theta = 0."""
    return Setting(stack=stack, oracle=SoftmaxOracle(stack), update=FunctionUpdate(UnluckyPath(stack.r, BASELINE)), theta=np.zeros(stack.r.shape))


COMMITTAL = Theorem(
    id="T80", name="committal",
    statement="two arms, natural gradient from one sample, baseline b < r_2 < r_1: Pr(arm 2 at every step) >= exp(-1/(1 - exp(-eta (r_2 - b)))) at theta = 0, so that the gap keeps a positive mean",
    source="re-derived from Chung, Thomas, Machado, Le Roux (2021), proposition 1; Mei, Dai, Xiao, Szepesvari, Schuurmans (2021), theorem 3",
    setting=committal_setting,
    assumptions={
        "one decision": one_decision, "two arms": lambda setting, run: np.full(setting.stack.N, setting.stack.A == 2),
        "b < r_2": lambda setting, run: setting.stack.r[:, 0, 1] > BASELINE, "theta = 0": uniform_start,
    },
    watch=lambda setting: {"pi(2)": lambda outlook: outlook.pi[:, 0, 1]},
    of="chance", quantity=lambda run: np.cumprod(np.concatenate([np.ones_like(run.watched["pi(2)"][:1]), run.watched["pi(2)"][:-1]]), axis=0),
    constants=lambda setting, run: {"r_2 - b": setting.stack.r[:, 0, 1] - BASELINE},
    bound=lambda run, k: np.exp(-1 / (1 - np.exp(-ETA * k["r_2 - b"]))),
    side="lower",
)  # fmt: skip
