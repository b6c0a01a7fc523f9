"""The return: against inversion in complex numbers, against the sum over all trajectories, and its bound against fractions."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.face import gradient
from pgtheory.tabular.errors import InvalidArgument, NonTerminating, NotConverged
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives import returns
from pgtheory.tabular.objectives.derivatives import probability_gradient, probability_hessian, probability_pullback
from pgtheory.tabular.objectives.functionals import PathFunctional
from pgtheory.tabular.objectives.regularisers import Entropy
from pgtheory.tabular.objectives.returns import Length, Return, ReturnAt
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.paths import enumerate_paths
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.evaluation import evaluate

LOOP = MDP(
    P=[[[0.5, 0.25], [0.0, 0.75]], [[0.5, 0.0], [0.25, 0.25]]], r=[[-1.0, 0.5], [0.25, 3.0]], mu=[0.75, 0.25], gamma=0.9
)  # fmt: skip
PI = Softmax.of(np.array([[0.25, 0.75], [0.6, 0.4]]))


def close(actual, expected, *, factor=1e-12):
    """Equality of results of well-conditioned systems: fewer than 100 roundings, condition below 20."""
    assert abs(np.asarray(actual) - expected).max() <= factor * (1 + abs(np.asarray(expected)).max())


def dense(mdp: MDP) -> np.ndarray:
    return np.asarray(mdp.transition.todense() if hasattr(mdp.transition, "todense") else mdp.transition).reshape(mdp.S, mdp.A, mdp.S)


def textbook_return(mdp: MDP, gamma: float, pi: np.ndarray) -> complex:
    """mu (sum_{t < T} (gamma P_pi)^t) r_pi, or mu (I - gamma P_pi)^-1 r_pi: no occupancy, no Q, no advantage."""
    K, r = gamma * np.einsum("sa,sat->st", pi, dense(mdp)), (pi * mdp.mean_reward).sum(axis=1)
    if mdp.horizon is None:
        return mdp.mu @ np.linalg.inv(np.eye(mdp.S) - K) @ r
    return mdp.mu @ sum(np.linalg.matrix_power(K, t) for t in range(mdp.horizon)) @ r


@settings(max_examples=60)
@given(data=st.data())
def test_value_and_gradient_against_complex_steps_through_the_inverse(data, scenes, complex_gradient, along):
    scene = data.draw(scenes("stationary", "finite", "tree"))
    objective = data.draw(st.sampled_from([Return(), ReturnAt(gamma=1.0), ReturnAt(gamma=0.25)]))
    gamma = objective.model(scene).gamma
    formula = lambda pi: textbook_return(scene.mdp, gamma, pi)

    close(objective.value(scene), formula(scene.policy().probabilities))
    close(along(scene, objective.gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=40)
@given(data=st.data())
def test_gradient_against_all_trajectories(data, scenes, along):
    """sum_k p_k R_k S_k with the scores of trajectories summed step by step from the table of scores."""
    scene = data.draw(scenes("finite", "tree"))
    paths, policy = enumerate_paths(scene.mdp), scene.policy()
    scores = (score(policy)[paths.state, paths.action] * paths.mask[..., None]).sum(axis=1)
    weights = paths.probability(policy) * paths.total(scene.mdp.gamma)

    close(Return().value(scene), weights.sum())
    close(along(scene, Return().gradient(scene)), along(scene, weights @ scores))


@settings(max_examples=40)
@given(data=st.data())
def test_derivatives_against_differences(data, scenes, assert_derivatives):
    scene = data.draw(scenes("stationary", "finite", "tree"))
    assert_derivatives(data.draw(st.sampled_from([Return(), ReturnAt(gamma=1.0), Length()])), scene)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_two_armed_bandit(p):
    """With logits (u, 0): J = p, J' = p (1-p), J'' = p (1-p) (1-2p); theta = (u, v) depends on u - v alone."""
    scene = Scene.of(Bandit(r=[1.0, 0.0]), Softmax.of(np.array([[p, 1 - p]])))
    sign = np.array([1.0, -1.0])

    close(Return().value(scene), p)
    close(Return().gradient(scene), p * (1 - p) * sign)
    close(Return().hessian(scene), p * (1 - p) * (1 - 2 * p) * np.outer(sign, sign))


def test_direct_parametrisation_has_the_gradient_d_times_Q_and_a_closed_form_on_one_state():
    """One state, staying with probability q_a: J = pi.r / (1 - gamma pi.q), a quotient that is differentiated by hand. Also on the boundary."""
    r, q, gamma = np.array([1.0, -0.5]), np.array([0.5, 0.25]), 0.8
    for pi in (np.array([0.25, 0.75]), np.array([1.0, 0.0])):
        scene = Scene.of(MDP(P=q.reshape(1, 2, 1), r=[r], mu=[1.0], gamma=gamma), Direct(pi[None]))
        bottom = 1 - gamma * pi @ q
        J = pi @ r / bottom
        close(Return().gradient(scene), (r + gamma * J * q) / bottom)
        slope = (r + gamma * J * q) / bottom
        close(Return().hessian(scene), gamma * (np.outer(q, slope) + np.outer(slope, q)) / bottom)


