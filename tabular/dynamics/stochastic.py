"""Gradients that are estimates: the law at a point as finitely many outcomes, all sample paths of an update, or seeds.

An estimate is another oracle, so that every update of the gradient runs on it as it is: `NoisyOracle` draws, `paths` follows every outcome.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import distinct, require_count, require_distribution
from pgtheory.tabular.dynamics.lazy import once
from pgtheory.tabular.dynamics.outlook import Outlook
from pgtheory.tabular.dynamics.steps import StepSize
from pgtheory.tabular.dynamics.updates import State, Update
from pgtheory.tabular.errors import InvalidArgument, TooLarge

LIMIT = 10**6
"""Largest number of paths."""


class Outcomes(NamedTuple):
    """The finite law of a gradient estimate at N points: gradient k has probability chance[n, k]."""

    chance: Float[np.ndarray, "N K"]
    gradient: Float[np.ndarray, "N K *D"]


class GradientLaw(Protocol):
    """From an outlook to the law of the estimate there."""

    def __call__(self, outlook: Any) -> Outcomes:
        """The outcomes; their number K may not depend on the point."""
        ...


@runtime_checkable
class Scheduled(Protocol):
    """A law that is another one at another time."""

    def during(self, t: int) -> GradientLaw:
        """The law of the step from t to t + 1."""
        ...


class Drawn(Outlook):
    """An outlook whose gradient is a sample. Everything else that it shows is exact, but updates that need more than the gradient are refused."""

    def __init__(self, oracle: Any, exact: Outlook, gradient: Float[np.ndarray, "N *D"]) -> None:
        super().__init__(oracle, exact.theta)
        self.exact, self.gradient = exact, gradient

    def __getattr__(self, name: str) -> Any:
        if name == "exact":  # not yet there: a copy being made
            raise AttributeError(name)
        return getattr(self.exact, name)

    @once
    def gap(self) -> Float[np.ndarray, "N"]:
        """That of the exact outlook."""
        return self.exact.gap


@dataclass(frozen=True, eq=False)
class NoisyOracle:
    """An oracle whose gradients are drawn, one a call and problem. Rows of theta are independent: N equal problems are N seeds.

    Attributes:
        oracle: the exact one.
        draw: (exact outlook, rng) -> gradient; `drawn_from(law)` for a finite law.
        rng: where the draws come from.
    """

    oracle: Any
    draw: Callable[[Any, np.random.Generator], np.ndarray]
    rng: np.random.Generator

    @property
    def N(self) -> int:
        """Number of problems."""
        return self.oracle.N

    @property
    def simplex(self) -> bool:
        """As the exact oracle."""
        return self.oracle.simplex

    @property
    def best(self) -> Any:
        """As the exact oracle."""
        return self.oracle.best

    def start(self, theta: Any) -> Float[np.ndarray, "N *D"]:
        """As the exact oracle."""
        return self.oracle.start(theta)

    def __call__(self, theta: Float[np.ndarray, "N *D"]) -> Drawn:
        """The outlook, with one draw: at once, so that the draws do not depend on what is recorded."""
        exact = self.oracle(theta)
        return Drawn(self, exact, self.draw(exact, self.rng))


def drawn_from(law: GradientLaw) -> Callable[[Any, np.random.Generator], np.ndarray]:
    """One outcome of a finite law, independent from row to row."""

    def draw(outlook: Any, rng: np.random.Generator) -> np.ndarray:
        chance, gradient = law(outlook)
        below = np.cumsum(chance, axis=1) <= rng.random(len(chance))[:, None]
        return gradient[np.arange(len(chance)), np.minimum(below.sum(axis=1), chance.shape[1] - 1)]

    return draw


@dataclass(frozen=True)
class OneSample:
    """REINFORCE with one episode of one step, on a `SoftmaxOracle` of bandits: (r(s, a) - baseline(s)) score(s, a) with probability mu(s) pi(a|s).

    Attributes:
        baseline: of the outlook, (N, S); None: zero.
    """

    baseline: Callable[[Any], Float[np.ndarray, "N S"]] | None = None

    def __call__(self, outlook: Any) -> Outcomes:
        """S A outcomes, numbered s A + a.

        Raises:
            InvalidArgument: an episode may have more than one step.
        """
        stack, pi = outlook.stack, outlook.pi
        if stack.P.any():
            raise InvalidArgument("OneSample is for problems in which every row of P is zero; here an episode may have a second step.")
        N, S, A = pi.shape
        weight = stack.r - (0.0 if self.baseline is None else self.baseline(outlook)[:, :, None])
        score = np.zeros((N, S, A, S, A))
        s = np.arange(S)
        score[:, s, :, s, :] = np.moveaxis(np.eye(A) - pi[:, :, None, :], 1, 0)
        return Outcomes((stack.mu[:, :, None] * pi).reshape(N, S * A), (weight[..., None, None] * score).reshape(N, S * A, S, A))


@dataclass(frozen=True)
class AtExact:
    """A step size that looks at the exact outlook behind a sampled gradient, where the rule itself would take the norm of the sample for that of the gradient.

    `SignalToNoise` needs it: |g|^2 is |gradient|^2 plus the variance on average, and steps by it are too long.
    """

    step_size: StepSize

    def __call__(self, t: int, outlook: Any, direction: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> Float[np.ndarray, "N"]:
        """The rule's size; the direction is the sampled one."""
        return self.step_size(t, outlook.exact if isinstance(outlook, Drawn) else outlook, direction, move)


