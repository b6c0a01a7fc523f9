"""A scene: a model, everything that moves, and the policies by role."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.policies.policy import Policy, require_policy

Point = Mapping[str, np.ndarray]

FALL_BACK = {"sampler": "current", "old": "sampler"}
"""A role without a policy of its own plays another: on-policy unless told, and the old policy is the one that sampled. `ref` has none."""


@dataclass(frozen=True, eq=False)
class Moving:
    """A role whose policy moves with `point[key]`."""

    policy: Policy
    key: str = "theta"

    def __call__(self, point: Point) -> Policy:
        return self.policy if point[self.key] is self.policy.theta else self.policy.with_theta(point[self.key])


@dataclass(frozen=True, eq=False)
class Fixed:
    """A role whose policy never moves."""

    policy: Policy

    def __call__(self, point: Point) -> Policy:
        return self.policy


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """A model, a point and the policies by role.

    Attributes:
        model: MDP, Bandit, TokenTree, or anything with an attribute `mdp`.
        point: arrays that move: "theta", "critic", "dual", "theta/2".
        policies: role -> function of the point; roles are current, sampler, old, ref.
        wrt: keys of the point that gradients are taken with respect to.
    """

    model: object
    point: Point
    policies: Mapping[str, Callable[[Point], Policy]] = field(repr=False)
    wrt: tuple[str, ...] = ("theta",)

    def __post_init__(self) -> None:
        shape = (self.mdp.S, self.mdp.A)
        for role in self.policies:
            require_policy(self.policy(role))
            found = self.policy(role).probabilities.shape
            if found != shape:
                raise InvalidPolicy(f"the policy `{role}` has probabilities of shape {found}, the model has (S, A) = {shape}.")

    @classmethod
    def of(
        cls,
        model: object,
        policy: Policy,
        *,
        sampler: Policy | None = None,
        old: Policy | None = None,
        ref: Policy | None = None,
        **point: np.ndarray,
    ) -> Self:
        """A scene in which `policy` moves with theta and the other roles, where given, are constant."""
        require_policy(policy)
        fixed = {role: Fixed(other) for role, other in (("sampler", sampler), ("old", old), ("ref", ref)) if other is not None}
        return cls(model=model, point={"theta": policy.theta, **point}, policies={"current": Moving(policy), **fixed})

    @cached_property
    def mdp(self) -> MDP:
        """The decision process behind the model."""
        return as_mdp(self.model)

    def policy(self, role: str = "current") -> Policy:
        """The policy that plays a role at this point.

        Raises:
            InvalidArgument: nobody plays the role.
        """
        cache = self.__dict__.setdefault("_played", {})
        if role not in cache:
            if role in self.policies:
                cache[role] = self.policies[role](self.point)
            elif role in FALL_BACK:
                cache[role] = self.policy(FALL_BACK[role])
            else:
                raise InvalidArgument(f"nobody plays the role `{role}` in this scene; it has {', '.join(self.policies)}. Give a policy for it.")
        return cache[role]

    def moves(self, role: str) -> bool:
        """Whether the role moves with the point."""
        while role not in self.policies and role in FALL_BACK:
            role = FALL_BACK[role]
        return not isinstance(self.policies.get(role), Fixed)

    def at(self, **arrays: np.ndarray) -> Self:
        """The same scene at another point."""
        return replace(self, point={**self.point, **arrays})
