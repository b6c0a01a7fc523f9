"""The main experiment of P077 in small: noise in each sweep, with and without a divergence."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.oracles import DirectOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.value_iteration import MirrorValueIteration

SEEDS, S, A, STEPS = 20, 5, 20, 1000
RULES = {
    "divergence, lam = 1": (1.0, 0.0),
    "divergence, lam = .1": (0.1, 0.0),
    "neither (value iteration)": (0.0, 0.0),
    "entropy, tau = .1": (0.0, 0.1),
    "both, lam = .5, tau = .05": (0.5, 0.05),
}

UNDER = ("divergence, lam = 1", "neither (value iteration)")
"""Others lie on these."""


def averaging(progress: Callable[[str], None]) -> Result:
    """The exact error of the policy after k noisy sweeps, averaged over 20 sequences of noise; 20 actions, so that there are small gaps among them."""
    rng = np.random.default_rng(3)
    one = Stack(P=rng.dirichlet(np.ones(S), size=(1, S, A)), r=rng.random((1, S, A)), mu=np.full((1, S), 1 / S), gamma=np.array([0.9]))
    oracle = DirectOracle(one.repeated(SEEDS))
    best = oracle.optimum.Q
    at = np.unique(np.geomspace(10, STEPS, 25).round().astype(int))
    curves, found = [], {}
    for name, (lam, tau) in RULES.items():
        progress(name)
        noise = np.random.default_rng(2)
        update = MirrorValueIteration(lam, tau, errors=lambda k, noise=noise: 0.5 * noise.normal(size=(SEEDS, S, A)))
        lost = run(update, oracle, np.full((S, A), 1 / A), STEPS, record=at, watch={"lost": lambda o: abs(best - o.Q).max(axis=(1, 2))}).watched[
            "lost"
        ]
        found[name] = lost[1:].mean(axis=1)
        curves.append(Curve(label=name, x=at, y=found[name], wide=name in UNDER))
    noise = np.random.default_rng(2)
    sums = np.cumsum([0.5 * noise.normal(size=(SEEDS, S, A)) for _ in range(STEPS)], axis=0)
    mean = np.array([abs(sums[k - 1]).max(axis=(1, 2)).mean() / k for k in at])
    curves.append(Curve(label="|mean of the noise|", x=at, y=mean, dashed=True))
    slope = lambda y: float(np.polyfit(np.log(at), np.log(y), 1)[0])
    slopes = {name: slope(y) for name, y in found.items()}
    averages = [name for name, (lam, tau) in RULES.items() if lam and not tau]
    others = [name for name in RULES if name not in averages]
    return Result(
        columns=["rule", "error, k = 10", "error, k = 1000", "slope"],
        rows=[*([name, y[0], y[-1], slopes[name]] for name, y in found.items()), ["|mean of the noise|", mean[0], mean[-1], slope(mean)]],
        panels=[Panel(title="noise of deviation .5 in every sweep", curves=curves, x="sweeps", y="|q* - q_pi|, mean of 20 runs", log="xy")],
        expected={
            "the averaged noise falls like k^-1/2": abs(slope(mean) + 0.5) < 0.1,
            "with a divergence alone the error falls at least as fast": all(slopes[name] <= -0.5 for name in averages),
            "without it, or with an entropy, the error does not go to zero": all(slopes[name] > -0.25 and found[name][-1] > 0.25 for name in others),
        },
    )  # fmt: skip
