"""Coordinates of an estimator in which its law is taken, k at a time: for each pair (s, a) the k numbers psi(s, a) that multiply the advantage.

    Own      one column a pair: psi(s, a) = ratio(s, a) (e_{s, a} - centre(s)), which lives on the columns of its own state. centre = pi: the parameters of Softmax.
             centre = 0: the space of weights, from which `policy.pullback` leads to the parameters of any other table.
    Table    psi as an array (S, A, k): few parameters shared by the states, or directions x with psi(s, a) = ratio(s, a) x . score(s, a).

Every average over the actions is one over those of the data. Nothing assumes that it is zero for psi itself: Direct has no such scores, nor have data of another policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import first
from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.laws.forms import Form
from pgtheory.tabular.laws.moments import UNIT_ROUNDOFF
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.policies.softmax import Softmax


@dataclass(frozen=True, eq=False, kw_only=True)
class Own:
    """The columns of the states `begin` to `end`, A each.

    Attributes:
        actions: probability of each action in the data.
        ratio: factor of the score of (s, a).
        centre: what is subtracted from e_{s, a} in the row of s.
        begin, end: the states whose columns these are.
    """

    actions: Float[np.ndarray, "S A"]
    ratio: Float[np.ndarray, "S A"]
    centre: Float[np.ndarray, "S A"]
    begin: int = 0
    end: int

    @property
    def size(self) -> int:
        """k, the number of columns."""
        return (self.end - self.begin) * self.actions.shape[1]

    def blocks(self, width: int) -> Iterator[tuple[slice, Self]]:
        """Parts of about `width` columns, whole states each, and where their columns stand."""
        A = self.actions.shape[1]
        step = max(1, width // A)
        for begin in range(self.begin, self.end, step):
            end = min(begin + step, self.end)
            yield slice((begin - self.begin) * A, (end - self.begin) * A), replace(self, begin=begin, end=end)

    def _mean(self, x: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "n A"]:
        own = slice(self.begin, self.end)
        y = self.actions[own] * self.ratio[own] * x[own]
        return y - self.centre[own] * y.sum(axis=1, keepdims=True)

    @property
    def centred(self) -> bool:
        """Whether psi has mean zero in every state under the data, up to the rounding of that sum. Cost O(k)."""
        own = slice(self.begin, self.end)
        y = self.actions[own] * self.ratio[own]
        size = abs(y) + abs(self.centre[own]) * abs(y).sum(axis=1, keepdims=True)
        return bool((abs(self._mean(np.ones_like(self.actions))) <= roundings(self.actions) * size).all())

    def add_mean(self, table: Float[np.ndarray, "S k"], x: Float[np.ndarray, "S A"]) -> None:
        """Add sum_a actions(a|s) x(s, a) psi(s, a) to each row s of `table`. Cost O(k)."""
        own = np.arange(self.begin, self.end)
        table.reshape(len(table), len(own), -1)[own, own - self.begin] += self._mean(x)

    def total(self, x: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "k"]:
        """sum over s and a of actions(a|s) x(s, a) psi(s, a). Cost O(k)."""
        return self._mean(x).ravel()

    def add_squares(self, matrix: Float[np.ndarray, "k k"], x: Float[np.ndarray, "S A"]) -> None:
        """Add sum over s and a of actions(a|s) x(s, a) psi(s, a) psi(s, a)' to `matrix`, which is block-diagonal. Cost O(k A)."""
        own = slice(self.begin, self.end)
        c = self.centre[own]
        y = self.actions[own] * self.ratio[own] ** 2 * x[own]
        cross = y[:, :, None] * c[:, None, :]
        part = y.sum(axis=1)[:, None, None] * c[:, :, None] * c[:, None, :] - cross - cross.transpose(0, 2, 1)
        n, A = c.shape
        part[:, np.arange(A), np.arange(A)] += y
        matrix.reshape(n, A, n, A)[np.arange(n), :, np.arange(n), :] += part

    def across(self, W: Float[np.ndarray, "SA m"]) -> Float[np.ndarray, "k m"]:
        """sum over s and a of psi(s, a) W(s, a)', the weights of the actions being in W. Cost O(k m)."""
        A = self.actions.shape[1]
        own = slice(self.begin * A, self.end * A)
        rows = (W[own] * self.ratio.reshape(-1, 1)[own]).reshape(-1, A, W.shape[1])
        rows -= self.centre[self.begin : self.end, :, None] * rows.sum(axis=1, keepdims=True)
        return rows.reshape(-1, W.shape[1])


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """Any k columns.

    Attributes:
        actions: probability of each action in the data.
        psi: the columns, the ratio included.
    """

    actions: Float[np.ndarray, "S A"]
    psi: Float[np.ndarray, "S A k"]

    @property
    def size(self) -> int:
        """k, the number of columns."""
        return self.psi.shape[2]

    def blocks(self, width: int) -> Iterator[tuple[slice, Self]]:
        """Parts of `width` columns, and where they stand."""
        for begin in range(0, self.size, width):
            part = slice(begin, min(begin + width, self.size))
            yield part, replace(self, psi=self.psi[:, :, part])

    @property
    def centred(self) -> bool:
        """Whether psi has mean zero in every state under the data, up to the rounding of that sum. Cost O(S A k)."""
        mean, size = (np.einsum("sa,sak->sk", self.actions, x) for x in (self.psi, abs(self.psi)))
        return bool((abs(mean) <= roundings(self.actions) * size).all())

    def add_mean(self, table: Float[np.ndarray, "S k"], x: Float[np.ndarray, "S A"]) -> None:
        """Add sum_a actions(a|s) x(s, a) psi(s, a) to each row s of `table`. Cost O(S A k)."""
        table += np.einsum("sa,sak->sk", self.actions * x, self.psi)

    def total(self, x: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "k"]:
        """sum over s and a of actions(a|s) x(s, a) psi(s, a). Cost O(S A k)."""
        return (self.actions * x).ravel() @ self.psi.reshape(-1, self.size)

    def add_squares(self, matrix: Float[np.ndarray, "k k"], x: Float[np.ndarray, "S A"]) -> None:
        """Add sum over s and a of actions(a|s) x(s, a) psi(s, a) psi(s, a)' to `matrix`. Cost O(S A k^2)."""
        flat = self.psi.reshape(-1, self.size)
        matrix += (flat.T * (self.actions * x).ravel()) @ flat

    def across(self, W: Float[np.ndarray, "SA m"]) -> Float[np.ndarray, "k m"]:
        """sum over s and a of psi(s, a) W(s, a)', the weights of the actions being in W. Cost O(S A k m)."""
        return self.psi.reshape(-1, self.size).T @ W


