"""Tables of Gymnasium: the measured returns, the trap that gives other ones, repeated rows, and damaged tables."""

import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, MissingExtra, UnknownProblem
from pgtheory.tabular.models.gymnasium import from_gymnasium
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.optimal import optimal

MEASURED = {
    "Taxi": (-384.80, 6.3275),
    "CliffWalking-v1": (-1072.24, -12.248),
    "FrozenLake-v1": (0.012356, 0.542026),
    "FrozenLake8x8-v1": (0.001100, 0.414640),
}
"""J of the uniform policy and J*, at gamma 0.99."""

IGNORED = {"Taxi": (-391.93, 835.04), "CliffWalking-v1": (-1082.53, -100)}
"""The same when a row that terminates is taken for an ordinary move."""


def env_of(id: str):
    gymnasium = pytest.importorskip("gymnasium")
    if id == "Taxi":
        id = max((name for name in gymnasium.registry if name.startswith("Taxi-v")), key=lambda name: int(name.removeprefix("Taxi-v")))
    return gymnasium.make(id)


def returns(mdp: MDP) -> tuple[float, float]:
    return evaluate(mdp, Direct(np.full((mdp.S, mdp.A), 1 / mdp.A))).J, optimal(mdp).J


def toy(table: dict, **rest) -> SimpleNamespace:
    return SimpleNamespace(unwrapped=SimpleNamespace(P=table, **{"initial_state_distrib": np.array([1.0] + [0.0] * (len(table) - 1))} | rest))


@pytest.mark.parametrize("id", MEASURED)
def test_measured_returns(id):
    """To the digits that were measured: half a unit of the last."""
    for found, expected, digits in zip(
        returns(from_gymnasium(env_of(id))), MEASURED[id], (2 if "Lake" not in id else 6, 4 if id == "Taxi" else 3), strict=True
    ):
        assert abs(found - expected) <= 0.5 * 10.0**-digits


@pytest.mark.parametrize("id", IGNORED)
def test_ignoring_the_end_of_an_episode_gives_another_problem(id):
    """The trap, built here by hand from the same table."""
    env = env_of(id).unwrapped
    S, A = len(env.P), len(env.P[0])
    P, r = np.zeros((S, A, S)), np.zeros((S, A))
    for s in range(S):
        for a in range(A):
            for chance, following, reward, _ in env.P[s][a]:
                P[s, a, following] += chance
                r[s, a] += chance * reward
    wrong = MDP(P=P, r=r, mu=env.initial_state_distrib, gamma=0.99)

    for found, expected in zip(returns(wrong), IGNORED[id], strict=True):
        assert abs(found - expected) <= 0.005


@pytest.mark.parametrize("id", MEASURED)
def test_model_is_the_table(id):
    """Mean reward, transitions and ends against the rows themselves, added up in fractions."""
    env = env_of(id)
    table, mdp = env.unwrapped.P, from_gymnasium(env)
    P = mdp.transition.toarray().reshape(mdp.S, mdp.A, mdp.S)
    for s in range(mdp.S):
        for a in range(mdp.A):
            rows = [(Fraction(p), t, Fraction(float(x)), end) for p, t, x, end in table[s][a]]
            assert abs(mdp.ends[s, a] - float(sum(p for p, _, _, end in rows if end))) < 1e-15
            assert abs(mdp.mean_reward[s, a] - float(sum(p * x for p, _, x, _ in rows))) < 1e-14
            for t in {t for _, t, _, _ in rows}:
                assert abs(P[s, a, t] - float(sum(p for p, u, _, end in rows if u == t and not end))) < 1e-15


def test_by_id_and_by_problem():
    pytest.importorskip("gymnasium")

    assert problem("FrozenLake-v1").gamma == 0.99
    assert problem("gym:FrozenLake-v1").S == 16
    assert from_gymnasium("CliffWalking-v1", gamma=0.5).gamma == 0.5


# Rows that repeat


def test_repeated_rows_are_added_and_equal_rewards_stay_bit_by_bit():
    third = 1 / 3
    mdp = from_gymnasium(
        toy({0: {0: [(third, 1, 0.1, False), (third, 1, 0.1, False), (1 - third - third, 0, -0.3, False)]}, 1: {0: [(1.0, 1, 7.0, True)]}})
    )

    assert mdp.transition.toarray()[0].tolist() == [1 - third - third, third + third]
    assert mdp.r.toarray()[0].tolist() == [-0.3, 0.1]
    assert mdp.r_end.tolist() == [[0.0], [7.0]]
    assert mdp.r2 is mdp.r2_end is None
    assert mdp.mean_reward[1, 0] == 7.0


