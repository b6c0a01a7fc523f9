"""The recursive enumerator."""

from fractions import Fraction

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.exact.rational import RationalMDP
from pgtheory.tabular.exact.trajectories import Step, trajectories
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree

F = Fraction


def test_completions_of_a_token_tree_are_its_trajectories():
    tree = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(sum(tokens)), prompts=2)
    paths = trajectories(RationalMDP.of(tree))

    for start in (0, 3):
        found = {tuple(step.action for step in path.steps): path.total() for path in paths if path.start == start}
        assert found == {tokens: sum(tokens) for tokens in tree.completions}
    assert all(path.chance == 1 and path.last == -1 and not path.truncated for path in paths)


def test_an_episode_is_cut_or_ended():
    """A loop that ends with probability 1/3 and moves on with 2/3; reward 1 for a move, 5 for the end."""
    one = lambda x: np.full((1, 1), x)
    loop = lambda horizon: MDP(P=one(2 / 3)[None], r=one(1.0)[None], r_end=one(5.0), mu=np.ones(1), gamma=0.5, horizon=horizon)
    move, end = Step(0, 0, F(1)), Step(0, 0, F(5))

    cut = trajectories(RationalMDP.of(loop(None)), horizon=2)
    over = trajectories(RationalMDP.of(loop(2)))

    expected = {((move, move), F(4, 9)), ((move, end), F(2, 9)), ((end,), F(1, 3))}
    assert {(path.steps, path.chance) for path in cut} == {(path.steps, path.chance) for path in over} == expected
    assert {(path.last, path.truncated) for path in cut if path.steps == (move, move)} == {(0, True)}
    assert {(path.last, path.truncated) for path in over} == {(-1, False)}
    assert sum(path.total(F(1, 2)) * path.chance for path in over) == F(3, 2) * F(4, 9) + F(7, 2) * F(2, 9) + F(5, 3)


def test_a_model_that_may_run_for_ever_needs_a_horizon(model):
    with pytest.raises(InvalidArgument, match="Give a horizon"):
        trajectories(RationalMDP.of(model(0, kind="episodic")))


def test_too_many_trajectories_are_refused(model):
    with pytest.raises(InvalidArgument, match="more than 100 trajectories"):
        trajectories(RationalMDP.of(model(0)), horizon=8, limit=100)
