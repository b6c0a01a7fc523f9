"""Why each stage of `slow_chain` takes a power of the time of those before: bounds on the odds of one action of three, from theta = 0 and with exact gradients.

Let s be a state with three actions and a step eta, and let w = pi(1|s)/(1 - pi(1|s)), y = theta_2 - theta_0. The logits of a state keep their sum, 0, whence

    1/w = exp(-(3/2) theta_1) 2 cosh(y/2)                                                                             (exactly)

While action 1 is worse than the average, theta_1 falls. As long as y = 0 this is all, and 1/w grows like t. If action 2 is then better than action 0, exp(y) grows like t as
well, and with it 1/w by the square root of t. Only afterwards action 1 becomes best. With T_1 the last step before 2 is better than 0, T_2 the first after it with pi_2 >= pi_0,
T the last at which action 1 is worse than the average; d_low <= d(s) <= d_high on the run; Delta the least min(Q_0, Q_2) - Q_1 up to T_1, C the largest cosh(y/2) there;
g the least Q_2 - Q_0 from T_2 to T; B the largest Q_1 - Q_0 after T:

    t <= T_1:         exp(-(3/2) theta_1) grows by at least eta d_low Delta/(3 C) a step       pi_1 <= 1/3, so that V - Q_1 >= (2/3) Delta
    T_2 <= t <= T:    exp(y) grows by at least eta d_low g/3 a step                             y' - y >= eta d g pi_0, for Q_1 <= V < Q_2, and pi_2 >= 1/3
    T <= t:           1/w falls by at most 2 eta d_high B a step                                Jensen, and Chebyshev: 0 and 2 have Q and pi in the same order

so that the time at which w is of order one is at least of order T_1 T^(1/2): crossing times t_s >= c t_{s-2} t_{s-1}^(1/2), which is the recursion of Li et al. (2021),
t_s >= c t_{s-2}^(3/2), and makes them grow like exp(const 1.28^s) once they are above 1/c^2. Their constant c is from the beginning; the one here is of the run.
"""

import numpy as np

from pgtheory.tabular.dynamics.running import Run
from pgtheory.tabular.rates.instances import constant_step, uniform_start
from pgtheory.tabular.rates.softmax import gradient_setting
from pgtheory.tabular.rates.theorem import Constants, Setting, Theorem

ETA = 10.0
"""Step at which the theorem is run; it holds for each."""


def last_state(setting: Setting) -> dict:
    """Policy, Q and visits of the last state."""
    return {"pi": lambda o: o.pi[:, -1], "Q": lambda o: o.Q[:, -1], "d": lambda o: o.occupancy[:, -1]}


