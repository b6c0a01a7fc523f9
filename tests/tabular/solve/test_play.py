"""What the methods ask of a model: its backups and their rounding, the chain of a policy and its value."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve import play as module
from pgtheory.tabular.solve.bands import Bands
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.linear.dense import Dense
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import SMALL, Play, Unbounded


def in_fractions(mdp: MDP, V: np.ndarray) -> list[list[Fraction]]:
    """Q - V of the floats as they are; the mean of a reward from its parts."""
    P = mdp.transition.toarray() if sp.issparse(mdp.transition) else mdp.transition
    exact = np.vectorize(Fraction, otypes=[object])
    P, U, r = exact(P).reshape(mdp.S, mdp.A, mdp.S), exact(V), exact(np.asarray(mdp.r))
    if r.ndim == 3:
        r = (P * r).sum(axis=2) + (1 - P.sum(axis=2)) * exact(mdp.r_end)
    return (r + Fraction(mdp.gamma) * (P * U).sum(axis=2) - U[:, None]).tolist()


def models():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 10, 40):
        for _ in range(5):
            p = rng.dirichlet(np.ones(n), size=(n, 2)) * rng.choice([1.0, 0.7])
            yield MDP(P=p, r=rng.standard_normal((n, 2)), mu=np.eye(n)[0], gamma=rng.random()), rng.standard_normal(n)
        # All terms alike: their roundings point one way.
        v, p = 1 + rng.random(), rng.random() / n
        yield MDP(P=np.full((n, 1, n), p), r=np.zeros((n, 1)), mu=np.eye(n)[0], gamma=1 - 2.0**-20), np.full(n, v)
        yield MDP(P=np.full((n, 1, n), p), r=np.full((n, 1, n), v), r_end=np.full((n, 1), v), mu=np.eye(n)[0], gamma=0.5), np.full(n, v)


def test_rounding_covers_the_error_of_every_backup_and_not_much_more():
    """Against fractions; the largest error seen is a tenth of the bound or more, so that no factor stands there for nothing."""
    shares = []
    for mdp, V in models():
        for play in (Play.of(mdp), Play.of(MDP(P=sp.csr_array(mdp.transition), r=mdp.mean_reward, mu=mdp.mu, gamma=mdp.gamma))):
            found, exact = play.backup(V) - V[:, None], in_fractions(play.mdp, V)
            error = max(abs(Fraction(float(x)) - y) for x, y in zip(found.ravel(), np.ravel(exact), strict=True))
            shares.append(float(error / Fraction(play.rounding(V))))
    assert 0.1 <= max(shares) <= 1


def test_rounding_covers_backups_by_diagonals():
    rng, S = np.random.default_rng(1), SMALL + 1
    P = np.zeros((S, 1, S))
    for o in (-1, 0, 1):
        P[np.arange(max(-o, 0), S - max(o, 0)), 0, np.arange(max(o, 0), S + min(o, 0))] = rng.random(S - abs(o)) / 3
    play, V = Play.of(MDP(P=sp.csr_array(P[:, 0]), r=rng.standard_normal((S, 1)), mu=np.eye(S)[0], gamma=0.9)), 1e3 * rng.random(S)
    assert isinstance(play.bands, Bands)

    found = play.backup(V) - V[:, None]

    error = max(abs(Fraction(float(x)) - y[0]) for x, y in zip(found[:, 0], in_fractions(play.mdp, V), strict=True))
    assert 0.05 * Fraction(play.rounding(V)) <= error <= Fraction(play.rounding(V))


def test_value_and_certificate_of_one_policy_cost_one_factorisation(monkeypatch):
    """gamma = 1, where the certificate solves for lengths; another policy has a chain of its own, also where its array is the same one, changed."""
    made, honest = [], Dense.__init__
    monkeypatch.setattr(Dense, "__init__", lambda self, structure: (made.append(1), honest(self, structure))[1])
    P = np.array([[[0.0, 0.5], [0.0, 0.0]], [[0.5, 0.0], [0.0, 0.0]]])
    play, policy = Play.of(MDP(P=P, r=[[3.0, 1.0], [0.0, 0.0]], mu=[1.0, 0.0])), np.array([0, 1])

    assert play.value(policy).tolist() == [3.0, 0.0] and len(made) == 1
    policy[:] = [0, 0]
    V = play.value(policy)
    np.testing.assert_allclose(V, [4.0, 2.0], rtol=1e-15)
    assert certify(play, V, policy).gap < 1e-13 and len(made) == 2


def walk(S: int, slow: float) -> MDP:
    """A walk out at state 0, undiscounted, each step -1: towards the end with 0.7, or with `slow` at a reward that makes this as good."""
    P, s = np.zeros((S, 2, S)), np.arange(S)
    for a, down in enumerate([0.7, slow]):
        P[s[1:], a, s[:-1]] = down
        np.add.at(P, (s, a, np.minimum(s + 1, S - 1)), 1 - down)
    V = np.linalg.solve(np.eye(S) - P[:, 0], -np.ones(S))
    return MDP(P=P, r=np.stack([-np.ones(S), V - P[:, 1] @ V], axis=1), mu=np.eye(S)[0], gamma=1.0)


def test_longest_way_is_that_of_the_slow_actions():
    play, S = Play.of(walk(8, 0.3)), 8
    everything = np.ones((S, 2), dtype=bool)

    x = play.longest(np.zeros(S, dtype=int), everything)

    slow = np.linalg.solve(np.eye(S) - np.asarray(play.mdp.P)[:, 1], np.ones(S))
    np.testing.assert_allclose(x, slow, rtol=1e-9)
    assert slow.max() > 100 * play.chain(np.zeros(S, dtype=int)).length.max()


@pytest.mark.parametrize("S", [60, 100])
def test_ways_so_long_that_rounding_decides_are_no_endless_search(S):
    """The slow policy takes 1e22 steps and more: a step is below the rounding of x, and the policy that is longest by rounding changes for ever.

    The value is right all the same; what is lost is the proof, as where a policy that is as good never ends.
    """
    with pytest.raises(Unbounded):
        Play.of(walk(S, 0.3)).longest(np.ones(S, dtype=int), np.ones((S, 2), dtype=bool))

    found = optimal(walk(S, 0.3))

    assert found.bound == np.inf
    np.testing.assert_allclose(found.V, np.linalg.solve(np.eye(S) - np.asarray(walk(S, 0.3).P)[:, 0], -np.ones(S)), rtol=1e-12)


def test_search_for_the_longest_way_has_a_limit(monkeypatch):
    play, start, everything = Play.of(walk(8, 0.3)), np.zeros(8, dtype=int), np.ones((8, 2), dtype=bool)
    monkeypatch.setattr(module, "STEPS", 20)
    play.longest(start, everything)
    monkeypatch.setattr(module, "STEPS", 1)

    with pytest.raises(Unbounded):
        play.longest(start, everything)
    play.longest(np.ones(8, dtype=int), everything)  # one evaluation is enough for the longest policy itself
