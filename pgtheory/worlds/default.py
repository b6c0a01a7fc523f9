"""The frozen list of default worlds, by what a function asks for."""

from collections.abc import Iterable

from pgtheory.worlds.episodes import EpisodeWorld
from pgtheory.worlds.tokens import TokenWorld

WorldSpec = TokenWorld | EpisodeWorld

ONE_PROMPT = TokenWorld(features="one prompt, 0/1 rewards, lengths 1 and 2", points=(0, 1, 2))
LARGER_GROUP = TokenWorld(vocabulary=2, group=4, points=(0, 1, 2), features="groups of 4")
LARGEST_GROUP = TokenWorld(vocabulary=2, group=5, points=(0, 1), features="groups of 5")
TWO_PROMPTS = TokenWorld(vocabulary=2, prompts=2, features="two prompts of unequal difficulty")
RARE = TokenWorld(vocabulary=2, group=4, rule="graded", points=(100, 101), features="tokens of probability 1/50")
RARE_OFF_POLICY = TokenWorld(vocabulary=2, rule="graded", off_policy=True, sampler=101, points=(100,), features="ratios above 20 and below 1/20")
DRAWN = TokenWorld(vocabulary=2, prompts=2, drawn=1, points=(0, 1), features="one of two prompts, drawn at random")
TIED = TokenWorld(vocabulary=2, limit=3, group=4, rule="middle", tied=True, points=(0, 3), features="a state visited several times, lengths 1 to 3")
GRADED = TokenWorld(rule="graded", points=(0, 1), features="graded rewards with ties, some negative")
OFF_POLICY = TokenWorld(rule="graded", off_policy=True, points=(0, 1), features="sampled by another policy, ratios beyond both clip edges")

OLD_DIFFERS = TokenWorld(
    vocabulary=2, rule="graded", off_policy=True, old_differs=True, points=(0, 1), features="sampler, old, current and reference all different"
)

TOKENS: tuple[TokenWorld, ...] = (ONE_PROMPT, LARGER_GROUP, LARGEST_GROUP, TWO_PROMPTS, DRAWN, TIED, GRADED, RARE)

LOOP = EpisodeWorld(features="gamma 0.9, episodes of one to three steps, any critic")
LOOP_UNDISCOUNTED = EpisodeWorld(gamma=1.0, features="gamma 1, episodes of one to three steps, any critic")
ONE_EPISODE = EpisodeWorld(model="fork", gamma=0.8, episodes=1, points=(0, 1), features="one episode a batch, three actions")
THREE_EPISODES = EpisodeWorld(episodes=3, horizon=2, points=(0, 1), features="three episodes a batch")
TAIL = EpisodeWorld(model="tail", exact_critic=True, features="episodes cut at a time limit, exact critic")
LOOP_OFF_POLICY = EpisodeWorld(off_policy=True, points=(0, 1), features="sampled by another policy")

TINY: tuple[WorldSpec, ...] = (
    TokenWorld(vocabulary=2, limit=1, group=2, points=(0,)),
    TokenWorld(vocabulary=2, limit=1, group=3, points=(0,)),
    TokenWorld(vocabulary=2, limit=1, group=4, points=(0,)),
    TokenWorld(vocabulary=2, limit=2, group=3, points=(0, 1)),
    TokenWorld(vocabulary=3, limit=1, group=2, rule="graded", points=(0, 1)),
    TokenWorld(vocabulary=2, limit=1, group=2, prompts=2, points=(0, 1)),
    TWO_PROMPTS,
    TokenWorld(vocabulary=2, limit=1, group=2, off_policy=True, points=(0, 1)),
    TokenWorld(vocabulary=2, limit=2, group=3, off_policy=True, points=(0, 1)),
    EpisodeWorld(episodes=1, horizon=2, points=(0, 1)),
    EpisodeWorld(episodes=1, horizon=2, exact_critic=True, points=(0,)),
    EpisodeWorld(episodes=1, horizon=2, off_policy=True, points=(0,)),
    EpisodeWorld(model="tail", episodes=1, exact_critic=True, points=(0,)),
)
"""Candidates for the smallest counterexample, in order of their size."""


def default_worlds(setting: str, uses: Iterable[str], *, binary: bool = False) -> tuple[WorldSpec, ...]:
    """The worlds on which a function is examined, by its setting and the quantities that it binds.

    Off-policy worlds are for functions that are given the sampling policy (`old_logprobs`); worlds with a time limit for those that are given
    the value at the cut; the discount is 1 for functions that are not given gamma. With `binary` all rewards are 0 or 1.
    """
    used = set(uses)
    if setting == "tokens":
        worlds: tuple[WorldSpec, ...] = (*TOKENS, OFF_POLICY, RARE_OFF_POLICY) if used & {"old_logprobs", "sampler_logprobs"} else TOKENS
        worlds = (*worlds, OLD_DIFFERS) if "sampler_logprobs" in used else worlds
        return tuple(w for w in worlds if w.rule in ("binary", "middle")) if binary else worlds  # type: ignore[union-attr]
    if "gamma" not in used:
        return (LOOP_UNDISCOUNTED, EpisodeWorld(model="fork", gamma=1.0, episodes=1, points=(0, 1), features="one episode a batch, three actions"))
    worlds = (LOOP, ONE_EPISODE, THREE_EPISODES)
    if used & {"last_values", "next_values", "truncated"}:
        worlds += (TAIL,)
    if used & {"old_logprobs"}:
        worlds += (LOOP_OFF_POLICY,)
    return worlds
