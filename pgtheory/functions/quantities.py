"""The arrays that parameters are bound to, computed from data sets and a scene."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pgtheory.tabular.data import Data
from pgtheory.tabular.estimators.baselines import Critic, after_end, at_steps
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.returns import discounted_suffix_sums
from pgtheory.tabular.scene import Scene

LOGPROBS = ("logprobs", "old_logprobs", "ref_logprobs", "sampler_logprobs")
"""Log-probabilities of what was taken, by role. They share one rank: that of each token (B, T), or that of the whole row (B,)."""

RANKS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(LOGPROBS, ("BT", "B")),
    "rewards": ("B", "BT"),
    "advantages": ("B", "BT"),
    "returns": ("BT", "B"),
    "terminated": ("B", "BT"),
    "truncated": ("B", "BT"),
    "values": ("BT", "BT+1", "B"),
}
"""Names whose rank the name does not settle, the likelier first. On trajectories rewards (B, T) come first."""

TYPES: Mapping[str, tuple[str, ...]] = {"mask": ("float", "bool"), "group": ("int", "object", "str"), "prompt": ("int", "object", "str")}
"""Names whose type the name does not settle. Tensors are bad keys of a dict, which takes "object" (Python integers in a numpy array) or strings."""

SCALARS = frozenset({"gamma", "lam", "group_size", "num_prompts", "batch_size", "max_length"})


def ranks_of(name: str, setting: str) -> tuple[str, ...]:
    """The ranks to try for a name, in order."""
    found = RANKS.get(name, ("",))
    return found[::-1] if name == "rewards" and setting == "episodes" else found


def quantity(name: str, rank: str, data: Data, scene: Scene, setting: str) -> Any:
    """The value of a canonical name: arrays have the leading axis N of data sets, scalars have none.

    Log-probabilities at padding are those of action 0 in state 0, so that a forgotten mask shows; rewards and values there are zero.
    """
    match name:
        case "logprobs" | "old_logprobs" | "ref_logprobs" | "sampler_logprobs":
            role = {"logprobs": "current", "old_logprobs": "old", "ref_logprobs": "ref", "sampler_logprobs": "sampler"}[name]
            found = scene.policy(role).log_probabilities[data.state, data.action]
            return np.where(data.mask, found, 0.0).sum(axis=-1) if rank == "B" else found
        case "logits":
            return scene.policy().log_probabilities[data.state]
        case "probs":
            return scene.policy().probabilities[data.state]
        case "entropy":
            return -(scene.policy().probabilities * scene.policy().log_probabilities).sum(axis=1)[data.state]
        case "mask":
            return data.mask if rank == "bool" else data.mask.astype(float)
        case "rewards":
            return data.total if rank == "B" else data.reward
        case "token_level_rewards":
            return data.reward
        case "advantages":
            return advantages(rank, data, scene, setting)
        case "returns":
            found = discounted_suffix_sums(data.reward, scene.mdp.gamma) * data.mask
            return found[..., 0] if rank == "B" else found
        case "values" | "next_values" | "last_values":
            return values(name, rank, data, scene)
        case "group" | "prompt":
            number = data.index[name]
            return number if rank in ("", "int") else number.astype(object) if rank == "object" else number.astype(str).astype(object)
        case "prompt_ids":
            return data.index["prompt"][..., None]
        case "prompt_mask":
            return np.ones((*data.shape[:2], 1))
        case "states":
            return data.state
        case "actions":
            return data.action
        case "terminated" | "truncated" | "dones":
            flag = data.truncated if name == "truncated" else ~data.truncated
            last = data.mask & (np.arange(data.shape[2]) == data.length[..., None] - 1)
            at_step = last & flag[..., None]
            return at_step.astype(float) if name == "dones" else flag if rank == "B" else at_step
        case "lengths":
            return data.length
        case "gamma":
            return float(scene.mdp.gamma)
        case "lam":
            return 1.0
        case "group_size":
            return int(data.shape[1] // (data.index["group"].max() + 1))
        case "batch_size":
            return int(data.shape[1])
        case "num_prompts":
            return int(data.index["group"].max() + 1)
        case "max_length":
            return int(data.shape[2])
        case "scores":
            return score(scene.policy())[data.state, data.action] * data.mask[..., None]
        case "theta":
            return np.broadcast_to(scene.point["theta"], (len(data), *np.shape(scene.point["theta"])))
    raise KeyError(name)


def advantages(rank: str, data: Data, scene: Scene, setting: str) -> np.ndarray:
    """Leave-one-out within the group; on trajectories, or in groups of one, the discounted reward to go minus the critic's value."""
    groups = int(data.index["group"].max()) + 1
    size = data.shape[1] // groups
    if setting == "episodes" or size == 1:
        per_step = (discounted_suffix_sums(data.reward, scene.mdp.gamma) - values("values", "BT", data, scene)) * data.mask
        return per_step if rank == "BT" else per_step[..., 0]
    r = data.total.reshape(len(data), groups, size)
    own = (r - (r.sum(axis=2, keepdims=True) - r) / (size - 1)).reshape(len(data), -1)
    return own[..., None] * data.mask if rank == "BT" else own


def values(name: str, rank: str, data: Data, scene: Scene) -> np.ndarray:
    """Values of the scene's critic (exact ones if it has none) at the steps, after each step, or after the last."""
    table = Critic()(scene)
    now = np.where(data.mask, at_steps(table, data), 0.0)
    final = after_end(table, data)
    last = data.mask & (np.arange(data.shape[2]) == data.length[..., None] - 1)
    if name == "last_values":
        return final
    if name == "next_values":
        following = np.concatenate([now[..., 1:], np.zeros_like(now[..., :1])], axis=-1)
        return np.where(last, final[..., None], following)
    if rank == "BT":
        return now
    if rank == "B":
        return now[..., 0]
    extended = np.concatenate([now, np.zeros_like(now[..., :1])], axis=-1)
    after = np.zeros(extended.shape, dtype=bool)
    after[..., 1:] = last
    return np.where(after, final[..., None], extended)
