"""`rate`: the right answer for a user's natural gradient and for slips in it; exit codes, JSON, pictures, errors, assert_rate."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pgtheory.cli import app, main
from pgtheory.rating import BUILTIN, EXAMPLES, rate, rate_picture
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import FunctionUpdate, Natural
from pgtheory.tabular.errors import InvalidArgument, NotConverged, UserFunctionError
from pgtheory.tabular.models.classic import two_state
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.policy import fisher, score
from pgtheory.tabular.rates.registry import THEOREMS
from pgtheory.tabular.rates.sameness import compare
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.testing import RECORDED, assert_rate

FOLDER = Path(__file__).parents[1] / "fixtures" / "updates"
FILE = FOLDER / "natural.py"
PROBLEM = "sparse-garnet/S=10,A=4,b=3,gamma=0.9,seed=0"
ARMS = "bandit/K=2"
"""Where the power 1 / t shows after some hundred steps."""

run = CliRunner().invoke


@pytest.fixture(scope="module")
def updates():
    sys.path.insert(0, str(FOLDER))
    try:
        import natural
    finally:
        sys.path.remove(str(FOLDER))
    return natural


# A user's exact tabular softmax natural gradient, and what is altered in it.


@pytest.mark.parametrize(
    ("name", "kind", "factor"),
    [("natural", "same", 1.0), ("not_centred", "same", 1.0), ("without_horizon", "rescaled", 0.1), ("unnormalised_fisher", "rescaled", 0.1)],
)
def test_natural_gradient_in_disguise_is_recognised(updates, name, kind, factor):
    """Advantages that are not centred give the same policies; a missing 1/(1-gamma), or visits not normalised, is a step one tenth as long, and the bound is that of this step."""
    found = rate(getattr(updates, name), problem=PROBLEM, theorem="natural", steps=100)

    assert found.answer == "HOLDS", found.reason
    assert found.same.kind == kind
    np.testing.assert_allclose(found.same.factor, factor, rtol=1e-8)
    bound = (np.log(4) / factor + 1 / 0.1**2) / found.outcome.t
    np.testing.assert_allclose(found.outcome.bound[:, 0], bound, rtol=1e-8)


def test_wrong_sign_is_refuted(updates):
    found = rate(updates.wrong_sign, problem=PROBLEM, theorem="natural", steps=20)

    assert found.answer == "REFUTED"
    assert found.same.kind == "backwards"
    assert "wrong sign" in found.reason


def test_another_direction_is_said_to_be_one(updates):
    found = rate(updates.plain_gradient, problem=PROBLEM, theorem="natural", steps=20)

    assert found.same.kind == "other"
    assert "another direction" in str(found)


def test_update_that_breaks_names_the_step_and_the_size_before():
    """The logits double: 2^t in the sixth step is replaced by NaN; the fifth moved theta by 16 in each of two entries."""
    calls = iter(range(100))

    def doubles(theta):
        return np.full(theta.shape, np.nan) if next(calls) == 5 else 2 * theta

    with pytest.raises(NotConverged, match=r"theta of bandit/K=2 is nan after step 6; step 5 had size 22\.6: the update divides by zero"):
        rate(doubles, problem=ARMS, theta=np.array([[1.0, -1.0]]), steps=10)


def test_gap_that_grows_is_refuted_without_a_theorem(updates):
    """A wrong sign: the gap of the first step is the smallest. Exit code 1; the right sign is measured, exit code 0."""
    found = rate(updates.wrong_sign, problem=PROBLEM, steps=20)

    assert (found.answer, found.exit_code) == ("REFUTED", 1)
    assert found.run.gap[-1, 0] > found.run.gap[0, 0]
    assert found.rate.kind == "growing"
    assert f"the gap grows: from {found.run.gap[0, 0]:.6g} at step 0 to {found.run.gap[-1, 0]:.6g} at step 20" in str(found)
    assert rate(updates.natural, problem=PROBLEM, steps=20).exit_code == 0


def test_slow_update_violates_the_bound_at_last():
    """Where the theorem has another step than the update, the bound is violated and the step is named."""
    small = FunctionUpdate(lambda theta: theta)

    found = rate(small, problem=PROBLEM, theorem="natural", steps=2000)

    assert found.answer == "REFUTED"
    # gap_0 = 0.34, and the bound falls to it after (log 4 + 100) / 0.34 steps
    assert found.outcome.certificate.violated[0] == pytest.approx((np.log(4) + 100) / found.run.gap[0, 0], abs=1)


def log_linear_scene(theta=(0.3, -0.2)):
    """Two parameters for two states and two actions, with features that have a mean: the kernel of the Fisher information is trivial."""
    features = np.array([[[1.0, 0.0], [0.2, 1.0]], [[0.5, -1.0], [2.0, 0.3]]])
    return Scene.of(two_state(), LogLinear(np.array(theta), features))


def regressed(scene, centred):
    """The log-linear twin: the weights of a least squares fit of Q, weighted by visits, on centred features (the scores) or on the features themselves."""

    def step(theta):
        here = scene.at(theta=theta)
        policy = here.policy()
        found = evaluate(here.model, policy)
        x = score(policy) if centred else policy.features
        weight = found.occupancy[:, None] * policy.probabilities
        gram, right = np.einsum("sa,sai,saj->ij", weight, x, x), np.einsum("sa,sai,sa->i", weight, x, found.Q)
        return theta + 0.1 * np.linalg.solve(gram, right)

    return step


@pytest.mark.parametrize(("centred", "kind"), [(True, "same"), (False, "other")])
def test_centring_matters_for_log_linear_policies(centred, kind):
    scene = log_linear_scene()
    oracle, step = SceneOracle(scene), regressed(scene, centred)

    found = compare(FunctionUpdate(lambda theta: step(theta[0])[None]), Natural(Constant(0.1)), oracle, scene.point["theta"])

    assert found.kind == kind
    assert np.linalg.matrix_rank(fisher(scene.policy(), np.ones(2))) == 2


# The face


@pytest.mark.parametrize("name", BUILTIN)
def test_every_builtin_update_holds_and_shows_something_by_default(name):
    """On the problem that it is shown on the gap closes by nine tenths; in twelve steps with one sample each, by what such steps can do."""
    found = rate(name)

    assert found.answer == "HOLDS", found.reason
    moved = {
        "reinforce": 0.05,
        "signal-to-noise": 0.01,
        "recursive-momentum": 0.05,
        "implicit-transport": 0.05,
        "backward": 0.5,
        "backward-rollouts": 0.25,
    }.get(name, 0.9)
    assert found.run.gap[-1, 0] < (1 - moved) * found.run.gap[0, 0]


@pytest.mark.parametrize(
    ("update", "theorem", "step"), [("gradient", "lock-plateau", 1.0), ("gradient", "slow-chain", 10.0), ("natural", "committal", 1.0)]
)
def test_update_of_the_kind_of_the_theorem_takes_its_step_and_another_keeps_its_own(update, theorem, step):
    found = rate(update, theorem=theorem)

    assert (found.run.size[1:] == step).all()
    assert found.answer == ("HOLDS" if theorem != "committal" else found.answer)


def test_every_example_is_of_a_theorem_and_named_problem():
    assert EXAMPLES.keys() <= THEOREMS.keys()
    assert all(BUILTIN[update] in EXAMPLES for update in BUILTIN)


def test_bounded_quantity_stands_beside_its_bound():
    """Where it is not the gap, in the table, in JSON and in the picture."""
    found = rate("policy-iteration")
    header = next(line for line in str(found).splitlines() if line.split()[:2] == ["t", "value"])

    assert "error of V" in header
    assert found.to_dict()["theorem"]["quantity"][0] == pytest.approx(found.outcome.quantity[0, 0])
    labels = [line.get_label() for line in rate_picture(found).axes[0].lines]
    assert labels == ["gap", "error of V", "bound of the error of V, T71"]
    assert [line.get_label() for line in rate_picture(rate("polyak")).axes[0].lines][:2] == ["gap", "bound of the gap, T79"]


def test_assumption_that_fails_is_not_covered_and_exits_with_3():
    found = run(app, ["rate", "natural", "--problem", "garnet/S=10,A=4,b=3,seed=0", "--steps", "5"])

    assert found.exit_code == 3
    assert "rewards in [0, 1]" in found.output


def test_command_takes_a_function_in_a_file():
    found = run(app, ["rate", f"{FILE}:wrong_sign", "--theorem", "natural", "--problem", PROBLEM, "--steps", "10"])

    assert found.exit_code == 1
    assert found.output.startswith("REFUTED")


def test_without_a_theorem_a_function_is_measured():
    found = run(app, ["rate", f"{FILE}:natural", "--problem", PROBLEM, "--steps", "10"])

    assert found.exit_code == 0
    assert found.output.startswith("MEASURED")


def test_json_has_run_theorem_and_sameness():
    data = json.loads(run(app, ["rate", f"{FILE}:without_horizon", "--theorem", "T53", "--problem", PROBLEM, "--steps", "200", "--json"]).output)

    assert data["answer"] == "HOLDS"
    assert data["same"]["kind"] == "rescaled"
    assert data["theorem"]["holds"] is True
    assert len(data["run"]["t"]) == len(data["run"]["gap"])


def test_picture_shows_gap_bound_and_end_of_the_plateau(tmp_path):
    target = tmp_path / "rate.png"

    assert run(app, ["rate", "bandit-gradient", "--problem", ARMS, "--steps", "500", "--plot", str(target)]).exit_code == 0
    assert target.stat().st_size > 10_000
    figure = rate_picture(rate("bandit-gradient", problem=ARMS, steps=500))
    assert len(figure.axes[0].lines) == 3
    figure = rate_picture(rate("mirror", problem="sparse-garnet/S=3,A=3,b=3,gamma=0.3,seed=0", steps=50))
    assert len(figure.axes[0].lines) == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["naturel"], "no built-in update is called 'naturel'. Did you mean 'natural'"),
        (["newton"], "no built-in update is called 'newton'. There are: gradient, "),
        (["natural", "--problem", "bandti"], "Did you mean 'bandit'"),
        (["natural", "--theorem", "nature"], "Did you mean 'natural'"),
        (["natural", "--theorem", "T02"], "no theorem with the id 'T02' bounds a run; those that do are T16, T47, T50, T52, "),
        (["softmax"], "'softmax'. It is a theorem: rate gradient --theorem softmax. "),
        (["T79"], "'T79'. It is a theorem: rate polyak --theorem polyak-bandit. "),
        (["trust-region"], "'trust-region'. It is a theorem: rate UPDATE --theorem trust-region. "),
        (["natural", "--steps", "0"], "steps is 0"),
        (["gradient", "--problem", "random-walk/5"], "has gamma 1"),
        (["natural", "--problem", "loop"], "loop has a horizon"),
        (["natural", "--problem", PROBLEM, "--gamma", "1"], f"{PROBLEM} has gamma 1, and from state 0 the episode never ends"),
        (["natural", "--theta", "[[1, 2]]", "--problem", PROBLEM], "theta has shape"),
        ([f"{FILE}:nothing"], "has no function 'nothing'"),
    ],
)
def test_bad_use_is_explained(monkeypatch, capsys, words, text):
    monkeypatch.setattr("sys.argv", ["pgtheory", "rate", *words])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wrong_shape", r"shape \(1, 40\) for theta of shape \(1, 10, 4\)"),
        ("raises", "one over nothing"),
        ("in_place", "returned None at step 0. It must return the new theta"),
        ("no_numbers", "returned a str at step 0 that is no array of numbers"),
    ],
)
def test_function_that_misbehaves_is_named(updates, name, text):
    with pytest.raises(UserFunctionError, match=text):
        rate(getattr(updates, name), problem=PROBLEM, theorem="natural", steps=3)


# assert_rate


def test_assert_rate_passes_and_is_recorded(updates):
    before = len(RECORDED)

    assert_rate(updates.natural, theorem="natural", problem=PROBLEM, steps=50)
    assert_rate("bandit-gradient", rate="power", exponent=1, problem=ARMS, steps=1000)

    assert [record.passed for record in RECORDED[before:]] == [True, True]
    assert RECORDED[-1].to_dict()["headline"] == "HOLDS"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rate": "linear"}, "the rate is not linear"),
        ({"rate": "power", "exponent": 2}, "not 2 up to 0.05"),
    ],
)
def test_assert_rate_refuses_another_rate(options, text):
    with pytest.raises(AssertionError, match=text):
        assert_rate("bandit-gradient", problem=ARMS, steps=1000, **options)


def test_assert_rate_refuses_a_wrong_sign(updates):
    with pytest.raises(AssertionError, match="wrong sign"):
        assert_rate(updates.wrong_sign, theorem="natural", problem=PROBLEM, steps=10)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rate": "lineer"}, r"rate is 'lineer'. It is one of power, linear, superlinear. Did you mean 'linear'"),
        ({"rate": "linear", "factor": 1.0}, "factor is 1.0; rho of gap = C rho\\^t lies between 0 and 1"),
        ({"rate": "power", "exponent": 1, "within": -0.1}, "within is -0.1"),
        ({"theorem": "natural", "problm": ARMS}, r"no option 'problm'. Did you mean 'problem'\? Options are: problem, steps, gamma"),
    ],
)
def test_assert_rate_refuses_what_it_does_not_know(options, text):
    """Before anything is run: a misspelt rate would else be an assertion that fails for the wrong reason."""
    with pytest.raises(InvalidArgument, match=text):
        assert_rate("natural", **options)


def test_update_may_be_named_by_its_file(monkeypatch, tmp_path):
    """From another folder, as on the command line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def still(theta):\n    return theta\n")

    assert rate("mine.py:still", problem=ARMS, steps=3).update == "still"
    assert_rate(f"{FILE}:natural", theorem="natural", problem=PROBLEM, steps=20)


