"""Laws: weight-space moments against gradients formed one by one, multisets against ordered tuples, sums of independent parts, honest Monte Carlo."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, TooLarge, UserFunctionError
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.independent import IndependentParts, coupled
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.laws.monte_carlo import MonteCarlo
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.log_linear import tied
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

TREE = TokenTree(vocabulary=2, limit=2, prompts=2, reward=lambda x, tokens: float(tokens[-1] == (len(tokens) + x) % 2))


def scene(seed=0, model=TREE, policy=None):
    rng = np.random.default_rng(seed)
    policy = policy or Softmax(rng.normal(size=(model.mdp.S, model.mdp.A)))
    return Scene.of(model, policy)


@dataclass(frozen=True)
class Constant:
    """The same weight on every real step; `nan_on_ties` breaks data sets whose rewards are all equal."""

    form: ClassVar[str] = "local"
    nan_on_ties: bool = False

    def __call__(self, data, scene):
        w = data.mask.astype(float)
        if self.nan_on_ties:
            w = np.where((np.ptp(data.total, axis=1) == 0)[:, None, None], np.nan, w)
        return w


@pytest.mark.parametrize("name", ["leave-one-out", "group-std", "group-mean/per-batch-token"])
@pytest.mark.parametrize("seed", range(3))
def test_moments_in_weight_space_are_those_of_the_gradients(name, seed):
    """Each data set's gradient formed by an explicit loop over rows and steps, then averaged: another order of the same sums."""
    s, estimator = scene(seed), builtin(name)
    sets = Groups(2).datasets(s)
    p, w, table = sets.weights(s), estimator(sets.data, s), score(s.policy())
    g = np.zeros((len(sets), s.policy().theta.size))
    for n, b, t in np.argwhere(sets.data.mask):
        g[n] += w[n, b, t] * table[sets.data.state[n, b, t], sets.data.action[n, b, t]]
    found = Enumeration().run(estimator, Groups(2), s)
    np.testing.assert_allclose(found.mean, p @ g, atol=1e-13)
    np.testing.assert_allclose(found.covariance, (g.T * p) @ g - np.outer(p @ g, p @ g), atol=1e-13)
    assert (abs(found.mean - p @ g) <= found.rounding).all()


@pytest.mark.parametrize("sampling", [Groups(3, prompts=1), Groups(2), OnPolicy(3)])
@pytest.mark.parametrize("name", ["leave-one-out", "group-reward", "group-std"])
def test_multisets_and_ordered_tuples_give_one_law(sampling, name):
    """For estimators that do not depend on the order of the rows."""
    s, estimator = scene(1), builtin(name)
    a, b = Enumeration().run(estimator, sampling, s), Enumeration(ordered=True).run(estimator, sampling, s)
    assert a.count < b.count
    np.testing.assert_allclose(a.mean, b.mean, atol=1e-13)
    np.testing.assert_allclose(a.covariance, b.covariance, atol=1e-13)
    assert a.zero == pytest.approx(b.zero, abs=1e-13)


@pytest.mark.parametrize("name", ["leave-one-out", "group-std", "group-mean/per-sequence"])
@pytest.mark.parametrize("sampling", [Groups(3), Groups(2, prompts=2)])
def test_laws_of_uncoupled_prompts_add(name, sampling):
    """The sum over prompts against the product of all groups."""
    s, estimator = scene(2), builtin(name)
    assert not coupled(estimator, sampling, s)
    whole, parts = Enumeration().run(estimator, sampling, s), IndependentParts().run(estimator, sampling, s)
    assert parts.count < whole.count
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-13)
    np.testing.assert_allclose(parts.covariance, whole.covariance, atol=1e-13)
    assert parts.zero == pytest.approx(whole.zero, abs=1e-13)


@pytest.mark.parametrize("name", ["reward-to-go", "reinforce"])
def test_laws_of_uncoupled_episodes_add(name):
    """Several rows of trajectories of their own: the mean over three has a third of the covariance of one."""
    s, estimator = scene(2), builtin(name)
    assert not coupled(estimator, OnPolicy(3), s)
    one, three = Enumeration().run(estimator, OnPolicy(1), s), IndependentParts().run(estimator, OnPolicy(3), s)
    np.testing.assert_allclose(three.mean, one.mean, atol=1e-13)
    np.testing.assert_allclose(three.covariance, one.covariance / 3, atol=1e-13)


@pytest.mark.parametrize("name", ["group-std/batch", "leave-one-out/per-batch-token"])
def test_batch_wide_normalisers_couple_prompts(name):
    """They are found, and adding the parts would be wrong: the planted mistake shows in the covariance or the mean."""
    s, estimator = scene(2), builtin(name)
    assert coupled(estimator, Groups(2), s)
    wrong, right = IndependentParts().run(estimator, Groups(2), s), Enumeration().run(estimator, Groups(2), s)
    assert max(abs(wrong.mean - right.mean).max(), abs(wrong.covariance - right.covariance).max()) > 1e-3


def test_the_cheapest_exact_method_is_taken():
    """14^2 groups of each of two prompts would be 44100 data sets: the parts are summed instead."""
    tree = TokenTree(vocabulary=3, limit=2, prompts=2, reward=lambda x, tokens: float(tokens[0] == x))
    found = law(builtin("group-std"), Groups(4), scene(0, model=tree))
    assert found.method == "independent-parts"
    assert found.exact


def test_undefined_data_sets_are_measured_and_left_out():
    """Their probability is exact: all rewards equal."""
    s = scene(3)
    sets = Groups(2).datasets(s)
    expected = sets.weights(s)[np.ptp(sets.data.total, axis=1) == 0].sum()
    found = Enumeration().run(Constant(nan_on_ties=True), Groups(2), s)
    assert found.undefined == pytest.approx(expected, abs=1e-14)
    assert np.isfinite(found.mean).all()


