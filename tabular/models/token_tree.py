"""Token sequences over a small vocabulary: the finite model of a language model that answers prompts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_count, require_distribution, require_shape
from pgtheory.tabular.errors import InvalidModel, TooLarge
from pgtheory.tabular.models.mdp import MDP

LARGEST = 10_000_000
"""Completions and prefixes of all prompts that are listed at most: some 2 GB."""

Tokens = tuple[int, ...]
Reward = Callable[[int, Tokens], float] | Mapping[Tokens, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class TokenTree:
    """Completions of prompts, token by token.

    Tokens are 0 .. vocabulary-1. With `end`, the last token ends the completion; a completion of `limit` tokens ends in any case.
    The states of the decision process are the unfinished prefixes, prompt by prompt, shortest first and then in the order of their tokens.

    Attributes:
        vocabulary: number of tokens V, the end token included.
        limit: largest number of tokens T of a completion.
        reward: outcome reward of a completion: a function of (prompt, tokens), or one mapping tokens -> reward a prompt.
        prompts: number of prompts.
        mu: distribution of the prompt; default uniform.
        end: whether the last token of the vocabulary ends the completion; without it all completions have length T.
        token_reward: optional reward of each token, a function of (prompt, prefix up to and including the token), added to the outcome.

    >>> tree = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(tokens[0] == 0))
    >>> len(tree.completions), len(tree.prefixes)
    (7, 3)
    """

    vocabulary: int
    limit: int
    reward: Reward | tuple[Mapping[Tokens, float], ...]
    prompts: int = 1
    mu: Float[np.ndarray, "P"] | None = None
    end: bool = True
    token_reward: Callable[[int, Tokens], float] | None = None

    def __post_init__(self) -> None:
        require_count("vocabulary", self.vocabulary, least=2 if self.end else 1)
        require_count("limit", self.limit)
        require_count("prompts", self.prompts)
        mu = freeze("mu", np.full(self.prompts, 1 / self.prompts) if self.mu is None else self.mu)
        require_shape("mu", mu, (self.prompts,), "one probability a prompt")
        require_distribution("mu", mu)
        object.__setattr__(self, "mu", mu)
        if isinstance(self.reward, tuple) and len(self.reward) != self.prompts:
            raise InvalidModel(
                f"reward has {len(self.reward)} mappings for {self.prompts} prompts. Give one a prompt, or one mapping or function for all."
            )

    @cached_property
    def completions(self) -> tuple[Tokens, ...]:
        """All completions, shortest first; the same for every prompt. Their number is of order V^T.

        Raises:
            TooLarge: they are more than `LARGEST`.
        """
        self._require_few()
        last = self.vocabulary - 1
        tokens = range(self.vocabulary - 1 if self.end else self.vocabulary)
        short = [(*head, last) for n in range(self.limit - 1) for head in product(tokens, repeat=n)] if self.end else []
        return tuple(short + [(*head, token) for head in product(tokens, repeat=self.limit - 1) for token in range(self.vocabulary)])

    @cached_property
    def prefixes(self) -> tuple[Tokens, ...]:
        """The unfinished prefixes of one prompt, the states of the decision process.

        Raises:
            TooLarge: a completion follows on each of their ends, and these are more than `LARGEST`.
        """
        self._require_few()
        tokens = range(self.vocabulary - 1 if self.end else self.vocabulary)
        return tuple(head for n in range(self.limit) for head in product(tokens, repeat=n))

    def _require_few(self) -> None:
        """Refuse a tree whose last prefixes, each with V completions, are too many; the shorter ones are fewer than that."""
        number = self.prompts * self.vocabulary * (self.vocabulary - 1 if self.end else self.vocabulary) ** (self.limit - 1)
        if number > LARGEST:
            raise TooLarge(
                f"completions of up to {self.limit} of {self.vocabulary} tokens for {self.prompts} prompts are more than {LARGEST:,}, "
                "too many to be listed. Take a smaller vocabulary or limit."
            )

    def outcome(self, prompt: int, tokens: Tokens) -> float:
        """Outcome reward of a completion.

        Raises:
            InvalidModel: the mapping has no reward for it.
        """
        table: Any = self.reward[prompt] if isinstance(self.reward, tuple) else self.reward
        if callable(table):
            return float(table(prompt, tokens))  # pyright: ignore[reportArgumentType]
        if tokens not in table:
            raise InvalidModel(f"reward has no entry for the completion {tokens} of prompt {prompt}. Give one for each of `completions`.")
        return float(table[tokens])

    @cached_property
    def mdp(self) -> MDP:
        """The decision process: deterministic moves between prefixes, reward of the outcome on the last token."""
        index = {prefix: i for i, prefix in enumerate(self.prefixes)}
        n, V = len(self.prefixes), self.vocabulary
        r = np.zeros((self.prompts * n, V))
        rows, columns = [], []
        for prompt in range(self.prompts):
            for prefix, i in index.items():
                state = prompt * n + i
                for token in range(V):
                    tokens = (*prefix, token)
                    if tokens in index:
                        rows.append(state * V + token)
                        columns.append(prompt * n + index[tokens])
                    else:
                        r[state, token] += self.outcome(prompt, tokens)
                    if self.token_reward is not None:
                        r[state, token] += self.token_reward(prompt, tokens)
        P = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(self.prompts * n * V, self.prompts * n))
        mu = np.zeros(self.prompts * n)
        mu[::n] = self.mu
        return MDP(P=P, r=r, mu=mu)
