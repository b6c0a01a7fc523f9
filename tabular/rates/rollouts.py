"""Stochastic dynamic policy gradient: one stage after the other, last first, each step along one episode that begins in the stage. Bounds on the expected gap.

Let x_h be the largest E gap of a state of stage h, gap_h(s) = max_a Q_h(s, a) - V_h(s). By the performance difference along a best policy, whose visits of a stage sum to at most 1
and do not depend on the run,

    E (J* - J) = sum_h sum_s d*_h(s) E sum_a pi*(a|s) A_h(s, a) <= sum_h x_h.

While stage h is trained, what follows is fixed along each path, and a state is a bandit with rewards Q_h in [0, M], M the largest Q* of the stage. It is M/2-smooth (`stochastic.py`), so
that a step eta = alpha S along G score(s, a), s uniform and G a return in [0, B] with mean Q_h, gives

    E gap' <= E gap - alpha E|grad|^2 + alpha^2 S M/4 E[G^2 |score|^2],        E[G^2 |score|^2] <= B M (1 - 1/A),

for E[G^2|s, a] <= B Q_h. The entries of a gradient sum to 0 and that of the best action is pi(a*) gap, whence |grad|^2 >= A/(A-1) pi(a*)^2 gap^2, and by Cauchy and Schwarz
E[pi(a*)^2 gap^2] >= (E gap)^2 / C, C = E[pi(a*)^-2]: no infimum over the paths is needed. Together

    x_h(n+1) <= f(x_h(n)),     f(x) = x - k x^2 + b,     k = alpha A/((A-1) C),     b = alpha^2 S B M^2 (1 - 1/A)/4,

as f grows on [0, M] for alpha <= (A-1)/(2 A M). With x^ = (b/k)^(1/2), the fixed point, x - x^ falls to x - x^ - k (x - x^)^2 or less, so that x_h(n) <= x^ + 1/(k n): after n steps of order
n^(-2/3) the gap is of order n^(-1/3) while C stays bounded.
"""

from collections.abc import Callable

import numpy as np

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.rollouts import StageByStage
from pgtheory.tabular.dynamics.running import Run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.rates.backward import by_stage, stages, trained
from pgtheory.tabular.rates.instances import constant_step, unit_rewards
from pgtheory.tabular.rates.theorem import Constants, Setting, Theorem

UNTIL = 15
"""Steps a stage with which the theorem is run; it holds for each number."""


def step(stack: Stack) -> float:
    """eta = S/(4 H): alpha = 1/(4 H), which is at most (A-1)/(2 A M), for A >= 2 and M <= H."""
    H = stages(stack)
    return stack.S / H / (4 * H)


def sampled(until: int) -> Callable[[Stack], Setting]:
    """`until` steps a stage from theta = 0, one episode a step."""

    def made(stack: Stack) -> Setting:
        law = StageByStage(stack, stages(stack), until)
        return Setting(stack=stack, oracle=SoftmaxOracle(stack), update=Gradient(Constant(step(stack))), theta=np.zeros(stack.r.shape), law=law)

    return made


def largest_return(stack: Stack) -> np.ndarray:
    """The largest return of an episode from each state, whatever its policy and its luck, rewards being at least 0, (N, S). Cost H N S^2 A."""
    found = np.zeros((stack.N, stack.S))
    for _ in range(stages(stack)):
        onward = np.where(stack.P > 0, found[:, None, None, :], 0.0).max(axis=3)
        found = (stack.r + stack.gamma[:, None, None] * onward).max(axis=2)
    return found


def inverse_square(outlook) -> np.ndarray:
    """pi(a*|s)^-2, a* the best action before what follows, (N, H S)."""
    best = outlook.Q.argmax(axis=2)[:, :, None]
    return np.take_along_axis(outlook.pi, best, axis=2)[..., 0] ** -2.0


def constants(setting: Setting, run: Run) -> Constants:
    """H, S a stage, A, alpha; of each stage B_h, M_h and the x_h of theta, which is M_h (1 - min pi), for max Q - sum pi Q <= (1 - pi(a*)) max Q."""
    stack, H = setting.stack, stages(setting.stack)
    of_stage = lambda x: x.reshape(stack.N, H, -1).max(axis=2)
    first = 1 + of_stage(-setting.oracle(setting.oracle.start(setting.theta)).pi)
    B, M = of_stage(largest_return(stack)), of_stage(setting.oracle.optimum.V)
    each = {name: np.full(stack.N, float(x)) for name, x in {"H": H, "S": stack.S / H, "A": stack.A, "alpha": step(stack) * H / stack.S}.items()}
    return {**each, **{f"{name}_{h}": x[:, h] for name, x in {"B": B, "M": M, "x": M * first}.items() for h in range(H)}}


def per_stage(name: str, k: Constants) -> np.ndarray:
    """Constants of the stages, (N, H)."""
    return np.stack([k[f"{name}_{h}"] for h in range(int(k["H"][0]))], axis=1)


def bound(until: int) -> Callable[[Run, Constants], np.ndarray]:
    """sum_h x_h(n_h) by the recursion, with C of each step."""

    def found(run: Run, k: Constants) -> np.ndarray:
        H, alpha, A = int(k["H"][0]), k["alpha"][:, None], k["A"][:, None]
        M, x = per_stage("M", k), per_stage("x", k)
        C = by_stage(run.watched["C"], H).max(axis=3)
        turn = np.diff(trained(run.t, H, until), axis=0) > 0
        gained = alpha**2 * k["S"][:, None] * per_stage("B", k) * M**2 * (1 - 1 / A) / 4
        sums = [x.sum(axis=1)]
        for now, c in zip(turn, C[:-1], strict=True):
            x = np.where(now, np.minimum(x - alpha * A / (np.maximum(A - 1, 1) * c) * x**2 + gained, M), x)
            sums.append(x.sum(axis=1))
        return np.stack(sums)

    return found


def rollouts(until: int) -> Theorem:
    """The theorem with `until` steps a stage."""
    return Theorem(
        id="T88", name="backward-rollouts",
        statement="H stages of S states, rewards in [0, 1], stage h trained alone by n_h steps S/(4H) along one episode from a uniform state, last first: E gap <= sum_h x_h(n_h), "
        "x_h(0) = (1 - min pi_0) M_h, x_h(n+1) = x_h(n) - A x_h(n)^2/(4 H (A-1) C_h(n)) + S (1 - 1/A) B_h M_h^2/(64 H^2), M_h the largest Q*, B_h the largest return, C_h(n) = max_s E[pi(a*|s)^-2]",
        source="re-derived, see tabular/rates/rollouts.py; Klein, Weissmann, Doering (2024), stochastic dynamic policy gradient, who keep pi(a*|s) from 0 with high probability by batches",
        setting=sampled(until),
        assumptions={"rewards in [0, 1]": unit_rewards, "step S/(4H)": constant_step(step)},
        watch=lambda setting: {"C": inverse_square},
        constants=constants, bound=bound(until),
        first=0, a_posteriori=True,
    )  # fmt: skip


ROLLOUTS = rollouts(UNTIL)
