"""Modified policy iteration: against fractions, policy iteration and its own promise of speed; where it stops, and without a compiler."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.models.classic import chain
from pgtheory.tabular.models.large import frozen_lake, queue, sparse_garnet
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve import play as play_module
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.iteration import modified
from pgtheory.tabular.solve.iteration.modified import Slow, gauss_seidel, modified_policy_iteration, needed, swept
from pgtheory.tabular.solve.iteration.policy import policy_iteration
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import COMPILED, Play

BOTH = [modified_policy_iteration, gauss_seidel]


def sparse(mdp: MDP, gamma: float | None = None) -> MDP:
    return MDP(P=sp.csr_array(mdp.transition), r=mdp.mean_reward, mu=mdp.mu, gamma=mdp.gamma if gamma is None else gamma)


@pytest.mark.parametrize("method", BOTH)
@pytest.mark.parametrize(
    "mdp", [sparse_garnet(300, seed=3), frozen_lake(18, seed=2), queue(250, gamma=0.99), sparse(chain(100))], ids=["garnet", "lake", "queue", "chain"]
)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
def test_certificate_is_as_wanted_and_true(method, mdp, tolerance):
    """The true error by LU factorisations, which have a certificate of their own."""
    play = Play.of(mdp)
    true, _, _, _ = policy_iteration(play)

    V, policy, _, _ = method(play, tolerance)

    proof = certify(play, V, policy)
    assert abs(V - true).max() - 1e-11 <= proof.bound <= tolerance


@st.composite
def models(draw):
    """Up to 3 states and 2 actions, small whole rewards: ties, copies of actions, periodic and absorbing states, states that nothing reaches; one in two ends."""
    S, A, ends = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.booleans())
    to = np.array(draw(st.lists(st.integers(0, S - 1), min_size=2 * S * A, max_size=2 * S * A))).reshape(S, A, 2)
    r = np.array(draw(st.lists(st.integers(-2, 2), min_size=S * A, max_size=S * A)), dtype=float).reshape(S, A)
    P = np.eye(S)[to].mean(axis=2)
    gamma = draw(st.sampled_from([0.0, 0.5, 0.95, 1.0] if ends else [0.0, 0.5, 0.95]))
    return MDP(P=0.75 * P if ends else P, r=r, mu=np.eye(S)[0], gamma=gamma)


@settings(max_examples=40)
@given(models())
@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
@pytest.mark.parametrize("method", BOTH)
def test_tolerance_holds_against_fractions(best, method, tolerance, mdp):
    """The error of a float against V* in rational numbers, an inequality between fractions."""
    V, policy, _, _ = method(Play.of(mdp), tolerance)
    proof = certify(Play.of(mdp), V, policy)

    error = max(abs(Fraction(float(v)) - true) for v, true in zip(V, best(mdp), strict=True))
    fixed = MDP(
        P=np.asarray(mdp.P)[np.arange(mdp.S), policy][:, None], r=mdp.mean_reward[np.arange(mdp.S), policy][:, None], mu=mdp.mu, gamma=mdp.gamma
    )
    loss = max(true - own for true, own in zip(best(mdp), best(fixed), strict=True))

    assert error <= Fraction(float(proof.bound)) <= Fraction(tolerance)
    assert loss <= Fraction(float(proof.gap))


@pytest.mark.parametrize("method", BOTH)
@pytest.mark.parametrize("form", ["compiled", "scipy"])
def test_without_a_compiler_the_answer_is_the_same(monkeypatch, method, form):
    mdp = frozen_lake(25, seed=1)
    assert mdp.transition.nnz >= COMPILED
    if form == "scipy":
        monkeypatch.setattr(play_module, "compiler", lambda: None)
    play = Play.of(mdp)
    true, best, _, _ = policy_iteration(play)

    V, policy, _, _ = method(play, 1e-10)

    assert abs(V - true).max() <= 1e-10
    assert (play.backup(true)[np.arange(mdp.S), policy] >= play.backup(true)[np.arange(mdp.S), best] - 1e-11).all()


def test_chains_that_forget_cost_dozens_of_sweeps():
    """The residual of value iteration falls by gamma = 0.999 a sweep: 20 000 sweeps. Here it falls as the chains forget their start."""
    _, _, steps, _ = modified_policy_iteration(Play.of(sparse_garnet(1000, gamma=0.999)), 1e-8)

    assert steps < 100


def test_sweep_against_the_flow_carries_a_value_along_the_whole_path():
    """States in a row that lead to the reward at the end: in either numbering one direction needs a few sweeps, and sweeps at once need one a state."""
    pytest.importorskip("numba")
    S = 3000
    mdp = sparse(chain(S, gamma=0.999))
    s = np.arange(S)
    P = sp.csr_array((np.ones(2 * S - 1), (np.r_[2 * s, 2 * s[1:] + 1], np.r_[np.minimum(s + 1, S - 1), s[1:] - 1])), shape=(2 * S, S))
    turned = MDP(P=P, r=mdp.mean_reward[::-1], mu=mdp.mu, gamma=mdp.gamma)

    for model in (mdp, turned):
        assert gauss_seidel(Play.of(model), 1e-8)[2] < 300
    np.testing.assert_allclose(gauss_seidel(Play.of(turned), 1e-8)[0][::-1], 0.999 ** (S - 1 - s), atol=1e-8)
    assert modified_policy_iteration(Play.of(sparse(chain(250, gamma=0.999))), 1e-8)[2] > 250


def test_both_directions_are_tried(monkeypatch):
    seen, honest = set(), modified.Directed
    monkeypatch.setattr(
        modified,
        "Directed",
        lambda K, gamma, b, backward, compile, relaxation: seen.add(backward) or honest(K, gamma, b, backward, compile, relaxation),
    )

    gauss_seidel(Play.of(frozen_lake(18)), 1e-8)

    assert seen == {False, True}


def test_dense_rows_need_no_sweeps_of_policies(monkeypatch):
    """A best-action step of such a model alone divides the residual by more than FALL: steps are best-action steps, a handful."""
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(300), size=(300, 3))
    play = Play.of(MDP(P=P, r=rng.random((300, 3)), mu=np.full(300, 1 / 300), gamma=0.99))
    monkeypatch.setattr(modified, "sweep_of", lambda *_: pytest.fail("a sweep"))

    assert modified_policy_iteration(play, 1e-8)[2] <= 12


def test_patience_ends_with_what_was_found():
    """A ring that hardly ever moves, gamma near 1: the contraction of the first policy says that thousands of sweeps are needed."""
    S = 300
    K = sp.diags_array([np.full(S, 0.99), np.full(S - 1, 0.01)], offsets=[0, 1]).tolil()
    K[S - 1, 0] = 0.01
    mdp = MDP(P=sp.csr_array(K), r=np.random.default_rng(0).random((S, 1)), mu=np.full(S, 1 / S), gamma=0.9999)

    with pytest.raises(Slow) as end:
        swept(Play.of(mdp), 1e-8, kinds=("shifted",), patience=300)

    assert end.value.steps < 300
    assert np.isfinite(end.value.V).all()
    assert end.value.policy.tolist() == [0] * S


@pytest.mark.parametrize("patience", [60, 100, 150])
def test_patience_counts_the_steps_so_far_and_outlasts_relaxation(patience):
    """The lake takes 179 steps. It is never much more than a hundred from the end, and at first overshoots."""
    lake = Play.of(frozen_lake(18))
    assert swept(lake, 1e-8, kinds=("forward", "backward")).steps > 170

    with pytest.raises(Slow) as end:
        swept(lake, 1e-8, kinds=("forward", "backward"), patience=patience)

    assert end.value.steps < patience + 20


@pytest.mark.parametrize("gamma", [0.95, 0.999])
def test_settled_policies_are_swept_to_the_end(monkeypatch, gamma):
    """A best-action step costs as much as a sweep for each action. With ten sweeps or so a policy, whatever the last step changed, eight are needed."""
    steps, honest = [], modified.best_actions
    monkeypatch.setattr(modified, "best_actions", lambda *parts: steps.append(1) or honest(*parts))

    modified_policy_iteration(Play.of(sparse_garnet(1000, gamma=gamma)), 1e-8)

    assert len(steps) <= 7


def test_tolerance_below_rounding_ends_at_rounding():
    """Not with an error for want of progress."""
    play = Play.of(sparse_garnet(300))

    V, policy, steps, _ = modified_policy_iteration(play, 1e-18)

    assert steps < 150
    assert certify(play, V, policy).bound <= 2.1 * play.rounding(V) / (1 - play.mdp.gamma)


def test_states_without_a_way_out_have_no_value(monkeypatch):
    """gamma = 1: a room of 256 cells and a state that stays for ever at -1 a step, outside of what is played; compiled sweeps leave it at zero."""
    monkeypatch.setattr(play_module, "COMPILED", 1)
    lake = room(16, 0.1, 1.0, 0)
    S = lake.S + 1
    P = sp.block_diag([lake.P, np.ones((4, 1))], format="csr")
    mdp = MDP(P=sp.csr_array(P), r=np.vstack([lake.mean_reward, np.full((1, 4), -1.0)]), mu=np.append(lake.mu, 0.0))

    V = gauss_seidel(Play.of(mdp), 1e-8)[0]

    assert V[S - 1] == 0
    np.testing.assert_allclose(V[:-1], gauss_seidel(Play.of(lake), 1e-8)[0], atol=2e-8)


def test_forecast_of_sweeps():
    assert needed(1e-8, 1.0, 0.1) == pytest.approx(8)
    assert needed(1.0, 0.5, 0.9) == 0
    assert needed(1e-8, 1.0, 1.0) == np.inf


@pytest.mark.parametrize("method", BOTH)
def test_return_without_bound_is_an_error_with_the_last_value(method):
    """gamma = 1 and a loop that pays: V grows for ever."""
    with pytest.raises(NotConverged, match="came to a stop at the proven bound inf") as caught:
        method(Play.of(MDP(P=[[[1.0], [0.0]]], r=[[1.0, 0.0]], mu=[1.0])))

    assert caught.value.bound == np.inf
    assert caught.value.best[0] > 100


@pytest.mark.parametrize(("gain", "taken"), [(2e-5, 0), (3e-5, 1)])
def test_action_counts_as_a_tie_up_to_a_quarter_of_the_tolerance(gain, taken):
    """One state for ever, gamma = 0.9: a loss of 2.5e-5 a step costs 2.5e-4, a quarter of 1e-3. A larger one is not given away for a lower number."""
    mdp = MDP(P=np.ones((1, 2, 1)), r=[[1.0, 1.0 + gain]], mu=[1.0], gamma=0.9)

    assert modified_policy_iteration(Play.of(mdp), 1e-3)[1].tolist() == [taken]


def test_relaxation_saves_sweeps_on_a_grid(monkeypatch):
    lake = frozen_lake(25, seed=1)
    relaxed = gauss_seidel(Play.of(lake), 1e-10)
    monkeypatch.setattr(modified, "RELAXATION", 1.0)
    plain = gauss_seidel(Play.of(lake), 1e-10)

    assert relaxed[2] < 0.8 * plain[2]
    np.testing.assert_allclose(relaxed[0], plain[0], atol=2e-10)


@pytest.mark.parametrize("relaxation", [1.3, 1.9])
def test_relaxation_that_diverges_is_given_up(monkeypatch, relaxation):
    """On a ring the eigenvalues of K lie all around the unit circle, and overshooting makes a sweep expand."""
    monkeypatch.setattr(modified, "RELAXATION", relaxation)
    S, seen, honest = 300, [], modified.Directed
    K = sp.csr_array((np.ones(S), (np.arange(S), (np.arange(S) + 7) % S)), shape=(S, S))
    mdp = MDP(P=K, r=np.random.default_rng(0).random((S, 1)), mu=np.full(S, 1 / S), gamma=0.99)

    class Watched(honest):
        def __call__(self, V):
            seen.append(self.relaxation)
            return super().__call__(V)

    monkeypatch.setattr(modified, "Directed", Watched)

    V, _, _, _ = gauss_seidel(Play.of(mdp), 1e-8)

    np.testing.assert_allclose(V, np.linalg.solve(np.eye(S) - 0.99 * K.toarray(), mdp.mean_reward[:, 0]), atol=1e-8)
    assert seen[0] == relaxation and seen[-1] == 1.0
    assert seen.count(relaxation) < 10  # it is seen by the residual, not when the sweeps of a policy are over


def room(n: int, slip: float, gamma: float, goal: int) -> MDP:
    """An empty square of n x n cells; the four moves go astray with probability `slip`, each step costs 1, and the goal ends the episode."""
    s, S = np.arange(n * n), n * n
    to = np.stack([np.maximum(s - n, s % n), np.minimum(s + n, S - n + s % n), s - (s % n > 0), s + (s % n < n - 1)])
    rows, P = 4 * s, sp.csr_array((4 * S, S))
    for a in range(4):
        for b in range(4):
            P = P + sp.csr_array((np.full(S, (1 - slip) * (a == b) + slip / 4), (rows + a, to[b])), shape=(4 * S, S))
    P = sp.csr_array(sp.diags_array(np.repeat(s != goal, 4).astype(float)) @ P)
    P.eliminate_zeros()
    return MDP(P=P, r=-np.repeat(s != goal, 4).reshape(S, 4).astype(float), mu=(s == S // 3).astype(float), gamma=gamma)


ROOMS = [
    (30, 0.1, 0.9999, 0),
    (30, 0.1, 0.9999, 899),
    (30, 0.1, 1.0, 0),
    (30, 0.1, 1.0, 465),
    (30, 0.02, 0.99, 0),
    (30, 0.0, 0.99, 465),
    (30, 0.0, 1.0, 0),
    (30, 0.0, 1.0, 465),
    (60, 0.1, 0.9999, 3599),
]


@pytest.mark.parametrize(("n", "slip", "gamma", "goal"), ROOMS)
@pytest.mark.parametrize("method", [None, "gauss-seidel"])
def test_sweeps_with_the_flow_do_no_harm(method, n, slip, gamma, goal):
    """Along a path of n states that is swept with the flow, overshooting multiplies an error by up to 1.3^n in one sweep: it must be undone, not swept away.

    Nor may a policy on the way to the best one, which hardly ever ends, count as proof that sweeps are slow. Without slips the value is known by the distance.
    The bound is ten digits of the largest value, or the rounding of a backup times the longest way; a dozen sweeps for each cell of an edge are plenty.
    """
    mdp = room(n, slip, gamma, goal)

    found = optimal(mdp, method=method)

    farthest = abs(found.V).max()
    assert found.bound <= 1e-9 * farthest + 4 * Play.of(mdp).rounding(found.V) * (farthest if gamma == 1 else 1 / (1 - gamma))
    assert found.steps < 12 * n
    if slip == 0:
        x, y = np.arange(n * n) % n - goal % n, np.arange(n * n) // n - goal // n
        steps = abs(x) + abs(y)
        np.testing.assert_allclose(found.V, -steps if gamma == 1 else -(1 - gamma**steps) / (1 - gamma), atol=found.bound)


@pytest.mark.parametrize("goal", [0, 5050])
def test_large_room_without_a_discount_is_proven_to_eight_digits_behind_the_point(goal):
    """10 000 cells, V to -218. Policies improve cell by cell (policy iteration took 50 evaluations and stopped at 2e-7); the value of the policy by another solver."""
    mdp = room(100, 0.1, 1.0, goal)

    found = optimal(mdp, tolerance=1e-8)

    own = evaluate(mdp, found.as_policy(), method="sparse-lu")
    assert found.method == "gauss-seidel" and found.steps < 500
    assert -found.bound - own.bound <= (found.V - own.V).min() <= (found.V - own.V).max() <= found.bound + found.gap + own.bound <= 1e-7


@pytest.mark.parametrize("method", BOTH)
def test_loop_without_cost_does_not_keep_a_value_that_is_too_good(method):
    """gamma = 1: state 0 stays for nothing or ends for -1, state 1 goes there. V = T V for every V(0) >= -1; only -1 is that of a policy that ends."""
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[1, :, 0] = 1
    mdp = MDP(P=P, r=[[0.0, -1.0], [-1.0, -1.0]], mu=[0.5, 0.5])

    V, policy, _, _ = method(Play.of(mdp))

    assert V.tolist() == [-1.0, -2.0]
    assert policy[0] == 1
    assert certify(Play.of(mdp), V, policy).bound == np.inf  # staying is as good as the best, and runs for ever


@pytest.mark.parametrize("goal", [0, 465])
def test_room_without_a_compiler_and_without_a_discount_is_solved(monkeypatch, goal):
    """Best actions all at once may leave a policy that hardly ever ends; then the first policy, by likelihood, serves."""
    mdp = room(30, 0.1, 1.0, goal)
    expected = optimal(mdp)
    monkeypatch.setattr(play_module, "compiler", lambda: None)

    found = optimal(mdp)

    assert abs(found.V - expected.V).max() <= found.bound + expected.bound <= 1e-7
    assert Play.of(mdp).chain(Play.of(mdp).first).length.max() < 100
