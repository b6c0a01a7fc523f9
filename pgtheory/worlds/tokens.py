"""Worlds of prompts and groups of completions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.log_linear import tied
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.worlds.world import World, floats, rational_table

Rule = Callable[[int, tuple[int, ...]], float]


def binary(prompt: int, tokens: tuple[int, ...]) -> float:
    """0 or 1: successes and failures at every length from two on, and prompts of unequal difficulty."""
    if len(tokens) == 1:
        return float(tokens[0] == prompt % 2)
    return float(tokens[0] == 0 and (len(tokens) + tokens[-1] + prompt) % (2 + prompt) == 0)


def graded(prompt: int, tokens: tuple[int, ...]) -> float:
    """Values in {-1/2, 0, 1, 3/2} with ties: not 0/1, and no affine function of the length."""
    return (-0.5, 1.0, 0.0, 1.5)[(sum((i + 1) * (t + 1) for i, t in enumerate(tokens)) + 2 * len(tokens) + prompt) % 4]


def distinct(prompt: int, tokens: tuple[int, ...]) -> float:
    """A different value for every completion: no ties but between equal completions."""
    return float(sum((t + 1) * 4**i for i, t in enumerate(tokens)) % 13) / 4 + prompt / 8


def middle(prompt: int, tokens: tuple[int, ...]) -> float:
    """1 for completions of length 2 alone, neither the shortest nor the longest: the return is not monotone in the probability of going on."""
    return float(len(tokens) == 2)


RULES: dict[str, Rule] = {"binary": binary, "graded": graded, "distinct": distinct, "middle": middle}

SAMPLER, OLD, REFERENCE = 4, 5, 6
"""Numbers of the tables that the sampling, the old and the reference policy take; the points take others."""


@dataclass(frozen=True, kw_only=True)
class TokenWorld:
    """Specification of a world of groups; its switches are `dataclasses.replace`.

    Attributes:
        vocabulary, limit, prompts, end: of the token tree.
        rule: name of the reward rule.
        group: completions a prompt.
        drawn: how many prompts are drawn at random for a batch; None: every prompt stands in it once.
        off_policy: whether a policy different from the current one sampled (and is `old`).
        sampler: number of the sampling policy's table.
        old_differs: whether the old policy is a third one, neither the current nor the one that sampled.
        ref_is_current: whether the reference policy is the current one at every point.
        tied: whether all prefixes share one row of parameters (a state is visited several times in a completion).
        points: numbers of the tables that the current policy takes, one a point.
    """

    vocabulary: int = 3
    limit: int = 2
    prompts: int = 1
    end: bool = True
    rule: str = "binary"
    group: int = 3
    drawn: int | None = None
    off_policy: bool = False
    sampler: int = SAMPLER
    old_differs: bool = False
    ref_is_current: bool = False
    tied: bool = False
    points: tuple[int, ...] = (0, 1, 2)
    features: str = ""

    @property
    def id(self) -> str:
        """Stable name: what differs from one prompt, 0/1 rewards, on-policy."""
        parts = [f"V={self.vocabulary},T={self.limit},P={self.prompts},G={self.group}", self.rule]
        parts += [
            word
            for word, on in (
                ("fixed-length", not self.end),
                ("off-policy" if self.sampler == SAMPLER else f"off-policy-{self.sampler}", self.off_policy),
                ("old-differs", self.old_differs),
                (f"drawn={self.drawn}", self.drawn is not None),
                ("ref=current", self.ref_is_current),
                ("tied", self.tied),
            )
            if on
        ]
        return "tokens/" + "/".join(parts)

    @lru_cache(maxsize=128)  # noqa: B019 - specifications are small values, and a world is the same for all who ask
    def build(self) -> World:
        """The world, built once."""
        tree = TokenTree(vocabulary=self.vocabulary, limit=self.limit, prompts=self.prompts, end=self.end, reward=RULES[self.rule])
        policy = lambda number: self._policy(tree, number)
        current = tuple(policy(j) for j in self.points)
        return World(
            id=self.id,
            setting="tokens",
            model=tree,
            sampling=Groups(self.group, prompts=self.drawn),
            current=current,
            sampler=policy(self.sampler) if self.off_policy else None,
            old=policy(OLD) if self.old_differs else None,
            ref=None if self.ref_is_current else policy(REFERENCE),
            ref_is_current=self.ref_is_current,
            critic=np.array([(1 + 2 * s) % 5 / 4 for s in range(tree.mdp.S)]),
            features=self.features,
        )

    def _policy(self, tree: TokenTree, number: int) -> Policy:
        if not self.tied:
            return Softmax.of(floats(rational_table(tree.mdp.S, tree.vocabulary, number)))
        return tied(np.log(floats(rational_table(1, tree.vocabulary, number))), rows=[0] * tree.mdp.S)