def test_repeated_rows_with_different_rewards_keep_mean_and_second_moment():
    rows = [(0.25, 0, 1.0, False), (0.25, 0, 3.0, False), (0.125, 0, 0.0, True), (0.375, 0, 4.0, True)]

    mdp = from_gymnasium(toy({0: {0: rows}}))

    assert mdp.transition.toarray().tolist() == [[0.5]]
    assert (mdp.r.toarray().tolist(), mdp.r2.toarray().tolist()) == ([[2.0]], [[5.0]])
    assert (mdp.r_end.tolist(), mdp.r2_end.tolist()) == ([[3.0]], [[12.0]])
    assert mdp.mean_reward.tolist() == [[2.5]]


def test_large_frozen_lake_ends_in_the_goal_or_in_a_hole_from_one_state():
    """State 62 slips to the right into the goal (reward 1) or up into a hole (reward 0): the reward of ending is random there, and r2_end says so."""
    mdp = from_gymnasium(env_of("FrozenLake8x8-v1"))

    assert abs(mdp.r_end[62, 2] - 0.5) < 1e-15
    np.testing.assert_allclose(mdp.r2_end[62], mdp.r_end[62])


def test_rows_of_probability_zero_are_left_out():
    mdp = from_gymnasium(toy({0: {0: [(0.0, 0, 1e9, False), (1.0, 0, 2.0, True)]}}))

    assert mdp.transition.nnz == 0
    assert mdp.largest_reward == 2


# The first state


def test_mu_is_asked_for_where_the_environment_has_none():
    env = toy({0: {0: [(1.0, 0, 1.0, True)]}})
    del env.unwrapped.initial_state_distrib

    with pytest.raises(InvalidArgument, match=r"no initial_state_distrib. Give the distribution of the first state: from_gymnasium\(env, mu=...\)"):
        from_gymnasium(env)
    assert from_gymnasium(env, mu=np.array([1.0])).mu.tolist() == [1.0]


# Bad input


def test_no_table():
    pytest.importorskip("gymnasium")

    with pytest.raises(InvalidArgument, match=r"CartPole-v1 has no transition table env.unwrapped.P"):
        from_gymnasium("CartPole-v1")


@pytest.mark.parametrize("id", ["NoSuchThing-v0", "FrozenLake-v99"])
def test_unknown_id(id):
    pytest.importorskip("gymnasium")

    with pytest.raises(UnknownProblem, match=f"Gymnasium does not make '{id}'"):
        problem(id)


def test_without_gymnasium_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)

    with pytest.raises(MissingExtra, match=r"pip install 'pgtheory\[gym\]'"):
        problem("FrozenLake-v1")


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({0: {0: [(0.5, 0, 1.0, False)]}}, r"rows of P\[0\]\[0\] sum to 0.5, not to one"),
        ({0: {0: [(1.5, 0, 1.0, False), (-0.5, 0, 1.0, False)]}}, "probability -0.5, a negative one"),
        ({0: {0: [(1.0, 3, 1.0, False)]}}, "leads to state 3; states are 0 to 0"),
        ({0: {0: [(1.0, 0, 1.0)]}}, r"is not P\[s\]\[a\] = \[\(probability, next state, reward, terminated\)"),
        ({0: {1: [(1.0, 0, 1.0, True)]}}, "KeyError"),
        ({0: {0: [(1.0, 0, 1.0, True)], 1: [(1.0, 0, 1.0, True)]}, 1: {0: [(1.0, 0, 1.0, True)]}}, "KeyError|1 and with 2 actions"),
        ({0: {0: [(1.0, 0, 1.0, True)]}, 1: {0: [(1.0, 0, 1.0, True)], 1: [(1.0, 0, 1.0, True)]}}, "with 1 and with 2 actions"),
        ({0: {0: [(1.0, 0, float("nan"), False)]}}, r"r\[0, 0\] is nan"),
        ({}, "KeyError"),
    ],
)
def test_damaged_table(table, text):
    with pytest.raises(InvalidModel, match=text):
        from_gymnasium(toy(table, initial_state_distrib=np.array([1.0] + [0.0] * max(0, len(table) - 1))))


def test_discount_outside_its_range():
    with pytest.raises(InvalidArgument, match="gamma is 2"):
        from_gymnasium(toy({0: {0: [(1.0, 0, 1.0, True)]}}), gamma=2)