def test_what_is_no_update_is_refused():
    with pytest.raises(InvalidArgument, match="update is 42, expected the name of a built-in one, an Update, or a function"):
        rate(42, problem=ARMS)


def test_update_of_another_problem_is_told_which_one_it_ran_on():
    """Nobody chose the problem, and the function is about two arms; with a problem nothing is said of it."""
    wrong = lambda theta: theta + np.array([[1.0, 0.0]])

    with pytest.raises(
        UserFunctionError, match=r"No problem was given; the update was run on sparse-garnet/S=10,A=4,b=3,gamma=0.9,seed=0\. Give the one"
    ):
        rate(wrong, theorem="natural")
    with pytest.raises(UserFunctionError) as caught:
        rate(wrong, theorem="natural", problem=PROBLEM)
    assert "No problem was given" not in str(caught.value)


def test_step_of_a_function_is_left_to_the_comparison(updates):
    """Its size is not reported, which is no NO."""
    text = str(rate(updates.natural, theorem="natural", problem=PROBLEM, steps=5))

    assert "step 1: see update" in text
    assert "NO" not in text


def test_assert_rate_needs_something_to_assert():
    with pytest.raises(InvalidArgument, match="nothing is asserted"):
        assert_rate("natural")
    with pytest.raises(InvalidArgument, match="exponent belongs to"):
        assert_rate("natural", rate="linear", exponent=1)


def test_a_theorem_that_is_neither_a_name_nor_a_theorem():
    with pytest.raises(InvalidArgument, match="no theorem is called 3. There are: softmax-bandit, "):
        rate("natural", theorem=3)  # type: ignore[arg-type]
