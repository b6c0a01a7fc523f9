"""The main experiment of P025 in small: several mean steps on one batch, the reference fixed, with and without the importance ratio on the divergence.

What "off-policy" means for a mean update: the sampler is held while the policy takes several steps on its data, then it becomes the policy. The reference
never moves, for C4 speaks of a fixed one. Two ends of this: data of the reference for ever, and a new sampler every few steps. Nothing is clipped, and
advantages are not divided by a deviation; a baseline does not change the mean.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.data import Data
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.updates import FunctionUpdate
from pgtheory.tabular.estimators.kl import KLLoss, KLReward
from pgtheory.tabular.estimators.kl_regularised import KLRegularised
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import SequenceRatio
from pgtheory.tabular.fields.field import Field
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy
from pgtheory.tabular.scene import Scene

REWARDS = np.array([1.0, 0.2, -0.5, 0.7, 0.0])
REFERENCE = np.array([0.15, 0.25, 0.2, 0.1, 0.3])
BETA, STEP = 1.0, 2.0
FEW, MANY, STEPS = 4, 16, 128
"""Steps on the data of one sampler, and in all."""
SETTLED = 1e-10
"""The slowest rate is .8 a step (RPG, reverse: 1 - STEP BETA .10, the least nonzero eigenvalue of diag pi* - pi* pi*'): .8^128 = 4e-13 of the first distance is left."""

ARMS, START = Bandit(r=REWARDS), Softmax(np.log(REFERENCE)[None])
HELD, NEW, BOTH = "the reference", "a new sampler", "a new sampler = reference"
BARE = "GRPO, k3 without w"
Weights = Callable[[Data, Scene], np.ndarray]


def best_reverse(q: np.ndarray, R: np.ndarray, beta: float) -> np.ndarray:
    """Maximiser of J - beta KL(pi || q): q exp(R / beta) / Z."""
    tilted = q * np.exp((R - R.max()) / beta)
    return tilted / tilted.sum()


def best_forward(q: np.ndarray, R: np.ndarray, beta: float) -> np.ndarray:
    """Maximiser of J - beta KL(q || pi): beta q / (nu - R), nu such that it sums to one."""
    heavy = lambda nu: beta * q / (nu - R)
    nu = brentq(lambda nu: heavy(nu).sum() - 1, R.max() + beta * q[R.argmax()] / 2, R.max() + beta, xtol=1e-15, rtol=8.9e-16)
    return heavy(nu)


def weighted(penalty: Weights) -> PolicyGradient:
    """w (R - beta penalty) score, w held constant."""
    return PolicyGradient(advantage=lambda data, scene: data.total[..., None] - BETA * penalty(data, scene), ratio=SequenceRatio())


def slope(data: Data, scene: Scene) -> np.ndarray:
    """The derivative of k3 by log pi, 1 - ref / pi."""
    return -KLLoss("k3", "sequence")(data, scene)


def product(data: Data, scene: Scene) -> np.ndarray:
    """The derivative of w k3 by log pi, divided by w."""
    return slope(data, scene) - KLReward("k3")(data, scene)


def missing(data: Data, scene: Scene) -> np.ndarray:
    """w R - beta (1 - ref / pi): only the reward is weighted."""
    return SequenceRatio()(data, scene) * data.total[..., None] - BETA * slope(data, scene)


GRPO = {
    BARE: PolicyGradient(advantage=missing),
    "GRPO, w constant": weighted(slope),
    "GRPO, w differentiated": weighted(product),
}
ON_REFERENCE = {
    "RPG, reverse": PolicyGradient(advantage=KLRegularised(divergence="reverse", beta=BETA)),
    "RPG, reverse unnormalised": PolicyGradient(advantage=KLRegularised(divergence="reverse unnormalised", beta=BETA)),
    "RPG, forward": PolicyGradient(advantage=KLRegularised(divergence="forward", beta=BETA)),
    "RPG, forward unnormalised": PolicyGradient(advantage=KLRegularised(divergence="forward unnormalised", beta=BETA)),
}
"""C of the paper, in which sampler and reference are one policy: where the sampler is new, so is the reference."""
REFRESHED = {
    "RPG, reverse": weighted(lambda data, scene: 1 - KLReward("k1")(data, scene)),
    "RPG, forward": weighted(lambda data, scene: slope(data, scene) - 1),
}
"""C where they are two: w (R - beta (log(pi / ref) + 1)), and w R + beta ref / old."""


@dataclass(frozen=True)
class Batch:
    """theta -> theta after `steps` steps along the exact mean of an estimator, all on the data of one sampler: of the policy at the start, or of the reference."""

    estimator: PolicyGradient
    steps: int
    renewed: bool = False

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        begin = Softmax(theta[0])
        mean = Field(self.estimator, OffPolicy(1), Scene.of(ARMS, begin, sampler=begin if self.renewed else START, ref=START))
        for _ in range(self.steps):
            theta = theta + STEP * mean(theta[0]).reshape(theta.shape)
        return theta


def policies(batch: Batch) -> np.ndarray:
    """The policy after each batch, (batches + 1, arms), from the reference."""
    found = run(FunctionUpdate(batch), SoftmaxOracle(Stack.of([ARMS])), START.theta, STEPS // batch.steps, watch={"pi": lambda o: o.pi[:, 0]})
    return found.watched["pi"][:, 0]


def apart(pi: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Total variation."""
    return abs(pi - other).sum(axis=-1) / 2


def off_policy(progress: Callable[[str], None]) -> Result:
    """Where each update ends, and its distances from the two optima of C4 on the way."""
    reverse, forward = best_reverse(REFERENCE, REWARDS, BETA), best_forward(REFERENCE, REWARDS, BETA)
    plan = [(HELD, FEW, name, Batch(rule, FEW)) for name, rule in (ON_REFERENCE | GRPO).items()]
    plan += [(NEW, FEW, name, Batch(rule, FEW, True)) for name, rule in (REFRESHED | GRPO).items()]
    plan += [(NEW, MANY, name, Batch((REFRESHED | GRPO)[name], MANY, True)) for name in ("RPG, reverse", "RPG, forward", BARE)]
    plan += [(BOTH, FEW, "RPG, reverse", Batch(ON_REFERENCE["RPG, reverse"], FEW, True))]
    rows, path, end, moves = [], {}, {}, {}
    for sampler, steps, name, batch in plan:
        progress(f"{name}, samples of {sampler}")
        key = sampler, steps, name
        path[key] = pi = policies(batch)
        end[key], moves[key] = (float(apart(pi[-1], reverse)), float(apart(pi[-1], forward))), float(apart(pi[-1], pi[-2]))
        rows.append([*key, *end[key], moves[key], float(pi[-1] @ REWARDS)])
    at_reverse = lambda *key: moves[key] < SETTLED and end[key][0] < SETTLED
    at_forward = lambda *key: moves[key] < SETTLED and end[key][1] < SETTLED
    x = REFERENCE / path[HELD, FEW, BARE][-1]

    def curve(sampler: str, steps: int, name: str, best: np.ndarray) -> Curve:
        y, where = np.maximum(apart(path[sampler, steps, name], best), 1e-16), "from pi*" if best is reverse else "from the forward optimum"
        label = f"{name}, {where}" + (f", {MANY} steps" if steps == MANY else "")
        return Curve(label=label, x=steps * np.arange(len(y)), y=y, dashed=best is forward, group=f"{name}, {steps}")

    four = (("RPG, reverse", reverse), ("RPG, forward", forward), (BARE, reverse), (BARE, forward))
    held, new = ([curve(sampler, FEW, name, best) for name, best in four] for sampler in (HELD, NEW))
    panel = lambda title, curves: Panel(title=title, curves=curves, x="mean steps", y="total variation", log="y")
    return Result(
        columns=["samples of", "steps on them", "update", "from pi*", "from the forward optimum", "last batch moves it", "J"],
        rows=rows,
        panels=[
            panel("samples of the reference", held),
            panel(f"a new sampler every {FEW} steps, and every {MANY}", [*new, curve(NEW, MANY, BARE, forward)]),
        ],
        expected={
            "RPG ends at its optimum, whoever samples: the reverse ones at pi* = ref exp(R / beta) / Z, the forward ones at beta ref / (nu - R)": all(
                (at_reverse if "reverse" in name else at_forward)(sampler, steps, name) for sampler, steps, name in end if name.startswith("RPG") and sampler != BOTH
            ),
            "on samples of the reference GRPO without w rests at neither, and farther from each than they are from each other": bool(
                moves[HELD, FEW, BARE] < SETTLED and min(end[HELD, FEW, BARE]) > apart(reverse, forward)
            ),
            "what it climbs there is J - beta (chi^2(ref || pi) - KL(ref || pi))": bool(np.ptp(REWARDS + BETA * x * (x - 1)) < SETTLED),
            "not so with a new sampler every four steps: w is 1 where nothing moves, and GRPO without w ends at the forward optimum": at_forward(NEW, FEW, BARE),
            "with sixteen steps on each batch it swings around that optimum, which RPG reaches": moves[NEW, MANY, BARE] > 0.1 and at_forward(NEW, MANY, "RPG, forward"),
            "with w it is one of RPG's: held constant it ends at the forward optimum, differentiated at pi*": all(
                at_forward(sampler, FEW, "GRPO, w constant") and at_reverse(sampler, FEW, "GRPO, w differentiated") for sampler in (HELD, NEW)
            ),
            "a reference that moves with the sampler holds nothing back: RPG leaves pi* for the best arm": rows[-1][-1] > 0.99,
        },
    )  # fmt: skip