def test_tables_and_local_weights_agree():
    """The same estimator as a table with one entry a step."""
    s, local = scene(4), builtin("leave-one-out")

    @dataclass(frozen=True)
    class Table:
        form: ClassVar[str] = "table"

        def __call__(self, data, scene):
            w = np.zeros((*data.shape, 2))
            np.put_along_axis(w, data.action[..., None], local(data, scene)[..., None], axis=-1)
            return w

    a, b = Enumeration().run(local, Groups(2), s), Enumeration().run(Table(), Groups(2), s)
    np.testing.assert_allclose(a.covariance, b.covariance, atol=1e-14)


def test_whole_gradients_have_their_own_law():
    """The natural gradient is a fixed matrix times the local one: mean and covariance follow."""
    s = scene(5)
    local, natural = Enumeration().run(builtin("leave-one-out"), Groups(2), s), Enumeration().run(builtin("natural"), Groups(2), s)
    fix = np.linalg.lstsq(local.covariance, local.covariance, rcond=None)[0]
    assert natural.mean.shape == local.mean.shape
    assert np.linalg.matrix_rank(natural.covariance, tol=1e-10) <= np.linalg.matrix_rank(fix, tol=1e-10)


def test_shared_parameters_add_their_scores():
    """A tied policy: mean and covariance from enumerated whole gradients."""
    policy = tied(np.log([[0.25, 0.75]]), rows=[0, 0, 0, 0])
    s = scene(model=TREE, policy=policy)
    sets = Groups(2).datasets(s)
    w = builtin("leave-one-out")(sets.data, s)
    table = score(policy)
    g = np.einsum("nbt,nbtd->nd", w, table[sets.data.state, sets.data.action])
    found = Enumeration().run(builtin("leave-one-out"), Groups(2), s)
    np.testing.assert_allclose(found.covariance, (g.T * sets.weights(s)) @ g - np.outer(found.mean, found.mean), atol=1e-13)


@pytest.mark.parametrize("name", ["leave-one-out", "group-std"])
def test_monte_carlo_covers_and_says_so(name):
    """The confidence region at 1 - 1e-6 holds the exact mean; the result is marked. The seed is fixed."""
    s, estimator = scene(6), builtin(name)
    exact, drawn = Enumeration().run(estimator, Groups(2), s), MonteCarlo(samples=4000).run(estimator, Groups(2), s)
    assert not drawn.exact
    assert drawn.confidence == 1 - 1e-6
    assert (abs(drawn.mean - exact.mean) <= drawn.rounding).all()
    np.testing.assert_allclose(np.diag(drawn.covariance), np.diag(exact.covariance), rtol=0.2)


def test_monte_carlo_refutes_a_bias():
    """Own mean in the baseline, G = 2: the mean is half the gradient, far outside the region."""
    s = scene(6)
    target = Enumeration().run(builtin("leave-one-out"), Groups(2), s).mean
    drawn = MonteCarlo(samples=4000).run(builtin("group-mean"), Groups(2), s)
    assert (abs(drawn.mean - target) > drawn.rounding).any()


def test_unknown_methods_and_impossible_ones_are_named():
    """With the list of methods, or with the way out."""
    with pytest.raises(InvalidArgument, match="enumeration"):
        law(builtin("leave-one-out"), Groups(2), scene(), method="magic")
    tree = TokenTree(vocabulary=4, limit=3, prompts=1, reward=lambda x, tokens: 0.0)
    with pytest.raises(TooLarge, match="monte-carlo"):
        law(builtin("group-std"), Groups(8), scene(0, model=tree))


@pytest.mark.parametrize("method", [None, "enumeration", "monte-carlo"])
def test_things_of_another_kind_are_refused(method):
    """Whatever method is asked for."""
    good, s = builtin("leave-one-out"), scene()
    for estimator in (None, 3, "leave-one-out", lambda data, scene: 0.0):
        with pytest.raises(InvalidArgument, match=r"estimator is .*Give a PolicyGradient, or builtin\(NAME\)"):
            law(estimator, Groups(2), s, method=method)
    for sampling in (None, 3, "x", [2]):
        with pytest.raises(InvalidArgument, match=r"sampling is .*Give OnPolicy\(episodes\)"):
            law(good, sampling, s, method=method)
    with pytest.raises(InvalidArgument, match=r"scene is of type TokenTree.*Scene.of"):
        law(good, Groups(2), TREE, method=method)


def test_a_method_that_is_no_name_is_refused():
    with pytest.raises(InvalidArgument, match=r"method is \['enumeration'\]; known are enumeration"):
        law(builtin("leave-one-out"), Groups(2), scene(), method=["enumeration"])


def test_a_wrong_shape_is_explained():
    """The estimator's shape and the expected ones are in the text."""

    @dataclass(frozen=True)
    class Wrong:
        form: ClassVar[str] = "local"

        def __call__(self, data, scene):
            return np.zeros((len(data), 3))

    with pytest.raises(UserFunctionError, match="expected"):
        Enumeration().run(Wrong(), Groups(2), scene())


def test_the_rounding_bound_is_derived_not_generous():
    """It is below 1e-11 on a thousand data sets, so that a bias of 1e-6 stands out by five digits."""
    found = Enumeration().run(builtin("leave-one-out"), Groups(4), scene())
    assert found.count > 100
    assert found.rounding.max() < 1e-11
    assert found.rounding.max() > 0
