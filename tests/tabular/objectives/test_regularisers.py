"""Entropy and divergences: against the laws of all trajectories in complex numbers, and closed forms of one state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, NonTerminating, NoSupport
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.derivatives import probability_pullback
from pgtheory.tabular.objectives.regularisers import Entropy, ForwardKL, ReverseKL, state_weights, visits
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.paths import enumerate_paths
from pgtheory.tabular.scene import Fixed, Moving, Scene
from pgtheory.tabular.solve.evaluation import evaluate

LOOP = MDP(P=[[[0.5, 0.25], [0.0, 0.75]], [[0.5, 0.0], [0.25, 0.25]]], r=[[-1.0, 0.5], [0.25, 3.0]], mu=[0.75, 0.25], gamma=0.5)
SCENE = Scene.of(LOOP, Softmax.of(np.array([[0.25, 0.75], [0.6, 0.4]])), ref=Softmax.of(np.array([[0.5, 0.5], [0.1, 0.9]])))


def close(actual, expected, *, factor=1e-12):
    """Fewer than 100 roundings, condition below 20."""
    assert abs(np.asarray(actual) - expected).max() <= factor * (1 + abs(np.asarray(expected)).max())


def kernel(mdp, pi):
    P = mdp.transition.todense() if hasattr(mdp.transition, "todense") else mdp.transition
    return np.einsum("sa,sat->st", pi, np.asarray(P).reshape(mdp.S, mdp.A, mdp.S))


def textbook_visits(mdp, pi):
    K = kernel(mdp, pi)
    if mdp.horizon is None:
        return mdp.mu @ np.linalg.inv(np.eye(mdp.S) - K)
    return sum(mdp.mu @ np.linalg.matrix_power(K, t) for t in range(mdp.horizon))


def trajectory_law(paths, pi):
    """Probabilities of all trajectories, chance included."""
    return paths.chance * np.where(paths.mask, pi[paths.state, paths.action], 1.0).prod(axis=1)


def by_trajectories(objective, scene):
    """The definition on the law of the whole trajectory, as a function of the table pi."""
    paths, ref = enumerate_paths(scene.mdp), scene.policy("ref").probabilities
    q = trajectory_law(paths, ref)

    def formula(pi):
        p = trajectory_law(paths, pi)
        if isinstance(objective, Entropy):
            return -(p * np.log(p / paths.chance)).sum()
        return (p * np.log(p / q)).sum() if isinstance(objective, ReverseKL) else (q * np.log(q / p)).sum()

    return formula


def by_states(objective, scene, weights):
    """sum_s w(s) f(pi_s) with w(pi) given."""
    ref = scene.policy("ref").probabilities

    def formula(pi):
        if isinstance(objective, Entropy):
            inner = -pi * np.log(pi)
        else:
            inner = pi * np.log(pi / ref) if isinstance(objective, ReverseKL) else ref * np.log(ref / pi)
        return (weights(pi)[:, None] * inner).sum()

    return formula


@settings(max_examples=50)
@given(data=st.data())
def test_sequence_level_against_the_laws_of_trajectories(data, scenes, complex_gradient, along):
    scene = data.draw(scenes("finite", "tree"))
    objective = data.draw(st.sampled_from([Entropy(), ReverseKL(), ForwardKL()]))
    formula = by_trajectories(objective, scene)

    close(objective.value(scene), formula(scene.policy().probabilities))
    close(along(scene, objective.gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=30)
@given(data=st.data())
def test_sequence_level_without_a_limit_on_the_length(data, scenes, complex_gradient, along):
    scene = data.draw(scenes("stationary"))
    objective = data.draw(st.sampled_from([Entropy(), ReverseKL(), ForwardKL()]))
    moving = not isinstance(objective, ForwardKL)
    formula = by_states(objective, scene, lambda pi: textbook_visits(scene.mdp, pi if moving else scene.policy("ref").probabilities))

    close(objective.value(scene), formula(scene.policy().probabilities))
    close(along(scene, objective.gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=50)
@given(data=st.data())
def test_state_level(data, scenes, complex_gradient, along):
    """Weights: visits of a fixed sampler, else one for each state that can be reached."""
    scene = data.draw(scenes("stationary", "finite", "tree"))
    objective = data.draw(st.sampled_from([Entropy("state"), ReverseKL("state"), ForwardKL("state")]))
    mdp, uniform = scene.mdp, np.full((scene.mdp.S, scene.mdp.A), 1 / scene.mdp.A)
    ever = sum(mdp.mu @ np.linalg.matrix_power(kernel(mdp, uniform), t) for t in range(mdp.S)) > 0  # that visits are positive within S - 1 steps
    w = textbook_visits(mdp, scene.policy("sampler").probabilities) if "sampler" in scene.policies else ever.astype(float)
    formula = by_states(objective, scene, lambda pi: w)

    close(state_weights(scene), w)
    close(objective.value(scene), formula(scene.policy().probabilities))
    close(along(scene, objective.gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=60)
@given(data=st.data())
def test_derivatives_against_differences(data, scenes, assert_derivatives):
    scene = data.draw(scenes("stationary", "finite", "tree"))
    kind, level = data.draw(st.sampled_from([Entropy, ReverseKL, ForwardKL])), data.draw(st.sampled_from(["sequence", "state"]))
    assert_derivatives(kind(level=level), scene)


@pytest.mark.parametrize("level", ["sequence", "state"])
def test_one_state(level):
    """Softmax logits: grad H = -pi (log pi + H), grad KL(pi, ref) = pi (log(pi/ref) - KL), grad KL(ref, pi) = pi - ref, its Hessian diag pi - pi pi'."""
    pi, ref = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
    scene = Scene.of(Bandit(r=[0.0, 0.0, 0.0]), Softmax.of(pi[None]), ref=Softmax.of(ref[None]))
    H, KL = -(pi * np.log(pi)).sum(), (pi * np.log(pi / ref)).sum()

    close(Entropy(level).value(scene), H)
    close(Entropy(level).gradient(scene), -pi * (np.log(pi) + H))
    close(ReverseKL(level).value(scene), KL)
    close(ReverseKL(level).gradient(scene), pi * (np.log(pi / ref) - KL))
    close(ForwardKL(level).value(scene), (ref * np.log(ref / pi)).sum())
    close(ForwardKL(level).gradient(scene), pi - ref)
    close(ForwardKL(level).hessian(scene), np.diag(pi) - np.outer(pi, pi))