def test_a_policy_that_repeats_itself_has_the_derivatives_of_the_model_with_time():
    """The same number through a model of T*S states and a lift that ties parameters."""
    scene = Scene.of(MDP(P=LOOP.P, r=LOOP.r, mu=LOOP.mu, gamma=0.9, horizon=3), PI)
    larger = with_time(scene.mdp)
    lifted = Scene.of(larger.model, larger.lift(PI))

    close(Return().gradient(lifted), Return().gradient(scene))
    close(Return().hessian(lifted), Return().hessian(scene))


def test_length_is_the_expected_number_of_steps():
    """A geometric number of steps with mean 1 / (1 - q); and the enumerated mean of the lengths."""
    stay = MDP(P=[[[0.75], [0.75]]], r=[[3.0, 1.0]], mu=[1.0], gamma=0.5)
    close(Length().value(Scene.of(stay, Softmax.of(np.array([[0.5, 0.5]])))), 4.0)
    scene = Scene.of(MDP(P=LOOP.P, r=LOOP.r, mu=LOOP.mu, horizon=3), PI)
    enumerated = PathFunctional(lambda paths: paths.length.astype(float), "E[L]")
    for part in ("value", "gradient", "hessian"):
        close(getattr(Length(), part)(scene), getattr(enumerated, part)(scene))


def test_states_that_never_end_and_cannot_be_reached_do_not_disturb():
    """With gamma = 1 state 2 runs for ever but is never entered: the derivatives are those of the model without it, and zero at its logits."""
    P = np.zeros((3, 2, 3))
    P[:2, :, :2] = LOOP.P
    P[2, :, 2] = 1
    larger = MDP(P=P, r=[*LOOP.r.tolist(), [1.0, 1.0]], mu=[*LOOP.mu, 0.0])
    scene = Scene.of(larger, Softmax(np.vstack([PI.theta, [0.0, 0.0]])))
    small = Scene.of(MDP(P=LOOP.P, r=LOOP.r, mu=LOOP.mu), PI)

    close(Return().gradient(scene), np.append(Return().gradient(small), [0, 0]))
    close(Return().hessian(scene)[:4, :4], Return().hessian(small))
    assert not Return().hessian(scene)[4:].any()


# The bound


