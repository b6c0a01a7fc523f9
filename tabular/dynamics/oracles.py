"""Oracles: theta -> Outlook. A new objective or parametrisation is a new oracle; every update runs on every oracle that shows what it needs.

An oracle has `N` problems, `best` (N,) or None, `simplex` (whether rows of theta are distributions) and `start(theta)`, which checks and broadcasts a first point.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import freeze, require_distribution
from pgtheory.tabular.dynamics.lazy import once
from pgtheory.tabular.dynamics.optimum import Optimum, SoftOptimum, hard_optimum, soft_optimum
from pgtheory.tabular.dynamics.outlook import Outlook, PolicyOutlook
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy


class Oracle(Protocol):
    """What an update and a run ask of an oracle."""

    simplex: bool

    @property
    def N(self) -> int:
        """Number of problems."""
        ...

    @property
    def best(self) -> Any:
        """Best value of each problem, (N,), or None if it is not known."""
        ...

    def start(self, theta: Any) -> Float[np.ndarray, "N *D"]:
        """A first point: checked, copied, with the leading axis N."""
        ...

    def repeated(self, count: int) -> "Oracle":
        """The oracle for `count` copies of each row of theta, one after the other."""
        ...

    def __call__(self, theta: Float[np.ndarray, "N *D"]) -> Outlook:
        """The outlook at theta."""
        ...


class StackOracle:
    """Shared part of the oracles on a stack whose theta is a table (N, S, A).

    Attributes:
        stack: the problems.
        optimum: the best policies, and what others lose.
    """

    stack: Stack
    optimum: Any

    @property
    def N(self) -> int:
        """Number of problems."""
        return self.stack.N

    @property
    def best(self) -> Float[np.ndarray, "N"]:
        """Best value of each problem."""
        return self.optimum.J

    def start(self, theta: Any) -> Float[np.ndarray, "N S A"]:
        """theta of shape (S, A) or (N, S, A), as an own array (N, S, A).

        Raises:
            InvalidPolicy: another shape, or entries that are not finite.
        """
        array, shape = freeze("theta", theta, error=InvalidPolicy), self.stack.r.shape
        if array.shape not in (shape, shape[1:]):
            raise InvalidPolicy(f"theta has shape {array.shape}, expected (N, S, A) = {shape} or {shape[1:]}, the same for every problem.")
        return np.array(np.broadcast_to(array, shape), order="F" if self.N > 1 else "C")

    def with_optimum(self, copies: Any, count: int) -> Any:
        """The oracle of `count` copies of each problem, with the optimum if it has been found: it is solved for once, not once a copy."""
        if "optimum" in vars(self):
            vars(copies)["optimum"] = self.optimum.repeated(count)
        return copies


@dataclass(frozen=True, eq=False)
class SoftmaxOracle(StackOracle):
    """Softmax policies on a stack, with optional regularisers: the logits theta (N, S, A) and

        J(theta) = E sum_t gamma^t [ r - tau log pi(a_t|s_t) - kl log(pi(a_t|s_t) / ref(a_t|s_t)) ],
        dJ/dtheta[s, a] = d(s) pi(a|s) advantage(s, a).

    Inside it is one regulariser: the reward r + kl log ref with the temperature tau + kl, and Q is the value for that reward.

    Attributes:
        stack: the problems.
        tau: price of minus the entropy, at least 0.
        kl: price of the divergence from `ref`, at least 0.
        ref: positive probabilities (S, A) or (N, S, A); needed if kl > 0.

    Cost of a gradient: one factorisation of size S, O(S^2 A) more, a problem.
    """

    stack: Stack
    tau: float = 0.0
    kl: float = 0.0
    ref: Float[np.ndarray, "*N S A"] | None = None
    simplex = False

    def __post_init__(self) -> None:
        for name in ("tau", "kl"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InvalidArgument(f"{name} is {getattr(self, name)}, expected a finite number of at least 0.")
        if (self.kl > 0) != (self.ref is not None):
            raise InvalidArgument(f"kl is {self.kl:g} and ref is {'missing' if self.ref is None else 'given'}. Give a positive kl together with ref.")
        if self.ref is not None:
            ref = freeze("ref", self.ref, error=InvalidPolicy)
            if ref.shape not in (self.stack.r.shape, self.stack.r.shape[1:]):
                raise InvalidPolicy(f"ref has shape {ref.shape}, expected {self.stack.r.shape} or {self.stack.r.shape[1:]}.")
            require_distribution("ref", ref, error=InvalidPolicy)
            if (ref == 0).any():
                raise InvalidPolicy("ref gives an action probability 0: the divergence is infinite. Give positive probabilities.")
            object.__setattr__(self, "ref", ref)

    @property
    def temperature(self) -> float:
        """tau + kl."""
        return self.tau + self.kl

    @cached_property
    def rewarded(self) -> Stack:
        """The problems with the reward r + kl log ref."""
        return self.stack if self.ref is None else replace(self.stack, r=self.stack.r + self.kl * np.log(self.ref))

    @cached_property
    def optimum(self) -> Optimum | SoftOptimum:
        """The best policy; unique with a temperature."""
        return hard_optimum(self.stack) if self.temperature == 0 else soft_optimum(self.rewarded, self.temperature, self)

    def repeated(self, count: int) -> "SoftmaxOracle":
        """Each problem `count` times, one after the other."""
        ref = self.ref if self.ref is None or self.ref.ndim == 2 else np.repeat(self.ref, count, axis=0)
        return self.with_optimum(replace(self, stack=self.stack.repeated(count), ref=ref), count)

    def __call__(self, theta: Float[np.ndarray, "N S A"]) -> "SoftmaxOutlook":
        """The outlook at the logits theta."""
        return SoftmaxOutlook(self, theta)


class SoftmaxOutlook(PolicyOutlook):
    """A softmax policy: gradient[s, a] = d(s) pi(a|s) advantage(s, a)."""

    def __init__(self, oracle: SoftmaxOracle, theta: Float[np.ndarray, "N S A"]) -> None:
        self.oracle, self.theta, self.stack, self.temperature = oracle, theta, oracle.rewarded, oracle.temperature

    @once
    def _raised(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shifted = self.theta - np.maximum.reduce(self.theta, axis=2, keepdims=True)
        raised = np.exp(shifted)
        return shifted, raised, np.add.reduce(raised, axis=2, keepdims=True)

    @once
    def pi(self) -> Float[np.ndarray, "N S A"]:
        """exp theta, normalised."""
        _, raised, total = self._raised
        return raised / total

    @once
    def likeliest(self) -> Bool[np.ndarray, "N S A"]:
        """Where theta is largest."""
        return self._raised[0] == 0

    @once
    def log_pi(self) -> Float[np.ndarray, "N S A"]:
        """theta minus its log-sum-exp."""
        shifted, _, total = self._raised
        return shifted - np.log(total)

    @once
    def gradient(self) -> Float[np.ndarray, "N S A"]:
        """See the class. Source: Agarwal et al. (2021), lemma C.1, with d not normalised."""
        return self.occupancy[:, :, None] * (self.pi * self.advantage)

    @once
    def natural(self) -> Float[np.ndarray, "N S A"]:
        """F^+ gradient, F = sum_s d(s) sum_a pi score score': the advantage minus its plain mean over the actions, where d(s) > 0, else 0.

        F is a block diag(d pi) - d pi pi' a state, whose kernel are the constants. Source: Kakade (2001); Agarwal et al. (2021), lemma 15.
        """
        centred = self.advantage - np.add.reduce(self.advantage, axis=2, keepdims=True) / self.stack.A
        return np.where(self.occupancy[:, :, None] > 0, centred, 0.0)


@dataclass(frozen=True, eq=False)
class DirectOracle(StackOracle):
    """The probabilities themselves: theta = pi (N, S, A), dJ/dtheta[s, a] = d(s) Q(s, a). Rows of theta are distributions."""

    stack: Stack
    simplex = True

    @cached_property
    def optimum(self) -> Optimum:
        """The best policies."""
        return hard_optimum(self.stack)

    def repeated(self, count: int) -> "DirectOracle":
        """Each problem `count` times, one after the other."""
        return self.with_optimum(DirectOracle(self.stack.repeated(count)), count)

    def start(self, theta: Any) -> Float[np.ndarray, "N S A"]:
        """As `StackOracle.start`; rows must be distributions."""
        array = super().start(theta)
        require_distribution("theta", array, error=InvalidPolicy)
        return array

    def __call__(self, theta: Float[np.ndarray, "N S A"]) -> "DirectOutlook":
        """The outlook at the probabilities theta."""
        return DirectOutlook(self, theta)


class DirectOutlook(PolicyOutlook):
    """A table of probabilities: gradient[s, a] = d(s) Q(s, a), the partial derivative; only its part along the simplex is determined."""

    @property
    def pi(self) -> Float[np.ndarray, "N S A"]:
        """theta."""
        return self.theta

    @once
    def log_pi(self) -> Float[np.ndarray, "N S A"]:
        """log theta."""
        with np.errstate(divide="ignore"):
            return np.log(self.theta)

    @once
    def gradient(self) -> Float[np.ndarray, "N S A"]:
        """See the class."""
        return self.occupancy[:, :, None] * self.Q


@dataclass(frozen=True, eq=False)
class FunctionOracle:
    """A function of one's own: value and gradient map theta (N, ...) to (N,) and to the shape of theta.

    For a game or any other field, `gradient` is the field that is followed, and `value` what is recorded.

    Attributes:
        value: the function that is maximised.
        gradient: the field that is followed.
        optimal_value: best value, a number or (N,); None: not known.
    """

    value: Callable[[np.ndarray], np.ndarray]
    gradient: Callable[[np.ndarray], np.ndarray]
    optimal_value: Float[np.ndarray, "N"] | float | None = None
    simplex = False

    @property
    def best(self) -> np.ndarray | None:
        """The best value, if it was given."""
        return None if self.optimal_value is None else np.asarray(self.optimal_value, dtype=float)

    def start(self, theta: Any) -> Float[np.ndarray, "N *D"]:
        """theta with its leading axis; the shapes of what the functions return are checked here, once.

        Raises:
            InvalidArgument: theta has no leading axis, or a function returns another shape.
        """
        array = np.array(freeze("theta", theta, error=InvalidArgument))
        if array.ndim < 2:
            raise InvalidArgument(f"theta has shape {array.shape}, expected (N, ...): one row a problem, theta[None] for a single one.")
        for name, expected in (("value", array.shape[:1]), ("gradient", array.shape)):
            found = np.shape(getattr(self, name)(array))
            if found != expected:
                raise InvalidArgument(f"{name} returns shape {found} for theta of shape {array.shape}, expected {expected}.")
        return array

    def repeated(self, count: int) -> "FunctionOracle":
        """The functions take any number of rows; the best values, if there are several, are repeated."""
        best = self.best
        return self if best is None or best.ndim == 0 else replace(self, optimal_value=np.repeat(best, count))

    def __call__(self, theta: Float[np.ndarray, "N *D"]) -> "FunctionOutlook":
        """The outlook at theta."""
        return FunctionOutlook(self, theta)


class FunctionOutlook(Outlook):
    """What the two functions return."""

    @once
    def value(self) -> Float[np.ndarray, "N"]:
        """The function."""
        return self.oracle.value(self.theta)

    @once
    def gradient(self) -> Float[np.ndarray, "N *D"]:
        """The field."""
        return self.oracle.gradient(self.theta)
