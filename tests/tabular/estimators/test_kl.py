"""The known truths about KL terms, row by row: where a term stands decides of what it is the gradient."""

from math import exp, log

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, NoSupport
from pgtheory.tabular.estimators.kl import KLLoss, KLReward
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.regularisers import Entropy, ForwardKL, ReverseKL
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

REF = np.array([[1 / 5, 2 / 5, 2 / 5], [3 / 5, 1 / 5, 1 / 5], [1 / 3, 1 / 2, 1 / 6]])


def scene_of(limit, seed=0):
    tree = TokenTree(vocabulary=3, limit=limit, reward=lambda _, y: float(sum(y) % 2))
    theta = np.random.default_rng(seed).normal(size=(tree.mdp.S, 3))
    return Scene.of(tree, Softmax(theta), ref=Softmax.of(REF[: tree.mdp.S]))


def mean_of(term, scene):
    return law(PolicyGradient(advantage=term), Groups(1), scene).mean


TABLE = {
    "k1 as loss, token sum": (KLLoss("k1"), "vacuous", "vacuous"),
    "k1 as loss, of the sequence": (KLLoss("k1", "sequence"), "vacuous", "vacuous"),
    "k1 in the reward, whole": (KLReward("k1"), "reverse", "reverse"),
    "k1 in the reward, to go": (KLReward("k1", to_go=True), "reverse", "reverse"),
    "k2 as loss, token sum": (KLLoss("k2"), "reverse", "neither"),
    "k2 as loss, of the sequence": (KLLoss("k2", "sequence"), "reverse", "reverse"),
    "k3 as loss, token sum": (KLLoss("k3"), "forward", "neither"),
    "k3 as loss, of the sequence": (KLLoss("k3", "sequence"), "forward", "forward"),
    "k2 in the reward, whole": (KLReward("k2"), "neither", "neither"),
    "k2 in the reward, to go": (KLReward("k2", to_go=True), "neither", "neither"),
    "k3 in the reward, whole": (KLReward("k3"), "reverse - forward", "neither"),
    "k3 in the reward, to go": (KLReward("k3", to_go=True), "reverse - forward", "neither"),
}


def kind_of(term, limit):
    """Which divergence the term descends, at four points; `neither` only if no combination of known gradients fits."""
    scenes = [scene_of(limit, seed) for seed in range(4)]
    found = np.stack([mean_of(term, scene) for scene in scenes])
    if abs(found).max() < 1e-14:
        return "vacuous"
    reverse, forward = (np.stack([divergence.gradient(scene) for scene in scenes]) for divergence in (ReverseKL(), ForwardKL()))
    for name, gradient in (("reverse", reverse), ("forward", forward), ("reverse - forward", reverse - forward)):
        if abs(found + gradient).max() < 1e-13:
            return name
    basis = np.stack([np.stack([o.gradient(scene) for scene in scenes]).ravel() for o in (ReverseKL(), ForwardKL(), Entropy(), Return())], axis=1)
    left = np.linalg.lstsq(basis, found.ravel(), rcond=None)[0]
    assert np.linalg.norm(basis @ left - found.ravel()) > 1e-2 * np.linalg.norm(found)
    return "neither"


@pytest.mark.parametrize("row", TABLE)
def test_the_table_of_placements(row):
    term, one_token, sequence = TABLE[row]
    assert kind_of(term, limit=1) == one_token
    assert kind_of(term, limit=2) == sequence


def test_the_closed_forms_of_one_token_do_not_come_from_the_objectives():
    """Reverse: -grad sum pi log(pi/ref); forward: +grad sum ref log pi, by central differences in theta."""
    scene = scene_of(1)
    theta, ref = np.array(scene.point["theta"]), REF[0]

    def differences(f, h=1e-5):
        return [(f((theta + h * u)[0]) - f((theta - h * u)[0])) / (2 * h) for u in np.eye(3)[:, None, :]]

    soft = lambda x: np.exp(x) / np.exp(x).sum()
    reverse = lambda x: -(soft(x) * np.log(soft(x) / ref)).sum()
    forward = lambda x: (ref * np.log(soft(x))).sum()
    np.testing.assert_allclose(mean_of(KLReward("k1"), scene), differences(reverse), atol=1e-9)
    np.testing.assert_allclose(mean_of(KLLoss("k3"), scene), differences(forward), atol=1e-9)


