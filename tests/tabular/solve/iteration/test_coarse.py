"""The start in single precision: near the optimum up to a constant, and no word in the answer that is proven."""

import numpy as np
import pytest

from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.solve.iteration import choice
from pgtheory.tabular.solve.iteration.coarse import coarse_start
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import Play


@pytest.mark.parametrize("seed", range(4))
def test_start_is_the_optimum_up_to_a_constant_in_single_precision(seed):
    model = sparse_garnet(S=300, seed=seed)
    exact = optimal(model, method="policy-iteration").V

    V, steps = coarse_start(Play.of(model))

    off = V - exact
    # the residual is below 64 units of single precision, and differences of values are at most 1 / (1 - 0.6) of those of residuals in these chains
    assert np.ptp(off) <= 4 * 64 * 2.0**-24 * np.ptp(exact)
    assert 5 < steps < 200


@pytest.mark.parametrize("tolerance", [1e-6, 1e-9])
def test_answer_with_a_coarse_start_is_proven_like_any_other(monkeypatch, tolerance):
    model = sparse_garnet(S=600, seed=2)
    plain = optimal(model, tolerance=tolerance)
    monkeypatch.setattr(choice, "LARGE", 1)

    found = optimal(model, tolerance=tolerance)

    assert found.method == plain.method == "modified-policy-iteration"
    assert found.bound <= tolerance
    assert abs(found.V - optimal(model, method="policy-iteration").V).max() <= found.bound
    np.testing.assert_array_equal(found.V, optimal(model, tolerance=tolerance).V)


def test_without_a_compiler_there_is_no_coarse_start(monkeypatch):
    monkeypatch.setattr(choice, "LARGE", 1)
    monkeypatch.setattr(choice, "compiler", lambda: None)
    monkeypatch.setattr(choice, "coarse_start", lambda play: pytest.fail("called"))

    assert optimal(sparse_garnet(S=600, seed=2), tolerance=1e-8).bound <= 1e-8
