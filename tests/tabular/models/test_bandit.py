"""Bandit: its rules and the decision process behind it."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidModel
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve.evaluation import evaluate


def test_one_context():
    m = Bandit(r=[1.0, 0.0, 0.5]).mdp

    assert (m.S, m.A, m.gamma, m.horizon) == (1, 3, 1.0, None)
    assert (m.ends == 1).all()
    assert evaluate(m, Direct([[0.5, 0.25, 0.25]])).J == 0.625


def test_contexts_are_drawn_from_mu():
    bandit = Bandit(r=[[1.0, 2.0], [3.0, 5.0]], mu=[0.25, 0.75])

    assert evaluate(bandit, Direct([[1.0, 0.0], [0.0, 1.0]])).J == 0.25 * 1 + 0.75 * 5
    assert Bandit(r=[[1.0, 2.0], [3.0, 5.0]]).mdp.mu.tolist() == [0.5, 0.5]


def test_bernoulli_has_the_second_moment_of_its_mean():
    noisy, sure = Bandit(r=[0.25, 0.75], bernoulli=True).mdp, Bandit(r=[0.25, 0.75]).mdp

    assert noisy.r.tolist() == noisy.r2.tolist() == sure.r.tolist() == [[0.25, 0.75]]
    assert sure.r2 is None


def test_read_only_copies():
    r = np.array([1.0, 2.0])
    bandit = Bandit(r=r)
    r[0] = 9

    assert bandit.r.tolist() == [[1.0, 2.0]]
    for array in (bandit.r, bandit.mu):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"r": []}, r"r has shape \(1, 0\), expected \(K,\) or \(C, K\)"),
        ({"r": np.zeros((1, 1, 1))}, r"r has shape \(1, 1, 1\)"),
        ({"r": [1.0, np.nan]}, r"r\[1\] is nan"),
        ({"r": [[1.0], [2.0]], "mu": [1.0]}, r"mu has shape \(1,\), expected \(2,\)"),
        ({"r": [[1.0], [2.0]], "mu": [0.5, 0.6]}, "mu sums to 1.1"),
        ({"r": [0.5, -0.5], "bernoulli": True}, r"r\[0, 1\] is -0.5, a negative probability"),
        ({"r": [0.5, 1.5], "bernoulli": True}, r"1 - r\[0, 1\] is -0.5"),
    ],
)
def test_invalid(fields, text):
    with pytest.raises(InvalidModel, match=text):
        Bandit(**fields)
