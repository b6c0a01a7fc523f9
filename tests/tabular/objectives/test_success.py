"""Functions of the success probability: against sums over completions in complex numbers, and identities of P039."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.fields.group_weight import known_weights
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.derivatives import probability_pullback
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.objectives.success import ArcsinSqrt, LogLikelihood, PassAtK, PerPrompt, TruncatedLogLikelihood
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

CUBE = PerPrompt(lambda p: p**3, lambda p: 3 * p**2, lambda p: 6 * p, "cube")
PHI = {
    PassAtK(1): lambda p: p,
    PassAtK(2): lambda p: 2 * p - p**2,
    PassAtK(5): lambda p: 1 - (1 - p) ** 5,
    TruncatedLogLikelihood(1): lambda p: p - 1,
    TruncatedLogLikelihood(3): lambda p: -(1 - p) - (1 - p) ** 2 / 2 - (1 - p) ** 3 / 3,
    LogLikelihood(): np.log,
    ArcsinSqrt(): lambda p: np.arccos(1 - 2 * p),
    CUBE: lambda p: p * p * p,
}
"""Objective -> its Phi, written in another way: 2 arcsin sqrt p = arccos(1 - 2p)."""


def close(actual, expected, *, factor=1e-12):
    """Fewer than 100 roundings; Phi'' is at most 10^2 for the probabilities that occur."""
    assert abs(np.asarray(actual) - expected).max() <= factor * (1 + abs(np.asarray(expected)).max())


def by_completions(scene, phi):
    """sum_x mu(x) Phi(sum of the probabilities of the successful completions of x), completion by completion, as a function of the table pi."""
    tree = scene.model
    number = {prefix: i for i, prefix in enumerate(tree.prefixes)}

    def formula(pi):
        total = 0
        for x in range(tree.prompts):
            p = 0
            for tokens in tree.completions:
                if tree.outcome(x, tokens) == 1:
                    p += np.prod([pi[x * len(number) + number[tokens[:t]], token] for t, token in enumerate(tokens)])
            total += tree.mu[x] * phi(p)
        return total

    return formula


def arm(p: float) -> Scene:
    return Scene.of(Bandit(r=[1.0, 0.0]), Softmax.of(np.array([[p, 1 - p]])))


TWO = Scene.of(Bandit(r=[[1.0, 0.0], [0.0, 1.0]], mu=[0.25, 0.75]), Softmax.of(np.array([[0.2, 0.8], [0.3, 0.7]])))


@settings(max_examples=60)
@given(data=st.data())
def test_value_and_gradient_against_completions(data, scenes, complex_gradient, along):
    scene = data.draw(scenes("binary tree"))
    objective = data.draw(st.sampled_from(list(PHI)))
    formula = by_completions(scene, PHI[objective])

    close(objective.value(scene), formula(scene.policy().probabilities))
    close(along(scene, objective.gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=40)
@given(data=st.data())
def test_derivatives_against_differences(data, scenes, assert_derivatives):
    assert_derivatives(data.draw(st.sampled_from(list(PHI))), data.draw(scenes("binary tree")))


@pytest.mark.parametrize("p", [0.05, 0.5, 0.8])
def test_one_arm_wins(p):
    """With logits (u, 0): d/du Phi(p) = Phi' p q and the second derivative Phi'' (p q)^2 + Phi' p q (q - p)."""
    q, scene = 1 - p, arm(p)
    for objective, first, second in (
        (PassAtK(3), 3 * q**2, -6 * q),
        (TruncatedLogLikelihood(3), (1 - q**3) / p, -1 - 2 * q),
        (LogLikelihood(), 1 / p, -1 / p**2),
        (ArcsinSqrt(), (p * q) ** -0.5, -0.5 * (q - p) * (p * q) ** -1.5),
    ):
        close(objective.gradient(scene)[0], first * p * q)
        close(objective.hessian(scene)[0, 0], second * (p * q) ** 2 + first * p * q * (q - p))


@settings(max_examples=20)
@given(data=st.data())
def test_expansion_in_pass_at_k(data, scenes):
    """P039.C1: grad J_n = sum_{k<=n} (1/k) grad pass@k; J_1 has the gradient of J; J_n tends to log p from above."""
    scene = data.draw(scenes("binary tree"))
    n = data.draw(st.integers(1, 5))

    close(TruncatedLogLikelihood(n).gradient(scene), sum(PassAtK(k).gradient(scene) / k for k in range(1, n + 1)))
    for part in ("gradient", "hessian"):
        one = getattr(TruncatedLogLikelihood(1), part)(scene)
        close(getattr(PassAtK(1), part)(scene), one)
        if not isinstance(scene.policy(), Direct):
            close(getattr(Return(), part)(scene), one)
    assert TruncatedLogLikelihood(n).value(scene) >= LogLikelihood().value(scene)


def test_the_expansion_converges_to_log_p_at_the_geometric_rate():
    """The rest sum_{k>n} q^k / k is below q^(n+1) / ((n+1) p)."""
    scene, p, q = arm(0.2), 0.2, 0.8
    for n in (5, 20, 80):
        assert 0 < TruncatedLogLikelihood(n).value(scene) - LogLikelihood().value(scene) <= q ** (n + 1) / ((n + 1) * p)


@pytest.mark.parametrize("name", ["pass@3", "truncated log-likelihood of order 3"])
def test_the_weight_functions_of_group_methods_integrate_to_these_objectives(name):
    """w_G of `group_weight.py`, kept in Bernstein form, put into `PerPrompt`: the same gradient and Hessian."""
    w = known_weights(4)[name]
    objective = PassAtK(3) if name.startswith("pass") else TruncatedLogLikelihood(3)
    mine = PerPrompt(w.phi, w, w.slope, "Phi_G")
    close(mine.gradient(TWO), objective.gradient(TWO))
    close(mine.hessian(TWO), objective.hessian(TWO))


def test_returns_are_not_discounted_and_random_rewards_count_by_their_chance():
    """A success after two steps counts 1 also with gamma < 1; a Bernoulli reward of mean m makes p = sum pi m."""
    later = MDP(P=[[[0, 1], [0, 1]], [[0, 0], [0, 0]]], r=[[0, 0], [1, 0]], mu=[1.0, 0.0], gamma=0.5)
    close(LogLikelihood().value(Scene.of(later, Direct(np.array([[0.5, 0.5], [0.25, 0.75]])))), np.log(0.25))
    noisy = Scene.of(Bandit(r=[0.2, 0.6], bernoulli=True), Direct(np.array([[0.5, 0.5]])))
    close(PassAtK(2).value(noisy), 1 - 0.6**2)


# Planted bugs


def planted_mu_forgotten(scene):
    return PassAtK(3).gradient(Scene.of(Bandit(r=scene.model.r, mu=[0.5, 0.5]), scene.policy()))


def planted_function_of_the_mean_probability(scene):
    """Phi'(sum_x mu p_x) in place of sum_x mu Phi'(p_x)."""
    p = Return().value(scene)
    return 3 * (1 - p) ** 2 * Return().gradient(scene)


def planted_order_one_too_low(scene):
    return PassAtK(2).gradient(scene)


def planted_slope_of_power_k(scene):
    p = (scene.policy().probabilities * scene.mdp.mean_reward).sum(axis=1)
    return probability_pullback(scene.policy(), (scene.mdp.mu * 3 * (1 - p) ** 3)[:, None] * scene.mdp.mean_reward)


@pytest.mark.parametrize("bug", [planted_mu_forgotten, planted_function_of_the_mean_probability, planted_order_one_too_low, planted_slope_of_power_k])
def test_planted_bugs_are_seen(bug, complex_gradient):
    r, mu = TWO.mdp.mean_reward, TWO.mdp.mu
    exact = complex_gradient(TWO, lambda pi: mu @ (1 - (1 - (pi * r).sum(axis=1)) ** 3))
    close(PassAtK(3).gradient(TWO), exact)
    assert abs(bug(TWO) - exact).max() > 1e-2


def test_a_hessian_without_curvature_is_seen(differences):
    u, slope, error = differences(TWO, PassAtK(3).gradient)
    linear = PerPrompt(lambda p: p, lambda p: 3 * (1 - p) ** 2, lambda p: 0 * p, "no curvature")
    assert abs(PassAtK(3).hessian(TWO) @ u - slope).max() <= 10 * error
    assert abs(linear.hessian(TWO) @ u - slope).max() > 1e-2


# Bad input


def test_rewards_other_than_0_and_1_are_refused_where_the_probability_is_needed():
    graded = Scene.of(Bandit(r=[0.5, 1.0]), Softmax(np.zeros((1, 2))))
    for objective in PHI:
        with pytest.raises(InvalidArgument, match=r"a trajectory has the return 0\.5"):
            objective.value(graded)


def test_a_success_that_rounding_spreads_over_tokens_is_one():
    """Ten rewards of 0.1 sum to 1 - 2^-53: still a success."""
    ten = MDP(P=np.eye(10, k=1).reshape(10, 1, 10), r=np.full((10, 1), 0.1), mu=np.eye(10)[0])
    close(PassAtK(1).value(Scene.of(ten, Softmax(np.zeros((10, 1))))), 1)


@pytest.mark.parametrize(("rewards", "p"), [([0.0, 0.0], 0), ([1.0, 1.0], 1)])
def test_certain_prompts(rewards, p):
    """Polynomials exist at p = 0 and p = 1; log p does not at 0, the slope of 2 arcsin sqrt p at neither."""
    scene = Scene.of(Bandit(r=[[1.0, 0.0], rewards]), Softmax(np.zeros((2, 2))))
    assert np.isfinite(PassAtK(2).hessian(scene)).all()
    assert np.isfinite(TruncatedLogLikelihood(2).hessian(scene)).all()
    with pytest.raises(InvalidArgument, match=f"success probability {p} of the prompt in state 1"):
        ArcsinSqrt().gradient(scene)
    if p == 0:
        with pytest.raises(InvalidArgument, match="no finite value"):
            LogLikelihood().value(scene)
    else:
        close(LogLikelihood().value(scene), np.log(0.5) / 2)


def test_the_boundary_of_the_simplex():
    scene = Scene.of(Bandit(r=[1.0, 0.0]), Direct(np.array([[1.0, 0.0]])))
    close(PassAtK(2).value(scene), 1)
    for part in (PassAtK(2).gradient, PassAtK(2).hessian):
        with pytest.raises(InvalidPolicy, match="interior"):
            part(scene)


def test_counts():
    for kind in (PassAtK, TruncatedLogLikelihood):
        with pytest.raises(InvalidArgument, match="whole number of at least 1"):
            kind(0)
