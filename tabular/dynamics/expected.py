"""A run of a stochastic update, all of whose numbers are exact expectations over every sample path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.running import Run, Watch
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.stochastic import GradientLaw, paths
from pgtheory.tabular.dynamics.updates import State, Update


def expected_run(update: Update, oracle: Any, theta: Any, steps: int, law: GradientLaw, watch: Mapping[str, Watch] | None = None) -> Run:
    """`steps` steps of an update whose gradients have the finite law `law`, along all paths: value, gap, norm of the gradient, step size and what is watched, each as its expectation.

    Everything is read from the exact outlooks at the ends of the paths; `final` holds these, K^steps rows a problem. Cost and errors: those of `paths`.
    """
    take: dict[str, Watch] = {"value": lambda o: o.value, "gap": lambda o: o.gap, "gradient_norm": lambda o: o.gradient_norm, **(watch or {})}
    pages: dict[str, list[np.ndarray]] = {name: [] for name in (*take, "size")}
    exact: Any = None
    for found in paths(update, oracle, law, theta, steps):
        exact = getattr(found.outlook, "exact", found.outlook)
        for name, read in take.items():
            pages[name].append(found.mean(np.asarray(read(exact))))
        pages["size"].append(found.size)
    stacked = {name: np.stack(page) for name, page in pages.items()}
    return Run(
        t=np.arange(steps + 1), value=stacked["value"], gap=stacked["gap"], gradient_norm=stacked["gradient_norm"], size=stacked["size"],
        watched={name: stacked[name] for name in watch or {}}, final=State(steps, exact.theta, exact, None, pages["size"][-1]),
    )  # fmt: skip


@dataclass(frozen=True)
class EveryOutcome:
    """A sampler without chance, for `paths`: REINFORCE on bandits of one state, r(a) score(a), where row j takes arm j mod K.

    The difference of two gradients is r(a) (score(a) - w score_last(a)), w = pi_last(a) / pi(a): one sample for both, with an importance weight, so that it is unbiased.
    Source: Barakat, Fatkhullin and He (2023), algorithm 1.

    Attributes:
        stack: the bandits; row j belongs to problem j // (number of rows / N).
    """

    stack: Stack

    def gradient(self, theta: Float[np.ndarray, "M 1 K"], rng: Any) -> Float[np.ndarray, "M 1 K"]:
        """r(a) score(a), row by row."""
        return self.reward(theta) * score(theta)

    def with_difference(
        self, theta: Float[np.ndarray, "M 1 K"], last: Float[np.ndarray, "M 1 K"], rng: Any
    ) -> tuple[Float[np.ndarray, "M 1 K"], Float[np.ndarray, "M 1 K"]]:
        """The gradient, and its difference to that at `last`."""
        g = self.gradient(theta, rng)
        weight = np.take_along_axis(softmax(last) / softmax(theta), arms(theta), axis=2)
        return g, g - weight * self.reward(theta) * score(last)

    def reward(self, theta: Float[np.ndarray, "M 1 K"]) -> Float[np.ndarray, "M 1 1"]:
        """r(a) of each row."""
        return np.take_along_axis(np.repeat(self.stack.r, len(theta) // self.stack.N, axis=0), arms(theta), axis=2)


def arms(theta: Float[np.ndarray, "M 1 K"]) -> np.ndarray:
    """The arm of each row, (M, 1, 1)."""
    return (np.arange(len(theta)) % theta.shape[2])[:, None, None]


def softmax(theta: Float[np.ndarray, "M 1 K"]) -> Float[np.ndarray, "M 1 K"]:
    """exp theta, normalised."""
    raised = np.exp(theta - theta.max(axis=2, keepdims=True))
    return raised / raised.sum(axis=2, keepdims=True)


def score(theta: Float[np.ndarray, "M 1 K"]) -> Float[np.ndarray, "M 1 K"]:
    """e_a - pi for the arm of each row."""
    return (np.arange(theta.shape[2]) == arms(theta)) - softmax(theta)
