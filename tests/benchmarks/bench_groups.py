"""The law of a user's loss over all groups of 8 out of 7 completions, against a loop of autograd through the logits."""

from pathlib import Path

import numpy as np
import torch

from pgtheory.judging.subject import subject_of
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

PART = "enumeration"
TREE = TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: float(tokens[0] == 0) + 0.5 * len(tokens))
SCENE = Scene.of(TREE, Softmax(np.random.default_rng(0).normal(size=(TREE.mdp.S, TREE.mdp.A))))
SETS = Groups(8).datasets(SCENE)
EVERY = 10
"""The loop through the logits runs on every tenth data set; its time is multiplied by ten."""


def naive(function, data, probability):
    """Probability-weighted mean of the gradients with respect to the logits: one graph and one backward a data set."""
    theta = torch.tensor(SCENE.policy().theta.reshape(TREE.mdp.S, TREE.mdp.A), requires_grad=True)
    total = torch.zeros_like(theta)
    for n in range(len(data)):
        state, action, mask = (torch.from_numpy(x[n]) for x in (data.state, data.action, data.mask))
        logprobs = torch.log_softmax(theta, dim=-1)[state, action] * mask
        loss = function(logprobs, logprobs.detach(), torch.from_numpy(data.total[n]), mask.double())
        total -= probability[n] * torch.autograd.grad(loss, theta)[0]
    return total.numpy().ravel()


def test_groups_of_8_out_of_7_completions(record, seconds):
    assert len(SETS) == 3003
    losses = Path(__file__).with_name("losses.py")
    batched, looped = (subject_of(f"{losses}:{name}", kind=None, settings=None, convention=None, advantage=None, time_limit=10.0, name=None).estimator for name in ("grpo", "grpo_looped"))  # fmt: skip
    some, probability = SETS.data.take(slice(None, None, EVERY)), SETS.weights(SCENE)[::EVERY]
    expected = naive(batched.function, some, probability)
    for estimator in (batched, looped):
        np.testing.assert_allclose(law_over(estimator, [(probability, some)], SCENE).mean, expected, atol=1e-12)
    assert batched.batched
    assert looped.batched is False

    slow = EVERY * seconds(lambda: naive(batched.function, some, probability), repetitions=3)
    record(f"3003 groups, autograd loop through the logits (every {EVERY}th data set, times {EVERY})", f"{slow:.2f} s", "about 13 s expected")
    for text, estimator, most in (
        ("torch loss that must be looped over", looped, 1.0),
        ("torch loss under vmap, warm", batched, 0.1),
        ("numpy estimator `group-std`", builtin("group-std"), 0.1),
    ):
        took = seconds(lambda estimator=estimator: law(estimator, Groups(8), SCENE, method="enumeration"), repetitions=15, first=3)
        target = "about 1 s" if most == 1 else f"{most} s"
        record(f"3003 groups, {text}", f"{took:.3f} s, {slow / took:.0f} times faster than the loop", target, took < most)
