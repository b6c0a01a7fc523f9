"""Every theorem on 200 random instances; a planted wrong step, constant or problem is caught."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pgtheory.tabular.dynamics.mirror import Euclidean, PolicyIteration, PolicyMirrorDescent
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Geometric, Polyak, Power
from pgtheory.tabular.dynamics.updates import FunctionUpdate, Gradient, Natural, Normalised
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.classic import lock
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.slow_chain import slow_chain
from pgtheory.tabular.rates.backward import backward_bound
from pgtheory.tabular.rates.certificate import against
from pgtheory.tabular.rates.committal import UnluckyPath
from pgtheory.tabular.rates.natural import mirror_euclidean
from pgtheory.tabular.rates.registry import ALL, THEOREMS, theorem_named
from pgtheory.tabular.rates.slow_chain import odds_bound
from pgtheory.tabular.rates.theorem import Theorem, hold

N = 200


@cache
def bandits(K=4, n=N, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return Stack.of([Bandit(r=scale * np.sort(rng.random(K))[::-1]) for _ in range(n)])


@cache
def processes(n=N, S=4, A=3, seed=1):
    """Processes that never end, with rewards in [0, 1], a start everywhere and one of three discounts."""
    rng = np.random.default_rng(seed)
    return Stack.of(
        [MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=rng.random((S, A)), mu=rng.dirichlet(3 * np.ones(S)), gamma=rng.choice([0.3, 0.5, 0.8])) for _ in range(n)]
    )  # fmt: skip


@cache
def staged(n=N, horizon=3, S=2, A=3, seed=2):
    """Processes with a horizon, the time in their states."""
    rng = np.random.default_rng(seed)
    return Stack.of(
        [with_time(MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=rng.random((S, A)), mu=rng.dirichlet(np.ones(S)), horizon=horizon)).model for _ in range(n)]
    )  # fmt: skip


@cache
def uncertain_locks(n=N, seed=3):
    """Two stages: the right action of the first goes on with a chance of at least 0.7, that of the last pays at least 0.3. Of a step one outcome moves theta, so that paths meet."""
    rng = np.random.default_rng(seed)
    P, r = np.zeros((n, 2, 2, 2)), np.zeros((n, 2, 2))
    P[:, 0, 0, 1], r[:, 1, 0] = rng.uniform(0.7, 1, size=n), rng.uniform(0.3, 1, size=n)
    return Stack(P=P, r=r, mu=np.tile([1.0, 0.0], (n, 1)), gamma=np.ones(n))


@cache
def slow_chains(n=20):
    """Three stages, with a discount from that at which the last one is just worth it to that above which it is best before actions 0 and 2 are in order (T < T_2)."""
    return Stack.of([slow_chain(3, 6, gamma) for gamma in np.linspace(0.85, 0.925, n)])


INSTANCES = {
    "softmax-bandit": (bandits, 500),
    "softmax": (processes, 200),
    "softmax-entropy": (processes, 200),
    "softmax-bandit-lower": (lambda: bandits(K=3), 1000),
    "lock-plateau": (lambda: Stack.of([lock(8)]), 200),
    "slow-chain": (slow_chains, 300),
    "natural": (processes, 60),
    "mirror": (processes, 60),
    "mirror-euclidean": (processes, 60),
    "mirror-growing": (processes, 60),
    "natural-entropy": (processes, 40),
    "policy-iteration": (processes, 6),
    "performance-difference": (processes, 20),
    "softmax-lojasiewicz": (processes, 60),
    "gradient-domination": (processes, 60),
    "projected": (processes, 200),
    "trust-region": (processes, 40),
    "natural-improves": (processes, 30),
    "normalised": (processes, 100),
    "polyak-bandit": (lambda: bandits(K=2), 20),
    "committal": (lambda: bandits(K=2), 60),
    "reinforce": (lambda: bandits(K=2), 8),
    "signal-to-noise": (lambda: bandits(K=2), 8),
    "recursive-momentum": (lambda: bandits(K=2), 8),
    "implicit-transport": (lambda: bandits(K=2), 8),
    "recursive-momentum-commits": (lambda: bandits(K=2), 8),
    "implicit-transport-commits": (lambda: bandits(K=2), 8),
    "backward": (staged, 60),
    "backward-rollouts": (uncertain_locks, 30),
}


@cache
def standard(name):
    """The theorem on its 200 instances."""
    make, steps = INSTANCES[name]
    return hold(THEOREMS[name], make(), steps)


def few(name):
    """A stack of at most 20 of the instances."""
    stack = INSTANCES[name][0]()
    return Stack.of(stack.models[:20])


def test_every_theorem_has_instances():
    assert INSTANCES.keys() == THEOREMS.keys()


@pytest.mark.parametrize("name", THEOREMS)
def test_bound_holds_on_random_instances_and_is_not_empty(name):
    """At every recorded step of every instance; and somewhere the quantity comes within the factor of the bound that is recorded in the documentation."""
    found = standard(name)

    assert found.applies.all(), {what: int(so.sum()) for what, so in found.assumptions.items()}
    assert found.certificate.holds.all(), found.certificate.violated
    closest = found.certificate.closest[np.isfinite(found.certificate.closest)]
    assert closest.size
    loosest = {"softmax": 1e-4, "softmax-entropy": 1e-3, "projected": 1e-3, "normalised": 1e-6}
    if found.theorem.side == "upper":
        assert loosest.get(name, 0.03) < closest.max() <= 1 + 1e-9


# A wrong rule in the place of the right one. It must violate the bound on some instance, within the steps that are given.


class Backwards(Gradient):
    """Descent."""

    def direction(self, outlook):
        return -outlook.gradient


class BackwardsNatural(Natural):
    """Natural descent."""

    def direction(self, outlook):
        return -super().direction(outlook)


class BackwardsMirror(PolicyMirrorDescent):
    """Descent of Q."""

    def direction(self, outlook):
        return -outlook.advantage


class Worst(PolicyIteration):
    """The action of least Q."""

    def step(self, state):
        Q = state.outlook.Q
        theta = (np.arange(Q.shape[2]) == Q.argmin(axis=2)[:, :, None]).astype(float)
        return state._replace(t=state.t + 1, theta=theta, outlook=state.outlook.oracle(theta), size=np.inf)


WRONG_STEPS = {
    "softmax-bandit": (Gradient(Constant(0.001)), 2000),
    "softmax-bandit-lower": (Gradient(Constant(25.0)), 1000),
    "lock-plateau": (Gradient(Constant(100.0)), 200),
    "slow-chain": (Natural(Constant(0.1)), 300),
    "natural": (Natural(Constant(0.02)), 600),
    "mirror": (PolicyMirrorDescent(Constant(0.005)), 1000),
    "mirror-euclidean": (PolicyMirrorDescent(Constant(0.0005), Euclidean()), 1000),
    "mirror-growing": (PolicyMirrorDescent(Constant(0.05)), 60),
    "natural-entropy": (PolicyMirrorDescent(Constant(0.01)), 40),
    "policy-iteration": (Worst(), 6),
    "natural-improves": (BackwardsNatural(Constant(1.0), normalised=True), 30),
    "polyak-bandit": (Gradient(Polyak(4.0)), 20),
}


@pytest.mark.parametrize("name", WRONG_STEPS)
def test_wrong_step_is_caught(name):
    update, steps = WRONG_STEPS[name]

    found = hold(THEOREMS[name], few(name), steps, update=update)

    assert not found.certificate.holds.all()


@pytest.mark.parametrize(
    ("name", "update"),
    [
        ("softmax", Gradient(Constant(0.1))),
        ("softmax-entropy", Gradient(Constant(0.1))),
        ("projected", Normalised(Constant(0.1))),
        ("normalised", Normalised(Constant(0.1))),
    ],
)
def test_step_that_the_theorem_does_not_speak_of_is_said_to_be_one(name, update):
    """The constants of these four are so generous that a wrong step stays below the bound for any time one can wait; the assumption on the step is checked instead."""
    if name == "projected":
        update = replace(THEOREMS[name].setting(processes(n=2)).update, step_size=Constant(0.1))

    found = hold(THEOREMS[name], processes(n=5), 20, update=update)

    assert not found.applies.any()


WRONG_BOUNDS = {
    "softmax-bandit": lambda run, k: run.gap[:1] * 5 / run.t[:, None].clip(1) ** 2,
    "softmax": lambda run, k: run.gap[:1] / run.t[:, None].clip(1),
    "softmax-entropy": lambda run, k: run.gap[:1] * np.exp(-run.t[:, None]),
    "softmax-bandit-lower": lambda run, k: np.where(run.t[:, None] >= k["t0"], 1 / (1 / k["gap_t0"] + 0.1 * (run.t[:, None] - k["t0"]).clip(0)), 0.0),
    "lock-plateau": lambda run, k: 1 / (k["A"] ** k["H"] - 0.5 * run.t[:, None]),
    "slow-chain": lambda run, k: odds_bound(run, {**k, "slope": 3 * k["slope"]}),
    "natural": lambda run, k: (k["log A"] + 1) / run.t[:, None].clip(1) ** 2 / 20,
    "mirror": lambda run, k: (k["D*"] / k["1-gamma"] + 1) / (run.t[:, None] + 1) / 8,
    "mirror-euclidean": lambda run, k: (k["D*"] / k["1-gamma"] + 1) / (run.t[:, None] + 1) / 8,
    "mirror-growing": lambda run, k: (1 - 1 / k["theta"]) ** run.t[:, None] * run.gap[0] / 2,
    "natural-entropy": lambda run, k: k["C"] * k["gamma"] * (1 - 4 * k["eta"] * 0.2) ** run.t[:, None],
    "policy-iteration": lambda run, k: k["gamma"] ** (3 * run.t[:, None]) * k["|V* - V_0|"],
    "performance-difference": lambda run, k: 1.001 * run.watched["advantage of the best"],
    "softmax-lojasiewicz": lambda run, k: run.watched["ratio"] * run.gradient_norm,
    "gradient-domination": lambda run, k: run.watched["best direction"],
    "projected": lambda run, k: run.gap[:1] / run.t[:, None].clip(1),
    "trust-region": lambda run, k: 1.5 * np.concatenate([run.value[:1], np.diff(run.value, axis=0)]),
    "natural-improves": lambda run, k: 8 * k["1-gamma"] * np.concatenate([run.watched["log Z"][:1], run.watched["log Z"][:-1]]),
    "normalised": lambda run, k: run.gap[:1] / (run.t[:, None] + 1.0) ** 30,
    "polyak-bandit": lambda run, k: k["Delta"] * np.exp(-1.2 * run.t[:, None]) * (k["gap_0"] / (k["Delta"] - k["gap_0"])),
    "reinforce": lambda run, k: k["gap_0"] / (8 * run.t[:, None].clip(1)) + k["G^2"] / 200,
    "signal-to-noise": lambda run, k: k["gap_0"] / run.t[:, None].clip(1) / 16,
    "recursive-momentum": lambda run, k: k["gap_0"] / (0.25 * run.t[:, None].clip(1)) / 8,
    "implicit-transport": lambda run, k: k["gap_0"] / (0.25 * run.t[:, None].clip(1)) / 8,
    "recursive-momentum-commits": lambda run, k: 0.9 * run.gap[:1],
    "implicit-transport-commits": lambda run, k: 0.9 * run.gap[:1],
    "backward": lambda run, k: backward_bound(run, k) / 8,
    "backward-rollouts": lambda run, k: THEOREMS["backward-rollouts"].bound(replace(run, watched={"C": np.ones_like(run.watched["C"])}), k),
    "committal": lambda run, k: np.exp(-0.2 / (1 - np.exp(-0.5 * k["r_2 - b"]))),
}


@pytest.mark.parametrize("name", THEOREMS)
def test_wrong_bound_is_caught(name):
    """A better exponent, a dropped factor, a sign: a plausible slip in the statement, refuted on an instance."""
    found = standard(name)
    wrong = np.broadcast_to(WRONG_BOUNDS[name](found.run, found.constants), found.run.value.shape)[np.isin(found.run.t, found.t)]

    assert not against(found.quantity, wrong, found.t, side=found.theorem.side, rounding=1e-13).holds.all()


# Each assumption is seen where it fails.


@pytest.mark.parametrize(
    ("name", "make", "assumption"),
    [
        ("softmax-bandit", lambda: bandits(scale=3.0, n=3), "rewards in [0, 1]"),
        ("softmax-bandit", lambda: processes(n=3), "one decision"),
        ("softmax-bandit", lambda: Stack.of([MDP(P=[[[0.5], [0.0]]], r=[[1.0, 0.0]], mu=[1.0], gamma=0.5)]), "one decision"),
        ("softmax", lambda: Stack.of([MDP(P=[[[0.5, 0.5]], [[0.5, 0.5]]], r=[[1.0], [0.0]], mu=[1.0, 0.0], gamma=0.5)]), "mu > 0"),
        ("natural", lambda: Stack.of([MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0], gamma=0.5)]), "never ends"),
        ("softmax-bandit-lower", lambda: Stack.of([Bandit(r=[1.0, 1.0, 0.0])]), "a unique best arm"),
        ("lock-plateau", lambda: processes(n=2), "a combination lock"),
        ("polyak-bandit", lambda: bandits(K=3, n=2), "two arms"),
    ],
)  # fmt: skip
def test_assumption_that_fails_is_named(name, make, assumption):
    theorem = THEOREMS[name]
    steps = max(theorem.first, 3)

    found = hold(theorem, make(), steps)

    assert not found.assumptions[assumption].any()
    assert not found.applies.any()


@pytest.mark.parametrize(("stay", "gamma", "failing"), [(0.5, 0.5, ["never ends"]), (0.5, 1.0, ["never ends", "gamma < 1"]), (1.0, 0.5, [])])
def test_what_fails_of_an_endless_discounted_process_is_named_alone(stay, gamma, failing):
    with np.errstate(divide="ignore"):  # without a discount the bound is infinite
        found = hold(THEOREMS["natural"], Stack.of([MDP(P=[[[stay]]], r=[[1.0]], mu=[1.0], gamma=gamma)]), 3)

    assert [name for name, so in found.assumptions.items() if not so[0]] == failing


def logits(S, *first):
    """The same logits in every state of one problem."""
    return np.tile(np.array(first, dtype=float), (1, S, 1))


@pytest.mark.parametrize(
    ("name", "theorem", "make", "other", "steps"),
    [
        ("theta = 0", THEOREMS["lock-plateau"], lambda: Stack.of([lock(8)]), {"theta": logits(8, 2, 0)}, 3),
        ("theta = 0", THEOREMS["committal"], lambda: Stack.of([Bandit(r=[0.9, 0.5])]), {"theta": logits(1, 5, 0)}, 3),
        ("theta = 0", THEOREMS["natural"], lambda: Stack.of([MDP(P=np.ones((1, 2, 1)), r=[[1.0, 0.0]], mu=[1.0], gamma=0.0)]), {"theta": logits(1, 0, 30)}, 10),
        (
            "uniform policy first", mirror_euclidean(0.01), lambda: Stack.of([MDP(P=np.ones((1, 2, 1)), r=[[1.0, 0.0]], mu=[1.0], gamma=0.0)]),
            {"theta": logits(1, 0, 1)}, 60,
        ),
        ("first step 1", THEOREMS["mirror-growing"], lambda: processes(n=5), {"update": PolicyMirrorDescent(Geometric(1e-6, 10.0))}, 5),
        ("step 1", THEOREMS["natural-improves"], lambda: processes(n=20), {"update": Natural(Constant(0.1), normalised=True)}, 30),
        ("Polyak's step", THEOREMS["polyak-bandit"], lambda: bandits(K=2, n=3), {"update": Gradient(Polyak(4.0))}, 20),
        ("steps from 0 to 4/5", THEOREMS["softmax-bandit-lower"], lambda: bandits(K=3, n=20), {"update": Gradient(Constant(25.0))}, 1000),
    ],
)  # fmt: skip
def test_start_or_step_that_breaks_the_bound_breaks_an_assumption(name, theorem, make, other, steps):
    """The bound fails, and the only assumption that does is the one on what is run."""
    found = hold(theorem, make(), steps, **other)

    assert not found.certificate.holds.all()
    assert not found.assumptions[name].any()
    assert [what for what, so in found.assumptions.items() if not so.all()] == [name]


def test_negative_steps_are_not_those_of_the_lower_bound():
    """A step size of one's own may be negative; the built-in ones refuse it."""
    descent = Gradient(lambda t, outlook, direction, move: -0.1)

    found = hold(THEOREMS["softmax-bandit-lower"], bandits(K=3, n=3), 5, update=descent)

    assert [what for what, so in found.assumptions.items() if not so.all()] == ["steps from 0 to 4/5"]
    with pytest.raises(InvalidArgument, match=r"c .*-0\.1"):
        Constant(-0.1)


