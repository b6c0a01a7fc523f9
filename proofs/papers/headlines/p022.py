"""The main experiment of P022 in small: E|d_t - grad J|^2 of three averages of samples on a noisy quadratic."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.dynamics.noisy_quadratic import NoisyQuadratic, tracking_error
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.steps import Power
from pgtheory.tabular.dynamics.tracking import Averaged, Recursive, Transported

PROBLEM = NoisyQuadratic(np.diag([1.0, 0.7, 0.4, 0.2]), 1.0, 1.0)
STEP = Power(3.0, t0=2.0)
STEPS, SEEDS = 3000, 400

RULES = {
    "recursive (HARPG)": (Recursive, 1.0, 2),
    "transported (IGT)": (Transported, 0.8, 1),
    "plain momentum": (Averaged, 2 / 3, 1),
}
"""Rule, exponent of eta = (2/(t+2))^p and of the error, and samples a step."""


def tracked(progress: Callable[[str], None]) -> Result:
    """The first two rules by the recursion of their moments, plain momentum, whose moments do not close, on seeds. All steps are normalised, of length 3/(t+2)."""
    rng, rows, curves, slopes, ends, even = np.random.default_rng(0), [], [], {}, {}, {}
    for name, (rule, power, samples) in RULES.items():
        progress(name)
        update = rule(STEP, lambda t, power=power: (2 / (t + 2)) ** power, PROBLEM, rng)
        if rule is Averaged:
            errors = []

            def read(state, errors=errors):
                errors.append(((state.memory.d + state.memory.last @ PROBLEM.H) ** 2).sum(axis=1).mean())

            run(update, PROBLEM.oracle, np.ones((SEEDS, 4)), STEPS, progress=read)
            error = np.array(errors)
        else:
            error = tracking_error(update, PROBLEM, np.ones(4), STEPS)
        t = np.arange(1, STEPS + 1)
        late = t >= 100
        slopes[name], ends[name] = float(np.polyfit(np.log(t[late]), np.log(error[late]), 1)[0]), float(error[-1])
        even[name] = float(error[STEPS // samples - 1])
        rows.append([name, "exact" if rule is not Averaged else f"{SEEDS} seeds", samples, -power, slopes[name], ends[name], even[name]])
        curves.append(Curve(label=name, x=t * samples, y=error))
    order = list(RULES)
    return Result(
        columns=["rule", "errors are", "samples a step", "theory", "slope from t = 100", f"error after {STEPS} steps", f"after {STEPS} samples"], rows=rows,
        panels=[Panel(title="noisy quadratic, normalised steps 3/(t+2)", curves=curves, x="samples", y="E|d - grad J|^2", log="xy")],
        expected={
            "the slopes are those of the theory to .06": all(abs(slopes[name] + RULES[name][1]) <= 0.06 for name in order),
            "the recursive rule ends with the smallest error and plain momentum with the largest": ends[order[0]] < ends[order[1]] < ends[order[2]],
            "after as many samples the transported rule is still ahead, for it takes one a step": even[order[1]] < even[order[0]] < even[order[2]],
        },
    )  # fmt: skip
