"""Evaluation by every method: what is asked is proven, and the occupancy has a bound of its own. Against fractions, and with planted bugs."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.solve.chain import SOLVERS
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.linear.dense import Dense

to_fractions = np.vectorize(Fraction, otypes=[object])


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1 - 1e-4, 1.0])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", [None, *SOLVERS])
def test_every_method_proves_value_and_occupancy(kernel, exact, name, sparse, gamma):
    """On every structure of chain, each split among two actions; with gamma = 1 every step ends with probability 1/8. What cannot be proven is refused."""
    rng = np.random.default_rng(0)
    K = kernel(9) * (0.875 if gamma == 1 else 1.0)
    P = np.stack([K, K[::-1]], axis=1)
    r, mu, pi = rng.standard_normal((9, 2)), rng.dirichlet(np.ones(9)), rng.dirichlet(np.ones(2), size=9)
    mdp = MDP(P=sp.csr_array(P.reshape(18, 9)) if sparse else P, r=r, mu=mu, gamma=gamma)
    Pi, Pe = to_fractions(pi), to_fractions(P)
    chain, reward = (Pi[:, :, None] * Pe).sum(axis=1), (Pi * to_fractions(r)).sum(axis=1)
    V, d = exact(chain, gamma, reward), exact(chain, gamma, mu, True)
    tolerance = 1e-5 if gamma == 1 - 1e-4 else 1e-8

    try:
        found = evaluate(mdp, Direct(pi), method=name, tolerance=tolerance)
    except NotConverged as refused:
        assert name in ("sweeps", "krylov")
        assert max(abs(Fraction(x) - y) for x, y in zip(refused.best, V, strict=True)) <= Fraction(refused.bound)  # noqa: PT017
        return
    assert found.steps >= (name in ("dense", "banded", "sparse-lu"))
    assert name in (None, found.method)
    assert max(abs(Fraction(x) - y) for x, y in zip(found.V, V, strict=True)) <= Fraction(found.bound) <= Fraction(tolerance)
    assert sum(abs(Fraction(x) - y) for x, y in zip(found.occupancy, d, strict=True)) <= Fraction(float(found.occupancy_bound))
    if name not in ("sweeps", "krylov"):
        assert found.occupancy_bound <= tolerance * found.occupancy.sum()


def test_a_disturbed_occupancy_is_within_its_bound(monkeypatch):
    """Planted bug: the transposed solve is off by 1e-3 of its answer, which leaves the smallest residual for its error."""
    mdp, pi = problem("two-state"), np.array([[0.25, 0.75], [0.5, 0.5]])
    true, honest = evaluate(mdp, Direct(pi)).occupancy, Dense.solve
    monkeypatch.setattr(Dense, "solve", lambda self, b, transposed, aim: (honest(self, b, transposed, aim)[0] * (1.001 if transposed else 1), 1))

    found = evaluate(mdp, Direct(pi))

    assert 0.9e-3 * true.sum() <= abs(found.occupancy - true).sum() <= found.occupancy_bound
    assert found.bound <= 1e-11


def test_occupancies_are_not_negative(monkeypatch):
    honest = Dense.solve
    monkeypatch.setattr(Dense, "solve", lambda self, b, transposed, aim: (honest(self, b, transposed, aim)[0] - 1e-9, 1))

    found = evaluate(MDP(P=np.eye(2)[:, None], r=np.ones((2, 1)), mu=[1.0, 0.0], gamma=0.5), Direct([[1.0], [1.0]]))

    assert found.occupancy[1] == 0 and found.occupancy_bound >= 1e-9


def test_a_tolerance_that_rounding_forbids():
    with pytest.raises(NotConverged, match="dense proves") as caught:
        evaluate(problem("two-state"), Softmax(np.zeros((2, 2))), tolerance=1e-18)

    assert 1e-18 < caught.value.bound < 1e-11
    np.testing.assert_allclose(caught.value.best, evaluate(problem("two-state"), Softmax(np.zeros((2, 2)))).V, rtol=1e-13)


def test_a_horizon_reports_its_steps_and_the_error_of_each_occupancy():
    found = evaluate(problem("loop/T=3"), Softmax(np.zeros((2, 2))), tolerance=1e-8)

    assert (found.method, found.steps) == ("backward-induction", 3)
    assert found.occupancy_bound.shape == (3,) and found.occupancy_bound[0] == 0 and (np.diff(found.occupancy_bound) > 0).all()


@pytest.mark.parametrize("name", ["lu", "", "policy-iteration"])
def test_a_method_that_does_not_exist_lists_those_that_do(name):
    with pytest.raises(InvalidArgument, match="expected None or one of dense, banded, sparse-lu, sweeps, krylov"):
        evaluate(problem("two-state"), Softmax(np.zeros((2, 2))), method=name)


@pytest.mark.parametrize("name", ["sparse-lu", "banded", None])
def test_undiscounted_episodes(name):
    """The walk of Sutton and Barto is linear. gamma = 1: the norm is proven by a solve of M x = 1, by the same method."""
    mdp = walk_that_ends(301)

    found = evaluate(mdp, Softmax(np.zeros((301, 2))), method=name)

    assert abs(found.V - np.arange(1, 302) / 302).max() <= found.bound <= 1e-7


def test_an_iteration_that_fails_by_name_does_not_blame_the_chain():
    """BiCGSTAB makes no headway on 301 states in a row without a discount; left to choose, evaluation is exact."""
    with pytest.raises(NotConverged, match="krylov did not solve for the expected length") as caught:
        evaluate(walk_that_ends(301), Softmax(np.zeros((301, 2))), method="krylov")

    assert caught.value.bound == np.inf


def walk_that_ends(S: int) -> MDP:
    """The random walk as a sparse model: left or right, both ends end, leaving to the right pays 1."""
    step = sp.diags_array([np.ones(S - 1)], offsets=[-1]), sp.diags_array([np.ones(S - 1)], offsets=[1])
    P = sp.csr_array(sp.vstack(step))[np.arange(2 * S).reshape(2, S).T.ravel()]
    return MDP(P=P, r=np.stack([np.zeros(S), np.arange(S) == S - 1], axis=1), mu=np.full(S, 1 / S))
