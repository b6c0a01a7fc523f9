"""Numbers of the verdict against sums by hand: price, events, profile, power of a decay, confidence region, constants of several worlds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from scipy.stats import norm

from pgtheory.checking import check
from pgtheory.judging.causes import decay_with_group
from pgtheory.judging.classes import rescaled_states
from pgtheory.judging.examination import examine
from pgtheory.judging.identify import catalogue_gradients
from pgtheory.judging.price import optimal_constant_baseline, price
from pgtheory.judging.profile import method, profile, shape
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.independent import IndependentParts
from pgtheory.tabular.laws.monte_carlo import MonteCarlo
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.worlds.default import LOOP, TWO_PROMPTS
from pgtheory.worlds.tokens import TokenWorld


def variance_by_hand(world, baseline):
    """Total variance of (1/B) sum_i (r_i - b(prompt)) score_i: rows are independent, so it is the sum of their own variances."""
    scene, paths = world.scene(), world.datasets().paths
    scores = scene.policy().pullback(paths.visits.toarray().reshape(-1, *paths.shape))
    total, B, G = 0.0, world.counts["B"], world.counts["G"]
    for start in np.flatnonzero(scene.mdp.mu):
        own = np.flatnonzero(paths.start == start)
        p = paths.probability(scene.policy())[own] / scene.mdp.mu[start]
        g = (paths.total()[own] - baseline(start))[:, None] * scores[own]
        mean = p @ g
        total += G * sum(w * np.sum((row - mean) ** 2) for w, row in zip(p, g, strict=True)) / B**2
    return total


def test_the_optimal_constant_baseline_is_the_least_of_all_constants():
    """Two prompts: the printed variance is the minimum over a grid of constants for each, by a sum over completions."""
    world = TWO_PROMPTS.build()
    starts = np.flatnonzero(world.scene().mdp.mu)
    least = 0.0
    for start in starts:
        alone = lambda b, start=start: (
            variance_by_hand(world, lambda s: b if s == start else 0.0) - variance_by_hand(world, lambda s: 1e9 if s < 0 else 0.0)
        )
        least += min(alone(b) for b in np.linspace(-1, 2, 3001))
    base = variance_by_hand(world, lambda s: 0.0)
    assert optimal_constant_baseline(world, world.scene()) == pytest.approx(base + least, rel=1e-5)


def test_the_price_counts_batches_for_a_tenth():
    """n = tr Cov / (0.1 |E g|)^2, references from their own laws, the variance divided by c squared."""
    exam = examine(builtin("group-mean"), TWO_PROMPTS.build(), objective=Return())
    found = price(exam, exam.scale)
    law = exam.laws[0]
    assert found["matched"] == pytest.approx(law.variance / (2 / 3) ** 2)
    assert found["batches_for_10_percent"] == pytest.approx(law.variance / (0.01 * law.mean @ law.mean))
    assert found["leave-one-out"] == pytest.approx(found["matched"])
    episodes = price(examine(builtin("reward-to-go"), LOOP.build(), objective=Return()), 1.0)
    assert episodes["value baseline"] < episodes["reward-to-go"]
    assert episodes["value baseline"] != pytest.approx(episodes["optimal baseline"])


def test_events_have_their_probability():
    """Two prompts: some group has equal rewards, by the binomial law of each prompt."""
    found = check("leave-one-out", problem=f"world:{TWO_PROMPTS.id}")
    world = TWO_PROMPTS.build()
    scene, paths = world.scene(), world.datasets().paths
    different = []
    for start in np.flatnonzero(scene.mdp.mu):
        p = float(paths.probability(scene.policy()) @ (paths.total() * (paths.start == start))) / scene.mdp.mu[start]
        different.append(1 - p**3 - (1 - p) ** 3)
    assert found.events["a group with equal rewards"] == pytest.approx(1 - np.prod(different))
    assert found.events["zero gradient"] == pytest.approx(np.prod([1 - d for d in different]))


def test_the_bias_of_the_own_mean_falls_with_the_group():
    """Relative bias 1/G: the power is one."""
    assert decay_with_group(builtin("group-mean"), TokenWorld(vocabulary=2), objective=Return(), ordered=False) == pytest.approx(1.0, abs=1e-9)


def test_a_state_pushed_the_wrong_way_is_no_rescaling():
    """Three actions: the field of the target with one state's sign turned."""
    from dataclasses import replace

    from pgtheory.worlds.default import ONE_EPISODE

    exam = examine(builtin("reward-to-go"), ONE_EPISODE.build(), objective=Return())
    turn = np.where(np.arange(exam.means.shape[1]) < 3, -1.0, 1.0)

    def with_means(factor):
        return replace(exam, laws=tuple(replace(law, mean=law.mean * factor) for law in exam.laws))

    good, bad = with_means(np.where(turn < 0, 2.0, 1.0)), with_means(turn)
    assert rescaled_states([good], [good])
    assert not rescaled_states([bad], [bad])


