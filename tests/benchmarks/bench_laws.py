"""Enumeration in weight space against explicit gradients, its growth, and independent parts against their product."""

import tracemalloc

import numpy as np
import pytest

from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.enumeration import Enumeration, law_over
from pgtheory.tabular.laws.independent import IndependentParts, coupled
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

PART = "enumeration"
ESTIMATOR = builtin("group-std")


def scene(vocabulary, limit, prompts=1):
    tree = TokenTree(vocabulary=vocabulary, limit=limit, prompts=prompts, reward=lambda prompt, tokens: float((sum(tokens) + prompt) % 2))
    return Scene.of(tree, Softmax(np.random.default_rng(0).normal(size=(tree.mdp.S, tree.mdp.A))))


def explicit(sets, s):
    """Mean and covariance from the matrix of all gradients (N, D), filled one row and step of every data set at a time."""
    table, found = score(s.policy()), []
    for _, data in sets.batches(s):
        weights = np.broadcast_to(ESTIMATOR(data, s), data.shape) * data.mask
        g = np.zeros((len(data), table.shape[-1]))
        for b, t in np.ndindex(data.shape[1:]):
            g += weights[:, b, t, None] * table[data.state[:, b, t], data.action[:, b, t]]
        found.append(g)
    g, p = np.concatenate(found), sets.weights(s)
    return p @ g, (g.T * p) @ g - np.outer(p @ g, p @ g)


def peak(call):
    """Largest memory in MB that was allocated during a call."""
    tracemalloc.start()
    call()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found / 1e6


@pytest.mark.parametrize(("vocabulary", "limit", "group"), [(3, 2, 8), (5, 3, 3)])
def test_weight_space_against_explicit_gradients(record, seconds, vocabulary, limit, group):
    s = scene(vocabulary, limit)
    sets = Groups(group).datasets(s)
    ours, theirs = (lambda: law_over(ESTIMATOR, sets.batches(s), s)), (lambda: explicit(sets, s))
    np.testing.assert_allclose(ours().mean, theirs()[0], atol=1e-12)
    np.testing.assert_allclose(ours().covariance, theirs()[1], atol=1e-12)
    fast, slow = seconds(ours), seconds(theirs)
    text = f"{fast:.3f} s and {peak(ours):.0f} MB against {slow:.3f} s and {peak(theirs):.0f} MB: {slow / fast:.1f} times faster"
    record(f"weight space against all gradients, N = {len(sets)}, D = {s.policy().theta.size}", text)


def test_growth_of_enumeration(record, seconds):
    s = scene(3, 2)
    sizes, times = [], []
    for group in (8, 12, 15):
        sets = Groups(group).datasets(s)
        sizes.append(len(sets) * group)
        times.append(seconds(lambda sets=sets: law_over(ESTIMATOR, sets.batches(s), s), repetitions=9))
        record(f"enumeration, N = {len(sets)} data sets of {group} rows", f"{times[-1]:.3f} s, {1e6 * times[-1] / sizes[-1]:.2f} us a row")
    record("growth from the first to the last, against that of the rows N B (the stated cost)", f"{times[-1] / times[0]:.1f} times", f"{sizes[-1] / sizes[0]:.1f} times")  # fmt: skip


@pytest.mark.parametrize("prompts", [2, 3])
def test_independent_parts_against_the_product(record, seconds, prompts):
    s, sampling = scene(2, 3, prompts), Groups(4)
    parts, product = IndependentParts(), Enumeration()
    np.testing.assert_allclose(parts.run(ESTIMATOR, sampling, s).covariance, product.run(ESTIMATOR, sampling, s).covariance, atol=1e-12)
    fast, slow = seconds(lambda: parts.run(ESTIMATOR, sampling, s)), seconds(lambda: product.run(ESTIMATOR, sampling, s))
    test = seconds(lambda: coupled(ESTIMATOR, sampling, s))
    text = f"{1e3 * fast:.1f} ms (and {1e3 * test:.1f} ms to test the coupling) against {1e3 * slow:.1f} ms: {slow / fast:.1f} times faster, {slow / (fast + test):.1f} with the test"  # fmt: skip
    record(f"{prompts} prompts of 35 groups: sum of the parts against the product, {product.cost(ESTIMATOR, sampling, s)} data sets", text)