def noise(law: GradientLaw) -> Callable[[Any], Float[np.ndarray, "N"]]:
    """Outlook -> trace of the covariance of an estimate there. Cost: its K outcomes."""

    def trace(outlook: Any) -> Float[np.ndarray, "N"]:
        chance, gradient = law(outlook)
        rows = gradient.reshape(*chance.shape, -1)
        mean = np.einsum("nk,nkd->nd", chance, rows)
        return np.einsum("nk,nkd->n", chance, (rows - mean[:, None]) ** 2)

    return trace


@dataclass(frozen=True, eq=False)
class Paths:
    """All sample paths after t steps.

    Attributes:
        t: number of steps.
        weight: probability of each path, (N, M); rows sum to one.
        outlook: exact outlooks at the ends of the paths, N M rows, those of one problem together.
        size: expected size of the last step, (N,); NaN at t = 0.
    """

    t: int
    weight: Float[np.ndarray, "N M"]
    outlook: Any
    size: Any

    def mean(self, x: Float[np.ndarray, "NM *X"]) -> Float[np.ndarray, "N *X"]:
        """Expectation over the paths of something that was computed row by row: `paths.mean(paths.outlook.value)` is E[J(theta_t)]."""
        return np.einsum("nm,nm...->n...", self.weight, x.reshape(*self.weight.shape, *x.shape[1:]))


def paths(update: Update, oracle: Any, law: GradientLaw, theta: Any, steps: int) -> Iterator[Paths]:
    """Every sample path of an update, t = 0, ..., steps. No seed, no error: E[theta_t] and E[J(theta_t)] are exact.

    Paths that meet, in the same point with the same memory to the last bit and in all N problems at once, go on as one: outcomes that do not move theta
    cost nothing. A law that changes with time (`Scheduled`) is asked for that of the step. The sample of a step is drawn at theta_t, or where the update says: at `update.sampled_at(state)`, if it has this method. Row j of what is stepped
    follows outcome j mod K, which is how a sampler without chance (`EveryOutcome`) knows what to return.

    Cost: at most N K^t rows at step t, which are sorted, and for which the law is asked at N K^(t-1) points.

    Raises:
        TooLarge: more than a million rows, found out before they are formed wherever K is known.
        InvalidArgument: the chances are no distribution.
    """
    require_count("steps", steps, least=0)
    state = update.init(oracle, theta)
    N, K, weight = len(state.theta), 1, np.ones((len(state.theta), 1))
    yield Paths(0, weight, state.outlook, np.full(N, np.nan))
    for t in range(1, steps + 1):
        outlook: Any = state.outlook
        _require_followable(t, weight.size * (1 if isinstance(law, Scheduled) else K))
        elsewhere = getattr(update, "sampled_at", None)
        now = law.during(state.t) if isinstance(law, Scheduled) else law
        chance, gradient = now(outlook if elsewhere is None else outlook.oracle(elsewhere(state)))
        require_distribution("chance", chance, error=InvalidArgument)
        K = chance.shape[1]
        _require_followable(t, chance.size)
        many = oracle.repeated(weight.shape[1] * K)
        exact = many(np.repeat(outlook.theta, K, axis=0))
        drawn = Drawn(many, exact, gradient.reshape(-1, *gradient.shape[2:]))
        state = update.step(State(state.t, exact.theta, drawn, _repeated(state.memory, K)))
        weight = (weight[:, :, None] * chance.reshape(*weight.shape, K)).reshape(N, -1)
        size = np.einsum("nm,nm->n", weight, np.broadcast_to(state.size, (weight.size,)).reshape(weight.shape))
        columns = [np.moveaxis(x.reshape(N, weight.shape[1], -1), 0, 1) for x in (state.theta, *_arrays(state.memory))]
        first, same = distinct(np.concatenate([x.reshape(weight.shape[1], -1) for x in columns], axis=1))
        if len(first) < weight.shape[1]:
            rows = (np.arange(N)[:, None] * weight.shape[1] + first).ravel()
            weight = np.stack([np.bincount(same, one) for one in weight])
            point = state.theta[rows]
            state = State(state.t, point, oracle.repeated(len(first))(point), _taken(state.memory, rows))
        yield Paths(t, weight, state.outlook, size)


def _require_followable(t: int, count: int) -> None:
    """Refuse more paths than LIMIT."""
    if count > LIMIT:
        raise TooLarge(f"step {t} has {count} paths, more than {LIMIT}. Take fewer steps, or seeds: NoisyOracle(oracle, drawn_from(law), rng).")


def _repeated(memory: Any, K: int) -> Any:
    """A memory for K copies of every row."""
    return _mapped(memory, lambda x: np.repeat(x, K, axis=0))


def _taken(memory: Any, rows: Int[np.ndarray, "R"]) -> Any:
    """The memory of some rows."""
    return _mapped(memory, lambda x: x[rows])


def _arrays(memory: Any) -> list[np.ndarray]:
    """Every array that a memory holds."""
    found: list[np.ndarray] = []

    def note(x: np.ndarray) -> np.ndarray:
        found.append(x)
        return x

    _mapped(memory, note)
    return found


def _mapped(memory: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A memory with each array changed.

    Raises:
        InvalidArgument: it holds something else than arrays with the leading axis N.
    """
    if memory is None:
        return None
    if isinstance(memory, np.ndarray):
        return change(memory)
    if isinstance(memory, tuple):
        parts = [_mapped(part, change) for part in memory]
        return type(memory)(*parts) if hasattr(memory, "_fields") else tuple(parts)
    raise InvalidArgument(f"the memory of the update holds a {type(memory).__name__}; paths can follow arrays (N, ...) and tuples of them only.")
