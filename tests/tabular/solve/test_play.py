"""What the methods ask of a model: its backups and their rounding, the chain of a policy and its value."""

from fractions import Fraction

import numpy as np
import scipy.sparse as sp

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.bands import Bands
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.linear.dense import Dense
from pgtheory.tabular.solve.play import SMALL, Play


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
