"""The main experiment of P014 in small: the last iterates of ascent-descent on a constrained problem, with each player optimistic or not."""

from collections.abc import Callable, Iterable

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.lagrangian import LagrangianOracle
from pgtheory.tabular.dynamics.momentum import Optimistic
from pgtheory.tabular.dynamics.primal_dual import NaturalAscentDescent
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant

PLAYERS = {"plain": (0.0, 0.0), "policy optimistic": (1.0, 0.0), "multiplier optimistic": (0.0, 1.0), "both (ReLOAD)": (1.0, 1.0)}


def constrained(seeds: Iterable[int]) -> LagrangianOracle:
    """Random problems of 3 states and 2 actions, gamma = .8, with one constraint: halfway between what the best policy earns of it and what can be earned at most."""
    draws = [np.random.default_rng(seed) for seed in seeds]
    P = np.stack([rng.dirichlet(np.ones(3), size=(3, 2)) for rng in draws])
    r = np.stack([rng.random((3, 2)) for rng in draws])
    c = np.stack([rng.random((3, 2)) for rng in draws])
    rest = {"P": P, "mu": np.full((len(draws), 3), 1 / 3), "gamma": np.full(len(draws), 0.8)}
    free = lambda reward: LagrangianOracle(Stack(r=reward, **rest), c[:, None], np.zeros(1)).optimum
    least = ((free(r).occupancy * c).sum(axis=(1, 2)) + free(c).J) / 2
    return LagrangianOracle(Stack(r=r, **rest), c[:, None], least[:, None])


def optimism(progress: Callable[[str], None]) -> Result:
    """Four runs from zero on one problem, side by side; eta = .3, 4000 steps."""
    progress("4000 steps of four updates")
    oracle = constrained([2]).repeated(len(PLAYERS))
    best = float(oracle.optimum.J[0])
    weight = np.stack([oracle.weights(policy=a, multipliers=b) for a, b in PLAYERS.values()])
    watch = {"missing": lambda o: o.missing[:, 0], "multiplier": lambda o: o.multipliers[:, 0]}
    found = run(Optimistic(NaturalAscentDescent(Constant(0.3)), weight), oracle, np.zeros((3, 2)), 4000, watch=watch)
    missing, multiplier = found.watched["missing"], found.watched["multiplier"]
    end = missing[-400:]
    rows = [
        [
            name,
            float(np.ptp(end[:, n])),
            float((end[:, n] > 1e-3).mean()),
            float(missing[:, n].mean()),
            float(abs(found.value[-400:, n] - best).max()),
        ]
        for n, name in enumerate(PLAYERS)
    ]
    spread, broken, average, short = (dict(zip(PLAYERS, column, strict=True)) for column in list(zip(*rows, strict=True))[1:])
    one = [name for name in PLAYERS if name != "both (ReLOAD)"]
    time = np.arange(3600, 4001)
    return Result(
        columns=["optimistic", "range of J_c, last 10 %", "share violated by > .001", "least - average of J_c", "largest |J_r - best|, last 10 %"],
        rows=rows,
        panels=[
            Panel(title="last 10 % of the steps", x="step", y="least - J_c (above 0: violated)", curves=[Curve(label=name, x=time, y=missing[-401:, n], dashed=n == 0, wide=n == 1) for n, name in enumerate(PLAYERS)]),
            Panel(
                title="first 1500 steps", x="least - J_c (above 0: violated)", y="multiplier",
                curves=[Curve(label=name, x=missing[:1500, n], y=multiplier[:1500, n]) for n, name in ((0, "plain"), (3, "both (ReLOAD)"))],
            ),
        ],
        expected={
            "with both players optimistic no late iterate violates, and the return is the best": broken["both (ReLOAD)"] == 0 and short["both (ReLOAD)"] < 1e-6,
            "with one or none, at least a third of the late iterates violate, and J_c spans more than .1": all(broken[name] > 1 / 3 and spread[name] > 0.1 for name in one),
            "the average of the plain iterates keeps the constraint to 2e-2, ten times better than its last iterates": abs(average["plain"]) < 0.02 < spread["plain"] / 10,
        },
    )  # fmt: skip
