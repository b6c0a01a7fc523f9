"""P037 in small: groups of samples on a bandit, with three baselines, constant steps and steps by signal and noise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, SignalToNoise, StepSize
from pgtheory.tabular.dynamics.stochastic import AtExact, NoisyOracle
from pgtheory.tabular.dynamics.updates import Gradient

REWARDS = np.array([1.0, 0.8, 0.6, 0.4, 0.2, 0.0])
G = 4
STEPS, SEEDS = 100, 400
GRID = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0)
SMOOTHNESS = 1 / (3 * np.sqrt(3))
BASELINES = ("no baseline", "mean of the others", "b*")


@dataclass(frozen=True)
class Group:
    """(1/G) sum_i (r_i - baseline) score_i of G samples, and its total variance in closed form."""

    baseline: str

    def table(self, outlook: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probabilities, squared norms of the scores, and the baseline that does not depend on the samples."""
        pi = outlook.pi[:, 0]
        square = 1 - 2 * pi + (pi**2).sum(axis=1, keepdims=True)
        weight = {"no baseline": np.zeros_like(pi), "mean of the others": pi, "b*": pi * square / (pi * square).sum(axis=1, keepdims=True)}[
            self.baseline
        ]
        return pi, square, weight @ REWARDS

    def draw(self, outlook: Any, rng: np.random.Generator) -> np.ndarray:
        """One estimate a row."""
        pi, _, b = self.table(outlook)
        N, K = pi.shape
        arms = np.minimum((rng.random((N, G, 1)) > pi.cumsum(axis=1)[:, None]).sum(axis=2), K - 1)
        r = REWARDS[arms]
        advantage = (r - r.mean(axis=1, keepdims=True)) * G / (G - 1) if self.baseline == "mean of the others" else r - b[:, None]
        taken = np.zeros((N, K))
        np.add.at(taken, (np.arange(N)[:, None], arms), advantage / G)
        return (taken - taken.sum(axis=1, keepdims=True) * pi)[:, None]

    def variance(self, outlook: Any) -> np.ndarray:
        """C2, and C3 for the mean of the others."""
        pi, square, b = self.table(outlook)
        w, signal = pi * square, outlook.gradient_norm**2
        total = ((w * (REWARDS - b[:, None]) ** 2).sum(axis=1) - signal) / G
        if self.baseline == "mean of the others":
            total += (w.sum(axis=1) * (pi * (REWARDS - b[:, None]) ** 2).sum(axis=1) + signal) / (G * (G - 1))
        return total


def values(group: Group, step: StepSize, seeds: int) -> np.ndarray:
    """J (STEPS + 1, seeds) along the samples, from the uniform policy."""
    stack = Stack(P=np.zeros((seeds, 1, len(REWARDS), 1)), r=np.tile(REWARDS, (seeds, 1, 1)), mu=np.ones((seeds, 1)), gamma=np.full(seeds, 0.5))
    update = Gradient(step)
    state = update.init(NoisyOracle(SoftmaxOracle(stack), group.draw, np.random.default_rng(0)), np.zeros((1, len(REWARDS))))
    found = [state.outlook.value]
    for _ in range(STEPS):
        state = update.step(state)
        found.append(state.outlook.value)
    return np.array(found)


def baselines_and_steps(progress: Callable[[str], None]) -> Result:
    """Same samples for all: G a step, STEPS steps."""
    t, rows, curves, sizes, last = np.arange(STEPS + 1), [], [], [], {}
    for name in BASELINES:
        progress(f"baseline: {name}")
        group = Group(name)
        constant = values(group, Constant(np.repeat(GRID, SEEDS)), len(GRID) * SEEDS).reshape(STEPS + 1, len(GRID), SEEDS)
        adaptive = values(group, AtExact(SignalToNoise(SMOOTHNESS, group.variance)), SEEDS)
        ends = constant[-1].mean(axis=1)
        best = int(ends.argmax())
        last[name] = (ends, adaptive[-1].mean())
        rows.append([name, *ends, last[name][1], adaptive[-1].std() / np.sqrt(SEEDS)])
        curves.append(Curve(label=f"{name}: signal to noise", x=t, y=1 - adaptive.mean(axis=1), dashed=True, group=name))
        curves.append(Curve(label=f"{name}: constant {GRID[best]:g}, the best of the grid", x=t, y=1 - constant[:, best].mean(axis=1), group=name))
        sizes.append(Curve(label=f"{name}: constant", x=np.array(GRID), y=1 - ends, group=name))
        sizes.append(Curve(label=f"{name}: signal to noise", x=np.array(GRID), y=np.full(len(GRID), 1 - last[name][1]), dashed=True, group=name))
    none, mean, best = (last[name] for name in BASELINES)
    return Result(
        columns=["baseline", *(f"step {step:g}" for step in GRID), "signal to noise", "its standard error"],
        rows=rows,
        panels=[
            Panel(title=f"{G} samples a step, mean of {SEEDS} seeds", curves=curves, x="step", y="1 - J", log="y"),
            Panel(title=f"after {STEPS} steps", curves=sizes, x="constant step", y="1 - J", log="xy"),
        ],
        expected={
            "with steps by signal and noise the best baseline beats the mean of the others, and both beat none": bool(
                best[1] > mean[1] + 0.003 and mean[1] > none[1] + 0.003
            ),
            "best baseline and signal to noise beat every constant step without a baseline": bool(best[1] > none[0].max() + 0.003),
            "constant steps that are too large end lower, with every baseline: four times 10 loses to 10": all(
                ends[-1] < ends[3] - 0.01 for ends, _ in last.values()
            ),
            "signal to noise needs no tuning and does not stall: it beats the largest constant step with every baseline": all(
                snr > ends[-1] + 0.01 for ends, snr in last.values()
            ),
            "yet a constant step tuned by hand beats it, with each of the baselines: it is the safest step, not the fastest": all(
                ends.max() > snr + 0.002 for ends, snr in last.values()
            ),
        },
    )
