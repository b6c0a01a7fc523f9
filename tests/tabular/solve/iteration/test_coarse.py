"""The start in single precision: near the optimum up to a constant, and no word in the answer that is proven."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve import play
from pgtheory.tabular.solve.certificates import effective_horizon
from pgtheory.tabular.solve.iteration import choice
from pgtheory.tabular.solve.iteration import coarse as module
from pgtheory.tabular.solve.iteration.coarse import FALL, PATIENCE, SWEEPS, coarse, coarse_start
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
    monkeypatch.setattr(play, "compiler", lambda: None)
    monkeypatch.setattr(choice, "coarse_start", lambda *_: pytest.fail("called"))

    assert optimal(sparse_garnet(S=600, seed=2), tolerance=1e-8).bound <= 1e-8


@dataclass(frozen=True, eq=False)
class Watched(Rows):
    """Rows that remember which loops ran on which values."""

    ran: list = field(default_factory=list)

    def _step(self, loop, V, policy, *until):
        self.ran.append((loop.__name__, V.copy()))
        return super()._step(loop, V, policy, *until)


def watched(model: MDP) -> Watched:
    """The rows of a model in single precision."""
    return Watched.of(Play.of(model).transition, model.mean_reward, model.gamma, np.float32)


def lazy_garnet(stay: float, gamma: float) -> MDP:
    """A chain that mostly stays where it is; two states cost, so that the middle of the rewards is far from what is earned, and V drifts a step a sweep."""
    model = sparse_garnet(S=300, gamma=gamma)
    here, r = sp.csr_array(np.kron(np.eye(300), np.ones((model.A, 1)))), np.zeros((300, model.A))
    r[0], r[1] = -1.0, -0.5
    return replace(model, P=sp.csr_array(stay * here + (1 - stay) * model.P), r=r)


@pytest.mark.parametrize("fall", [0.1, 0.01])
def test_most_steps_are_sweeps_of_a_policy_in_single_precision_around_zero(fall):
    """All steps are counted; a policy has its sweeps until the residual has fallen, at most SWEEPS; the constant, which grows sweep by sweep, stays out of V."""
    quick, slow = watched(sparse_garnet(S=300)), watched(lazy_garnet(0.9, 0.9999))

    for rows, longest in ((quick, SWEEPS - 1), (slow, SWEEPS)):
        _, steps = coarse(rows, rows.r.astype(float), float(rows.gamma), 0.0, fall)
        names = "".join(name[0] for name, _ in rows.ran)  # b of best_rows, p of policy_rows
        assert steps == len(rows.ran)
        assert max(map(len, names.split("b"))) <= longest
        assert names.startswith("bp") and names.count("b") <= 0.25 * steps
        assert all(V.dtype == np.float32 and abs(V.mean()) <= np.ptp(V) for _, V in rows.ran)
        assert rows.entries[2].dtype == np.float32
    assert max(map(len, names.split("b"))) == SWEEPS


def test_chain_that_forgets_nothing_is_given_up():
    """A cycle, and a discount that is 1 in single precision: no residual ever shrinks."""
    S = 240
    model = MDP(P=sp.csr_array(np.roll(np.eye(S), 1, axis=1)), r=np.random.default_rng(0).random((S, 1)), mu=np.full(S, 1 / S), gamma=1 - 1e-9)

    V, steps = coarse_start(Play.of(model), 1e-6)

    assert steps <= 4 * (SWEEPS + 1)
    assert np.isfinite(V).all()


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
def test_first_stage_goes_as_far_as_the_tolerance_asks_and_no_further(monkeypatch, tolerance):
    """The span of the residual, by the backup of the model, times the effective horizon: at most the tolerance, and not a hundredth of it."""
    model, found = sparse_garnet(S=300), []
    play = Play.of(model)
    monkeypatch.setattr(module, "coarse", lambda *parts: found.append(coarse(*parts)) or found[-1])

    coarse_start(play, tolerance)

    V = found[0][0]
    span = np.ptp(play.backup(V).max(axis=1) - V) * effective_horizon(model.gamma)
    assert 0.01 * tolerance < span <= tolerance


def test_chain_that_forgets_slowly_is_given_up():
    """Some 14 000 sweeps would reach what is wanted: a ring, half of whose steps stay."""
    S, s = 400, np.arange(400)
    K = sp.csr_array((np.full(2 * S, 0.5), (np.tile(s, 2), np.concatenate([s, (s + 1) % S]))), shape=(S, S))
    model = MDP(P=K, r=np.random.default_rng(0).random((S, 1)), mu=np.full(S, 1 / S), gamma=0.9999)

    V, steps = coarse_start(Play.of(model), 1e-6)

    assert 500 <= steps <= 2 * (PATIENCE + SWEEPS + 1)
    assert np.isfinite(V).all()
