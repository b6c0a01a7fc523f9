"""Natural policy gradient and policy mirror descent: 1/t with any step, linear with growing steps, linear with entropy; policy iteration, their limit."""

import numpy as np

from pgtheory.tabular.dynamics.mirror import Euclidean, PolicyIteration, PolicyMirrorDescent
from pgtheory.tabular.dynamics.oracles import DirectOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import Run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Geometric
from pgtheory.tabular.dynamics.updates import Natural
from pgtheory.tabular.rates.instances import (
    best_actions,
    best_visits,
    column,
    constant_step,
    discounted,
    divergence_from_best,
    horizon_rest,
    mismatch,
    never_ends,
    starts_everywhere,
    uniform_start,
    unit_rewards,
)
from pgtheory.tabular.rates.theorem import Constants, Setting, Theorem

ETA = 1.0
"""Step at which the theorems for every step are run."""

TAU = 0.2
"""Temperature at which the entropy-regularised theorem is run; it holds for each."""

COMMON = {"never ends": never_ends, "gamma < 1": discounted, "rewards in [0, 1]": unit_rewards}


def softmax_setting(update, tau: float = 0.0):
    """An update of softmax logits from theta = 0."""
    return lambda stack: Setting(stack=stack, oracle=SoftmaxOracle(stack, tau=tau), update=update(stack), theta=np.zeros(stack.r.shape))


def rest(setting: Setting) -> np.ndarray:
    """1 - gamma."""
    return 1 - setting.stack.gamma


def natural(eta: float) -> Theorem:
    """The theorem at a step eta.

    Theorem: T53.
    """
    return Theorem(
        id="T53", name="natural",
        statement="theta = 0, theta += eta/(1-gamma) advantage: gap_t <= log A/(eta t) + 1/((1-gamma)^2 t), with no factor of the states",
        source="Agarwal, Kakade, Lee, Mahajan (2021), theorem 16",
        setting=softmax_setting(lambda stack: Natural(Constant(eta), normalised=True)),
        assumptions={
            **COMMON, f"step {eta:g}": constant_step(lambda stack: eta),
            "theta = 0": uniform_start,
        },
        constants=lambda setting, run: {"log A": np.full(setting.stack.N, np.log(setting.stack.A)), "1-gamma": rest(setting)},
        bound=lambda run, k: (k["log A"] / eta + 1 / k["1-gamma"] ** 2) / column(run.t),
        rescaled=lambda c: natural(c * eta),
    )  # fmt: skip


NATURAL = natural(ETA)


def mirror(eta: float) -> Theorem:
    """The theorem at a step eta."""
    return Theorem(
        id="T67", name="mirror",
        statement="policy mirror descent, step eta: gap_t <= (D*/(eta (1-gamma)) + 1/(1-gamma)^2)/(t+1), D* = sum_s d*(s) KL(pi*(.|s), pi_0(.|s))",
        source="Xiao (2022), theorem 8; Lan (2022) has the same rate",
        setting=softmax_setting(lambda stack: PolicyMirrorDescent(Constant(eta))),
        assumptions={**COMMON, f"step {eta:g}": constant_step(lambda stack: eta)},
        constants=lambda setting, run: {"D*": divergence_from_best(setting), "1-gamma": rest(setting)},
        bound=lambda run, k: (k["D*"] / (eta * k["1-gamma"]) + 1 / k["1-gamma"] ** 2) / (run.t[:, None] + 1),
        first=0,
        rescaled=lambda c: mirror(c * eta),
    )  # fmt: skip


MIRROR = mirror(ETA)


def euclidean_setting(eta: float):
    """Projected steps along Q from the uniform policy."""

    def made(stack: Stack) -> Setting:
        uniform = np.full(stack.r.shape, 1 / stack.A)
        return Setting(stack=stack, oracle=DirectOracle(stack), update=PolicyMirrorDescent(Constant(eta), Euclidean()), theta=uniform)

    return made


def mirror_euclidean(eta: float) -> Theorem:
    """The theorem at a step eta."""
    return Theorem(
        id="T68", name="mirror-euclidean",
        statement="projected steps eta Q from the uniform policy: gap_t <= (D*/(eta (1-gamma)) + 1/(1-gamma)^2)/(t+1), D* = sum_s d*(s) |pi*(.|s) - pi_0(.|s)|^2/2 = (1 - 1/A)/2",
        source="Xiao (2022), theorem 8, with the Euclidean divergence",
        setting=euclidean_setting(eta),
        assumptions={**COMMON, f"step {eta:g}": constant_step(lambda stack: eta), "uniform policy first": uniform_start},
        constants=lambda setting, run: {"D*": np.full(setting.stack.N, (1 - 1 / setting.stack.A) / 2), "1-gamma": rest(setting)},
        bound=lambda run, k: (k["D*"] / (eta * k["1-gamma"]) + 1 / k["1-gamma"] ** 2) / (run.t[:, None] + 1),
        first=0,
        rescaled=lambda c: mirror_euclidean(c * eta),
    )  # fmt: skip


PROJECTED_Q = mirror_euclidean(ETA)


def ratio(stack: Stack) -> np.ndarray:
    """theta = max_s d*(s)/mu(s) / (1 - gamma), above 1."""
    setting = Setting(stack=stack, oracle=SoftmaxOracle(stack), update=None, theta=np.zeros(stack.r.shape))  # type: ignore[arg-type]
    return mismatch(setting) / horizon_rest(stack)


def growing(stack: Stack) -> PolicyMirrorDescent:
    """Steps that grow by theta / (theta - 1)."""
    theta = ratio(stack)
    return PolicyMirrorDescent(Geometric(ETA, theta / (theta - 1)))


