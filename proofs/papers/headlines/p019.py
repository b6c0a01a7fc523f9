"""The main experiment of P019 in small: the entropy of the occupancy of a chain, one trajectory a step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.utilities import OccupancyEntropy
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.paths import Paths, enumerate_paths
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


def table(theta: np.ndarray) -> np.ndarray:
    """Softmax of the last axis."""
    raised = np.exp(theta - theta.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def slope(visits: np.ndarray) -> np.ndarray:
    """F' with the floor."""
    return OccupancyEntropy().slope(np.maximum(visits, FLOOR))


@dataclass(frozen=True)
class Corridor:
    """All trajectories, and one draw of them for each of N policies."""

    paths: Paths
    visits: np.ndarray

    def chance(self, theta: np.ndarray) -> np.ndarray:
        """Probability of every trajectory, (N, K)."""
        return np.exp(np.log(table(theta)).reshape(len(theta), -1) @ self.visits.reshape(-1, 2 * S).T)

    def draw(self, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The number of a trajectory for each policy."""
        below = self.chance(theta).cumsum(axis=1) <= rng.random(len(theta))[:, None]
        return np.minimum(below.sum(axis=1), len(self.paths) - 1)

    def gradient(self, k: np.ndarray, theta: np.ndarray, reward: np.ndarray) -> np.ndarray:
        """g(tau_k, theta, reward), (N, S, A)."""
        n, s, a = np.arange(len(k))[:, None], self.paths.state[k], self.paths.action[k]
        earned = reward[n, s, a][:, ::-1].cumsum(axis=1)[:, ::-1]
        weights = np.zeros(theta.shape)
        np.add.at(weights, (n, s, a), earned)
        return weights - table(theta) * weights.sum(axis=2, keepdims=True)

    def entropy(self, theta: np.ndarray) -> float:
        """Entropy of the exact normalised occupancy, mean over the policies."""
        x = np.einsum("nk,ksa->nsa", self.chance(theta), self.visits)
        return float(OccupancyEntropy().F(x / T).mean())


def along(theta: np.ndarray, d: np.ndarray, size: float) -> np.ndarray:
    """A step of length `size` along d."""
    return theta + size * d / np.maximum(np.sqrt((d * d).sum(axis=(1, 2), keepdims=True)), 1e-300)


def recursive(world: Corridor, eta: Callable[[int], float], size: float, rng: np.random.Generator) -> np.ndarray:
    """N-VR-PG: recursive momentum for the occupancy and for the gradient, whose reward is a step behind."""
    theta, found = np.zeros((SEEDS, S, 2)), []
    k = world.draw(theta, rng)
    x = world.visits[k]
    reward = older_reward = slope(x)
    d = world.gradient(k, theta, reward)
    for t in range(1, STEPS + 1):
        last, theta = theta, along(theta, d, size * eta(t))
        k = world.draw(theta, rng)
        n = np.arange(SEEDS)
        w = (world.chance(last)[n, k] / world.chance(theta)[n, k])[:, None, None]
        share, seen = eta(t + 1), world.visits[k]
        g = world.gradient(k, theta, reward)
        d = share * g + (1 - share) * (d + g - w * world.gradient(k, last, older_reward))
        x = share * seen + (1 - share) * (x + seen - w * seen)
        older_reward, reward = reward, slope(x)
        if t % 20 == 0:
            found.append(world.entropy(theta))
    return np.array(found)


def plug_in(world: Corridor, eta: Callable[[int], float], size: float, rng: np.random.Generator) -> np.ndarray:
    """REINFORCE with the pseudo-reward at the trajectory's own visits, with the same normalised steps."""
    theta, found = np.zeros((SEEDS, S, 2)), []
    for t in range(1, STEPS + 1):
        k = world.draw(theta, rng)
        theta = along(theta, world.gradient(k, theta, slope(world.visits[k])), size * eta(t))
        if t % 20 == 0:
            found.append(world.entropy(theta))
    return np.array(found)


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


def best_table(model: MDP) -> float:
    """The entropy that exact gradients reach with a policy that does not look at the time."""
    scene = Scene.of(model, Softmax(np.zeros((S, 2))))
    found = run(Gradient(Constant(0.5)), SceneOracle(scene, OccupancyEntropy()), np.zeros((S, 2)), 60, record=[])
    return float(found.value[-1, 0] / T + np.log(T))


def explored(progress: Callable[[str], None]) -> Result:
    """Mean exact entropy along the runs, against the optimum."""
    model = corridor()
    paths = enumerate_paths(model)
    world = Corridor(paths, paths.visits.toarray().reshape(-1, S, 2))
    progress("convex program and exact gradients")
    optimum, best = most_entropy(model), best_table(model)
    eta = lambda t: (2 / (t + 1)) ** (2 / 3)
    progress("N-VR-PG")
    ours, plain = recursive(world, eta, SIZES[0], np.random.default_rng(0)), {}
    for size in SIZES:
        progress(f"REINFORCE, first step {size:g}")
        plain[size] = plug_in(world, eta, size, np.random.default_rng(0))
    t, start = np.arange(20, STEPS + 1, 20), world.entropy(np.zeros((1, S, 2)))
    runs = {"N-VR-PG": ours, **{f"REINFORCE, plug-in, first step {size:g}": found for size, found in plain.items()}}
    rows: list[list[Any]] = [["uniform policy", 0, start, best - start]]
    rows += [[name, n, float(found[n // 20 - 1]), float(best - found[n // 20 - 1])] for name, found in runs.items() for n in (100, STEPS)]
    rows += [["exact gradients", "-", best, 0.0], ["bound of the convex program, policies that see the time", "-", optimum, best - optimum]]
    lines = {"exact gradients": best, "convex program": optimum}
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
