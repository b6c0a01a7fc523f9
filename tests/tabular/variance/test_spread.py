"""Variances over the next state against a loop over the entries, the end of the episode included."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.variance.spread import noise, spread


def model(sparse, seed=0):
    """Rewards of moves with noise, ends with another reward and noise."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(4), size=(3, 2))[..., :3] * (rng.random((3, 2, 3)) < 0.7)
    r, r_end, v, v_end = rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 2)), rng.random((3, 2, 3)), rng.random((3, 2))
    form = (lambda x: sp.csr_array(x.reshape(6, 3))) if sparse else (lambda x: x)
    mdp = MDP(P=form(P), r=form(r), r2=form(r**2 + v), r_end=r_end, r2_end=r_end**2 + v_end, mu=np.ones(3) / 3)
    return mdp, P, (r, v), (r_end, v_end)


@pytest.mark.parametrize("sparse", [True, False])
def test_spread_and_noise_are_sums_over_outcomes(sparse):
    mdp, P, (r, v), (r_end, v_end) = model(sparse)
    after = np.array([0.5, -2.0, 3.0])
    found, noisy = spread(Rewards(mdp), after), noise(Rewards(mdp))
    centred = found.centred.toarray() if sparse else found.centred
    for s in range(3):
        for a in range(2):
            chance = np.append(P[s, a], 1 - P[s, a].sum())
            x = np.append(r[s, a] + after, r_end[s, a])
            mean = chance @ x
            assert found.mean[s, a] == pytest.approx(mean, abs=1e-14)
            assert found.variance[s, a] == pytest.approx(chance @ (x - mean) ** 2, rel=1e-13)
            np.testing.assert_allclose(centred[2 * s + a], chance[:3] * (x - mean)[:3], rtol=0, atol=1e-14)
            assert noisy[s, a] == pytest.approx(chance @ np.append(v[s, a], v_end[s, a]), rel=1e-12)


def test_a_variance_that_is_tiny_beside_its_mean_keeps_its_digits():
    """x = 1e6 +- 1e-4: the variance 1e-8 is twenty digits below the square of the mean."""
    mdp = MDP(P=np.full((2, 1, 2), 0.5), r=np.zeros((2, 1)), mu=[1, 0])
    after = np.array([1e6 + 1e-4, 1e6 - 1e-4])
    assert spread(Rewards(mdp), after).variance[0, 0] == pytest.approx(((after[0] - after[1]) / 2) ** 2, rel=1e-12)
