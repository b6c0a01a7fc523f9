"""Inexact policy iteration: its answer, how far it evaluates and looks ahead, and where it gives up."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.models.large import frozen_lake, sparse_garnet, torus
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.iteration import inexact as module
from pgtheory.tabular.solve.iteration.inexact import FALL, STALE, STEPS, evaluated, inexact_policy_iteration
from pgtheory.tabular.solve.iteration.modified import Slow
from pgtheory.tabular.solve.iteration.policy import policy_iteration
from pgtheory.tabular.solve.linear.krylov import Krylov
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import Play


def ending(S: int) -> MDP:
    """A garnet each of whose steps ends the episode with probability 1e-3."""
    model = sparse_garnet(S, gamma=0.9999)
    return replace(model, P=sp.csr_array(0.999 * model.P))


MODELS = {
    "torus": torus(25),
    "lake": frozen_lake(18, gamma=0.999),
    "ending": ending(300),
    "dense": replace(ending(60), P=ending(60).P.toarray().reshape(60, 4, 60)),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_proves_what_is_asked_and_agrees_with_linear_systems(name):
    play = Play.of(MODELS[name])

    V, policy, steps, Q = inexact_policy_iteration(play, 1e-9)

    proof = certify(play, V, policy)
    assert proof.bound <= 1e-9 and proof.gap <= 3e-9 and steps < 3000
    np.testing.assert_array_equal(Q, play.backup(V))
    np.testing.assert_allclose(V, policy_iteration(play).V, atol=1.1e-9)


class Watched(Krylov):
    """Krylov methods that remember what was asked and what came out."""

    asked: list = []

    def solve(self, b, transposed, aim):
        x, steps = super().solve(b, transposed, aim)
        self.asked.append((abs(b).max(), aim, steps))
        return x, steps


def watch(monkeypatch):
    monkeypatch.setattr(module, "Krylov", Watched)
    monkeypatch.setattr(Watched, "asked", [])
    backups, honest = [], module.best_actions
    monkeypatch.setattr(module, "best_actions", lambda *parts: backups.append(1) or honest(*parts))
    return Watched.asked, backups


def test_news_travels_while_nothing_is_evaluated(monkeypatch):
    """As many best-action steps as the last evaluation took iterations: with one a policy, each of which reaches a state further, there are many more policies."""
    asked, backups = watch(monkeypatch)
    play = Play.of(torus(41, gamma=0.999))

    found = evaluated(play, 1e-8)

    iterations = [steps for _, _, steps in asked]
    assert len(backups) == 1 + sum(iterations)
    assert found.steps == len(backups) + sum(iterations)
    assert len(asked) <= 6


def test_evaluations_end_at_a_share_of_the_residual_or_at_what_is_wanted(monkeypatch):
    """A constant that was missing is added before, so that half of the span is the size where nothing ends; the end is not evaluated beyond what is asked."""
    asked, _ = watch(monkeypatch)
    evaluated(Play.of(ending(300)), 1e-6)

    sizes, goal = [size for size, _, _ in asked], 1e-6 * (1 - 0.9999)
    assert len(asked) >= 2
    for size, aim, _ in asked:
        assert aim.steps == STEPS and aim.relative == 0
        assert aim.absolute == pytest.approx(max(FALL * size, 0.3 * goal), rel=0.1)
    assert sizes == sorted(sizes, reverse=True)


def test_start_is_where_it_starts(monkeypatch):
    play = Play.of(torus(25))
    V = evaluated(play, 1e-10).V
    asked, backups = watch(monkeypatch)

    assert evaluated(play, 1e-8, V.copy()).steps == 1
    assert (len(asked), len(backups)) == (0, 1)


def test_evaluations_that_gain_nothing_are_given_up(monkeypatch):
    """STALE in a row, and not before."""

    class Idle(Krylov):
        def solve(self, b, transposed, aim):
            return np.zeros_like(b), 1

    monkeypatch.setattr(module, "Krylov", Idle)
    play = Play.of(torus(25, gamma=0.9999))

    with pytest.raises(Slow) as end:
        evaluated(play, 1e-8)
    with pytest.raises(NotConverged, match="inexact-policy-iteration came to a stop at the proven bound .*leave the method out") as error:
        inexact_policy_iteration(play, 1e-8)

    assert end.value.steps == 2 * (STALE + 1) + 1
    true = optimal(play.mdp).V
    assert 1e-8 < abs(error.value.best - true).max() <= error.value.bound < np.inf


def test_evaluations_that_gain_nothing_now_and_then_are_borne(monkeypatch):
    """Only in a row do they count: here all but each fifth are idle, and more than STALE in all."""
    honest, seen = Krylov.solve, []

    class Lame(Krylov):
        def solve(self, b, transposed, aim):
            seen.append(1)
            return honest(self, b, transposed, aim) if len(seen) % 5 == 0 else (np.zeros_like(b), 1)

    monkeypatch.setattr(module, "Krylov", Lame)
    play = Play.of(ending(300))

    V, policy, _, _ = evaluated(play, 1e-8)

    assert len(seen) - len(seen) // 5 > STALE and certify(play, V, policy).bound <= 1e-8


@pytest.mark.parametrize("tolerance", [None, 1e-6, 1e-8])
def test_step_that_leaves_nothing_to_evaluate_is_followed_by_another(tolerance):
    """gamma = 0.005: a best-action step divides the residual by 200, and the evaluation after it has nothing to do."""
    mdp = MDP(P=np.random.default_rng(0).dirichlet(np.ones(5), size=(5, 3)), r=np.eye(5, 3), mu=np.full(5, 0.2), gamma=0.005)

    V, policy, steps, _ = inexact_policy_iteration(Play.of(mdp), tolerance)

    assert certify(Play.of(mdp), V, policy).bound <= (tolerance or 1e-9) and steps <= 5


def test_without_a_discount_policies_are_evaluated_to_the_end(monkeypatch):
    """From the value of half an evaluation waiting may seem best for ever: nothing may be evaluated in part."""
    asked, _ = watch(monkeypatch)
    lake = frozen_lake(18)
    mdp = MDP(P=lake.P, r=np.full((lake.S, 4), -1.0), mu=lake.mu, gamma=1.0)

    found, expected = (optimal(mdp, method=method) for method in ("inexact-policy-iteration", "policy-iteration"))

    assert not asked and found.method == "inexact-policy-iteration"
    np.testing.assert_array_equal(found.V, expected.V)