def test_baseline_below_both_rewards_commits_and_one_above_does_not():
    """With b > r_2 the drawn arm loses weight, and the bound, which speaks of b < r_2, is violated."""
    stack = bandits(K=2, n=20)
    path = FunctionUpdate(UnluckyPath(stack.r, baseline=2.0))

    assert not hold(THEOREMS["committal"], stack, 2, update=path).certificate.holds.any()


def test_plateau_ends_at_last():
    """The lower bound on the time is not empty: for H = 6 the value leaves the plateau within ten times of it."""
    found = hold(THEOREMS["lock-plateau"], Stack.of([lock(6)]), 60)
    assert found.run.value[int(0.5 * (2**6 - 1) / 12), 0] < 0.05
    assert found.run.value[-1, 0] > 0.5


def test_growing_steps_beat_constant_ones_at_last():
    stack = processes(n=20)
    constant = hold(THEOREMS["mirror-growing"], stack, 15, update=PolicyMirrorDescent(Constant(1.0))).run.gap[-1]
    growing = hold(THEOREMS["mirror-growing"], stack, 15, update=PolicyMirrorDescent(Geometric(1.0, 1.5))).run.gap[-1]

    assert np.median(growing) < np.median(constant)


def test_constants_are_reported():
    found = hold(THEOREMS["mirror"], processes(n=3), 5)

    assert found.constants.keys() == {"D*", "1-gamma"}
    np.testing.assert_allclose(found.constants["D*"], np.log(3))  # the uniform policy


