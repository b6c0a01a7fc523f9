"""The main experiment of P117 in small: PPO and DPO on tables, with exact advantages and the same hyper-parameters."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.drifts import Clip, Discovered
from pgtheory.tabular.dynamics.mirror_learning import DriftAscent, MirrorLearning
from pgtheory.tabular.dynamics.oracles import DirectOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.stack import Stack

N, S, A, EPOCHS, STEPS = 30, 5, 4, 10, 100


def clipped_and_discovered(progress: Callable[[str], None]) -> Result:
    """Mean V* - V over 30 random problems after each update of ten epochs, with rewards in [0, 1] and in [0, 5], the step size divided by 5; and the whole argmax."""
    rng, watch = np.random.default_rng(0), {"V": lambda o: o.V}
    P, r = rng.dirichlet(np.ones(S), size=(N, S, A)), rng.random((N, S, A))
    rows, panels, gaps, falls = [], [], {}, []
    for scale in (1.0, 5.0):
        stack = Stack(P=P, r=scale * r, mu=np.full((N, S), 1 / S), gamma=np.full(N, 0.9))
        curves = []
        for name, drift in (("PPO", Clip()), ("DPO", Discovered())):
            progress(f"{name}, rewards up to {scale:g}")
            found = run(DriftAscent(drift, 3.0 / scale, EPOCHS), SoftmaxOracle(stack), np.zeros((S, A)), STEPS, watch=watch)
            gaps[name, scale] = found.gap.mean(axis=1) / scale
            falls.append(np.diff(found.watched["V"], axis=0).min() / scale)
            curves.append(Curve(label=f"{name}, {EPOCHS} epochs", x=found.t[1:], y=gaps[name, scale][1:]))
            rows.append([f"[0, {scale:g}]", name, *gaps[name, scale][[10, 30, 100]], falls[-1]])
        progress(f"argmax, rewards up to {scale:g}")
        found = run(MirrorLearning(Discovered()), DirectOracle(stack), np.full((S, A), 1 / A), STEPS, watch=watch)
        falls.append(np.diff(found.watched["V"], axis=0).min() / scale)
        gaps["argmax", scale] = whole = found.gap.mean(axis=1) / scale
        rows.append([f"[0, {scale:g}]", "DPO, argmax over all policies", *whole[[10, 30, 100]], falls[-1]])
        curves.append(Curve(label="DPO, argmax", x=found.t[1:], y=whole[1:], dashed=True))
        panels.append(Panel(title=f"rewards in [0, {scale:g}]", curves=curves, x="update", y="mean (V* - V) / scale", log="xy"))
    return Result(
        columns=["rewards", "rule", "gap, t = 10", "gap, t = 30", "gap, t = 100", "least change of V"], rows=rows, panels=panels,
        expected={
            "rewards in [0, 1]: DPO is at least as good as PPO after every update": bool((gaps["DPO", 1.0] <= gaps["PPO", 1.0] + 1e-12).all()),
            "not scale free: with rewards in [0, 5] it is behind after ten updates": bool(gaps["DPO", 5.0][10] > gaps["PPO", 5.0][10]),
            "no update makes any state worse": min(falls) > -1e-12,
            "the argmax over all policies drops best actions for good and ends above the epochs": all(gaps["argmax", scale][-1] > 5 * gaps["DPO", scale][-1] for scale in (1.0, 5.0)),
        },
    )  # fmt: skip