Columns = Own | Table
"""Either kind: `size`, `blocks`, `centred`, `add_mean`, `total`, `add_squares`, `across`."""


def roundings(actions: Float[np.ndarray, "S A"]) -> float:
    """By how much a mean over the actions may be off, relative to the mean of absolute values: A + 4 roundings, and those of the probabilities."""
    return 4 * (actions.shape[1] + 4) * UNIT_ROUNDOFF


def columns_of(form: Form, policy: Policy) -> Columns:
    """The columns of the full law: parameters for Softmax and where there are fewer than pairs (s, a), else the weights of the pairs.

    Cost: none for Own; the table of scores, O(S A D), else.

    Raises:
        InvalidPolicy: the data contain an action whose probability under the policy is zero and that has no score.
    """
    S, A = form.actions.shape
    require_scores(form, policy)
    if type(policy) is not Softmax and policy.theta.size < S * A:
        return directions(form, policy, np.eye(policy.theta.size))
    centre = policy.probabilities if type(policy) is Softmax else np.zeros((S, A))
    return Own(actions=form.actions, ratio=form.ratio, centre=centre, end=S)


def directions(form: Form, policy: Policy, X: Float[np.ndarray, "k D"]) -> Table:
    """The columns x . score(s, a) for each row x of X. Cost O(k S A), or O(k S A D) for features.

    Pairs that the data never contain have no score: there psi is zero, whatever the policy says.

    Raises:
        InvalidPolicy: the data contain an action whose probability under the policy is zero and that has no score.
    """
    require_scores(form, policy)
    psi = np.where(form.actions[..., None] > 0, np.moveaxis(policy.pushforward(X), 0, -1), 0.0)
    return Table(actions=form.actions, psi=np.ascontiguousarray(psi * form.ratio[..., None]))


def require_scores(form: Form, policy: Policy) -> None:
    """Refuse pairs in the data at which log pi has no derivative: Direct with a zero, and data of another policy."""
    odd = (form.actions > 0) & (policy.probabilities == 0)
    if odd.any() and not np.isfinite(policy.pullback(odd.astype(float))).all():
        s, a = first(odd)
        raise InvalidPolicy(
            f"the current policy never takes action {a} in state {s}, but the data contain it (probability {form.actions[s, a]:.4g}): log 0 has no gradient. "
            "Give the current policy a positive probability wherever the sampling policy has one, or parameters that have a score there, as Softmax."
        )


def to_parameters(columns: Columns, policy: Policy, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, covariance) in the parameters: a sandwich with the score if the columns are weights of pairs, else nothing. Cost O((S A)^2) for tables."""
    if isinstance(columns, Table) or type(policy) is Softmax:
        return mean, covariance
    table = lambda x: x.reshape(*x.shape[:-1], *columns.actions.shape)
    left = policy.pullback(table(covariance))
    return policy.pullback(table(mean)), policy.pullback(table(np.ascontiguousarray(left.T)))