def test_the_confidence_region_is_simultaneous():
    """Half-width z sqrt(var / n) with Bonferroni's quantile over the coordinates, from scipy.stats."""
    tree = TokenTree(vocabulary=2, limit=2, reward=lambda _, tokens: float(len(tokens) == 2))
    scene = Scene.of(tree, Softmax(np.array([[0.3, 0.0], [0.0, 0.5]])))
    law = MonteCarlo(samples=2000, confidence=0.99).run(builtin("leave-one-out"), Groups(3), scene)
    z = norm.ppf(1 - 0.01 / (2 * 4))
    np.testing.assert_allclose(law.rounding, z * np.sqrt(np.diag(law.covariance) / 2000), rtol=1e-9)


def test_undefined_parts_add_up():
    """Two prompts whose groups are undefined with probabilities a and b: 1 - (1-a)(1-b)."""

    @dataclass(frozen=True)
    class Breaks:
        form: ClassVar[str] = "local"

        def __call__(self, data, scene):
            rewards = data.total.reshape(len(data), -1, 3)
            equal = np.repeat(np.ptp(rewards, axis=2) == 0, 3, axis=1)[..., None]
            return np.where(equal, np.nan, data.mask)

    world = TWO_PROMPTS.build()
    from pgtheory.tabular.laws.enumeration import Enumeration

    whole = Enumeration().run(Breaks(), world.sampling, world.scene())
    assert IndependentParts().run(Breaks(), world.sampling, world.scene()).undefined == pytest.approx(whole.undefined)


def test_profiles_of_right_and_wrong_clips():
    """Shapes in words, and the method only where both sides fit."""
    found = profile(builtin("ppo-clip"))
    assert found is not None
    assert found.describe()["method"] == "PPO clip (0.8, 1.2)"
    assert method("rho, zero below 0.8", "rho, zero above 1.2").startswith("not PPO")
    assert method("rho, zero above 1.2", "rho") != "PPO clip (0.8, 1.2)"
    assert not method("rho, zero above 1.2", "rho, zero above 1.2").startswith("PPO")
    rho = np.linspace(0.5, 1.5, 21)
    assert shape(rho, rho) == "rho"
    assert shape(rho, np.ones_like(rho)) == "constant"
    assert shape(rho, np.sin(9 * rho)) == "no simple function of rho"


def test_catalogue_gradients_are_those_of_the_objectives():
    """One array an objective, one row a point."""
    world = TWO_PROMPTS.build()
    found = catalogue_gradients(world)
    np.testing.assert_allclose(found["J"], np.stack([Return().gradient(scene) for scene in world.scenes]))


def test_the_effect_of_an_epsilon_is_reported_apart():
    """One prompt, groups of three with rewards 0 and 1: every std that counts is s = sqrt(2)/3, so that E[g] is s/(s + eps) of what it is without."""

    def normalised(rewards, group, epsilon=1e-3):
        found = np.zeros_like(rewards)
        for g in np.unique(group):
            own = rewards[group == g]
            found[group == g] = (own - own.mean()) / (own.std() + epsilon)
        return found

    found = check(normalised)
    note = next(note for note in found.notes if note.startswith("epsilon = 0.001"))
    share = float(note.split(" by ")[1].split(" of ")[0])
    assert share == pytest.approx(1e-3 / (np.sqrt(2) / 3), rel=0.02)  # printed with two digits
    assert not any("epsilon" in note for note in check(normalised, settings={"epsilon": 0.5}).notes)
