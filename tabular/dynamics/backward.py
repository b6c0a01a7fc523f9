"""Dynamic policy gradient: one stage of a finite horizon after the other, last first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_count, require_distribution
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.updates import State, Update
from pgtheory.tabular.errors import InvalidArgument


class Stage(NamedTuple):
    """Which stage is trained, and the state of its own update; `state.t` counts the steps of the stage."""

    number: int
    state: State


@dataclass(frozen=True, eq=False)
class Backward:
    """For h = H-1 down to 0: hold the later stages fixed and train stage h alone, by any update, on the contextual bandit

        J_h(theta_h) = sum_s start_h(s) sum_a pi_{theta_h}(a|s) Q_h(s, a),   Q_h: value of the later stages, which no longer moves.

    The oracle is a `SoftmaxOracle` on models with time in their states, `with_time(model).model`: row h*S + s of theta is state s at time h. Each step is one step
    of the stage's update; after stage 0 nothing moves. Cost of a step: that of a bandit. Source: Klein, Weissmann and Doering (2024), algorithm 2.

    Attributes:
        update: trains a stage.
        stages: H.
        until: steps a stage, or a function of the stage's state that is True, for every problem, when the stage is done; it is asked after each step.
        start: positive first laws start_h(s), (H, S) or (S,); None: uniform.

    Theorem: T04.
    """

    update: Update
    stages: int
    until: int | Callable[[State], Any]
    start: Float[np.ndarray, "*H S"] | None = None

    def __post_init__(self) -> None:
        require_count("stages", self.stages)
        if not callable(self.until):
            require_count("until", self.until)
        if self.start is not None:
            start = freeze("start", self.start, error=InvalidArgument)
            require_distribution("start", start, error=InvalidArgument)
            if (start == 0).any():
                raise InvalidArgument("start has a probability 0: the best action of that state would never be learned. Give positive probabilities.")
            object.__setattr__(self, "start", start)

    def init(self, oracle: Any, theta: Any) -> State:
        """The state before the last stage is trained.

        Raises:
            InvalidArgument: no softmax oracle, or a number of states that is no multiple of the stages.
        """
        if not isinstance(oracle, SoftmaxOracle) or oracle.stack.S % self.stages:
            S = oracle.stack.S if isinstance(oracle, SoftmaxOracle) else 0
            what = f"has {S} states, no multiple of {self.stages} stages" if S else "is no SoftmaxOracle"
            raise InvalidArgument(
                f"{type(oracle).__name__} {what}. Use SoftmaxOracle(Stack.of([with_time(model).model])) with a horizon of {self.stages}."
            )
        theta = oracle.start(theta)
        outlook = oracle(theta)
        return State(0, theta, outlook, self.begin(self.stages - 1, outlook))

    def begin(self, h: int, outlook: Any) -> Stage:
        """The bandit of stage h, and the first state of its update."""
        stack = outlook.stack
        S = stack.S // self.stages
        rows = slice(h * S, (h + 1) * S)
        start = np.full(S, 1 / S) if self.start is None else self.start[h] if self.start.ndim == 2 else self.start
        bandit = Stack(P=np.zeros((stack.N, S, stack.A, S)), r=outlook.Q[:, rows], mu=np.broadcast_to(start, (stack.N, S)), gamma=np.ones(stack.N))
        return Stage(h, self.update.init(SoftmaxOracle(bandit, tau=outlook.temperature), outlook.theta[:, rows]))

    def step(self, state: State) -> State:
        """One step of the present stage."""
        stage = state.memory
        if stage is None:
            return state._replace(t=state.t + 1)
        inner = self.update.step(stage.state)
        S = inner.theta.shape[1]
        theta = state.theta.copy()
        theta[:, stage.number * S : (stage.number + 1) * S] = inner.theta
        outlook = state.outlook.oracle(theta)
        done = np.all(self.until(inner)) if callable(self.until) else inner.t >= self.until
        memory = Stage(stage.number, inner) if not done else self.begin(stage.number - 1, outlook) if stage.number else None
        return State(state.t + 1, theta, outlook, memory, inner.size)
