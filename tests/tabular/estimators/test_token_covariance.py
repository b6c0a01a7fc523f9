"""Clip-Cov and KL-Cov against loops over tokens, all draws, and differences of their losses."""

from itertools import combinations

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.groups import LeaveOneOut
from pgtheory.tabular.estimators.lengths import PerSequence
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.surrogates import PPOClip
from pgtheory.tabular.estimators.token_covariance import ClipCov, KLCov, counted, token_covariance
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

CURRENT = np.array([[1 / 2, 1 / 3, 1 / 6], [1 / 6, 1 / 2, 1 / 3], [1 / 5, 1 / 5, 3 / 5]])
SAMPLER = np.array([[1 / 5, 2 / 5, 2 / 5], [3 / 5, 1 / 5, 1 / 5], [1 / 3, 1 / 2, 1 / 6]])
STEP = 1e-5
"""Central differences of smooth pieces of size one: error of order STEP^2 = 1e-10, rounding 1e-16 / STEP = 1e-11."""


def scene_and_data(size=3, *, on_policy=False):
    """Rows of one and two tokens, so that there is padding."""
    tree = TokenTree(vocabulary=3, limit=2, reward=lambda _, y: float((sum(y) + len(y)) % 3) - 0.5 + 0.1 * y[0])
    scene = Scene.of(tree, Softmax.of(CURRENT), sampler=Softmax.of(CURRENT if on_policy else SAMPLER))
    return scene, Groups(size).datasets(scene).data


def tokens(data, n):
    return [(b, t) for b in range(data.shape[1]) for t in range(int(data.length[n, b]))]


def by_loop(data, n):
    """c of the real tokens of one data set, and their advantages."""
    r = data.reward[n].sum(axis=-1)
    A = {(b, t): r[b] - (r.sum() - r[b]) / (len(r) - 1) for b, t in tokens(data, n)}
    logp = {(b, t): np.log(CURRENT[data.state[n, b, t], data.action[n, b, t]]) for b, t in tokens(data, n)}
    mean = lambda x: sum(x.values()) / len(x)
    return {k: (logp[k] - mean(logp)) * (A[k] - mean(A)) for k in A}, A


def test_covariance_is_that_of_the_real_tokens():
    scene, data = scene_and_data()
    found = token_covariance(data, scene, np.broadcast_to(LeaveOneOut()(data, scene), data.shape))

    assert not data.mask.all() and (found[~data.mask] == 0).all()
    for n in range(len(data)):
        for (b, t), c in by_loop(data, n)[0].items():
            assert found[n, b, t] == pytest.approx(c, abs=1e-14)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_clip_cov_is_the_mean_over_all_draws(share):
    scene, data = scene_and_data()
    rule = ClipCov(advantage=LeaveOneOut(), share=share, low=0.05, high=0.6, clip=0.3)
    found, ratio = rule(data, scene), TokenRatio()(data, scene)
    touched = 0
    for n in range(len(data)):
        c, A = by_loop(data, n)
        rho = {k: ratio[n][k] for k in c}
        clipped = {k for k in c if (A[k] > 0 and rho[k] > 1.3) or (A[k] < 0 and rho[k] < 0.7)}
        eligible = [k for k in c if 0.05 < c[k] < 0.6 and k not in clipped]
        size = min(int(share * len(c) + 1e-9), len(eligible))
        draws = list(combinations(eligible, size))
        touched += size > 0
        expected = np.zeros(data.shape[1:])
        for draw in draws:
            for k in c:
                expected[k] += (0 if k in clipped or k in draw else rho[k] * A[k]) / len(draws) / data.shape[1]
        np.testing.assert_allclose(found[n], expected, atol=1e-14)
    assert touched > 5


