"""The main experiment of P053 in small: on a chain that forgives nothing, all epochs at once against one by one, exact and sampled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.backward import Backward
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.stochastic import NoisyOracle
from pgtheory.tabular.dynamics.updates import Gradient, State, Update
from pgtheory.tabular.models.mdp import MDP

EPISODES = 10
"""Episodes of an estimate."""

SEEDS = 50


def plateau(H: int) -> MDP:
    """The good action, every time, for reward 1 at the end; any other one ends with nothing."""
    P, r = np.zeros((H, 2, H)), np.zeros((H, 2))
    P[np.arange(H - 1), 0, np.arange(1, H)] = 1
    r[-1, 0] = 1
    return MDP(P=P, r=r, mu=np.eye(H)[0])


def missed(outlook: Any) -> float:
    """Probability of the wrong action in a stage of one state."""
    return outlook.pi[0, 0, 1]


def reinforce(outlook: Any, rng: np.random.Generator) -> np.ndarray:
    """REINFORCE with EPISODES episodes from the first state: only those that earn the reward count, and they took the good action in every epoch."""
    earned = rng.binomial(EPISODES, np.clip(outlook.value, 0, 1)) / EPISODES
    return earned[:, None, None] * (np.array([1.0, 0.0]) - outlook.pi)


@dataclass(frozen=True)
class Sampled:
    """An update that sees `reinforce` instead of the gradient, whatever oracle it is started on. In a stage, the value is the chance to earn the reward from there."""

    update: Update
    rng: np.random.Generator

    def init(self, oracle: Any, theta: Any) -> State:
        """The state of the update on the noisy oracle."""
        return self.update.init(NoisyOracle(oracle, reinforce, self.rng), theta)

    def step(self, state: State) -> State:
        """One step of the update."""
        return self.update.step(state)


def followed(update: Update, H: int, budget: float, problems: int = 1, until: float = 0.0) -> tuple[np.ndarray, np.ndarray, int]:
    """(steps of the environment a problem, mean success) along a run, and updates of single epochs. An episode that starts in epoch h counts H - h steps."""
    oracle = SoftmaxOracle(Stack.of([plateau(H)]).repeated(problems))
    state = update.init(oracle, np.zeros((H, 2)))
    paid, spent, success, updates = 0, [0], [state.outlook.value.mean()], 0
    while paid < budget and 1 - success[-1] > until:
        if isinstance(update, Backward):
            if state.memory is None:
                break
            paid, updates = paid + H - state.memory.number, updates + 1
        else:
            paid, updates = paid + H, updates + H
        state = update.step(state)
        spent.append(paid)
        success.append(state.outlook.value.mean())
    return np.array(spent), np.array(success), updates


def together_and_apart(progress: Callable[[str], None]) -> Result:
    """Updates and steps of the environment until the success is .95, by exact gradients; then samples, H = 12, equal numbers of steps."""
    rows, counts, curves = [], {}, []
    for H in (4, 8, 12, 16):
        progress(f"exact gradients, H = {H}")
        for name, update in (
            ("all at once", Gradient(Constant(1.0))),
            ("one by one", Backward(Gradient(Constant(1.0)), H, lambda state, H=H: missed(state.outlook) <= 0.05 / H)),
        ):
            spent, success, updates = followed(update, H, np.inf, until=0.05 if name == "all at once" else 0.0)
            counts[H, name] = (updates, int(spent[-1]))
            rows.append([f"exact, H = {H}", name, updates, int(spent[-1]), float(success[-1])])
            if H in (4, 12):
                curves.append(Curve(label=f"{name}, H = {H}", x=spent[1:], y=1 - success[1:], dashed=H == 4, group=name))
    progress("samples, H = 12")
    sampled, panel = {}, []
    each = 60
    budget = each * 12 * 13 // 2
    for name in ("all at once", "one by one"):
        step = Sampled(Gradient(Constant(2.0)), np.random.default_rng(0))
        spent, success, updates = followed(Backward(step, 12, each) if name == "one by one" else step, 12, budget, SEEDS)
        sampled[name] = float(success[-1])
        rows.append([f"{EPISODES} episodes, H = 12, {SEEDS} seeds", name, updates, EPISODES * int(spent[-1]), sampled[name]])
        panel.append(Curve(label=name, x=EPISODES * spent[1:], y=success[1:]))
    fewer = lambda H, k: counts[H, "one by one"][k] < counts[H, "all at once"][k]
    return Result(
        columns=["gradients", "epochs trained", "updates of an epoch", "steps of the environment", "mean success"], rows=rows,
        panels=[
            Panel(title="exact gradients, step 1", curves=curves, x="steps of the environment, one episode an update", y="1 - success", log="xy"),
            Panel(title=f"REINFORCE, {EPISODES} episodes an update, H = 12", curves=panel, x="steps of the environment", y=f"success, mean of {SEEDS} seeds"),
        ],
        expected={
            "one by one takes fewer updates at every H": all(fewer(H, 0) for H in (4, 8, 12, 16)),
            "it takes fewer steps of the environment from H = 12 on, and more at H = 4 and 8": fewer(12, 1) and fewer(16, 1) and not fewer(4, 1) and not fewer(8, 1),
            "all at once grows at least tenfold from H = 12 to 16, one by one at most threefold": bool(
                counts[16, "all at once"][0] >= 10 * counts[12, "all at once"][0] and counts[16, "one by one"][0] <= 3 * counts[12, "one by one"][0]
            ),
            "along samples, with equal steps of the environment, one by one succeeds more often": sampled["one by one"] > 2 * sampled["all at once"],
        },
    )  # fmt: skip
