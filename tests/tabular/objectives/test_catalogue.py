"""Which objectives are offered where, and by which names."""

import pickle

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.catalogue import candidates, catalogue, objective_named
from pgtheory.tabular.objectives.functionals import paths_of
from pgtheory.tabular.objectives.maximum import MaxOfK
from pgtheory.tabular.objectives.regularisers import Entropy, ReverseKL
from pgtheory.tabular.objectives.returns import Return, ReturnAt
from pgtheory.tabular.objectives.success import ArcsinSqrt, LogLikelihood, PassAtK, TruncatedLogLikelihood
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene


def scene_of(model, *, ref: bool = False) -> Scene:
    shape = (getattr(model, "mdp", model).S, getattr(model, "mdp", model).A)
    return Scene.of(model, Softmax(np.zeros(shape)), ref=Softmax(np.ones(shape)) if ref else None)


def names(scene: Scene, **rest) -> set[str]:
    return {o.name for o in catalogue(scene, **rest)}


BINARY = scene_of(TokenTree(vocabulary=2, limit=2, reward=lambda _, tokens: float(tokens[0] == 0)), ref=True)
GRADED = scene_of(TokenTree(vocabulary=2, limit=2, end=False, reward=lambda _, tokens: float(sum(tokens))))
FOREVER = scene_of(MDP(P=[[[1.0], [1.0]]], r=[[1.0, 0.0]], mu=[1.0], gamma=0.9), ref=True)


def test_binary_rewards_variable_lengths_and_a_reference():
    assert names(BINARY, group=3) == {
        "J", "pass@2", "pass@3", "truncated log-likelihood of order 2", "truncated log-likelihood of order 3", "log p", "2 arcsin sqrt p", "E[max of 2]",
        "E[max of 3]", "entropy", "reverse KL", "forward KL", "state entropy", "state reverse KL", "state forward KL", "E[R/L]", "E[L]", "E[1/L]",
    }  # fmt: skip


def test_graded_rewards_one_length_no_reference():
    assert names(GRADED, group=2) == {"J", "E[max of 2]", "entropy", "state entropy"}
    assert "E[max of 4]" in names(GRADED)


def test_discounted_for_ever_has_no_whole_trajectories():
    assert names(FOREVER) == {"J", "state entropy", "state reverse KL", "state forward KL", "average reward"}


def test_a_discount_that_can_be_left_out_is_offered():
    model = MDP(P=[[[0.5], [0.0]]], r=[[1.0, 0.0]], mu=[1.0], gamma=0.9)
    assert "undiscounted return" in names(scene_of(model))
    assert "undiscounted return" not in names(scene_of(MDP(P=model.P, r=model.r, mu=model.mu)))


def test_a_prompt_that_is_always_solved_leaves_out_what_is_not_finite_there():
    found = names(scene_of(Bandit(r=[[1.0, 0.0], [0.0, 0.0]])))
    assert "pass@2" in found
    assert not found & {"log p", "2 arcsin sqrt p"}


def test_too_many_trajectories_leave_what_needs_none(monkeypatch):
    model = MDP(P=np.full((3, 3, 3), 1 / 3), r=np.eye(3), mu=[1.0, 0.0, 0.0], horizon=12)
    with pytest.raises(TooLarge):
        paths_of(model)
    assert names(scene_of(model)) == {"J", "entropy", "state entropy"}


def test_all_are_finite_values_that_travel_to_other_processes():
    for objective in catalogue(BINARY):
        again = pickle.loads(pickle.dumps(objective))
        assert again == objective
        assert hash(again) == hash(objective)
        assert again.gradient(BINARY).tolist() == objective.gradient(BINARY).tolist()


def test_names_differ_and_lead_back():
    every = candidates(4, 0.9)
    assert len({o.name for o in every}) == len(every)
    assert [objective_named(o.name, BINARY) for o in every] == every


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("J", Return()),
        (" j ", Return()),
        ("pass@12", PassAtK(12)),
        ("max@3", MaxOfK(3)),
        ("max-of-3", MaxOfK(3)),
        ("E[max of 10]", MaxOfK(10)),
        ("truncated log-likelihood of order 7", TruncatedLogLikelihood(7)),
        ("Log p", LogLikelihood()),
        ("reverse kl", ReverseKL()),
        ("state reverse KL", ReverseKL("state")),
        ("return at gamma = 0.5", ReturnAt(gamma=0.5)),
        ("undiscounted return", ReturnAt(gamma=1.0)),
    ],
)
def test_by_name(name, objective):
    assert objective_named(name, BINARY) == objective


@pytest.mark.parametrize(
    "objective",
    [
        Return() - 0.1 * ReverseKL(),
        -Return() + 2 * Entropy("state"),
        Return() - 1e-5 * ReverseKL() + 3 * ArcsinSqrt(),
        -ArcsinSqrt(),
        2.5 * ArcsinSqrt() - LogLikelihood(),
        0.25 * ReturnAt(gamma=0.5) + 1.5 * MaxOfK(3),
    ],
    ids=lambda objective: objective.name,
)
def test_sums_by_their_own_name(objective):
    assert objective_named(objective.name, BINARY) == objective


def test_a_coefficient_may_be_a_fraction():
    assert objective_named("J - 1/4 entropy", BINARY) == Return() - 0.25 * Entropy()
    for name in ("J +", "J + - entropy", "+", "- ", "1/0 J", "J - x entropy", "2"):
        with pytest.raises(InvalidArgument, match="no objective is called"):
            objective_named(name, BINARY)


def test_a_name_that_is_known_but_not_defined_here_says_why_when_used():
    with pytest.raises(InvalidArgument, match="nobody plays the role `ref`"):
        objective_named("reverse KL", GRADED).gradient(GRADED)


def test_bad_names():
    with pytest.raises(InvalidArgument, match=r"Did you mean 'reverse KL'\? On this problem there are: J, "):
        objective_named("reverse KLL", BINARY)
    for name in ("", "pass@", "pass@x", "pass@2 of 3", "7"):
        with pytest.raises(InvalidArgument, match="no objective is called"):
            objective_named(name, BINARY)
    with pytest.raises(InvalidArgument, match="whole number"):
        objective_named("pass@0", BINARY)
    with pytest.raises(InvalidArgument, match="names no discount"):
        objective_named("return at gamma", BINARY)
    with pytest.raises(InvalidArgument, match="group is 0"):
        catalogue(BINARY, group=0)