GROWING = Theorem(
    id="T69", name="mirror-growing",
    statement="policy mirror descent, steps eta_0 (th/(th-1))^t, th = max(d*/mu)/(1-gamma): gap_t <= (1 - 1/th)^t (gap_0 + D*/((1-gamma) eta_0 (th - 1)))",
    source="Xiao (2022), theorem 10",
    setting=softmax_setting(growing),
    assumptions={
        **COMMON, "mu > 0": starts_everywhere,
        f"first step {ETA:g}": lambda setting, run: abs(run.size[1] / ETA - 1) < 1e-9,
        "steps grow by th/(th-1)": lambda setting, run: (run.size[2:] / run.size[1:-1] >= (1 - 1e-9) / (1 - 1 / ratio(setting.stack))).all(axis=0),
    },
    constants=lambda setting, run: {"theta": ratio(setting.stack), "D*": divergence_from_best(setting), "1-gamma": rest(setting), "gap_0": run.gap[0]},
    bound=lambda run, k: (1 - 1 / k["theta"]) ** run.t[:, None] * (k["gap_0"] + k["D*"] / (k["1-gamma"] * ETA * (k["theta"] - 1))),
    first=0,
)  # fmt: skip


def soft_step(stack: Stack) -> np.ndarray:
    """eta = (1 - gamma) / (2 TAU), half of the largest step allowed."""
    return horizon_rest(stack) / (2 * TAU)


def soft_constants(setting: Setting, run: Run) -> Constants:
    """C = |Q*_0 - Q_0| + 2 tau (1 - eta tau/(1-gamma)) |log pi* - log pi_0|, sup norms."""
    optimum = setting.oracle.optimum
    first = setting.oracle(setting.oracle.start(setting.theta))
    eta, gamma = soft_step(setting.stack), setting.stack.gamma
    distance = abs(optimum.log_pi - first.log_pi).max(axis=(1, 2))
    start = abs(optimum.Q - first.Q).max(axis=(1, 2))
    return {"C": start + 2 * TAU * (1 - eta * TAU / (1 - gamma)) * distance, "eta": eta, "gamma": gamma}


NATURAL_ENTROPY = Theorem(
    id="T70", name="natural-entropy",
    statement="J + tau entropy, pi' ~ pi^(1 - eta tau/(1-gamma)) exp(eta Q/(1-gamma)), eta <= (1-gamma)/tau: |Q* - Q_t| <= C gamma (1 - eta tau)^(t-1), "
    "C = |Q* - Q_0| + 2 tau (1 - eta tau/(1-gamma)) |log pi* - log pi_0|, sup norms",
    source="Cen, Cheng, Chen, Wei, Chi (2022), theorem 1",
    setting=softmax_setting(lambda stack: PolicyMirrorDescent(Constant(soft_step(stack) / (1 - stack.gamma))), TAU),
    assumptions={
        "never ends": never_ends, "gamma < 1": discounted,
        "eta <= (1-gamma)/tau": lambda setting, run: (run.size[1:] * TAU <= 1 + 1e-12).all(axis=0),
    },
    watch=lambda setting: {"Q error": lambda outlook: abs(setting.oracle.optimum.Q - outlook.Q).max(axis=(1, 2))},
    of="error of Q", quantity=lambda run: run.watched["Q error"],
    constants=soft_constants,
    bound=lambda run, k: k["C"] * k["gamma"] * (1 - k["eta"] * TAU) ** (column(run.t) - 1),
)  # fmt: skip


def iteration_setting(stack: Stack) -> Setting:
    """Policy iteration from the uniform policy."""
    return Setting(stack=stack, oracle=DirectOracle(stack), update=PolicyIteration(), theta=np.full(stack.r.shape, 1 / stack.A))


ITERATION = Theorem(
    id="T71", name="policy-iteration",
    statement="|V* - V_t| <= gamma^t |V* - V_0|, sup norms",
    source="Puterman (1994), theorem 6.4.6 and corollary; Howard (1960)",
    setting=iteration_setting,
    assumptions={"gamma < 1": discounted},
    watch=lambda setting: {"V error": lambda outlook: abs(setting.oracle.optimum.V - outlook.V).max(axis=1)},
    of="error of V", quantity=lambda run: run.watched["V error"],
    constants=lambda setting, run: {"gamma": setting.stack.gamma, "|V* - V_0|": run.watched["V error"][0]},
    bound=lambda run, k: k["gamma"] ** run.t[:, None] * k["|V* - V_0|"],
    first=0,
)  # fmt: skip


def best_rows(setting: Setting) -> np.ndarray:
    """Visits of the best policy, and its actions, as weights of pairs (N, S, A)."""
    return best_visits(setting)[:, :, None] * np.eye(setting.stack.A)[best_actions(setting)]


DIFFERENCE = Theorem(
    id="T16", name="performance-difference",
    statement="J* - J(pi) = sum_s d*(s) sum_a pi*(a|s) A_pi(s, a), at every point of the run",
    source="Kakade, Langford (2002), lemma 6.1",
    setting=softmax_setting(lambda stack: Natural(Constant(ETA), normalised=True)),
    assumptions={"gamma < 1": discounted},
    watch=lambda setting: {"advantage of the best": lambda outlook: (best_rows(setting) * outlook.advantage).sum(axis=(1, 2))},
    constants=lambda setting, run: {},
    bound=lambda run, k: run.watched["advantage of the best"],
    side="equal", first=0,
)  # fmt: skip