def solved(M: list[list[Fraction]], b: list[Fraction]) -> list[Fraction]:
    """Gauss and Jordan, in fractions."""
    n = len(b)
    rows = [[*M[i], b[i]] for i in range(n)]
    for i in range(n):
        pivot = next(j for j in range(i, n) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        rows = [row if j == i else [x - row[i] * y for x, y in zip(row, rows[i], strict=True)] for j, row in enumerate(rows)]
    return [row[-1] for row in rows]


def exact_gradient(mdp: MDP, policy, slopes: np.ndarray | None = None) -> list[Fraction]:
    """sum d Q grad pi in fractions of the float64 tables: what the bound is about. `slopes` is grad pi, default the rounded table."""
    S, A, gamma = range(mdp.S), range(mdp.A), Fraction(mdp.gamma)
    to = lambda table: np.vectorize(Fraction, otypes=[object])(table)
    P, r, mu, pi, dpi = (
        to(x) for x in (dense(mdp), mdp.mean_reward, mdp.mu, policy.probabilities, probability_gradient(policy) if slopes is None else slopes)
    )
    K = [[sum(pi[s, a] * P[s, a, t] for a in A) for t in S] for s in S]
    step = lambda V: [[r[s, a] + gamma * sum(P[s, a, t] * V[t] for t in S) for a in A] for s in S]
    mean = lambda Q: [sum(pi[s, a] * Q[s][a] for a in A) for s in S]
    if mdp.horizon is None:
        M = [[Fraction(s == t) - gamma * K[s][t] for t in S] for s in S]
        V = solved(M, mean([[r[s, a] for a in A] for s in S]))
        terms = [(solved([list(column) for column in zip(*M, strict=True)], list(mu)), step(V))]
    else:
        V, Qs = [Fraction(0)] * mdp.S, []
        for _ in range(mdp.horizon):
            Qs.insert(0, step(V))
            V = mean(Qs[0])
        d, terms = list(mu), []
        for Q in Qs:
            terms.append((d, Q))
            d = [gamma * sum(d[s] * K[s][t] for s in S) for t in S]
    return [sum(d[s] * Q[s][a] * dpi[s, a, i] for d, Q in terms for s in S for a in A) for i in range(dpi.shape[2])]


@settings(max_examples=40)
@given(data=st.data())
def test_the_bound_of_the_gradient_holds_in_fractions_and_is_tight_enough_to_be_useful(data, scenes):
    """Below 2^-53 times 10^5 times the size: condition at most 100 here, some 100 roundings, and the slack of a proof."""
    scene = data.draw(scenes("stationary", "finite"))
    gradient, bound = Return().gradient_with_bound(scene)
    exact = exact_gradient(scene.mdp, scene.policy())

    assert max(abs(Fraction(g) - x) for g, x in zip(gradient, exact, strict=True)) <= Fraction(bound)
    assert bound <= 1e-10
    close(gradient, Return().gradient(scene))


def test_the_bound_grows_with_the_condition_and_still_holds():
    """An episode of mean length 10^4: the bound says that digits are lost, and it is right."""
    slow = MDP(P=[[[1 - 2.0**-13], [1 - 2.0**-14]]], r=[[1.0, 1.5]], mu=[1.0])
    scene = Scene.of(slow, Softmax(np.zeros((1, 2))))
    gradient, bound = Return().gradient_with_bound(scene)
    error = max(abs(Fraction(g) - x) for g, x in zip(gradient, exact_gradient(slow, scene.policy()), strict=True))

    assert 0 < error <= Fraction(bound)
    assert bound < 1e-2 * abs(gradient).max()


SLOW = MDP(P=[[[0.9], [0.7]]], r=[[1.0, -1.0]], mu=[1.0])


@pytest.mark.parametrize("size", [1e-9, 1e-3])
@pytest.mark.parametrize("wrong", ["V", "d", "both"])
@pytest.mark.parametrize(("mdp", "policy"), [(LOOP, PI), (SLOW, Softmax(np.zeros((1, 2))))], ids=["loop", "slow"])
def test_the_bound_covers_solves_that_went_wrong(monkeypatch, mdp, policy, wrong, size):
    """V, d or both are disturbed, far beyond rounding, at ten seeds. d is stretched, which leaves the smallest residual for its error: without the norm of
    the inverse the bound fails on SLOW. From above it stays below 2000 times the disturbance: two conditions below 10 each, and Q below 20."""

    honest, exact = Chain.find, exact_gradient(mdp, policy)
    for seed in range(10):

        def find(chain, b, *, transposed=False, aim=None, rng=np.random.default_rng(seed)):  # noqa: B008
            x = honest(chain, b, transposed=transposed, aim=aim).x
            if wrong in ("both", "d" if transposed else "V"):
                x = x * (1 + size) if transposed else x + size * rng.uniform(-1, 1, size=len(x))
            return chain.judged(x, b, transposed, "planted", 1)

        monkeypatch.setattr(Chain, "find", find)
        gradient, bound = returns.return_gradient_with_bound(mdp, policy)

        assert max(abs(Fraction(g) - x) for g, x in zip(gradient, exact, strict=True)) <= Fraction(bound)
        assert bound <= 2000 * size


@pytest.mark.parametrize(
    "policy",
    [
        Softmax(np.array([[0.0, 40.0], [30.0, -3.0]])),
        Direct(np.array([[0.25, 0.75], [1.0, 0.0]])),
        LogLinear(np.array([0.5, -1.0]), np.array([[[1.0, 2.0], [1e3, 1e3]], [[0.5, 0.0], [0.0, 7.0]]])),
    ],
    ids=["nearly-deterministic", "direct", "log-linear"],
)
@pytest.mark.parametrize("horizon", [None, 4])
def test_the_bound_holds_for_every_family(policy, horizon):
    """Against fractions of pi, theta's features and the model; cancellation in 1 - pi and in features of 1000 is part of the error that is bounded."""
    mdp = replace(LOOP, horizon=horizon)
    gradient, bound = returns.return_gradient_with_bound(mdp, policy)
    pi = np.vectorize(Fraction, otypes=[object])(policy.probabilities)
    if isinstance(policy, Direct):
        slopes = np.eye(4).reshape(2, 2, 4)
    else:
        features = policy.features if isinstance(policy, LogLinear) else np.eye(4).reshape(2, 2, 4)
        f = np.vectorize(Fraction, otypes=[object])(features)
        slopes = pi[..., None] * (f - (pi[..., None] * f).sum(axis=1, keepdims=True))

    assert max(abs(Fraction(float(g)) - x) for g, x in zip(gradient, exact_gradient(mdp, policy, slopes), strict=True)) <= Fraction(bound)
    assert bound <= 1e-9


def test_a_tolerance_is_proven_or_refused():
    policy = Softmax(np.random.default_rng(0).standard_normal((1000, 4)))
    mdp = sparse_garnet(1000)
    loose, accurate = (returns.return_gradient_with_bound(mdp, policy, tolerance=tolerance) for tolerance in (1e-8, 4e-12))

    assert loose[1] <= 1e-8 and accurate[1] <= 4e-12 < loose[1]  # the second was evaluated again
    assert abs(loose[0] - accurate[0]).max() <= loose[1] + accurate[1]
    with pytest.raises(NotConverged, match="Give a larger tolerance") as caught:
        returns.return_gradient_with_bound(mdp, policy, tolerance=1e-20)
    assert abs(caught.value.best - accurate[0]).max() <= caught.value.bound + accurate[1]


def test_the_face_proves_a_tolerance_of_returns_only():
    mdp, policy = sparse_garnet(400), Softmax(np.zeros((400, 4)))

    found = gradient(mdp, policy, method="krylov", tolerance=1e-9)

    assert found.shape == (400, 4)
    assert abs(found - gradient(mdp, policy, method="sparse-lu")).max() <= 2e-9
    with pytest.raises(InvalidArgument, match="method is 'simplex', expected None or one of dense"):
        gradient(mdp, policy, method="simplex")
    with pytest.raises(InvalidArgument, match="are for returns"):
        gradient(Bandit(r=[1.0, 0.0]), Softmax(np.zeros((1, 2))), objective=Entropy(), tolerance=1e-3)


def test_a_gradient_that_is_wrong_by_one_part_in_10_8_is_outside_the_bound():
    scene = Scene.of(LOOP, PI)
    gradient, bound = Return().gradient_with_bound(scene)
    wrong = exact_gradient(MDP(P=LOOP.P, r=LOOP.r, mu=LOOP.mu, gamma=0.9 + 1e-8), PI)

    assert max(abs(Fraction(g) - x) for g, x in zip(gradient, wrong, strict=True)) > 100 * Fraction(bound)


# Planted bugs: each is caught by the comparison with the inverse in complex numbers


def planted_undiscounted_occupancy(scene):
    found, plain = evaluate(scene.mdp, scene.policy()), evaluate(ReturnAt(gamma=1.0).model(scene), scene.policy())
    return probability_pullback(scene.policy(), plain.occupancy[:, None] * found.Q)


def planted_normalised_occupancy(scene):
    return (1 - scene.mdp.gamma) * Return().gradient(scene)


def planted_undiscounted_Q(scene):
    found, plain = evaluate(scene.mdp, scene.policy()), evaluate(ReturnAt(gamma=1.0).model(scene), scene.policy())
    return probability_pullback(scene.policy(), found.occupancy[:, None] * plain.Q)


def planted_occupancy_of_the_reversed_chain(scene):
    K = scene.mdp.kernel(scene.policy().probabilities)
    d = np.linalg.solve(np.eye(scene.mdp.S) - scene.mdp.gamma * K, scene.mdp.mu)
    return probability_pullback(scene.policy(), d[:, None] * evaluate(scene.mdp, scene.policy()).Q)


def planted_reward_in_place_of_Q(scene):
    return probability_pullback(scene.policy(), evaluate(scene.mdp, scene.policy()).occupancy[:, None] * scene.mdp.mean_reward)


@pytest.mark.parametrize(
    "bug",
    [
        planted_undiscounted_occupancy,
        planted_normalised_occupancy,
        planted_undiscounted_Q,
        planted_occupancy_of_the_reversed_chain,
        planted_reward_in_place_of_Q,
    ],
)
def test_planted_bugs_in_the_gradient_are_seen(bug, complex_gradient):
    scene = Scene.of(LOOP, PI)
    exact = complex_gradient(scene, lambda pi: textbook_return(LOOP, 0.9, pi))

    close(Return().gradient(scene), exact)
    assert abs(bug(scene) - exact).max() > 1e-3


def test_a_hessian_that_forgets_how_the_future_moves_is_seen(differences):
    scene = Scene.of(LOOP, PI)
    u, slope, error = differences(scene, Return().gradient)
    hessian = Return().hessian(scene)
    found = evaluate(LOOP, PI)
    without_cross = probability_hessian(PI, found.occupancy[:, None] * found.Q)

    assert abs(hessian @ u - slope).max() <= 10 * error
    assert abs(without_cross @ u - slope).max() > 1e-3


# Bad input


def test_an_undiscounted_return_that_does_not_exist():
    forever = MDP(P=[[[1.0], [1.0]]], r=[[1.0, 0.0]], mu=[1.0], gamma=0.9)
    with pytest.raises(NonTerminating, match="state 0"):
        ReturnAt(gamma=1.0).gradient(Scene.of(forever, Softmax(np.zeros((1, 2)))))


def test_a_discount_outside_the_unit_interval():
    with pytest.raises(InvalidArgument, match=r"gamma is 1\.5"):
        ReturnAt(gamma=1.5)
