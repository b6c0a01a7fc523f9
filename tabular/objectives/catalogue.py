"""The objectives that make sense on a scene, by name."""

from difflib import get_close_matches

import numpy as np

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.objectives.functionals import InverseLength, Length, ReturnPerLength, paths_of
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.objectives.regularisers import Entropy, ForwardKL, ReverseKL
from pgtheory.tabular.objectives.returns import Return, ReturnAt
from pgtheory.tabular.objectives.success import ArcsinSqrt, LogLikelihood, MaxOf, pass_at, truncated_log_likelihood
from pgtheory.tabular.scene import Scene


def catalogue(scene: Scene, *, group: int | None = None) -> list[Objective]:
    """The objectives that are defined on the scene, the plainest first. `group` bounds k of pass@k and of the best of k."""
    mdp, paths = scene.mdp, paths_of(scene.mdp)
    largest = group or 4
    found: list[Objective] = [Return()]
    if mdp.gamma < 1:
        found.append(ReturnAt(gamma=1.0))
    if np.isin(paths.total(), (0.0, 1.0)).all():
        found += [pass_at(k) for k in range(2, largest + 1)]
        found += [truncated_log_likelihood(n) for n in range(2, largest + 1)]
        found += [LogLikelihood, ArcsinSqrt]
    found += [MaxOf(k) for k in range(2, largest + 1)]
    found += [Entropy(), Entropy(level="state")]
    if "ref" in scene.policies:
        found += [ReverseKL(), ForwardKL(), ReverseKL(level="state")]
    if np.ptp(paths.length) > 0:
        found += [ReturnPerLength, Length, InverseLength]
    return found


def objective_named(name: str, scene: Scene) -> Objective:
    """The objective with this name on a scene: J, pass@4, E[max of 3], log p, entropy, reverse KL, E[R/L], ...

    Raises:
        InvalidArgument: there is none; the text lists what there is.
    """
    number = "".join(c for c in name if c.isdigit())
    if name.startswith("pass@") and number:
        return pass_at(int(number))
    if name.startswith(("E[max of ", "max@", "max-of-")) and number:
        return MaxOf(int(number))
    if name.startswith("truncated log-likelihood") and number:
        return truncated_log_likelihood(int(number))
    known = {o.name: o for o in catalogue(scene)}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidArgument(f"no objective is called {name!r} on this problem.{hint} There are: {', '.join(known)}.")
    return known[name]