def phases(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of the recorded steps T_1, T_2, T of each problem; that of the last step for a phase that does not end in the run."""
    pi, Q = run.watched["pi"], run.watched["Q"]
    end = len(run.t) - 1
    first = lambda happens: np.where(happens.any(axis=0), happens.argmax(axis=0), end + 1)
    ahead = Q[..., 2] > Q[..., 0]
    T_1 = first(ahead) - 1
    T_2 = first((np.arange(end + 1)[:, None] > T_1) & (pi[..., 2] >= pi[..., 0]))
    T = first(Q[..., 1] > (pi * Q).sum(axis=2)) - 1
    return np.maximum(T_1, 0), np.minimum(T_2, end), np.maximum(T, 0)


def phase_constants(setting: Setting, run: Run) -> Constants:
    """The constants of the module's docstring, and the step up to which the odds stay below one."""
    (T_1, T_2, T), n = phases(run), np.arange(len(run.t))[:, None]
    pi, Q, d = (run.watched[name] for name in ("pi", "Q", "d"))
    over = lambda x, where, start, best: best.reduce(np.where(where, x, start), axis=0)
    with np.errstate(divide="ignore", over="ignore"):
        cosh = (np.sqrt(pi[..., 2] / pi[..., 0]) + np.sqrt(pi[..., 0] / pi[..., 2])) / 2
    k: dict[str, np.ndarray] = {
        "T_1": run.t[T_1], "T_2": run.t[T_2], "T": run.t[T], "d_low": d.min(axis=0), "d_high": d.max(axis=0),
        "Delta": over(np.minimum(Q[..., 0], Q[..., 2]) - Q[..., 1], n <= T_1, np.inf, np.minimum), "C": over(cosh, n <= T_1, 1.0, np.maximum),
        "g": over(Q[..., 2] - Q[..., 0], (n >= T_2) & (n <= T), np.inf, np.minimum), "B": over(Q[..., 1] - Q[..., 0], n >= T, 0.0, np.maximum),
    }  # fmt: skip
    k["g"] = np.where(T_2 <= T, k["g"], 0.0)
    size = run.size[-1]
    k["slope"] = size * k["d_low"] * np.maximum(k["Delta"], 0) / (3 * k["C"])
    k["swap"] = size * k["d_low"] * np.maximum(k["g"], 0) / 3
    k["escape"] = 2 * size * k["d_high"] * k["B"]
    ready = rarity(k["T"], k)
    k["odds below 1 until"] = k["T"] + np.divide(ready - 1, k["escape"], out=np.full(len(ready), np.inf), where=k["escape"] > 0)
    return k


def rarity(t: np.ndarray, k: Constants) -> np.ndarray:
    """What 1/w is at least at a step t <= T."""
    return (1 + k["slope"] * np.minimum(t, k["T_1"])) * np.maximum(2.0, np.sqrt(1 + k["swap"] * np.maximum(t - k["T_2"], 0)))


def odds_bound(run: Run, k: Constants) -> np.ndarray:
    """The bound on w; infinite where it says nothing."""
    t = run.t[:, None]
    left = rarity(np.minimum(t, k["T"]), k) - k["escape"] * np.maximum(t - k["T"], 0)
    return np.divide(1.0, left, out=np.full(left.shape, np.inf), where=left > 0)


def kept_order(setting: Setting, run: Run) -> np.ndarray:
    """Whether actions 0 and 2 have Q and pi in the same order from T_2 on, and from T on if that is sooner: the escape needs it too."""
    pi, Q = run.watched["pi"], run.watched["Q"]
    _, T_2, T = phases(run)
    later = np.arange(len(run.t))[:, None] >= np.minimum(T_2, T)
    return np.asarray(np.all(~later | ((Q[..., 2] >= Q[..., 0]) & (pi[..., 2] >= pi[..., 0])), axis=0))


SLOW_CHAIN = Theorem(
    id="T82", name="slow-chain",
    statement="three actions in the last state, theta = 0, constant step: its odds pi(1)/(1 - pi(1)) are at most 1/((1 + a min(t, T_1)) max(2, (1 + b (min(t, T) - T_2))^(1/2)) - c (t - T)^+), "
    "T_1 the last step before action 2 is better than 0, T_2 >= T_1 when it is likelier, T >= T_2 the last before action 1 is better than the average; so the stage is learned only after order T_1 T^(1/2) steps",
    source="re-derived, see tabular/rates/slow_chain.py; the recursion behind Li, Wei, Chi, Gu, Chen (2021), theorem 1: on `slow-chain` T_1 and T are the times of the stages before, so that times grow doubly exponentially",
    setting=gradient_setting(lambda stack: ETA),
    assumptions={
        "three actions": lambda setting, run: np.full(setting.stack.N, setting.stack.A == 3), "theta = 0": uniform_start, "step 10": constant_step(lambda stack: ETA),
        "0 and 2 keep their order from T_2 or T on": kept_order,
    },
    watch=last_state,
    of="odds", quantity=lambda run: run.watched["pi"][..., 1] / (run.watched["pi"][..., 0] + run.watched["pi"][..., 2]),
    constants=phase_constants,
    bound=odds_bound,
    a_posteriori=True,
)  # fmt: skip
