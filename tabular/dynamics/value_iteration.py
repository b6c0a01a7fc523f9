"""Mirror-descent value iteration with given errors: one backup between two greedy steps that a divergence and an entropy hold back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_count
from pgtheory.tabular.dynamics.optimum import divergence
from pgtheory.tabular.dynamics.updates import State
from pgtheory.tabular.errors import InvalidArgument

Errors = Float[np.ndarray, "K *N S A"] | Callable[[int], np.ndarray]


class Tables(NamedTuple):
    """What the iteration carries along: q_k (N, S, A) and log pi_k."""

    q: np.ndarray
    log_pi: np.ndarray


@dataclass(frozen=True, eq=False)
class MirrorValueIteration:
    """MD-VI(lam, tau): from pi_0 and q_0, for k = 0, 1, ...

        pi_{k+1} = argmax over pi of <pi, q_k> - lam KL(pi, pi_k) + tau H(pi)          proportional to pi_k^(lam / (lam + tau)) exp(q_k / (lam + tau)),
        q_{k+1}  = r + gamma P ( <pi_{k+1}, q_k> - lam KL(pi_{k+1}, pi_k) + tau H(pi_{k+1}) ) + eps_{k+1}.

    With lam = tau = 0 the first line is the greedy policy, the first among ties, and all is value iteration; tau alone is soft Q-iteration, lam alone dynamic
    policy programming. The state's theta is pi_k on a `DirectOracle`, so that a run records the exact value of pi_k; `memory.q` is q_k.

    Attributes:
        lam: price of the divergence from the last policy, at least 0.
        tau: price of minus the entropy, at least 0.
        kind: 1, or 2, which leaves the two prices out of the second line.
        errors: eps_1, eps_2, ... as an array (K, S, A) or (K, N, S, A), or a function of k = 1, 2, ...; None: exact.
        q: q_0; None: zero.
        applications: how often the second line is applied, from q_k on, before the errors are added: more than once is modified policy iteration.

    Cost: O(N S^2 A) an application. Source: Vieillard et al. (2020), equations 1 and 2.
    """

    lam: float
    tau: float = 0.0
    kind: Literal[1, 2] = 1
    errors: Errors | None = None
    q: Float[np.ndarray, "*N S A"] | None = None
    applications: int = 1

    def __post_init__(self) -> None:
        for name in ("lam", "tau"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InvalidArgument(f"{name} is {getattr(self, name)}, expected a finite number of at least 0.")
        if self.kind not in (1, 2):
            raise InvalidArgument(f"kind is {self.kind!r}, expected 1 or 2.")
        require_count("applications", self.applications)
        if self.errors is not None and not callable(self.errors):
            object.__setattr__(self, "errors", freeze("errors", self.errors, error=InvalidArgument))

    def init(self, oracle: Any, theta: Any) -> State:
        """The state at pi_0 = theta, whose probabilities are positive if lam is.

        Raises:
            InvalidArgument: the oracle holds no table of probabilities, a probability is 0, q_0 or an error does not fit.
        """
        if not oracle.simplex:
            raise InvalidArgument(f"MirrorValueIteration moves probabilities, which {type(oracle).__name__} does not hold. Use DirectOracle.")
        pi = oracle.start(theta)
        if self.lam > 0 and (pi == 0).any():
            raise InvalidArgument("theta has a probability 0, from which the divergence lets no policy return. Start with positive probabilities.")
        shape = pi.shape
        q = freeze("q", np.zeros(shape) if self.q is None else self.q, error=InvalidArgument)
        for name, array in (("q", q), ("an error", self.errors[0] if isinstance(self.errors, np.ndarray) else q)):
            if array.shape not in (shape, shape[1:]):
                raise InvalidArgument(f"{name} has shape {array.shape}, expected {shape} or {shape[1:]}.")
        outlook = oracle(pi)
        return State(0, pi, outlook, Tables(np.array(np.broadcast_to(q, shape)), outlook.log_pi))

    def step(self, state: State) -> State:
        """The next policy and the next table."""
        (q, before), stack = state.memory, state.outlook.stack  # type: ignore[attr-defined]
        if self.lam + self.tau == 0:
            pi = (np.arange(stack.A) == q.argmax(axis=2)[:, :, None]).astype(float)
            with np.errstate(divide="ignore"):
                log_pi = np.log(pi)
        else:
            logits = ((self.lam * before if self.lam else 0.0) + q) / (self.lam + self.tau)
            shifted = logits - logits.max(axis=2, keepdims=True)
            log_pi = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
            pi = np.exp(log_pi)
        price = np.zeros(pi.shape[:2])
        if self.kind == 1:
            price += self.lam * divergence(log_pi, before) if self.lam else 0.0
            price += self.tau * (pi * log_pi).sum(axis=2) if self.tau else 0.0
        for _ in range(self.applications):
            q = stack.backup((pi * q).sum(axis=2) - price)
        after = q + self.error(state.t + 1)
        return State(state.t + 1, pi, state.outlook.oracle(pi), Tables(after, log_pi))

    def error(self, k: int) -> np.ndarray | float:
        """eps_k.

        Raises:
            InvalidArgument: the sequence is shorter.
        """
        if self.errors is None:
            return 0.0
        if callable(self.errors):
            return self.errors(k)
        if k > len(self.errors):
            raise InvalidArgument(f"errors has {len(self.errors)} entries, step {k} needs another one. Give a longer sequence, or a function of k.")
        return self.errors[k - 1]