def test_at_the_reference_divergences_vanish_to_second_order_with_one_hessian():
    """KL(pi, ref) and KL(ref, pi) agree to second order: both Hessians at pi = ref are the Fisher information of the trajectory."""
    scene = Scene.of(LOOP, SCENE.policy("ref"), ref=SCENE.policy("ref"))
    for objective in (ReverseKL(), ForwardKL()):
        close(objective.value(scene), 0)
        close(objective.gradient(scene), np.zeros(4))
    close(ReverseKL().hessian(scene), ForwardKL().hessian(scene))


def test_a_reference_that_moves_with_theta_is_held_constant():
    moving = Moving(SCENE.policy())
    scene = Scene(model=LOOP, point={"theta": SCENE.policy().theta}, policies={"current": moving, "ref": moving})
    close(ReverseKL().gradient(scene), np.zeros(4))
    assert abs(ReverseKL().hessian(scene)).max() > 0.1


def test_a_sampler_that_moves_gives_uniform_weights_and_a_fixed_one_its_visits():
    on_policy = Scene.of(LOOP, SCENE.policy())
    fixed = Scene(model=LOOP, point=on_policy.point, policies={**on_policy.policies, "sampler": Fixed(SCENE.policy("ref"))})
    close(state_weights(on_policy), np.ones(2))
    close(state_weights(fixed), textbook_visits(LOOP, SCENE.policy("ref").probabilities))


def test_zero_log_zero_is_zero_and_derivatives_on_the_boundary_are_refused():
    scene = Scene.of(Bandit(r=[0.0, 0.0]), Direct(np.array([[1.0, 0.0]])), ref=Direct(np.array([[0.5, 0.5]])))
    for level in ("sequence", "state"):
        close(Entropy(level).value(scene), 0)
        close(ReverseKL(level).value(scene), np.log(2))
        for objective in (Entropy(level), ReverseKL(level)):
            with pytest.raises(InvalidPolicy, match="action 1 in state 0 probability 0"):
                objective.gradient(scene)
            with pytest.raises(InvalidPolicy, match="interior"):
                objective.hessian(scene)


def test_an_extreme_softmax_keeps_its_derivatives():
    """A probability that underflows has a finite log-probability: KL = log 2 to rounding, and no NaN."""
    scene = Scene.of(Bandit(r=[0.0, 0.0]), Softmax(np.array([[0.0, -800.0]])), ref=Direct(np.array([[0.5, 0.5]])))
    close(ReverseKL().value(scene), np.log(2))
    close(ReverseKL().gradient(scene), np.zeros(2))
    close(ForwardKL().value(scene), 400 - np.log(2))
    close(ForwardKL().gradient(scene), [0.5, -0.5])


