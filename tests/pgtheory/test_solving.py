"""`pgtheory solve`: the numbers in the dictionary and in the text, and every kind of id."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from pgtheory import solving
from pgtheory.solving import SHOWN, solve_problem
from pgtheory.tabular.errors import InvalidArgument, MissingFile, Multichain, NonTerminating, NotConverged, UnknownProblem
from pgtheory.tabular.models.files import save
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.solve.optimal import METHODS


def text_of(found) -> str:
    out = io.StringIO()
    Console(file=out, width=150, color_system=None).print(found.as_rich())
    return out.getvalue()


def test_dictionary_has_the_closed_form_and_is_strict_json():
    found = json.loads(json.dumps(solve_problem("chain/5").to_dict(), allow_nan=False))

    assert abs(found["J"] - 0.9**4) <= found["bound"] < 1e-12
    assert found["policy"] == [1] * 5
    np.testing.assert_allclose(found["V"], 0.9 ** np.arange(4, -1, -1), atol=found["bound"])
    assert (found["states"], found["actions"], found["gamma"], found["horizon"], found["note"]) == (5, 2, 0.9, None, None)
    assert found["uniform"]["J"] < found["J"]


def test_text_has_the_answer_first():
    lines = text_of(solve_problem("chain/5")).splitlines()

    assert lines[0] == "SOLVED  chain/5: 5 states, 2 actions, gamma 0.9"
    assert lines[1].split()[:2] == ["J*", "0.6561"]
    assert "both proven" in lines[1]
    assert lines[-1].split()[:3] == ["4", "1", "1"]


def test_large_problem_is_cut_in_the_text_only():
    found = solve_problem("chain/50")

    assert f"{50 - SHOWN} more states with --json" in text_of(found)
    assert len(found.to_dict()["V"]) == 50


def test_lists_over_many_states_are_given_when_asked_for(monkeypatch):
    monkeypatch.setattr(solving, "MANY", 20)
    found = solve_problem("chain/50")

    assert (found.to_dict()["V"], found.to_dict()["policy"], found.uniform) == (None, None, None)
    assert found.to_dict()["note"] == "not evaluated above 20 states"
    assert len(found.to_dict(every_state=True)["V"]) == len(found.to_dict(every_state=True)["policy"]) == 50
    assert f"{50 - SHOWN} more states with --json --all" in text_of(found)


def test_structure_chooses_and_tolerance_is_proven():
    """The same id: sweeps by themselves, fewer for a larger tolerance, none where another method is named."""
    loose, close, named = (
        solve_problem("sparse-garnet/S=400", **options).optimal
        for options in ({"tolerance": 1e-3}, {"tolerance": 1e-9}, {"method": "policy-iteration"})
    )

    assert [found.method for found in (loose, close, named)] == ["modified-policy-iteration"] * 2 + ["policy-iteration"]
    assert loose.steps < close.steps
    assert 1e-9 < loose.bound <= 1e-3
    assert close.bound <= 1e-9
    assert abs(close.V - named.V).max() <= close.bound + named.bound


def test_horizon():
    found = solve_problem("coin/T=4")

    assert (found.to_dict()["J"], found.to_dict()["uniform"]["J"], found.to_dict()["method"]) == (4.0, 2.0, "backward-induction")
    assert found.to_dict()["policy"] == [[1]] * 4
    assert "horizon 4" in text_of(found)
    assert "At the first of the steps." in text_of(found)


def test_infinite_bound_is_null_in_json_and_words_in_text():
    found = solve_problem("random-walk/5")

    assert found.to_dict()["bound"] is found.to_dict()["gap"] is None
    assert "not proven: actions that are as good as the best run for ever" in text_of(found)
    assert text_of(found).startswith("NOT PROVEN")
    assert not found.proven


def test_uniform_policy_that_has_no_return_is_a_note(tmp_path):
    """Action 0 ends, action 1 leads to a trap: the best policy exists, the uniform one is worth nothing that could be said."""
    trap = MDP(P=[[[0.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]], r=[[1.0, 5.0], [0.0, 0.0]], mu=[1.0, 0.0])
    save(tmp_path / "trap.json", trap)

    found = solve_problem(str(tmp_path / "trap.json"))

    assert found.to_dict()["J"] == 1.0
    assert found.to_dict()["V"] == [1.0, None]
    assert found.to_dict()["uniform"] is None
    assert "may never end under this policy" in found.to_dict()["note"]
    assert "may never end under this policy" in " ".join(text_of(found).split())
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("method", METHODS)
def test_discount_and_method_reach_the_solver(method):
    """Each switch in a test in which it changes the result."""
    found = solve_problem("chain/3", gamma=0.5, method=method)

    assert abs(found.optimal.J - 0.25) <= found.optimal.bound
    assert found.to_dict()["method"] == method
    assert found.to_dict()["gamma"] == 0.5


def test_average_reward():
    """River swim, always upstream: the gain of the birth and death chain; the uniform policy has the gain that its own stationary law gives."""
    found = solve_problem("river-swim/6", criterion="average")
    uniform = np.full((6, 2), 0.5)
    mdp = problem("river-swim/6")
    K = np.linalg.matrix_power(np.einsum("sa,sat->st", uniform, mdp.P), 2**12)

    numbers = json.loads(json.dumps(found.to_dict(), allow_nan=False))

    assert (numbers["criterion"], numbers["policy"]) == ("average", [1] * 6)
    assert abs(numbers["J"] - 0.42862243) < 1e-8
    assert abs(numbers["uniform"]["J"] - K[0] @ (uniform * mdp.mean_reward).sum(axis=1)) < 1e-12
    lines = text_of(found).splitlines()
    assert lines[0] == "SOLVED  river-swim/6: 6 states, 2 actions, average reward"
    assert lines[1].split()[:2] == ["gain*", "0.4286224338"]
    assert lines[5].split() == ["state", "bias", "best", "action", "bias", "uniform"]
    assert solve_problem("river-swim/6").to_dict()["criterion"] == "return"


def test_average_reward_that_float64_cannot_find_for_the_uniform_policy(tmp_path):
    """Two locks of 60 digits, each the way to the other: action 1 is the next digit, action 0 starts anew. The uniform policy needs 2^60 steps for each."""
    L, s = 60, np.arange(120)
    P = np.zeros((2 * L, 2, 2 * L))
    P[s, 1, (s + 1) % (2 * L)], P[s, 0, s // L * L] = 1, 1
    r = np.zeros((2 * L, 2))
    r[L, 0] = 1
    save(tmp_path / "locks.json", MDP(P=P, r=r, mu=np.eye(2 * L)[0]))

    found = solve_problem(str(tmp_path / "locks.json"), criterion="average").to_dict()

    assert (found["J"], found["uniform"], found["policy"][L - 1 : L + 1]) == (1.0, None, [1, 0])
    assert "moves between two parts of it so rarely" in found["note"]
    save(tmp_path / "apart.json", MDP(P=np.eye(2)[:, None], r=[[1.0], [0.0]], mu=[1.0, 0.0]))
    with pytest.raises(Multichain, match="the model, whatever the policy, has 2 closed classes"):
        solve_problem(str(tmp_path / "apart.json"), criterion="average")


def test_gymnasium():
    pytest.importorskip("gymnasium")

    assert abs(solve_problem("FrozenLake-v1").optimal.J - 0.542026) < 5e-7


def test_file(tmp_path):
    save(tmp_path / "mine.npz", problem("two-state"))

    assert solve_problem(str(tmp_path / "mine.npz")).optimal.J == solve_problem("two-state").optimal.J


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"problem": "chian"}, UnknownProblem),
        ({"problem": "no-such-file.json"}, MissingFile),
        ({"problem": "chain/5", "gamma": 1.5}, InvalidArgument),
        ({"problem": "chain/5", "method": "guess"}, InvalidArgument),
        ({"problem": "two-state", "gamma": 1.0}, NonTerminating),
        ({"problem": "two-state", "tolerance": 0.0}, InvalidArgument),
        ({"problem": "two-state", "tolerance": 1e-18}, NotConverged),
        ({"problem": "chain/5", "criterion": "average"}, InvalidArgument),
        ({"problem": "two-state", "criterion": "mean"}, InvalidArgument),
        ({"problem": "two-state", "criterion": "average", "gamma": 0.5}, InvalidArgument),
    ],
)
def test_bad_use(arguments, error):
    with pytest.raises(error):
        solve_problem(**arguments)
