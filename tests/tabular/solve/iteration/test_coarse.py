"""The start in single precision: near the optimum up to a constant, and no word in the answer that is proven."""

from dataclasses import replace

import numpy as np
import pytest

from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.solve.iteration import choice
from pgtheory.tabular.solve.iteration.coarse import FALL, coarse, coarse_start
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import Play
from pgtheory.tabular.solve.rows import Rows


@pytest.mark.parametrize("seed", range(4))
def test_start_is_the_optimum(seed):
    """Differences of values are at most 1 / (1 - 0.6) of those of residuals in these chains; one stage leaves what float32 cannot hold."""
    model = sparse_garnet(S=300, seed=seed)
    play, exact = Play.of(model), optimal(model, method="policy-iteration").V
    rows = Rows.of(play.transition, model.mean_reward, model.gamma, np.float32)

    V, steps = coarse_start(play, None)
    rough, early = coarse(rows, model.mean_reward, model.gamma, 0.0, FALL)

    assert np.ptp(V - exact) <= 4 * 1e-10 * abs(exact).max() * (1 - model.gamma)
    assert abs(V - exact).max() <= 1e-10 * abs(exact).max()
    assert 1e-9 * np.ptp(exact) < np.ptp(rough - exact) <= 4 * 64 * 2.0**-24 * np.ptp(exact)
    assert 5 < early < steps < 200


def test_second_stage_continues_the_first():
    """Not a second solution from scratch: the value of the first stage is what it starts from."""
    play = Play.of(sparse_garnet(S=300))

    whole, rough = coarse_start(play, 1e-8)[1], coarse_start(play, 1e-3)[1]

    assert rough < whole < 2 * rough + 20


def test_rewards_far_from_zero_cost_no_digits():
    model = sparse_garnet(S=300)
    lifted = replace(model, r=model.mean_reward + 1e4)

    near, far = coarse_start(Play.of(model), 1e-8)[0], coarse_start(Play.of(lifted), 1e-8)[0]

    assert np.ptp(far - near) <= 1e-9 + 1e6 * 2.0**-50
    assert abs(far - near - 1e4 / (1 - model.gamma)).max() <= 1e-8 + 1e6 * 2.0**-50


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
    monkeypatch.setattr(choice, "coarse_start", lambda *_: pytest.fail("called"))

    assert optimal(sparse_garnet(S=600, seed=2), tolerance=1e-8).bound <= 1e-8
