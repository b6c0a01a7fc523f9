"""The best of k: against all k-tuples of completions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.objectives.maximum import MaxOfK
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.objectives.success import PassAtK
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.paths import enumerate_paths
from pgtheory.tabular.scene import Scene

THREE = Scene.of(Bandit(r=[[0.0, 1.0, 3.0], [2.0, 2.0, -1.0]], mu=[0.25, 0.75]), Softmax.of(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])))


def close(actual, expected, *, factor=1e-12):
    """At most 512 products of small numbers."""
    assert abs(np.asarray(actual) - expected).max() <= factor * (1 + abs(np.asarray(expected)).max())


def by_tuples(scene, k, best=max):
    """sum over prompts and k-tuples of completions of the product of their probabilities times the best return, as a function of the table pi."""
    paths = enumerate_paths(scene.mdp)
    returns = paths.reward.sum(axis=1)

    def formula(pi):
        chance = paths.chance * np.where(paths.mask, pi[paths.state, paths.action], 1.0).prod(axis=1)
        total = 0
        for x in np.flatnonzero(scene.mdp.mu):
            own = np.flatnonzero(paths.start == x)
            for chosen in product(own, repeat=k):
                total += scene.mdp.mu[x] * np.prod(chance[list(chosen)] / scene.mdp.mu[x]) * best(returns[i] for i in chosen)
        return total

    return formula


@settings(max_examples=25)
@given(data=st.data())
def test_against_all_tuples(data, scenes, complex_gradient, along):
    scene, k = data.draw(scenes("tree")), data.draw(st.integers(1, 3))
    formula = by_tuples(scene, k)

    close(MaxOfK(k).value(scene), formula(scene.policy().probabilities))
    close(along(scene, MaxOfK(k).gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=30)
@given(data=st.data())
def test_derivatives_against_differences(data, scenes, assert_derivatives):
    assert_derivatives(MaxOfK(data.draw(st.integers(1, 5))), data.draw(scenes("tree", "finite")))


@settings(max_examples=20)
@given(data=st.data())
def test_best_of_one_is_the_return_and_with_0_and_1_it_is_pass_at_k(data, scenes):
    scene, k = data.draw(scenes("binary tree", families=("softmax", "log-linear", "tied"))), data.draw(st.integers(1, 6))
    for part in ("value", "gradient", "hessian"):
        close(getattr(MaxOfK(k), part)(scene), getattr(PassAtK(k), part)(scene))
        close(getattr(MaxOfK(1), part)(scene), getattr(Return(), part)(scene))


def test_one_return_only_is_constant():
    scene = Scene.of(Bandit(r=[2.0, 2.0]), Softmax(np.zeros((1, 2))))
    close(MaxOfK(3).value(scene), 2)
    assert not MaxOfK(3).gradient(scene).any()
    assert not MaxOfK(3).hessian(scene).any()


# Planted bugs


@pytest.mark.parametrize(
    "wrong",
    [
        by_tuples(THREE, 3, best=min),
        by_tuples(THREE, 2),
        lambda pi: 3 * by_tuples(THREE, 1)(pi),
        lambda pi: by_tuples(THREE, 3, best=lambda r: sorted(r)[1])(pi),
    ],
    ids=["the least", "one too few", "the sum", "the second best"],
)
def test_planted_bugs_are_seen(wrong, complex_gradient):
    gradient = MaxOfK(3).gradient(THREE)
    close(gradient, complex_gradient(THREE, by_tuples(THREE, 3)))
    assert abs(gradient - complex_gradient(THREE, wrong)).max() > 1e-2


def test_a_strict_distribution_function_is_seen(complex_gradient):
    """With P(return < v) in place of P(return <= v): off by one place."""
    p, v = THREE.policy().probabilities[0], THREE.mdp.r[0]
    right, strict = np.cumsum(p)[:-1] ** 3, np.append(0, np.cumsum(p)[:-2]) ** 3
    one = Scene.of(Bandit(r=v), Softmax.of(p[None]))
    close(MaxOfK(3).value(one), v[-1] - np.diff(v) @ right)
    assert abs(MaxOfK(3).value(one) - (v[-1] - np.diff(v) @ strict)) > 1e-2


# Bad input


def test_bad_input():
    with pytest.raises(InvalidArgument, match="whole number of at least 1"):
        MaxOfK(0)
    with pytest.raises(InvalidPolicy, match="interior"):
        MaxOfK(2).gradient(Scene.of(Bandit(r=[1.0, 0.0]), Direct(np.array([[1.0, 0.0]]))))