def test_kl_cov_is_the_derivative_of_its_loss():
    """rho A - coefficient |log rho| at the tokens of largest c; data sets in which ties stand at the edge are left to the next test."""
    scene, data = scene_and_data()
    share, coefficient, tried = 0.4, 0.7, 0
    found = KLCov(advantage=LeaveOneOut(), share=share, coefficient=coefficient)(data, scene)
    for n in range(len(data)):
        c, A = by_loop(data, n)
        ordered = sorted(c, key=lambda k: -c[k])
        k = int(share * len(c) + 1e-9)
        if k and abs(c[ordered[k - 1]] - c[ordered[k]]) < 1e-9:
            continue
        tried += k > 0
        for b, t in c:
            old = np.log(SAMPLER[data.state[n, b, t], data.action[n, b, t]])
            now = np.log(CURRENT[data.state[n, b, t], data.action[n, b, t]])
            price = coefficient if (b, t) in ordered[:k] else 0.0
            surrogate = lambda x, old=old, price=price, A=A[b, t]: np.exp(x - old) * A - price * abs(x - old)
            assert found[n, b, t] == pytest.approx((surrogate(now + STEP) - surrogate(now - STEP)) / (2 * STEP) / data.shape[1], abs=1e-9)
        assert (found[n][~data.mask[n]] == 0).all()
    assert tried > 20


def test_equal_tokens_share_the_penalty():
    """Three equal rows: all c are 0, and one of three tokens would be drawn."""
    tree = TokenTree(vocabulary=2, limit=1, reward=lambda _, y: float(y[0]))
    scene = Scene.of(tree, Softmax.of(np.array([[0.6, 0.4]])), sampler=Softmax.of(np.array([[0.5, 0.5]])))
    data = Groups(3).datasets(scene).data
    equal = (data.action == data.action[:, :1]).all(axis=(1, 2))
    found = KLCov(advantage=LeaveOneOut(), share=0.4)(data, scene)[equal]

    np.testing.assert_allclose(abs(found), 1 / 9, atol=1e-15)
    assert (np.sign(found) == -np.sign(TokenRatio()(data, scene)[equal] - 1)).all()


def test_share_of_less_than_a_token_chooses_none():
    """floor(0.16 * 6) = 0: the rules are PPO and the weighted gradient, not rules with one token."""
    scene, data = scene_and_data()
    for share in (0.0, 0.16):
        np.testing.assert_array_equal(
            ClipCov(advantage=LeaveOneOut(), share=share, low=-9, high=9)(data, scene), PPOClip(advantage=LeaveOneOut())(data, scene)
        )
        plain = PolicyGradient(advantage=LeaveOneOut(), ratio=TokenRatio(), length=PerSequence())(data, scene)
        np.testing.assert_allclose(KLCov(advantage=LeaveOneOut(), share=share, length=PerSequence())(data, scene), plain, atol=1e-16)
    # A sixth of six tokens is one.
    whole = data.mask.sum(axis=(1, 2)) == 6
    changed = ClipCov(advantage=LeaveOneOut(), share=1 / 6, low=-9, high=9)(data, scene) != PPOClip(advantage=LeaveOneOut())(data, scene)
    assert changed[whole].any()


def test_a_share_is_counted_as_it_is_written():
    """.29 * 100 is 28.999999999999996 in float64."""
    assert counted(0.29, np.ones((1, 4, 25), dtype=bool)).item() == 29 and counted(0.299, np.ones((1, 4, 25), dtype=bool)).item() == 29


def test_on_current_data_the_penalty_vanishes_and_the_mask_does_not():
    scene, data = scene_and_data(on_policy=True)
    plain = PolicyGradient(advantage=LeaveOneOut())(data, scene)

    np.testing.assert_array_equal(KLCov(advantage=LeaveOneOut(), share=1.0)(data, scene), plain)
    assert abs(ClipCov(advantage=LeaveOneOut(), share=1.0, low=0.0)(data, scene) - plain).max() > 0.1


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ClipCov(advantage=LeaveOneOut(), share=1.5), "share is 1.5"),
        (lambda: ClipCov(advantage=LeaveOneOut(), low=5.0, high=1.0), "low, high are 5.0, 1.0"),
        (lambda: ClipCov(advantage=LeaveOneOut(), low=1.0, high=1.0), "low, high are 1.0, 1.0"),
        (lambda: KLCov(advantage=LeaveOneOut(), share=float("nan")), "share is nan"),
        (lambda: KLCov(advantage=LeaveOneOut(), coefficient=-1.0), "coefficient is -1.0"),
    ],
)
def test_bad_arguments_are_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
