"""Every built-in estimator: its name, its shape, its symmetry in the rows, and its declaration against exact means."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.estimator import Declared
from pgtheory.tabular.estimators.registry import BUILTIN, builtin
from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.catalogue import objective_named
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

NAMES = """
reinforce reinforce/constant-baseline reinforce/value-baseline reinforce/optimal-baseline
reward-to-go reward-to-go/constant-baseline reward-to-go/value-baseline reward-to-go/optimal-baseline reward-to-go/no-step-discount
gae/0 gae/0.95 gae/1 gae/0.95/exact-critic gae/0.95/no-step-discount n-step/2 n-step/2/exact-critic
per-decision reinforce/importance ppo-clip/gae
group-reward leave-one-out leave-one-out/per-sequence leave-one-out/per-batch-token leave-one-out/per-constant
group-mean group-mean/per-sequence group-mean/per-batch-token group-mean/per-constant
group-std group-std/batch group-std/per-sequence group-std/per-batch-token
ppo-clip ppo-clip/group-std ppo-clip/sequence
ratio/token ratio/prefix ratio/prefix-surrogate ratio/sequence ratio/sequence-mean
ratio/token/truncated ratio/token/masked ratio/sequence/truncated ratio/sequence/masked
kl/k1-loss-token kl/k1-loss-sequence kl/k1-reward kl/k1-reward-to-go kl/k2-loss-token kl/k2-loss-sequence kl/k3-loss-token kl/k3-loss-sequence
kl/k2-reward kl/k2-reward-to-go kl/k3-reward kl/k3-reward-to-go
max-of-2 max-of-2/subset max-of-2/sample pass-at-2 pass-at-2/subset
maximum-likelihood maximum-likelihood/control maximum-likelihood/centred natural
"""

LOOP = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=3)


def scenes_of(declared, points=2):
    """Scenes with every role and a wrong critic at hand; the sampler is another policy only for estimators that know the old one."""
    rng = np.random.default_rng(5)
    if declared.setting == "episodes":
        model = LOOP
    else:
        reward = (
            (lambda x, y: float((sum(y) + len(y) + x) % 3 == 0)) if declared.binary else (lambda x, y: float((sum(y) + len(y) + x) % 4) / 2 - 0.5)
        )
        model = TokenTree(vocabulary=3, limit=2, reward=reward)
    shape = (model.S, model.A) if declared.setting == "episodes" else (3, 3)
    other = lambda: Softmax(rng.normal(size=shape))
    sampler, ref = other(), other()
    critic = np.linspace(0.5, -1.0, shape[0])
    return [Scene.of(model, other(), sampler=sampler if "old_logprobs" in declared.uses else None, ref=ref, critic=critic) for _ in range(points)]


def sampling_of(declared, size=3):
    if declared.setting == "tokens":
        return Groups(size)
    return (OffPolicy if "old_logprobs" in declared.uses else OnPolicy)(2)


def means(estimator, scenes, sampling):
    return np.stack([law_over(estimator, sampling.batches(scene), scene).mean for scene in scenes])


def declared_gradient(declared, scene, G):
    """constant * grad of what is declared; `G` in the text of the constant and of the objective is the group size."""
    name = declared.estimates.replace("G-1", str(G - 1)).replace("G", str(G)) if declared.estimates.startswith("truncated") else declared.estimates
    return eval(declared.constant.replace(" G", " * G"), {"G": G}) * objective_named(name, scene).gradient(scene)


KNOWN = [name for name, e in BUILTIN.items() if e.declared.verdict in ("unbiased", "scaled", "objective") and name != "group-std"]
NO_GRADIENT_OF_J = [name for name, e in BUILTIN.items() if e.declared.verdict not in ("unbiased", "scaled")]


def test_the_names_are_stable():
    assert set(BUILTIN) == set(NAMES.split())


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("G", [3, 4])
def test_the_mean_is_the_declared_gradient(name, G):
    """To 1e-12 at two points, off-policy for estimators that know the old policy; group-std has its closed form in test_groups."""
    estimator = builtin(name)
    if estimator.declared.setting == "episodes" and G == 4:
        return
    scenes = scenes_of(estimator.declared)
    expected = [declared_gradient(estimator.declared, scene, G) for scene in scenes]
    np.testing.assert_allclose(means(estimator, scenes, sampling_of(estimator.declared, G)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NO_GRADIENT_OF_J)
def test_what_is_declared_to_be_no_gradient_of_J_is_none(name):
    """No constant fits both points; a vacuous one is zero. Groups of 4: in groups of 3 the std of 0/1 rewards is a constant factor."""
    estimator = builtin(name)
    scenes = scenes_of(estimator.declared)
    found, gradient = means(estimator, scenes, sampling_of(estimator.declared, 4)), np.stack([Return().gradient(scene) for scene in scenes])
    if estimator.declared.verdict == "vacuous":
        assert abs(found).max() < 1e-14
        return
    c = (found * gradient).sum() / (gradient**2).sum()
    assert abs(found - c * gradient).max() > 1e-4


@pytest.mark.parametrize("name", BUILTIN)
def test_shape_finiteness_and_symmetry_in_the_rows(name):
    """Rows in another order have the same weights, so that multisets of rows may be enumerated; no weight stands at padding."""
    estimator = builtin(name)
    scene, sampling = scenes_of(estimator.declared, points=1)[0], sampling_of(estimator.declared, 4)
    data = sampling.sample(scene, 40, rng=np.random.default_rng(0))
    N, B, _ = data.shape
    weights = estimator(data, scene)
    assert weights.shape == ((N, scene.policy().theta.size) if estimator.form == "whole" else data.shape)
    assert np.isfinite(weights).all()
    order = np.random.default_rng(1).permuted(np.tile(np.arange(B), (N, 1)), axis=1)
    permuted = estimator(data.permuted(order), scene)
    expected = weights if estimator.form == "whole" else weights[np.arange(N)[:, None], order]
    np.testing.assert_allclose(permuted, expected, rtol=0, atol=1e-12)
    assert estimator.form == "whole" or not weights[~data.mask].any()


@pytest.mark.parametrize("name", [n for n, e in BUILTIN.items() if e.declared.setting == "tokens" and "batch" not in n])
def test_prompts_are_independent(name):
    """A group's weights do not change with the other prompt's rewards, but for a normaliser of the whole batch."""
    estimator = builtin(name)
    reward = lambda x, y: float((sum(y) + len(y) + x) % 3 == 0)
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(6, 3))
    scene = Scene.of(TokenTree(vocabulary=3, limit=2, prompts=2, reward=reward), Softmax(theta), ref=Softmax(theta / 2))
    if estimator.form == "whole":
        return
    data = Groups(3).sample(scene, 40, rng=rng)
    swapped = data._mapped(lambda array: np.concatenate([array[:, :3], array[::-1, 3:]], axis=1))
    np.testing.assert_array_equal(estimator(data, scene)[:, :3], estimator(swapped, scene)[:, :3])


@pytest.mark.parametrize("name", ["leave-one-out/per-batch-token", "group-std/batch"])
def test_the_independence_test_catches_a_coupling(name):
    with pytest.raises(AssertionError):
        test_prompts_are_independent(name)


def test_an_unknown_name_lists_near_ones():
    with pytest.raises(InvalidArgument, match=r"Did you mean .*leave-one-out"):
        builtin("leave-one-ot")
    with pytest.raises(InvalidArgument, match="There are: reinforce"):
        builtin("qqqqqq")


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        BUILTIN["mine"] = BUILTIN["reinforce"]  # type: ignore[index]


@pytest.mark.parametrize("bad", [{"setting": "words", "verdict": "biased"}, {"setting": "tokens", "verdict": "perfect"}], ids=["setting", "verdict"])
def test_a_declaration_with_unknown_words_is_refused(bad):
    with pytest.raises(InvalidArgument, match="known are"):
        Declared(**bad)


def test_the_comparison_catches_a_wrong_declaration():
    """Planted: the order-G declaration for the centred form, and no constant for the group mean."""
    for name, wrong in (
        ("maximum-likelihood/centred", Declared(setting="tokens", estimates="truncated log-likelihood of order G", verdict="objective", binary=True)),
        ("group-mean", Declared(setting="tokens", estimates="J", verdict="unbiased")),
        ("kl/k1-reward", Declared(setting="tokens", estimates="reverse KL", verdict="objective", uses=("ref_logprobs",))),
    ):
        scene = scenes_of(wrong, points=1)[0]
        found = means(builtin(name), [scene], Groups(3))[0]
        assert abs(found - declared_gradient(wrong, scene, 3)).max() > 1e-4
