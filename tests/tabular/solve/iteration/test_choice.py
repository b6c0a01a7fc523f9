"""The choice: by structure, by contraction, the same each time."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.models.classic import garnet
from pgtheory.tabular.models.large import frozen_lake, queue, sparse_garnet, torus
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve import rows
from pgtheory.tabular.solve.iteration import choice
from pgtheory.tabular.solve.iteration.coarse import coarse_start
from pgtheory.tabular.solve.iteration.greedy import Found
from pgtheory.tabular.solve.iteration.modified import Slow, goal_of
from pgtheory.tabular.solve.iteration.policy import ahead
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import Play


def islands(S: int, *, gamma: float, leak: float, sparse: bool) -> MDP:
    """Two islands of S / 2 states, left with probability `leak`: what is forgotten within one is not forgotten between them."""
    rng, half = np.random.default_rng(0), S // 2
    inner = rng.dirichlet(np.ones(half), size=(S, 2)) if not sparse else rng.multinomial(3, np.full(half, 1 / half), size=(S, 2)) / 3
    P = np.zeros((S, 2, S))
    P[:half, :, :half], P[half:, :, half:] = (1 - leak) * inner[:half], (1 - leak) * inner[half:]
    P[:half, :, half] += leak
    P[half:, :, 0] += leak
    r = (1 - gamma) * (rng.random((S, 2)) + (np.arange(S) < half)[:, None])
    return MDP(P=sp.csr_array(P.reshape(2 * S, S)) if sparse else P, r=r, mu=np.full(S, 1 / S), gamma=gamma)


def ring(S: int, gamma: float) -> MDP:
    """States in a circle, one of which pays: one step on, or with probability 0.1 one back; or the other way round."""
    s = np.arange(S)
    go, come = np.eye(S)[(s + 1) % S], np.eye(S)[(s - 1) % S]
    P = np.stack([0.9 * go + 0.1 * come, 0.1 * go + 0.9 * come], axis=1)
    return MDP(P=sp.csr_array(P.reshape(2 * S, S)), r=(1 - gamma) * np.repeat(s[:, None] == S // 3, 2, axis=1), mu=np.full(S, 1 / S), gamma=gamma)


def journey(S: int, gamma: float = 0.999) -> MDP:
    """A long way of S states, whose last one pays: one step on, from one in a thousand back to the start; or back to the start at once."""
    go, start = np.eye(S)[(np.arange(S) + 1) % S], np.eye(S)[np.zeros(S, dtype=int)]
    P = np.stack([0.999 * go + 0.001 * start, start], axis=1)
    return MDP(
        P=sp.csr_array(P.reshape(2 * S, S)), r=(1 - gamma) * np.repeat(np.arange(S)[:, None] == S - 1, 2, axis=1), mu=np.eye(S)[0], gamma=gamma
    )


def lazy(model: MDP, stay: float) -> MDP:
    """Most steps lead nowhere: 1 / (1 - stay) times as many are needed, and each is as dear to factorise."""
    here = sp.csr_array(np.kron(np.eye(model.S), np.ones((model.A, 1))))
    return replace(model, P=sp.csr_array(stay * here + (1 - stay) * model.P), gamma=0.9999)


def paid_steps(n: int) -> MDP:
    """The lake without discount, each step costs 1."""
    lake = frozen_lake(n)
    return MDP(P=lake.P, r=np.full((lake.S, 4), -1.0), mu=lake.mu, gamma=1.0)


CASES = {
    "small": (lambda: garnet(50), "policy-iteration"),
    "small, sparse, of few entries": (lambda: sparse_garnet(40), "policy-iteration"),
    "small, sparse, worth compiling": (lambda: sparse_garnet(150), "modified-policy-iteration"),
    "small, sparse, never forgets": (lambda: torus(14), "policy-iteration"),
    "narrow band": (lambda: queue(1500), "policy-iteration"),
    "forgets": (lambda: sparse_garnet(400), "modified-policy-iteration"),
    "forgets, dense table of few entries": (lambda: garnet(300), "modified-policy-iteration"),
    "grid": (lambda: frozen_lake(16), "gauss-seidel"),
    "no discount": (lambda: paid_steps(16), "gauss-seidel"),
    "never forgets": (lambda: torus(40), "inexact-policy-iteration"),
    "forgets slowly, dear to factorise": (lambda: lazy(sparse_garnet(400), 0.99), "inexact-policy-iteration"),
    "forgets slowly, along a line": (lambda: ring(400, 0.9999), "policy-iteration"),
    "along a line, few sweeps left": (lambda: ring(400, 0.99), "modified-policy-iteration"),
    "runs along its order": (lambda: journey(600), "gauss-seidel"),
    "dense islands": (lambda: islands(210, gamma=0.99999, leak=1e-5, sparse=False), "policy-iteration"),
    "sparse islands": (lambda: islands(210, gamma=0.99999, leak=1e-5, sparse=True), "inexact-policy-iteration"),
}


@pytest.mark.parametrize("case", CASES)
def test_method_follows_the_structure_and_the_answer_that_of_policy_iteration(case):
    """Both answers carry certificates: their values agree within them, and the policies lose nothing that could be seen."""
    build, expected = CASES[case]
    mdp = build()

    found, reference = optimal(mdp), optimal(mdp, method="policy-iteration")

    assert found.method == expected
    assert abs(found.V - reference.V).max() <= found.bound + reference.bound
    rounding = 0.0 if mdp.gamma == 1 else 8 * Play.of(mdp).rounding(found.V) / (1 - mdp.gamma)
    assert max(found.bound, found.gap) <= max(1e-9 * abs(found.V).max(), rounding)


@pytest.mark.parametrize("case", ["grid", "no discount", "sparse islands", "never forgets"])
def test_same_input_gives_the_same_bits(case):
    mdp = CASES[case][0]()
    one, two = optimal(mdp), optimal(mdp)

    assert (one.V.tobytes(), one.policy.tobytes(), one.steps) == (two.V.tobytes(), two.policy.tobytes(), two.steps)


SHIFTED, ALONG = ("shifted",), ("forward", "backward")
FEW = choice.POLICIES * (3 * choice.LINE + 2 * choice.FURTHER)
"""Sweeps that cost as much as the policies of a model with two actions, if a factorisation costs three times LINE."""


@pytest.mark.parametrize(
    ("ends", "cost", "left", "expected"),
    [
        (False, 3, FEW - 1, [(SHIFTED, choice.MIXING), (ALONG, choice.GLANCE), "inexact", (SHIFTED, 2 * (FEW - 1))]),
        (False, 3, FEW, [(SHIFTED, choice.MIXING), (ALONG, choice.GLANCE), "inexact"]),
        (False, 1, np.inf, [(SHIFTED, choice.MIXING), (ALONG, choice.GLANCE)]),
        (True, 3, 5, [(ALONG, choice.PATIENCE), "inexact", (ALONG, 10)]),
        (True, 1, np.inf, [(ALONG, choice.PATIENCE)]),
    ],
)
def test_each_method_begins_where_the_last_one_gave_up(monkeypatch, ends, cost, left, expected):
    """All give up, each with another V, after 1, 10, 100... steps: what is tried, for how long, from where; policy iteration looks ahead from the last."""
    mdp, tried, given = ring(300, 0.999), [], [np.zeros(300)]
    mdp = replace(mdp, P=sp.csr_array(0.99 * mdp.P)) if ends else mdp

    def gives_up(what, start):
        assert start is given[-1]
        tried.append(what)
        given.append(np.random.default_rng(len(tried)).random(mdp.S))
        raise Slow(given[-1], np.zeros(mdp.S, dtype=int), 10 ** (len(tried) - 1), left if len(tried) == 1 else 1e9)

    monkeypatch.setattr(choice, "swept", lambda play, tolerance, *, kinds, patience, start: gives_up((kinds, patience), start))
    monkeypatch.setattr(choice, "evaluated", lambda play, tolerance, start=None: gives_up("inexact", start))
    begun = Found(given[0], np.zeros(mdp.S, dtype=int), 1000000, np.full((mdp.S, mdp.A), np.inf))
    monkeypatch.setattr(choice, "start", lambda play, tolerance: begun)
    monkeypatch.setattr(choice, "factorisation", lambda play, policy: cost * choice.LINE)
    starts, honest = [], choice.policy_iteration
    monkeypatch.setattr(choice, "policy_iteration", lambda play, tolerance, *, start: starts.append(start) or honest(play, tolerance, start=start))

    name, found = choice.chosen(Play.of(mdp), 1e-8)

    assert (name, tried) == ("policy-iteration", expected)
    np.testing.assert_array_equal(starts[0], ahead(Play.of(mdp), given[-1], choice.FURTHER))
    evaluations = honest(Play.of(mdp), 1e-8, start=starts[0]).steps
    assert found.steps == 1000000 + int("1" * len(expected)) + choice.FURTHER + evaluations


@pytest.mark.parametrize(("gamma", "method"), [(0.5, "modified-policy-iteration"), (0.9999, "policy-iteration")])
def test_a_small_band_is_swept_first_and_its_steps_count(gamma, method):
    """Three diagonals of 190 states: sweeps in one call do while they mix within a hundred, else policy iteration goes on from their policy."""
    line = sp.csr_array(sp.diags_array([np.full(189, 0.5), np.r_[0.5, np.zeros(188), 0.5], np.full(189, 0.5)], offsets=[-1, 0, 1]))
    model = MDP(
        P=sp.csr_array(sp.kron(line, np.ones((4, 1)))),
        r=np.random.default_rng(0).random((190, 4)) * (1 - gamma),
        mu=np.full(190, 1 / 190),
        gamma=gamma,
    )
    plain = optimal(model, method="policy-iteration")

    found = optimal(model, tolerance=1e-8)

    assert found.method == method and found.bound <= 1e-8
    assert abs(found.V - plain.V).max() <= found.bound + plain.bound
    assert found.steps > (15 if gamma == 0.5 else choice.GLANCE)


def test_factorisation_of_a_circle_is_that_of_a_band_of_two():
    """Folded, neighbours on a circle are at most two apart: 3 x 4 products a state, when a sweep has 2 entries a state."""
    assert choice.factorisation(Play.of(ring(300, 0.999)), np.zeros(300, dtype=int)) == 3 * 4 / (choice.SPEED * 2)


def shuffled_walk(S: int) -> MDP:
    """A walk out at one end, its states in any order, undiscounted: likely and dear, cheap, hardly ever out (1e92 steps), never out."""
    rng, s = np.random.default_rng(0), np.arange(S)
    place, P = rng.permutation(S), np.zeros((S, 4, S))
    for a, right in enumerate([0.8, 0.7, 0.3]):
        np.add.at(P, (place[1:], a, place[:-1]), right)
        np.add.at(P, (place, a, place[np.minimum(s + 1, S - 1)]), 1 - right)
    P[s, 3, s] = 1
    return MDP(P=sp.csr_array(P.reshape(4 * S, S)), r=np.tile([-3.0, -1, -1, -1], (S, 1)), mu=np.full(S, 1 / S), gamma=1.0)


@pytest.mark.parametrize(("last", "evaluations"), [(1, 1), (2, 2), (3, 2)])
def test_slow_sweeps_without_discount_hand_on_their_policy_if_it_serves(monkeypatch, last, evaluations):
    """The best policy needs one evaluation; from one that has no value in float64, or none at all, it begins with the likely one, and needs two."""

    def slow(play, tolerance, *, kinds, patience):
        raise Slow(np.zeros(play.mdp.S), np.full(play.mdp.S, last), 7)

    monkeypatch.setattr(choice, "settled", slow)

    found = optimal(shuffled_walk(250))

    assert (found.method, found.steps) == ("policy-iteration", 7 + evaluations)
    down = [1 / 0.7]  # steps from a place to the next one, from the wall on: one, and all over again if it went back
    for _ in range(249):
        down.append((1 + 0.3 * down[-1]) / 0.7)
    np.testing.assert_allclose(found.J, -np.mean(np.cumsum(down[::-1])), rtol=1e-12)


def test_model_whose_best_return_is_infinite_is_refused_however_large():
    """gamma = 1: sweeps grow without end, are given up, and policy iteration says why."""
    lake = frozen_lake(16)
    with pytest.raises(NonTerminating, match="infinite"):
        optimal(MDP(P=lake.P, r=np.ones((lake.S, 4)), mu=lake.mu, gamma=1.0))


def test_hundred_sweeps_in_one_call_come_first(monkeypatch):
    """They are counted, and what follows only proves them; where sweeps are worth threads, or nothing is compiled, there are none."""
    model = sparse_garnet(400)
    found = optimal(model)
    monkeypatch.setattr(choice, "start", lambda play, tolerance: None)
    expected = optimal(model)
    monkeypatch.undo()
    monkeypatch.setattr(rows, "LEAST", 1)
    play = Play.of(model)

    assert found.steps == pytest.approx(expected.steps, abs=5) and found.steps > 20
    assert abs(found.V - expected.V).max() <= found.bound + expected.bound
    assert choice.start(play, None) is None
    assert choice.start(Play.of(frozen_lake(16)), None) is None


@pytest.mark.parametrize("large", [False, True])
def test_what_compiled_sweeps_reach_comes_with_its_backup(monkeypatch, large):
    monkeypatch.setattr(choice, "LARGE", 1 if large else choice.LARGE)
    play = Play.of(sparse_garnet(400))

    found = choice.start(play, 1e-8)

    assert found is not None
    np.testing.assert_allclose(found.Q, play.backup(found.V), rtol=0, atol=2 * play.rounding(found.V))
    assert large == np.array_equal(found.V, coarse_start(play, 1e-8)[0])


@pytest.mark.parametrize(("share", "sweeps"), [(0.99, 0), (1.01, 1)])
def test_what_compiled_sweeps_reach_is_the_end_where_its_residual_is_small_enough(monkeypatch, share, sweeps):
    play = Play.of(sparse_garnet(400))
    V, called = np.ones(400), []
    begun = Found(V, play.first, 7, np.repeat(V[:, None] - share * goal_of(play, V, 1e-3), play.mdp.A, axis=1))
    monkeypatch.setattr(choice, "start", lambda *_: begun)
    monkeypatch.setattr(choice, "swept", lambda *_, **__: called.append(1) or begun)

    assert choice.chosen(play, 1e-3)[1].steps == 7 * (1 + sweeps)
    assert len(called) == sweeps
