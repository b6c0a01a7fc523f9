"""A torch optimiser as an update: its steps are taken with the exact mean of an estimator, so that a training loop runs without noise."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pgtheory.tabular.dynamics.outlook import norm
from pgtheory.tabular.dynamics.updates import State
from pgtheory.tabular.errors import InvalidArgument, UserFunctionError
from pgtheory.tabular.fields.field import Field
from pgtheory.tabular.spelling import did_you_mean

OPTIMISERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
"""Optimisers by name, each with a learning rate and torch's other defaults."""


@dataclass(frozen=True, eq=False)
class OptimiserUpdate:
    """theta after one step of a torch optimiser that is given minus E[g](theta) as the gradient of the parameters: g ascends, optimisers descend.

    The optimiser's state (momenta, step counts) is the memory of the update: a step from one state is the same whenever it is taken.

    Attributes:
        field: theta -> E[g], with everything that the loss is given recomputed at each point.
        make: parameters -> optimiser, such as `lambda params: torch.optim.Adam(params, lr=0.01)`.

    Cost of a step: one exact mean. `size` is the distance that theta moved.
    """

    field: Field
    make: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at a first point, with a fresh optimiser."""
        theta = oracle.start(theta)
        if len(theta) != 1:
            raise InvalidArgument(f"theta holds {len(theta)} problems; a torch optimiser trains one. Run them one by one.")
        return State(0, theta, oracle(theta))

    def step(self, state: State) -> State:
        """One step.

        Raises:
            UserFunctionError: the mean of the estimator is not finite.
        """
        mean = self.field(state.theta[0])
        if not np.isfinite(mean).all():
            raise UserFunctionError(f"the mean gradient of the loss is not finite at step {state.t}: look at it with `pgtheory check`.")
        parameter = torch.nn.Parameter(torch.from_numpy(state.theta[0].copy()))
        optimiser = self.make([parameter])
        if state.memory is not None:
            optimiser.load_state_dict(deepcopy(state.memory))  # its tensors are changed in place by the step
        parameter.grad = torch.from_numpy(-mean.reshape(state.theta[0].shape))
        optimiser.step()
        theta = parameter.detach().numpy()[None].copy()
        return State(state.t + 1, theta, state.outlook.oracle(theta), optimiser.state_dict(), norm(theta - state.theta))


def optimiser_named(name: str, rate: float) -> Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]:
    """The maker of an optimiser with this name and learning rate.

    Raises:
        InvalidArgument: an unknown name, or a rate that is not positive.
    """
    if name not in OPTIMISERS:
        raise InvalidArgument(f"no optimiser is called {name!r}.{did_you_mean(name, OPTIMISERS)} There are: {', '.join(OPTIMISERS)}.")
    if not 0 < rate < np.inf:
        raise InvalidArgument(f"the learning rate is {rate}, expected a positive finite number.")
    return lambda parameters: OPTIMISERS[name](parameters, lr=rate)
