"""Ids of problems: grammar, registry and errors. Values of the problems in closed form are tested with the solvers."""

import inspect

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, UnknownProblem
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.files import save
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.models.problems import PROBLEMS, describe, names, parsed, problem, theta
from pgtheory.tabular.models.token_tree import TokenTree


def same(a: MDP, b: MDP) -> bool:
    return (a.transition != b.transition).sum() == 0 and (a.mean_reward == b.mean_reward).all() and (a.gamma, a.horizon) == (b.gamma, b.horizon)


@pytest.mark.parametrize("name", PROBLEMS)
def test_bare_name_is_the_listed_id_with_defaults(name):
    example = PROBLEMS[name][0]

    assert parsed(example)[0] == name
    assert same(as_mdp(problem(example)), as_mdp(problem(example)))
    if name != "coin":  # listed with four flips, of which the default has one
        assert same(as_mdp(problem(name)), as_mdp(problem(example)))


@pytest.mark.parametrize(
    ("id", "values"),
    [
        ("two-state", {}),
        ("chain/5", {"S": 5}),
        ("chain/S=5", {"S": 5}),
        ("chain/5,gamma=0.5", {"S": 5, "gamma": 0.5}),
        ("chain/gamma=0.5,S=7", {"gamma": 0.5, "S": 7}),
        ("chain/5,0.5", {"S": 5, "gamma": 0.5}),
        ("gridworld/4x4", {"rows": 4, "columns": 4}),
        ("gridworld/3x12", {"rows": 3, "columns": 12}),
        ("garnet/S=100,A=4,b=5,seed=0", {"S": 100, "A": 4, "b": 5, "seed": 0}),
        ("coin/p=0.3", {"p": 0.3}),
        ("coin/p=1/3", {"p": 1 / 3}),
    ],
)
def test_grammar(id, values):
    assert parsed(id)[1] == values


def test_kinds_of_models():
    assert isinstance(problem("two-state"), MDP)
    assert isinstance(problem("bandit/K=4"), Bandit)
    assert isinstance(problem("tokens/V=3,T=2,prompts=2"), TokenTree)


@pytest.mark.parametrize(
    ("id", "text"),
    [
        ("chian/5", r"no problem is called 'chian/5'\. Did you mean 'chain'"),
        ("xyzzy", r"no problem is called 'xyzzy'\. There are: two-state, chain/5"),
        ("", "There are"),
        ("Chain/5", "Did you mean 'chain'"),
    ],
)
def test_unknown_name_lists_close_ones_and_all(id, text):
    with pytest.raises(UnknownProblem, match=text) as caught:
        problem(id)
    assert all(name in str(caught.value) for name in names())


@pytest.mark.parametrize(
    ("id", "text"),
    [
        ("chain/x", "S is 'x', expected a whole number"),
        ("chain/2.5", "S is '2.5', expected a whole number"),
        ("chain/", "S is '', expected a whole number"),
        ("chain/0", "S is 0, expected a whole number of at least 1"),
        ("chain/-3", "S is -3"),
        ("chain/5,6,7", "nothing takes the value '7'; chain takes S=5, gamma=0.9"),
        ("chain/gamma=.5,5", "nothing takes the value '5'|gamma is given twice"),
        ("chain/Z=1", "no parameter 'Z'; chain takes S=5, gamma=0.9"),
        ("chain/S=3,S=4", "S is given twice"),
        ("chain/gamma=1.5", r"gamma is 1.5, outside \[0, 1\]"),
        ("chain/gamma=1/0", "gamma is '1/0', expected a number such as 0.3 or 1/3"),
        ("two-state/3,4", "nothing takes the value '4'"),
        ("short-corridor/3", "short-corridor takes no parameters"),
        ("coin/p=1", "p is 1.0; it must lie strictly between 0 and 1"),
        ("coin/T=0", "horizon is 0"),
        ("garnet/S=3,b=5", "b is 5, but there are only S = 3 states"),
        ("tokens/V=1", "V is 1, expected a whole number of at least 2"),
        ("river-swim/1", "S is 1, expected a whole number of at least 2"),
    ],
)
def test_wrong_parameter(id, text):
    with pytest.raises(InvalidArgument, match=text):
        problem(id)


def test_theta_of_an_id():
    assert theta("chain/5") is None
    np.testing.assert_allclose(np.exp(theta("coin/p=0.3")), [[0.7, 0.3]])
    with pytest.raises(InvalidArgument, match="strictly between"):
        theta("coin/p=0")


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_path_is_read_as_a_file(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    save(path, problem("two-state"))

    assert same(as_mdp(problem(str(path))), as_mdp(problem("two-state")))


def test_description_says_what_the_builder_says():
    found = {entry.name: entry for entry in describe()}

    assert list(found) == list(PROBLEMS)
    for name, entry in found.items():
        assert entry.source and entry.summary, name
        assert entry.parameters == {key: p.default for key, p in inspect.signature(entry.build).parameters.items()}
    assert found["cliff"].source == "Sutton and Barto (2018), Example 6.6."


def test_garnet_is_drawn_by_its_seed_alone():
    a, b, c = (as_mdp(problem(f"garnet/S=20,A=2,b=3,seed={seed}")) for seed in (0, 0, 1))

    assert same(a, b)
    assert not same(a, c)
    assert ((np.asarray(a.P) > 0).sum(axis=-1) == 3).all()
    np.testing.assert_allclose(np.asarray(a.P).sum(axis=-1), 1)


def test_garnet_draw_is_frozen():
    """The id is stable for ever: a change of the draw is a change of the problem."""
    m = as_mdp(problem("garnet/S=4,A=1,b=2,seed=0"))

    np.testing.assert_allclose(m.r.ravel(), [-0.12853466294403426, 1.3664634705496859, -0.6651946734866135, 0.3515100700930197], rtol=1e-15)
    assert (np.asarray(m.P)[:, 0] > 0).nonzero()[1].tolist() == [2, 3, 2, 3, 0, 3, 1, 3]


def test_grids_have_no_state_in_which_nothing_is_decided():
    grid, cliff = as_mdp(problem("gridworld/3x5")), as_mdp(problem("cliff/4x12"))

    assert (grid.S, cliff.S) == (13, 37)
    assert grid.ends.sum() == 4, "two ways into each corner"
    assert cliff.ends.sum() == 1
    assert (cliff.r == -100).sum() == 11, "ten cells above the cliff, and the first step to the right"


def test_a_grid_of_one_row_of_two_cells_has_one_state():
    assert as_mdp(problem("gridworld/1x2")).S == 1


def test_bad_file_is_an_invalid_model(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text("[1, 2]")

    with pytest.raises(InvalidModel, match="holds a list"):
        problem(str(path))
