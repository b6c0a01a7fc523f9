"""P114 in small: a combination lock where estimates are as wrong as the data allow, with and without bonuses; and exact values against alternating costs."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.adversarial import AdversarialCosts, Episode, play
from pgtheory.tabular.dynamics.least_squares import uncertainty
from pgtheory.tabular.models.mdp import MDP

ETA, BETA, EPISODES = 0.3, 4.0, 2048
LENGTHS = (64, 128, 256, 512, 1024, 2048)
PAIRS = np.eye(4).reshape(2, 2, 4)
"""One feature a pair: the tabular case of linear features."""


def lock(costs: np.ndarray) -> AdversarialCosts:
    """Two steps. At the start action 0 stays out and ends, action 1 goes to the lock; costs (K, 2 steps, 2 states, 2 actions)."""
    P = np.zeros((2, 2, 2))
    P[0, 1, 1] = 1
    return AdversarialCosts(model=MDP(P=P, r=np.zeros((2, 2)), mu=np.array([1.0, 0.0])), costs=costs)


def fixed_costs(K: int) -> np.ndarray:
    """Staying out costs .5; in the lock the good action costs .2, the bad one 1."""
    cost = np.zeros((2, 2, 2))
    cost[0, 0, 0], cost[1, 1] = 0.5, (0.2, 1.0)
    return np.tile(cost, (K, 1, 1, 1))


def alternating_costs(K: int) -> np.ndarray:
    """Going in is free of doubt; in the lock each action costs 1 every other episode."""
    costs = np.zeros((K, 2, 2, 2))
    costs[:, 0, 0, 0] = 1
    costs[::2, 1, 1, 0] = 1
    costs[1::2, 1, 1, 1] = 1
    return costs


def width(episode: Episode) -> np.ndarray:
    """How wrong an estimate may be: BETA times the uncertainty of the visits so far, at most 1."""
    return np.minimum(1.0, BETA * uncertainty(PAIRS, episode.visits, 1.0))


def worst(episode: Episode) -> np.ndarray:
    """The bad action of the lock looks as good as the data allow; all else is exact."""
    estimate = episode.Q.copy()
    estimate[1, 1, 1] -= width(episode)[1, 1, 1]
    return estimate


def double_width(episode: Episode) -> np.ndarray:
    """b = 2 max_a |err(s, a)|, what C6 asks for."""
    bonus = np.zeros(episode.Q.shape)
    bonus[1, 1] = 2 * width(episode)[1, 1, 1]
    return bonus


def slope(t: np.ndarray, regret: np.ndarray) -> float:
    """Exponent between the middle and the end."""
    return float(np.log(regret[-1] / regret[len(regret) // 2 - 1]) / np.log(t[-1] / t[len(t) // 2 - 1]))


def with_and_without_bonus(progress: Callable[[str], None]) -> Result:
    """Regrets of one long run each, and of one run a length for exact values, whose step depends on the length."""
    game, t = lock(fixed_costs(EPISODES)), np.arange(1, EPISODES + 1)
    runs = {}
    for name, bonus in (("without bonus", None), ("with bonus", double_width)):
        progress(name)
        runs[name] = play(game, ETA, estimate=worst, bonus=bonus)
    progress("exact values")
    ends, bounds = [], []
    for K in LENGTHS:
        eta = np.sqrt(2 * np.log(2) / (K * 4))
        ends.append(play(lock(alternating_costs(K)), eta).regret[-1])
        bounds.append(4 * np.sqrt(2 * K * np.log(2)))
    sizes, exact = np.array(LENGTHS, dtype=float), np.array(ends)
    slopes = {name: slope(t, run.regret) for name, run in runs.items()} | {
        "exact values": float(np.log(exact[-1] / exact[0]) / np.log(sizes[-1] / sizes[0]))
    }
    paid = np.cumsum([(game.visits(pi) * b).sum() for pi, b in zip(runs["with bonus"].pi, runs["with bonus"].bonus_cost, strict=True)])
    rows = [
        [name, len(run.regret), run.regret[-1], slopes[name], run.regret[-1] / len(run.regret), run.pi[-1][0, 0, 1]] for name, run in runs.items()
    ]
    rows.append(["exact values, alternating costs", LENGTHS[-1], exact[-1], slopes["exact values"], exact[-1] / sizes[-1], "-"])
    lost = runs["without bonus"]
    return Result(
        columns=["learner", "episodes", "regret", "exponent", "regret an episode", "goes to the lock in the end"],
        rows=rows,
        panels=[
            Panel(
                title="combination lock, estimates at their worst",
                curves=[
                    *(Curve(label=name, x=t, y=np.maximum(run.regret, 1e-2)) for name, run in runs.items()),
                    Curve(label="bonuses collected", x=t, y=paid, dashed=True),
                ],
                x="episodes", y="regret; sum of bonuses", log="xy",
            ),
            Panel(
                title="exact values, alternating costs",
                curves=[Curve(label="regret", x=sizes, y=exact), Curve(label="H^2 sqrt(2 K log A)", x=sizes, y=np.array(bounds), dashed=True)],
                x="episodes", y="regret", log="xy",
            ),
        ],
        expected={
            "without bonus the exponent is 1: the lock is not visited, and the error stays": slopes["without bonus"] > 0.95,
            "which costs .5 - .2 an episode in the end": abs((lost.loss[-1] - 0.2) - 0.3) < 0.01,
            "with bonus the exponent is below 6/7": slopes["with bonus"] < 6 / 7,
            "and the learner ends in the lock with the good action": bool(runs["with bonus"].pi[-1][0, 0, 1] > 0.99 and runs["with bonus"].pi[-1][1, 1, 0] > 0.99),
            "with exact values against alternating costs the exponent is 1/2": abs(slopes["exact values"] - 0.5) < 0.05,
            "and the bound holds at every length": bool((exact <= bounds).all()),
        },
    )  # fmt: skip
