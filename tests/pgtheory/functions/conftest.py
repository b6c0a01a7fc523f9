"""Data sets made by hand on which functions are bound: two prompts with three completions each, and trajectories that end or are cut."""

from pathlib import Path

import numpy as np
import pytest

from pgtheory.tabular.data import Data
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

LOSSES = Path(__file__).parents[2] / "fixtures" / "losses"

TREE = TokenTree(vocabulary=3, limit=3, prompts=2, reward=lambda prompt, tokens: (-0.5, 1.0, 0.0, 1.5)[(sum(tokens) + 2 * len(tokens) + prompt) % 4])

COMPLETIONS = (
    ((0, 1, 2), (2,), (1, 2), (0, 0, 0), (2,), (1, 1, 0)),
    ((2,), (2,), (0, 2), (1, 2), (1, 2), (0, 1, 1)),
    ((1, 0, 2), (0, 2), (1, 1, 1), (2,), (0, 1, 2), (0, 2)),
    ((2,), (2,), (2,), (2,), (1, 2), (1, 2)),
    ((0, 0, 2), (0, 1, 0), (1, 2), (1, 0, 0), (2,), (0, 2)),
)
"""Five data sets; the first three rows answer prompt 0. The fourth has a group without spread."""

CHAIN = MDP(
    P=[[[0, 0.5, 0.25], [0, 0, 1]], [[0.5, 0, 0], [0, 0.25, 0.5]], [[0, 1, 0], [0, 0, 0]]],
    r=[[0.5, -1], [2, 0.25], [-0.5, 1.5]],
    mu=np.array([0.5, 0.25, 0.25]),
    gamma=0.8,
)


def tokens() -> tuple[Data, Scene]:
    """B = 6 completions of at most T = 3 tokens; old, reference and current policy differ."""
    prefixes = {prefix: i for i, prefix in enumerate(TREE.prefixes)}
    shape = (len(COMPLETIONS), 6, 3)
    state, action, reward, mask = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape), np.zeros(shape, bool)
    for n, rows in enumerate(COMPLETIONS):
        for b, completion in enumerate(rows):
            for t, token in enumerate(completion):
                state[n, b, t] = (b // 3) * len(prefixes) + prefixes[completion[:t]]
                action[n, b, t], mask[n, b, t] = token, True
            reward[n, b, len(completion) - 1] = TREE.outcome(b // 3, completion)
    group = np.broadcast_to([0, 0, 0, 1, 1, 1], shape[:2])
    data = Data(
        state=state,
        action=action,
        reward=reward,
        mask=mask,
        last=np.full(shape[:2], -1),
        truncated=np.zeros(shape[:2], bool),
        index={"group": group, "prompt": group},
    )
    wave = lambda phase: Softmax(np.sin(phase + np.arange(2 * len(prefixes) * 3)).reshape(-1, 3))
    return data, Scene.of(TREE, wave(0.3), sampler=wave(0.9), old=wave(0.8), ref=wave(2.0), critic=np.cos(np.arange(2.0 * len(prefixes))))


def episodes() -> tuple[Data, Scene]:
    """B = 2 trajectories of at most T = 3 steps, of which one is cut in each data set."""
    state = np.array([[[0, 1, 0], [2, 0, 0]], [[1, 2, 1], [0, 2, 0]], [[2, 1, 2], [1, 0, 2]]])
    action = np.array([[[0, 0, 1], [1, 0, 0]], [[1, 0, 1], [1, 1, 0]], [[0, 1, 0], [0, 1, 0]]])
    length = np.array([[3, 1], [3, 2], [3, 3]])
    mask = np.arange(3) < length[..., None]
    truncated = np.array([[True, False], [True, False], [True, False]])
    last = np.where(truncated, [[2, 0], [1, 0], [1, 0]], -1)
    reward = np.asarray(CHAIN.r)[state, action] * mask
    data = Data(
        state=state * mask, action=action * mask, reward=reward, mask=mask, last=last, truncated=truncated,
        index={"group": np.zeros((3, 2), int), "prompt": np.zeros((3, 2), int)},
    )  # fmt: skip
    return data, Scene.of(CHAIN, Softmax(np.array([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.2]])), critic=np.array([0.5, -1.0, 1.5]))


@pytest.fixture(scope="session")
def probe():
    """The probe that `bind` asks: setting -> (data, scene)."""
    made = {"tokens": tokens(), "episodes": episodes()}
    return made.__getitem__


@pytest.fixture(scope="session")
def losses():
    """Folder of functions as users bring them."""
    return LOSSES


@pytest.fixture(scope="session")
def load():
    """ "file:function" in that folder -> the function."""
    from pgtheory.functions.load import load_target

    return lambda text: load_target(f"{LOSSES}/{text.replace(':', '.py:')}")[0]
