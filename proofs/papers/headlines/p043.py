"""The main experiment of P043 in small: Polyak steps, constant steps and steps along samples on rewards of three scales."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Polyak
from pgtheory.tabular.dynamics.stochastic import NoisyOracle, OneSample, drawn_from
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.classic import garnet
from pgtheory.tabular.models.mdp import MDP

SCALES = (0.01, 1.0, 100.0)
SEEDS = 20


def unscaled(progress: Callable[[str], None]) -> Result:
    """Steps until V* - V is a thousandth of the scale, with the scales as problems of one stack."""
    base, most = garnet(S=4, A=3, b=2, seed=1), 8000
    problems = {"3 arms": lambda k: Bandit(r=np.array([1.0, 0.5, 0.1]) * k), "garnet, 4 states": lambda k: scaled(base, k)}
    rows, panels, steps = [], [], {}
    for name, make in problems.items():
        stack = Stack.of([make(k) for k in SCALES])
        oracle = SoftmaxOracle(stack)
        curves = []
        for label, step, length in (("Polyak", Polyak(1.0), 30), ("constant .4", Constant(0.4), most)):
            progress(f"{name}: {label}")
            found = run(Gradient(step), oracle, np.zeros(stack.r.shape[1:]), length, record="log")
            relative = found.gap / np.array(SCALES)
            steps[name, label] = [first_step(found.t, relative[:, n]) for n in range(len(SCALES))]
            curves += [
                Curve(
                    label=f"{label}, scale {k:g}",
                    x=found.t[1:],
                    y=np.maximum(relative[1:, n], 1e-16),
                    dashed=label != "Polyak" or n == 2,
                    wide=label == "Polyak" and n == 0,
                )
                for n, k in enumerate(SCALES)
            ]
            rows.append([name, label, *(("-" if s is None else s) for s in steps[name, label])])
        panels.append(Panel(title=name, curves=curves, x="step", y="(V* - V) / scale", log="xy"))
    progress("3 arms: samples")
    stack = Stack.of([problems["3 arms"](k) for k in SCALES for _ in range(SEEDS)])
    noisy = NoisyOracle(SoftmaxOracle(stack), drawn_from(OneSample()), np.random.default_rng(0))
    lost = run(Gradient(Constant(0.4)), noisy, np.zeros((1, 3)), 1000, record=[]).gap[-1].reshape(len(SCALES), SEEDS).mean(axis=1) / SCALES
    rows.append(["3 arms", "one sample, constant .4: mean (V* - V)/scale after 1000 steps", *lost])
    same = [len(set(steps[name, "Polyak"])) == 1 and steps[name, "Polyak"][0] is not None for name in problems]
    differ = [len(set(steps[name, "constant .4"])) == len(SCALES) for name in problems]
    return Result(
        columns=["problem", "update", *(f"scale {k:g}" for k in SCALES)], rows=rows, panels=panels,
        expected={
            "Polyak takes the same number of steps at every scale of the rewards": all(same),
            "a constant step does not": all(differ),
            "constant steps along samples end far from the best value at the smallest or the largest scale": bool(lost[[0, 2]].max() > 10 * 1e-3 and lost[[0, 2]].max() > 2 * lost[1]),
        },
    )  # fmt: skip


def first_step(t: np.ndarray, gap: np.ndarray, error: float = 1e-3) -> int | None:
    """The first recorded step with at most the error; None: never."""
    return int(t[(gap <= error).argmax()]) if (gap <= error).any() else None


def scaled(model: MDP, k: float) -> MDP:
    """The same problem with its rewards times k."""
    return replace(model, r=model.r * k)
