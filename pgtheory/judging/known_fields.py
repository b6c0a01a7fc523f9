"""Mean fields that are the gradient of nothing and yet have a closed form: what common slips turn the gradient into."""

from collections.abc import Callable, Sequence

import numpy as np

from pgtheory.judging.examination import Examination
from pgtheory.judging.scale import scale_of
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.worlds.world import World

Function = Callable[[World, Scene], np.ndarray]


def length_normalised(world: World, scene: Scene) -> np.ndarray:
    """mean over prompts of grad E[R/L] - E[R] grad E[1/L]: every completion's score divided by its length, baseline E[R] of the prompt."""
    paths, policy = world.datasets().paths, scene.policy()
    starts = np.flatnonzero(scene.mdp.mu)
    own = (paths.start == starts[:, None]) * paths.probability(policy) / scene.mdp.mu[starts][:, None]
    centred = paths.total() - (own @ paths.total())[:, None]
    return policy.pullback((((own * centred / paths.length).sum(axis=0)) @ paths.visits).reshape(paths.shape)) / len(starts)


def undiscounted_weights(world: World, scene: Scene) -> np.ndarray:
    """sum_t E[A_t score_t] without gamma^t in front: states are weighted by their undiscounted visits (Nota and Thomas 2020)."""
    found, policy, gamma = evaluate(scene.mdp, scene.policy()), scene.policy(), scene.mdp.gamma
    if found.occupancy.ndim == 1:
        return np.zeros(policy.theta.size)
    per_step = found.occupancy / gamma ** np.arange(len(found.occupancy))[:, None]
    return policy.pullback((per_step[..., None] * policy.probabilities * found.advantage).sum(axis=0))


FIELDS: dict[str, tuple[str, Function]] = {
    "grad E[R/L] - J grad E[1/L]": ("tokens", length_normalised),
    "sum_t E[A_t score_t], gamma^t missing": ("episodes", undiscounted_weights),
}


def recognised(examinations: Sequence[Examination]) -> str | None:
    """`c (closed form)` if E[g] is that on every on-policy world, else None."""
    on_policy = [e for e in examinations if not e.world.off_policy and e.informative]
    for name, (setting, field) in FIELDS.items():
        if not on_policy or any(e.world.setting != setting for e in on_policy):
            continue
        against = [
            Examination(world=e.world, laws=e.laws, targets=np.stack([field(e.world, scene) for scene in e.world.scenes]), single=e.single)
            for e in on_policy
        ]
        if all(e.proportional for e in against):
            c = scale_of(against).text
            return f"E[g] = {name}" if c == "1" else f"E[g] = {c} ({name})"
    return None