# Planted bugs: each is caught by the comparison with the visits in complex numbers


def planted_visits_that_do_not_move(scene):
    """The gradient of a loss that sums KL_s over sampled states and forgets that they move."""
    log_ratio = scene.policy().log_probabilities - scene.policy("ref").log_probabilities
    return probability_pullback(scene.policy(), visits(LOOP, scene.policy(), "")[:, None] * log_ratio)


def planted_discount(scene):
    log_ratio = scene.policy().log_probabilities - scene.policy("ref").log_probabilities
    return Return().gradient(Scene.of(MDP(P=LOOP.P, r=log_ratio, mu=LOOP.mu, gamma=LOOP.gamma), scene.policy()))


def planted_swapped_roles(scene):
    return ForwardKL().gradient(scene)


def planted_sign(scene):
    return -ReverseKL().gradient(scene)


def planted_visits_of_the_reference(scene):
    log_ratio = scene.policy().log_probabilities - scene.policy("ref").log_probabilities
    found = evaluate(MDP(P=LOOP.P, r=log_ratio, mu=LOOP.mu), scene.policy())
    return probability_pullback(scene.policy(), visits(LOOP, scene.policy("ref"), "")[:, None] * found.Q)


@pytest.mark.parametrize(
    "bug", [planted_visits_that_do_not_move, planted_discount, planted_swapped_roles, planted_sign, planted_visits_of_the_reference]
)
def test_planted_bugs_are_seen(bug, complex_gradient):
    exact = complex_gradient(SCENE, by_states(ReverseKL(), SCENE, lambda pi: textbook_visits(LOOP, pi)))
    close(ReverseKL().gradient(SCENE), exact)
    assert abs(bug(SCENE) - exact).max() > 1e-3


def test_a_hessian_that_forgets_how_the_cost_moves_is_seen(differences):
    u, slope, error = differences(SCENE, ReverseKL().gradient)
    log_ratio = SCENE.policy().log_probabilities - SCENE.policy("ref").log_probabilities
    constant_cost = Return().hessian(Scene.of(MDP(P=LOOP.P, r=log_ratio, mu=LOOP.mu), SCENE.policy()))

    assert abs(ReverseKL().hessian(SCENE) @ u - slope).max() <= 10 * error
    assert abs(constant_cost @ u - slope).max() > 1e-2


# Bad input


def test_trajectories_that_never_end_name_the_cure():
    forever = MDP(P=[[[1.0], [1.0]]], r=[[1.0, 0.0]], mu=[1.0], gamma=0.9)
    half = Softmax(np.zeros((1, 2)))
    scene = Scene.of(forever, half, ref=half)
    for objective in (Entropy(), ReverseKL(), ForwardKL()):
        for part in (objective.value, objective.gradient, objective.hessian):
            with pytest.raises(NonTerminating, match="horizon"):
                part(scene)
    close(Entropy("state").value(scene), np.log(2))
    with pytest.raises(NonTerminating, match="without a fixed sampler"):
        Entropy("state").value(Scene.of(forever, half, sampler=half))


def test_an_infinite_divergence_names_state_and_action():
    half, sure = Direct(np.array([[0.5, 0.5]])), Direct(np.array([[1.0, 0.0]]))
    for level in ("sequence", "state"):
        with pytest.raises(NoSupport, match="the ref policy never takes action 1 in state 0"):
            ReverseKL(level).value(Scene.of(Bandit(r=[0.0, 0.0]), half, ref=sure))
        with pytest.raises(NoSupport, match="the current policy never takes action 1 in state 0"):
            ForwardKL(level).gradient(Scene.of(Bandit(r=[0.0, 0.0]), sure, ref=half))


def test_states_that_cannot_be_reached_may_lack_support():
    two = MDP(P=np.zeros((2, 2, 2)), r=np.zeros((2, 2)), mu=[1.0, 0.0])
    scene = Scene.of(two, Direct(np.full((2, 2), 0.5)), ref=Direct(np.array([[0.5, 0.5], [1.0, 0.0]])))
    for level in ("sequence", "state"):
        close(ReverseKL(level).value(scene), 0)
        close(ReverseKL(level).gradient(scene)[2:], np.zeros(2))


def test_no_reference_and_an_unknown_level():
    with pytest.raises(InvalidArgument, match="nobody plays the role `ref`"):
        ReverseKL().value(Scene.of(LOOP, SCENE.policy()))
    for kind in (Entropy, ReverseKL, ForwardKL):
        with pytest.raises(InvalidArgument, match="level is 'token'"):
            kind(level="token")
