"""A run: the same update again and again, and what is recorded on the way."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.dynamics.optimum import divergence
from pgtheory.tabular.dynamics.outlook import norm
from pgtheory.tabular.dynamics.updates import State, Update
from pgtheory.tabular.errors import InvalidArgument, NotConverged

Watch = Callable[[Any], np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """What was recorded at the steps t; the first axis of every array is that of t.

    Attributes:
        t: recorded steps, T of them; 0 is the first point.
        value: the objective.
        gap: best value minus value; None if the best value is not known.
        gradient_norm: Euclidean norm of the gradient.
        size: step size of the step that led there; NaN at t = 0.
        watched: what the functions of `watch` returned, by name.
        final: the last state; `update.step(final)` goes on.
    """

    t: Int[np.ndarray, "T"]
    value: Float[np.ndarray, "T N"]
    gap: Float[np.ndarray, "T N"] | None
    gradient_norm: Float[np.ndarray, "T N"]
    size: Float[np.ndarray, "T N"]
    watched: Mapping[str, np.ndarray] = field(default_factory=dict)
    final: State

    @property
    def theta(self) -> np.ndarray:
        """The last point, (N, ...)."""
        return self.final.theta


def run(
    update: Update,
    oracle: Any,
    theta: Any,
    steps: int,
    *,
    record: Literal["all", "log"] | Iterable[int] = "all",
    watch: Mapping[str, Watch] | None = None,
    progress: Callable[[State], None] | None = None,
) -> Run:
    """`steps` steps of an update from theta.

    Args:
        update: anything with init and step.
        oracle: what is climbed.
        theta: first point, (N, ...); for a stack also the shape of one problem.
        steps: how many.
        record: "all" steps, about 50 a decade ("log"), or given ones. 0 and the last are always recorded.
        watch: further quantities by name, functions of the outlook that return arrays with the leading axis N: `entropy`, `distance_to(theta)`, your own.
        progress: called with each recorded state.

    Cost: that of the steps; a recorded step adds value, gap and gradient, which most updates have computed anyway. Memory: what is recorded.

    Raises:
        NotConverged: theta or a recorded number is not finite; the text names step, problem and value, `best` is the last finite theta.

    >>> import numpy as np
    >>> from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
    >>> from pgtheory.tabular.dynamics.stack import Stack
    >>> from pgtheory.tabular.dynamics.steps import Constant
    >>> from pgtheory.tabular.dynamics.updates import Gradient
    >>> from pgtheory.tabular.models.bandit import Bandit
    >>> found = run(Gradient(Constant(1.0)), SoftmaxOracle(Stack.of([Bandit(r=[1.0, 0.0])])), np.zeros((1, 2)), 2)
    >>> found.value[:, 0].round(4)
    array([0.5   , 0.6225, 0.7251])
    """
    points = recorded(record, require_count("steps", steps, least=0))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        state = update.init(oracle, theta)
        has_gap = state.outlook.oracle.best is not None
        book = _Book(watch or {}, has_gap)
        book.enter(state, state)
        due = iter(points[1:])
        following = next(due, None)
        for t in range(1, steps + 1):
            before, state = state, update.step(state)
            if not math.isfinite(np.add.reduce(state.theta, axis=None)):
                require_finite(state.theta, "theta", before, state)
            if t == following:
                book.enter(state, before)
                following = next(due, None)
                if progress is not None:
                    progress(state)
    return book.closed(points, state)


class _Book:
    """The lists of a run."""

    def __init__(self, watch: Mapping[str, Watch], has_gap: bool) -> None:
        self.take: dict[str, Watch] = {"value": lambda o: o.value, "gradient_norm": lambda o: o.gradient_norm}
        if has_gap:
            self.take["gap"] = lambda o: o.gap
        for name in watch:
            if name in (*self.take, "size", "t"):
                raise InvalidArgument(f"watch has the name {name!r}, which is recorded anyway. Give it another name.")
        self.watch = dict(watch)
        self.pages: dict[str, list[np.ndarray]] = {name: [] for name in (*self.take, *self.watch, "size")}

    def enter(self, state: State, before: State) -> None:
        """Record one state; `before` is the last one, for the text of an error."""
        for name, read in self.take.items():
            page = read(state.outlook)
            if not math.isfinite(np.add.reduce(page)):
                require_finite(page, name, before, state)
            self.pages[name].append(page)
        for name, read in self.watch.items():
            self.pages[name].append(np.array(read(state.outlook)))
        self.pages["size"].append(state.size)

    def closed(self, t: Int[np.ndarray, "T"], final: State) -> Run:
        """The run."""
        N = len(final.theta)
        size = np.stack([np.broadcast_to(one, (N,)) for one in self.pages["size"]])
        stacked = {name: np.stack(self.pages[name]) for name in (*self.take, *self.watch)}
        return Run(
            t=t,
            value=stacked["value"],
            gap=stacked.get("gap"),
            gradient_norm=stacked["gradient_norm"],
            size=size,
            watched={name: stacked[name] for name in self.watch},
            final=final,
        )


def recorded(record: Literal["all", "log"] | Iterable[int], steps: int) -> Int[np.ndarray, "T"]:
    """The steps that are recorded, increasing; 0 and the last are among them.

    Raises:
        InvalidArgument: an unknown word, or a step outside 0..steps.
    """
    if isinstance(record, str):
        if record not in ("all", "log"):
            raise InvalidArgument(f'record is {record!r}, expected "all", "log" or steps.')
        wanted = np.arange(steps + 1) if record == "all" or steps < 2 else np.geomspace(1, steps, 1 + round(50 * math.log10(steps))).round()
    else:
        wanted = np.array([require_count("a recorded step", t, least=0) for t in record], dtype=int)
        if (wanted > steps).any():
            raise InvalidArgument(f"record has step {wanted.max()}, the run has {steps}.")
    return np.unique(np.concatenate([[0], wanted, [steps]]).astype(int))


def require_finite(page: np.ndarray, name: str, before: State, state: State) -> None:
    """Stop a run that has left the finite numbers.

    Raises:
        NotConverged: names step, step size, problem and value; `best` is the last finite theta.
    """
    wrong = ~np.isfinite(page)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        sizes = [float(np.broadcast_to(one.size, (len(page),))[index[0]]) for one in (before, state)]
        taken = f" of size {sizes[1]:.3g}" if np.isfinite(sizes[1]) else f"; step {before.t} had size {sizes[0]:.3g}" if before.t else ""
        raise NotConverged(
            f"{name} of problem {index[0]} is {page[index]} after step {state.t}{taken}: the update divides by zero, its steps are too large, "
            "or the value has no maximum. Look at the update there, or give a smaller step size or a cap.",
            best=state.theta if np.isfinite(state.theta).all() else before.theta,
            bound=np.inf,
        )


def entropy(outlook: Any) -> Float[np.ndarray, "N"]:
    """Entropy of the policy in nats, averaged over the states by their visits."""
    return visited_mean(outlook, outlook.entropy)


def divergence_from(log_pi: Float[np.ndarray, "*N S A"]) -> Watch:
    """KL(pi, reference), averaged over the states by the visits of pi; the reference is given by its log-probabilities (S, A) or (N, S, A)."""
    return lambda outlook: visited_mean(outlook, divergence(outlook.log_pi, np.broadcast_to(log_pi, outlook.log_pi.shape)))


def distance_to(theta: Float[np.ndarray, "*N D"]) -> Watch:
    """Euclidean distance of theta from a point."""
    return lambda outlook: norm(outlook.theta - theta)


def visited_mean(outlook: Any, x: Float[np.ndarray, "N S"]) -> Float[np.ndarray, "N"]:
    """Mean over the states, weighted by the occupancy."""
    return (outlook.occupancy * x).sum(axis=1) / outlook.occupancy.sum(axis=1)
