"""Transitions: moments of x against sums over every transition, end and value of the reward, written out one by one."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.mdp import MDP, Outcomes

S, A, K = 4, 2, 3


def model(reward, form, thin, ending):
    """A random model: reward by "pair" or "transition", by its mean, with second moment or with outcomes; P dense or sparse; rows below one or not."""
    rng = np.random.default_rng(1)
    P = rng.dirichlet(np.ones(S), size=(S, A)) * (rng.uniform(0.3, 1, size=(S, A, 1)) if ending else 1)
    if thin:
        P *= rng.random((S, A, S)) < 0.6
    fields = {"mu": np.full(S, 1 / S)}
    if reward == "outcomes":
        fields["outcomes"] = Outcomes(values=rng.normal(size=K), chance=rng.dirichlet(np.ones(K), size=(S, A)))
    else:
        shape = (S, A) if form == "pair" else (S, A, S)
        fields["r"] = rng.normal(size=shape)
        if form == "transition" and ending:
            fields["r_end"] = rng.normal(size=(S, A))
        if reward == "noisy":
            fields["r2"] = fields["r"] ** 2 + rng.random(shape)
            if "r_end" in fields:
                fields["r2_end"] = fields["r_end"] ** 2 + rng.random((S, A))
    if thin:
        for name in ("r", "r2"):
            if np.ndim(fields.get(name)) == 3:
                fields[name] = sp.csr_array(fields[name].reshape(S * A, S))
        P = sp.csr_array(P.reshape(S * A, S))
    return MDP(P=P, **fields)


def outcomes(mdp):
    """(s, a, next state or -1, probability, value of the reward): a noisy reward as two values around its mean."""
    dense = lambda table: np.asarray(table.toarray() if sp.issparse(table) else table)
    P = dense(mdp.P).reshape(S, A, S)
    for s in range(S):
        for a in range(A):
            for following in (*range(S), -1):
                chance = P[s, a, following] if following >= 0 else 1 - P[s, a].sum()
                if mdp.outcomes is not None:
                    for k in range(K):
                        yield s, a, following, chance * mdp.outcomes.chance[s, a, k], mdp.outcomes.values[k]
                    continue
                pick = lambda pair, end, s=s, a=a, following=following: (
                    dense(pair)[s, a]
                    if mdp.by_pair
                    else (0 if end is None else end[s, a])
                    if following < 0
                    else dense(pair).reshape(S, A, S)[s, a, following]
                )
                mean = pick(mdp.r, mdp.r_end)
                second = (
                    mean**2 if mdp.r2 is None else pick(mdp.r2, mdp.r2_end if mdp.r2_end is not None else None if mdp.r_end is None else mdp.r_end**2)
                )
                spread = np.sqrt(max(second - mean**2, 0))
                yield s, a, following, chance / 2, mean + spread
                yield s, a, following, chance / 2, mean - spread


CASES = [
    (reward, form, thin, ending)
    for reward, form in [("mean", "pair"), ("mean", "transition"), ("noisy", "pair"), ("noisy", "transition"), ("outcomes", "pair")]
    for thin in (False, True)
    for ending in (False, True)
    if not (thin and not ending)  # dropping entries makes rows that end
]


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize(("reward", "form", "thin", "ending"), CASES)
def test_moments_are_sums_over_transitions_ends_and_values(reward, form, thin, ending, values):
    """First and second moment of r + 0.9 after - before, by transition and by pair; without values, of the reward."""
    mdp, rng = model(reward, form, thin, ending), np.random.default_rng(2)
    after, before = (rng.normal(size=S), rng.normal(size=S)) if values else (np.zeros(S), np.zeros(S))
    found = Rewards(mdp).transitions(after, before, 0.9) if values else Rewards(mdp).transitions()
    kernel, table = np.zeros((2, S * A, S)), np.zeros((2, S, A))
    for s, a, following, chance, r in outcomes(mdp):
        x = r - before[s] + (0.9 * after[following] if following >= 0 else 0)
        for i in (0, 1):
            table[i, s, a] += chance * x ** (i + 1)
            if following >= 0:
                kernel[i, s * A + a, following] += chance * x ** (i + 1)
    dense = lambda matrix: matrix.toarray() if sp.issparse(matrix) else matrix
    np.testing.assert_allclose(dense(found.first), kernel[0], atol=1e-14)
    np.testing.assert_allclose(dense(found.second), kernel[1], atol=1e-14)
    np.testing.assert_allclose(found.mean, table[0], atol=1e-14)
    np.testing.assert_allclose(found.square, table[1], atol=1e-14)


def test_the_end_is_a_transition_to_value_zero():
    """Without it the mean would be that of the transitions that go on: the mistake shows."""
    mdp, V = model("mean", "pair", False, True), np.full(S, 3.0)
    found = Rewards(mdp).transitions(V, V, 1.0)
    going_on = found.first.sum(axis=1).reshape(S, A)
    np.testing.assert_allclose(found.mean - going_on, mdp.ends * (mdp.r - 3), atol=1e-14)
    assert abs(found.mean - going_on).min() > 0.1


def test_sparse_and_dense_agree_and_a_thin_table_counts_as_sparse():
    """The same numbers, whichever way P and r are stored."""
    rng = np.random.default_rng(4)
    P = np.zeros((20, 2, 20))
    P[np.arange(20), :, (np.arange(20) + 1) % 20] = 0.9
    r = rng.normal(size=P.shape)
    dense = MDP(P=P, r=r, mu=np.full(20, 0.05))
    sparse = MDP(P=sp.csr_array(P.reshape(40, 20)), r=sp.csr_array((r * (P > 0)).reshape(40, 20)), mu=dense.mu)
    V = rng.normal(size=20)
    one, two = (Rewards(mdp).transitions(V, V, 0.9) for mdp in (dense, sparse))
    assert sp.issparse(one.P)
    np.testing.assert_allclose(one.mean, two.mean, atol=1e-15)
    np.testing.assert_allclose(one.square, two.square, atol=1e-15)
    np.testing.assert_allclose(one.first.toarray(), two.first.toarray(), atol=1e-15)
    assert not sp.issparse(Rewards(replace(dense, P=np.full((20, 2, 20), 0.05))).P)


def test_small_differences_of_large_values_keep_their_digits():
    """V of order 1e8 and x of order one: E[x^2] is right to the rounding of x itself, 1e8 u, not to that of V^2, 1e16 u."""
    n = np.arange(1.0, 4.0)
    mdp = MDP(P=np.full((3, 1, 3), 1 / 3), r=n[:, None], mu=np.full(3, 1 / 3))
    found = Rewards(mdp).transitions(1e8 + n, np.full(3, 1e8), 1.0)
    expected = np.array([np.mean((k + n) ** 2) for k in n])
    np.testing.assert_allclose(found.square[:, 0], expected, rtol=0, atol=1e-6)
