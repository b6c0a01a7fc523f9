"""What is no policy, objective or problem is refused by name in every short form, whichever argument it stands in."""

import numpy as np
import pytest

import pgtheory as pg
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, UnknownProblem
from pgtheory.tabular.models.problems import problem

MODEL = pg.Bandit(r=[1.0, 0.0])
POLICY = pg.Softmax(np.zeros((1, 2)))


@pytest.mark.parametrize("of", [pg.value, pg.gradient, pg.evaluate, lambda model, policy: pg.law("reinforce", model, policy)])
@pytest.mark.parametrize(("wrong", "name"), [(np.full((1, 2), 0.5), "ndarray"), ([[0.5, 0.5]], "list"), (None, "NoneType"), (MODEL, "Bandit")])
def test_what_is_no_policy(of, wrong, name):
    with pytest.raises(InvalidPolicy, match=f"{name} is not a policy"):
        of(MODEL, wrong)


@pytest.mark.parametrize("role", ["sampler", "ref"])
def test_what_is_no_policy_in_another_role(role):
    with pytest.raises(InvalidPolicy, match="ndarray is not a policy"):
        pg.law("reinforce", MODEL, POLICY, **{role: np.full((1, 2), 0.5)})


@pytest.mark.parametrize("of", [pg.value, pg.gradient])
def test_what_is_no_objective(of):
    with pytest.raises(InvalidArgument, match="objective is 3, expected a name"):
        of(MODEL, POLICY, objective=3)


@pytest.mark.parametrize("id", [None, 3])
def test_what_is_no_id_of_a_problem(id):
    with pytest.raises(UnknownProblem, match=f"problem is {id}, expected the id"):
        problem(id)
