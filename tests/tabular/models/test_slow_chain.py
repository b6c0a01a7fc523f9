"""The slow chain: what its actions are worth before and after the stages below are learned."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidModel
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.models.slow_chain import slow_chain
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.optimal import optimal

H, COPIES, GAMMA = 5, 3, 0.93
ADJOINT, PRIMARY = 2 * COPIES + np.arange(H - 1), 2 * COPIES + H - 1 + np.arange(H - 2)


def learned_up_to(stage):
    """Q where the stages up to this one take action 1, adjoint and primary states alike, and those above action 0."""
    action = np.zeros(2 * COPIES + 2 * H - 3, dtype=int)
    action[: 2 * COPIES] = np.repeat([stage >= 1, stage >= 2], COPIES)
    action[ADJOINT] = np.arange(1, H) <= stage
    action[PRIMARY] = np.arange(3, H + 1) <= stage
    return evaluate(slow_chain(H, COPIES, GAMMA), Direct(np.eye(3)[action])).Q


def test_going_on_is_worth_a_power_of_gamma():
    """V* is gamma^(2s) in primary s and in the buffers, gamma^(2s+1) in adjoint s, as counted by hand: two steps a stage, one from adjoint to primary."""
    found = optimal(slow_chain(H, COPIES, GAMMA))

    np.testing.assert_allclose(found.V[PRIMARY], GAMMA ** (2.0 * np.arange(3, H + 1)), rtol=1e-12)
    np.testing.assert_allclose(found.V[ADJOINT], GAMMA ** (2.0 * np.arange(1, H) + 1), rtol=1e-12)
    np.testing.assert_allclose(found.V[: 2 * COPIES], np.repeat(GAMMA ** np.array([2.0, 4.0]), COPIES), rtol=1e-12)


@pytest.mark.parametrize("s", range(3, H + 1))
def test_order_of_actions_turns_twice(s):
    """Primary s: going on is worst before stage s-1 is learned and best after; the two others tie until stage s-2 is learned, then 2 is better."""
    here = PRIMARY[s - 3]
    before, between, after = (learned_up_to(stage)[here] for stage in (s - 3, s - 2, s - 1))

    assert before[0] == pytest.approx(before[2], abs=1e-15)
    assert before[1] < before[2]
    assert between[1] < between[0] < between[2]
    assert after[0] < after[2] < after[1]
    assert after[2] < GAMMA ** (2 * s / 3) / 2 < after[1]


def test_first_state_is_of_each_kind_and_stage_alike():
    mu = slow_chain(H, COPIES, GAMMA).mu

    np.testing.assert_allclose(mu[ADJOINT], 1 / (2 * H - 1), rtol=1e-12)
    np.testing.assert_allclose(mu[PRIMARY], 1 / (2 * H - 1), rtol=1e-12)
    np.testing.assert_allclose(mu[:COPIES].sum(), 1 / (2 * H - 1), rtol=1e-12)


def test_discount_that_is_too_small_is_refused():
    with pytest.raises(InvalidModel, match="going on in stage 3 is not worth it"):
        slow_chain(3, 2, 0.8)
    assert problem("slow-chain/3,copies=2,gamma=0.85").S == 7