VALUES = {"k1": lambda l: l, "k2": lambda l: l * l / 2, "k3": lambda l: exp(-l) - 1 + l}
SLOPES = {"k1": lambda l: 1.0, "k2": lambda l: l, "k3": lambda l: 1 - exp(-l)}


@pytest.mark.parametrize("kind", ["k1", "k2", "k3"])
def test_weights_equal_the_loop(kind):
    scene = scene_of(2)
    data = Groups(2).datasets(scene).data
    terms = (KLReward(kind), KLReward(kind, to_go=True), KLLoss(kind), KLLoss(kind, "sequence"))
    found = [np.broadcast_to(term(data, scene), data.shape) for term in terms]
    pi = scene.policy().probabilities
    for n in range(len(data)):
        for b in range(2):
            L = int(data.length[n, b])
            l = [log(pi[s, a] / REF[s, a]) for s, a in zip(data.state[n, b, :L], data.action[n, b, :L], strict=True)]
            penalty = [VALUES[kind](x) for x in l]
            for t in range(L):
                expected = (-sum(penalty), -sum(penalty[t:]), -SLOPES[kind](l[t]), -SLOPES[kind](sum(l)))
                assert [f[n, b, t] for f in found] == pytest.approx(expected, abs=1e-13)


class Flipped:
    """Planted bug: k3 of the inverse ratio, exp(l) - 1 - l."""

    def __call__(self, data, scene):
        flipped = Scene.of(scene.model, scene.policy("ref"), ref=scene.policy())
        return -KLLoss("k3")(data, flipped)


def test_the_table_catches_an_inverted_ratio_and_a_wrong_sign():
    assert kind_of(Flipped(), limit=1) == "neither"

    class Ascending:
        def __call__(self, data, scene):
            return -KLReward("k1")(data, scene)

    with pytest.raises(AssertionError):
        assert kind_of(Ascending(), limit=1) == "reverse"


def test_at_the_reference_every_term_vanishes_in_the_mean():
    scene = scene_of(2)
    same = Scene.of(scene.model, scene.policy(), ref=scene.policy())
    for term, *_ in TABLE.values():
        assert abs(mean_of(term, same)).max() < 1e-14


def test_a_scene_without_reference_is_refused():
    scene = Scene.of(scene_of(2).model, Softmax.of(REF))
    for term in (KLReward("k1"), KLLoss("k3")):
        with pytest.raises(InvalidArgument, match="nobody plays the role `ref`"):
            mean_of(term, scene)


def test_a_reference_without_support_has_an_infinite_divergence():
    scene = scene_of(1)
    never = Scene.of(scene.model, scene.policy(), ref=Direct([[0.5, 0.5, 0.0]]))
    with pytest.raises(NoSupport, match="ref policy never takes action 2 in state 0"):
        mean_of(KLReward("k1"), never)


def test_padding_may_have_any_log_ratio():
    """State 0, action 0 of a padded place may be impossible: nothing is read there."""
    tree = TokenTree(vocabulary=2, limit=2, reward=lambda _, y: 0.0)
    scene = Scene.of(tree, Direct([[0.0, 1.0], [0.5, 0.5]]), ref=Direct([[0.0, 1.0], [0.5, 0.5]]))
    data = Groups(1).datasets(scene).data
    kept = data.take(data.action[:, 0, 0] == 1)
    assert np.isfinite(KLLoss("k3")(kept, scene)).all()


@pytest.mark.parametrize("make", [lambda: KLReward("k4"), lambda: KLLoss("k4"), lambda: KLLoss("k3", "batch")])
def test_unknown_kinds_are_refused(make):
    with pytest.raises(InvalidArgument, match=r"known are k1|token"):
        make()
