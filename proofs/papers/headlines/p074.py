"""P074 in small: a slow chain between two clusters, where a short batch sees only the cluster in which it starts."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.multilevel import LevelMoments, MultiLevel, actor_critic_terms
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.solve.evaluation import evaluate

SWITCH = (10, 100, 1000)
T_MAX = 4096
BATCHES = (16, 32, 64, 128, 256)
WITHIN = 0.05
MOVE, FAR = 0.1, 4.0
"""Step and limit of the logit."""
TIED = np.array([[[0.0], [1.0]], [[0.0], [1.0]]])
"""One parameter: the logit of the second action, the same in both clusters."""


def clusters(M: int) -> MDP:
    """Two clusters that are left with chance 1/M a step. The first action is paid 1 in the first, the second action 2 in the second: J* = 1."""
    K = np.array([[1 - 1 / M, 1 / M], [1 / M, 1 - 1 / M]])
    return MDP(P=np.repeat(K[:, None], 2, axis=1), r=[[1.0, 0.0], [0.0, 2.0]], mu=np.array([1.0, 0.0]))


def moments(mdp: MDP, theta: float, estimate: MultiLevel) -> tuple[float, LevelMoments]:
    """J, and the moments of the actor's direction with the exact critic and gain, from the first cluster."""
    policy = LogLinear(np.array([theta]), TIED)
    exact = evaluate(mdp, policy, criterion="average")
    terms = actor_critic_terms(mdp, policy, np.eye(2), exact.J, exact.V)[..., -1:]
    return exact.J, estimate.moments(mdp, policy, terms)


def multi_level(found: LevelMoments) -> tuple[float, float]:
    """E[g] and E|g|^2 of the multi-level estimate."""
    return float(found.expectation[0]), float(found.second_moment[0, 0])


def fixed_batch(found: LevelMoments) -> tuple[float, float]:
    """E[g] and E|g|^2 of the plain average over the longest path."""
    return float(found.average[-1, 0]), float(found.average_second[-1, 0, 0])


def path(M: int, estimate: MultiLevel, moments_of: Callable[[LevelMoments], tuple[float, float]], each: float) -> tuple[np.ndarray, np.ndarray]:
    """Expected samples and 1 - J along the mean path of AdaGrad, until the gap is within reach or theta is FAR on the wrong side.

    The path is that of d theta / dt = E[g] / sqrt(S), dS / dt = E|g|^2, t the number of estimates: squares by their expectation, theta in steps of MOVE.
    With both moments constant over a step it takes t = ((MOVE E|g|^2 / (2 |E g|) + sqrt S)^2 - S) / E|g|^2.
    """
    mdp, theta, S, t = clusters(M), 0.0, 0.0, 0.0
    times, gap = [], []
    while abs(theta) < FAR:
        J, found = moments(mdp, theta, estimate)
        times.append(t * each)
        gap.append(1 - J)
        if gap[-1] < WITHIN:
            break
        mean, square = moments_of(found)
        after = (MOVE * square / (2 * abs(mean)) + np.sqrt(S)) ** 2
        t, S = t + (after - S) / square, after
        theta += MOVE * np.sign(mean)
    return np.array(times), np.array(gap)


def samples_needed(found: tuple[np.ndarray, np.ndarray]) -> float:
    """Samples until the gap is within reach; infinite if it never is."""
    times, gap = found
    return times[-1] if gap[-1] < WITHIN else np.inf


def slow_mixing(progress: Callable[[str], None]) -> Result:
    """Batch tuned at the fastest chain; then that batch, one of T_max steps, and the multi-level estimate on all chains."""
    fast = SWITCH[0]
    tried = {N: samples_needed(path(fast, MultiLevel(N), fixed_batch, N)) for N in BATCHES}
    batch = min(tried, key=lambda N: tried[N])
    mac = MultiLevel(T_MAX)
    ways = {
        f"batch of {batch}": (MultiLevel(batch), fixed_batch, float(batch)),
        f"batch of {T_MAX}": (mac, fixed_batch, float(T_MAX)),
        f"multi-level up to {T_MAX}": (mac, multi_level, mac.samples),
    }
    needed, rows, curves, growth, squares = {name: [] for name in ways}, [], [], [], []
    lengths = 2.0 ** np.arange(mac.levels + 1)
    for M in SWITCH:
        progress(f"1/{M} chance of a switch")
        for name, (estimate, of, each) in ways.items():
            found = path(M, estimate, of, each)
            needed[name].append(samples_needed(found))
            _, start = moments(clusters(M), 0.0, estimate)
            rows.append([f"1/{M}", name, needed[name][-1], *of(start)])
            if of is multi_level or each == batch:
                curves.append(
                    Curve(
                        label=f"{name.removesuffix(f' up to {T_MAX}')}, switch 1/{M}",
                        x=found[0] + 1,
                        y=found[1],
                        dashed=of is fixed_batch,
                        group=f"1/{M}",
                    )
                )
        squares.append(rows[-1][-1])
        at_start = [multi_level(moments(clusters(M), 0.0, MultiLevel(int(T)))[1])[1] for T in lengths]
        growth.append(Curve(label=f"switch 1/{M}", x=lengths, y=np.array(at_start), group=f"1/{M}"))
    short, long, levels = (np.array(x) for x in needed.values())
    return Result(
        columns=["switch", "estimate", f"samples until 1 - J < {WITHIN}", "E g at the start", "E|g|^2 at the start"],
        rows=rows,
        panels=[
            Panel(title="mean path from the first cluster", curves=curves, x="expected samples + 1", y="1 - J", log="x"),
            Panel(title="the price: second moment at the start", curves=growth, x="T_max", y="E|g|^2, multi-level", log="xy"),
        ],
        expected={
            "the batch that is best on the fastest chain reaches the best policy there": bool(np.isfinite(short[0])),
            "on both slower chains it never does: its mean direction has the wrong sign": not np.isfinite(short[1:]).any(),
            "the multi-level estimate, with nothing tuned, reaches it on all chains": bool(np.isfinite(levels).all()),
            "not for a logarithm of the mixing time: the samples grow by a factor of 5 to 20 from chain to chain, as E|g|^2 / |E g|^2 does": bool(
                ((levels[1:] / levels[:-1] > 5) & (levels[1:] / levels[:-1] < 20)).all()
            ),
            "whoever knows the slowest chain needs fewer samples on it: one batch of T_max steps at a time": bool(long[-1] < levels[-1]),
        },
    )
