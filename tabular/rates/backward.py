"""Dynamic policy gradient: with a finite horizon, one stage after the other, last first. Its rate has no factor of the visits.

While stage h is trained, what follows does not move: each of its states is a bandit of its own, with rewards Q_h in [0, H-h] and the step eta/S. Such a bandit is (H-h)/2-smooth
(`stochastic.py`) and |grad| >= pi(a*) gap, so that steps of 2/H leave gap <= H/(c^2 n) after n of them, c = inf pi(a*). By induction over the stages, for every policy,

    max_s (V*_0 - V_0) <= sum_h max_s (max_a Q_h(s, a) - V_h(s)).
"""

import numpy as np

from pgtheory.tabular.dynamics.backward import Backward
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.running import Run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.rates.instances import unit_rewards
from pgtheory.tabular.rates.theorem import Constants, Setting, Theorem

UNTIL = 20
"""Steps a stage with which the theorem is run; it holds for each number."""


def stages(stack: Stack) -> int:
    """H of models with time in their states (`with_time`): the largest number of equal blocks of states of which each leads to the next only.

    Raises:
        InvalidArgument: a state can be visited twice.
    """
    moves = np.any(stack.P > 0, axis=(0, 2))
    for H in range(stack.S, 0, -1):
        block = np.arange(stack.S) * H // stack.S
        if stack.S % H == 0 and not moves[block[:, None] + 1 != block[None, :]].any():
            return H
    raise InvalidArgument(
        "the theorem `backward` is about stages, but here a state can be visited twice. Give with_time(model).model of a model with a horizon."
    )


def backward_setting(stack: Stack) -> Setting:
    """UNTIL steps of 2 S/H a stage, with a uniform start in each, from theta = 0."""
    H = stages(stack)
    return Setting(
        stack=stack, oracle=SoftmaxOracle(stack), update=Backward(Gradient(Constant(2 * stack.S / H**2)), H, UNTIL), theta=np.zeros(stack.r.shape)
    )  # fmt: skip


def by_stage(x: np.ndarray, H: int) -> np.ndarray:
    """(T, N, H S, ...) -> (T, N, H, S, ...)."""
    return x.reshape(*x.shape[:2], H, -1, *x.shape[3:])


def trained(t: np.ndarray, H: int, until: int = UNTIL) -> np.ndarray:
    """How many steps stage h has taken after t, (T, H)."""
    return np.clip(t[:, None] - until * np.arange(H)[::-1], 0, until)


def least_best(run: Run, H: int) -> np.ndarray:
    """c_h after t steps: the least probability of the best action of a state of stage h since its training began, (T, N, H)."""
    pi = by_stage(run.watched["pi"], H)
    best = by_stage(run.watched["Q"], H).argmax(axis=4)
    right = np.take_along_axis(pi, best[..., None], axis=4)[..., 0].min(axis=3)
    begun = trained(run.t, H)[:, None] > 0
    return np.minimum.accumulate(np.where(begun | np.roll(begun, -1, axis=0), right, 1.0), axis=0)


def stage_by_stage(setting: Setting, run: Run) -> np.ndarray:
    """Whether only the stage whose turn it is ever moves."""
    H = stages(setting.stack)
    moved = (np.diff(by_stage(run.watched["pi"], H), axis=0) != 0).any(axis=(3, 4))
    turn = np.diff(trained(run.t, H), axis=0)[:, None] > 0
    return (~moved | turn).all(axis=(0, 2))


def same_everywhere(setting: Setting, run: Run) -> np.ndarray:
    """Whether the stage whose turn it is goes along pi (Q - V) of each of its states with one factor, the size over the states of a stage: gradients from a uniform start."""
    H = stages(setting.stack)
    pi, Q, theta = (by_stage(run.watched[name], H)[:-1] for name in ("pi", "Q", "theta"))
    slope = pi * (Q - (pi * Q).sum(axis=4, keepdims=True))
    size = (run.size[1:] * H / setting.stack.S)[:, :, None, None, None]
    turn = (np.diff(trained(run.t, H), axis=0)[:, None] > 0)[..., None, None]
    moved = np.diff(by_stage(run.watched["theta"], H), axis=0)
    return (abs(moved - turn * size * slope) <= 1e-9 * (1 + abs(theta))).all(axis=(0, 2, 3, 4))


def backward_bound(run: Run, k: Constants) -> np.ndarray:
    """sum_h min(H - h, H / (c_h^2 n_h))."""
    H = int(k["H"][0])
    n = trained(run.t, H)[:, None]
    at_most = (H - np.arange(H)).astype(float)
    each = np.divide(H, least_best(run, H) ** 2 * n, out=np.full((len(run.t), len(k["H"]), H), np.inf), where=n > 0)
    return np.minimum(each, at_most).sum(axis=2)


BACKWARD = Theorem(
    id="T87", name="backward",
    statement="H stages, rewards in [0, 1], stage h trained alone by n_h steps 2/H a state, last first: max_s (V*_0 - V_0) <= sum_h min(H-h, H/(c_h^2 n_h)), c_h = inf pi_h(a*|s), with no mismatch of visits",
    source="re-derived, see tabular/rates/backward.py; Klein, Weissmann, Doering (2024), dynamic policy gradient with exact gradients, whose constant is 5/2 times as large",
    setting=backward_setting,
    assumptions={
        "rewards in [0, 1]": unit_rewards, "one stage after the other": stage_by_stage, "uniform start in each stage": same_everywhere,
        "step 2 S/H": lambda setting, run: (abs(run.size[1:] / (2 * setting.stack.S / stages(setting.stack) ** 2) - 1) < 1e-9).all(axis=0),
    },
    watch=lambda setting: {
        "theta": lambda o: o.theta, "pi": lambda o: o.pi, "Q": lambda o: o.Q,
        "lost": lambda o: (setting.oracle.optimum.V - o.V)[:, : setting.stack.S // stages(setting.stack)].max(axis=1),
    },
    of="largest gap", quantity=lambda run: run.watched["lost"],
    constants=lambda setting, run: {"H": np.full(setting.stack.N, float(stages(setting.stack))), "c": least_best(run, stages(setting.stack))[-1].min(axis=1)},
    bound=backward_bound,
    first=0, a_posteriori=True,
)  # fmt: skip
