"""The main experiment of P019 in small: the entropy of the occupancy of a chain, one trajectory a step."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.steps import Constant, Power
from pgtheory.tabular.dynamics.tracking import Averaged, Tracking
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.dynamics.utility_tracking import RecursiveUtility, UtilityEpisodes
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.utilities import OccupancyEntropy
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

S, T = 5, 8
SEEDS, STEPS = 40, 600
SIZES = (0.1, 1.0)
"""Of the first step; REINFORCE is shown with both of them, N-VR-PG with the first."""

FLOOR = 0.05
"""The visits in the slope of the entropy, -log x - 1, are at least this: an estimate may be 0 or below."""


def corridor() -> MDP:
    """Left and right on 5 cells, from the first one, 8 steps."""
    P, s = np.zeros((S, 2, S)), np.arange(S)
    P[s, 0, np.maximum(s - 1, 0)] = P[s, 1, np.minimum(s + 1, S - 1)] = 1
    return MDP(P=P, r=np.zeros((S, 2)), mu=np.eye(S)[0], horizon=T)


class Floored(OccupancyEntropy):
    """The entropy, whose slope is never taken below the floor."""

    def slope(self, visits: np.ndarray) -> np.ndarray:
        return super().slope(np.maximum(visits, FLOOR))


def normalised(F: float | np.ndarray) -> Any:
    """Entropy of the normalised occupancy, from that of the T visits."""
    return F / T + np.log(T)


def share(t: int) -> float:
    """How much a new trajectory counts; the steps fall at the same rate."""
    return (2 / (t + 2)) ** (2 / 3)


def climbed(world: UtilityEpisodes, rule: type[Tracking], eta: Callable[[int], float], size: float) -> np.ndarray:
    """Mean exact entropy of the seeds after every 20 trajectories, with normalised steps of which the first has the given size."""
    update = rule(Power(size * 2 ** (2 / 3), p=2 / 3, t0=2.0), eta, world, np.random.default_rng(0))  # pyright: ignore[reportArgumentType]
    return normalised(run(update, world.oracle, np.zeros((SEEDS, S, 2)), STEPS, record=range(20, STEPS, 20)).value[1:].mean(axis=1))


def most_entropy(model: MDP) -> float:
    """A bound from above, near to the optimum, of all policies, also those that look at the time: Frank-Wolfe on the occupancies.

    F is concave, so that F(x) + max over occupancies y of <F'(x), y - x> bounds it; the best y is that of a deterministic policy, by backward induction.
    """
    P, x, bound, cell = np.asarray(model.P), np.full((S, 2), T / (2 * S)), np.inf, np.arange(S)
    for k in range(500):
        reward, V, plan = OccupancyEntropy().slope(x / T), np.zeros(S), []
        for _ in range(T):
            Q = reward + P @ V
            plan.insert(0, Q.argmax(axis=1))
            V = Q.max(axis=1)
        bound = min(bound, float(OccupancyEntropy().F(x / T) + (model.mu @ V - (reward * x).sum()) / T))
        d, y = model.mu, np.zeros((S, 2))
        for choice in plan:
            y[cell, choice] += d
            d = d @ P[cell, choice]
        x = x + 2 / (k + 3) * (y - x)
    return bound


def explored(progress: Callable[[str], None]) -> Result:
    """Mean exact entropy along the runs, against the optimum."""
    model = corridor()
    world = UtilityEpisodes(model, Floored())
    progress("convex program and exact gradients")
    optimum = most_entropy(model)
    scene = Scene.of(model, Softmax(np.zeros((S, 2))))
    exact = normalised(run(Gradient(Constant(0.5)), SceneOracle(scene, OccupancyEntropy()), np.zeros((S, 2)), 60, record=[]).value[:, 0])
    start, best = float(exact[0]), float(exact[-1])
    progress("N-VR-PG")
    ours, plain = climbed(world, RecursiveUtility, share, SIZES[0]), {}
    for size in SIZES:
        progress(f"REINFORCE, first step {size:g}")
        plain[size] = climbed(world, Averaged, lambda t: 1.0, size)
    t = np.arange(20, STEPS + 1, 20)
    runs = {"N-VR-PG": ours, **{f"REINFORCE, plug-in, first step {size:g}": found for size, found in plain.items()}}
    rows: list[list[Any]] = [["uniform policy", 0, start, best - start]]
    rows += [[name, n, float(found[n // 20 - 1]), float(best - found[n // 20 - 1])] for name, found in runs.items() for n in (100, STEPS)]
    rows += [["exact gradients", "-", best, 0.0], ["bound of the convex program, policies that see the time", "-", optimum, best - optimum]]
    lines = {"exact gradients": best, "bound for policies that see the time": optimum}
    return Result(
        columns=["update", "trajectories", "entropy of the occupancy", "below exact gradients"], rows=rows,
        panels=[
            Panel(
                title=f"corridor of {S} cells, {T} steps, mean of {SEEDS} seeds", x="trajectories", y="entropy of the occupancy",
                curves=[*(Curve(label=name, x=t, y=found) for name, found in runs.items()), *(Curve(label=name, x=t, y=np.full(len(t), y), dashed=True) for name, y in lines.items())],
            )
        ],
        expected={
            "N-VR-PG ends above REINFORCE with the plug-in reward and the better of two steps, at equal trajectories": bool(
                ours[-1] > max(found[-1] for found in plain.values()) + 0.1
            ),
            "it comes ten times nearer to what exact gradients reach than the uniform policy": bool(10 * (best - ours[-1]) < best - start),
            "nothing exceeds the optimum": bool(max(best, *(found.max() for found in runs.values())) <= optimum + 1e-6),
        },
    )  # fmt: skip