def test_ids_and_names_are_unique_and_every_theorem_has_a_source():
    assert len({theorem.id for theorem in ALL}) == len({theorem.name for theorem in ALL}) == len(ALL)
    assert all(theorem.source and theorem.assumptions for theorem in ALL)
    assert theorem_named("T53") is theorem_named("natural")


def test_ids_up_to_62_are_those_of_the_book_of_theorems():
    """One id is one theorem: these six are stated in the book too, whose other ids are not taken."""
    book = {
        "performance-difference": 16, "gradient-domination": 47, "softmax-lojasiewicz": 50, "softmax": 52, "natural": 53, "trust-region": 54,
    }  # fmt: skip

    assert {theorem.name: int(theorem.id[1:]) for theorem in ALL if int(theorem.id[1:]) <= 62} == book


def test_quantity_that_is_not_the_gap_has_a_name():
    usual = Theorem.__dataclass_fields__["quantity"].default
    assert [theorem.name for theorem in ALL if (theorem.quantity is usual) != (theorem.of == "gap")] == []


def test_unknown_theorem_names_its_neighbours():
    with pytest.raises(InvalidArgument, match="Did you mean 'natural'"):
        theorem_named("naturals")


def test_run_shorter_than_the_theorem_is_refused():
    with pytest.raises(InvalidArgument, match="steps is 0"):
        hold(THEOREMS["natural"], processes(n=1), 0)


def test_power_steps_are_not_constant():
    found = hold(THEOREMS["natural"], processes(n=2), 10, update=Natural(Power(1.0, 0.5), normalised=True))

    assert not found.assumptions["step 1"].any()


def test_page_lists_every_theorem_as_it_is():
    """docs/theorems.md is written by tests/benchmarks/theorems.py; a changed statement must be written again."""
    page = (Path(__file__).parents[3] / "docs" / "theorems.md").read_text(encoding="utf8")
    for theorem in ALL:
        assert f"| {theorem.id} | `{theorem.name}` | {theorem.statement.replace('|', chr(92) + '|')}" in page, theorem.name
