"""The best that can be reached on a stack, and what a policy loses against it in each state."""

from dataclasses import dataclass, fields
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import ROUNDING, distinct
from pgtheory.tabular.dynamics.acyclic import acyclic_values
from pgtheory.tabular.dynamics.policy_iteration import contraction, policy_iteration
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import SMALL

SWEEPS = 200
"""Limit of policy iteration with a temperature, which is Newton's method: it takes about ten steps."""


SOLVED: WeakKeyDictionary[Stack, "Optimum"] = WeakKeyDictionary()
"""Stack, which never changes, -> its optimum, as long as the stack lives: it is the same for all oracles on it."""


class Repeatable:
    """Arrays with the leading axis N, and numbers."""

    def repeated(self, count: int) -> Self:
        """Each problem `count` times, one after the other."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return type(self)(**{name: np.repeat(x, count, axis=0) if isinstance(x, np.ndarray) else x for name, x in values.items()})


@dataclass(frozen=True, eq=False)
class Optimum(Repeatable):
    """The best policies of a stack.

    Attributes:
        J: best value.
        V: best value of each state.
        Q: value of an action that is followed by the best ones.
        missing: V - Q, exactly 0 for every action that is as good as the best within the proven error of V, or within 1e-12 of the values if none is proven.
    """

    J: Float[np.ndarray, "N"]
    V: Float[np.ndarray, "N S"]
    Q: Float[np.ndarray, "N S A"]
    missing: Float[np.ndarray, "N S A"]

    def loss(self, outlook: Any) -> Float[np.ndarray, "N S"]:
        """sum_a pi(a|s) (V*(s) - Q*(s, a))."""
        return np.add.reduce(outlook.pi * self.missing, axis=2)


@dataclass(frozen=True, eq=False)
class SoftOptimum(Repeatable):
    """The best policy of a stack with reward r - temperature log pi, which is unique: pi = exp((Q - V) / temperature).

    Attributes:
        J: best value.
        V: temperature log sum_a exp(Q / temperature).
        Q: r + gamma P V.
        log_pi: log-probabilities of the best policy.
        temperature: the price of log pi.
    """

    J: Float[np.ndarray, "N"]
    V: Float[np.ndarray, "N S"]
    Q: Float[np.ndarray, "N S A"]
    log_pi: Float[np.ndarray, "N S A"]
    temperature: float

    def loss(self, outlook: Any) -> Float[np.ndarray, "N S"]:
        """temperature KL(pi(.|s), pi*(.|s))."""
        return self.temperature * divergence(outlook.log_pi, self.log_pi)


def hard_optimum(stack: Stack) -> Optimum:
    """The optimum of the plain reward, found once a stack: by backups where no state is visited twice, else each different problem once, small ones that contract together by
    policy iteration, the others one by one with `optimal`.

    Cost: a few linear systems a problem.
    """
    if stack not in SOLVED:
        SOLVED[stack] = _solved(stack)
    return SOLVED[stack]


def _solved(stack: Stack) -> Optimum:
    if (backed_up := acyclic_values(stack)) is not None:
        V, bound = backed_up
        return _with_ties(V, stack.backup(V), np.add.reduce(stack.mu * V, axis=1), bound)
    parts = (stack.P, stack.r, stack.mu, stack.gamma)
    different, same = distinct(np.concatenate([x.reshape(stack.N, -1) for x in parts], axis=1))
    # So near to 1 that rounding hides the contraction, nothing is proven.
    together = different[contraction(stack)[different] < 1 - 4 * ROUNDING] if stack.S <= SMALL else different[:0]
    V, bound = np.zeros(stack.mu.shape), np.zeros(stack.N)
    V[together], bound[together] = policy_iteration(stack.taken(together))
    Q, J = stack.backup(V), np.add.reduce(stack.mu * V, axis=1)
    for n in np.setdiff1d(different, together):
        found = optimal(stack.models[n])
        V[n], Q[n], J[n], bound[n] = found.V, found.Q, found.J, found.bound
    return _with_ties(*(x[different[same]] for x in (V, Q, J, bound)))


def _with_ties(V: np.ndarray, Q: np.ndarray, J: np.ndarray, bound: np.ndarray) -> Optimum:
    """The optimum from values with these bounds of their errors."""
    missing = Q.max(axis=2, keepdims=True) - Q
    # An action that misses less than the error of Q is a tie that rounding has broken. Where gamma is 1 and a loop costs nothing no error is proven.
    error = np.where(np.isfinite(bound), 4 * bound, ROUNDING * (1 + abs(V).max(axis=1)))
    return Optimum(J=J, V=V, Q=Q, missing=np.where(missing <= error[:, None, None], 0.0, missing))


def soft_optimum(stack: Stack, temperature: float, evaluate: Any) -> SoftOptimum:
    """Policy iteration with a temperature: pi <- exp(Q_pi / temperature), normalised, until the values no longer rise by more than rounding.

    `evaluate` maps logits to an outlook. It is Newton's method for V = temperature log sum exp(Q / temperature), monotone and quadratically convergent.
    Cost: about ten evaluations of the stack. Source: Haarnoja et al. (2018), lemma 2; Cen et al. (2022), section 3 (their step size to infinity).

    Raises:
        NotConverged: rounding or a tiny temperature keeps the values moving.
    """
    logits, last, change = np.zeros(stack.r.shape), np.full(stack.mu.shape, -np.inf), np.inf
    for _ in range(SWEEPS):
        outlook = evaluate(logits)
        logits = outlook.Q / temperature
        before, change = change, float(abs(outlook.V - last).max())
        last = outlook.V
        if change == 0 or (change <= 1e-9 * (1 + abs(last).max()) and 4 * change >= before):
            top = outlook.Q.max(axis=2, keepdims=True)
            V = top[..., 0] + temperature * np.log(np.exp((outlook.Q - top) / temperature).sum(axis=2))
            log_pi = (outlook.Q - V[:, :, None]) / temperature
            return SoftOptimum(J=(stack.mu * V).sum(axis=1), V=V, Q=outlook.Q, log_pi=log_pi, temperature=temperature)
        if change == 0:
            change = np.finfo(float).tiny
    raise NotConverged(
        f"the best policy at temperature {temperature:g} was not found in {SWEEPS} steps; values still move by {change:.3g}.", best=last, bound=np.inf
    )


def divergence(log_p: Float[np.ndarray, "*N A"], log_q: Float[np.ndarray, "*N A"]) -> Float[np.ndarray, "*N"]:
    """KL(p, q) over the last axis as sum q (x e^x - e^x + 1), x = log p - log q: no term is negative, so that small divergences keep their digits.

    Below |x| = 1/64 the bracket is its series to x^8, with a relative error of 1e-14. Where p is 0, the term is q.
    """
    with np.errstate(invalid="ignore"):
        x = np.where(np.isneginf(log_p), -np.inf, log_p - log_q)
    # sum_k x^k (k - 1) / k! from k = 2 on.
    series = x * x * (1 / 2 + x * (1 / 3 + x * (1 / 8 + x * (1 / 30 + x * (1 / 144 + x * (1 / 840 + x / 5760))))))
    with np.errstate(invalid="ignore"):
        bracket = np.where(abs(x) < 1 / 64, series, np.where(np.isneginf(x), 1.0, x * np.exp(x) - np.expm1(x)))
        q = np.exp(log_q)
        # For large x, e^x q is p itself.
        terms = np.where(x > 1, np.exp(log_p) * (x - 1) + q, q * bracket)
    return np.add.reduce(np.where(np.isneginf(log_p) & np.isneginf(log_q), 0.0, terms), axis=-1)
