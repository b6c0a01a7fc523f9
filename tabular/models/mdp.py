"""The finite Markov decision process: the model that every exact engine works on."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.arrays import (
    ROUNDING,
    first,
    freeze,
    require_between,
    require_count,
    require_distribution,
    require_nonnegative,
    require_shape,
    require_substochastic,
)
from pgtheory.tabular.errors import InvalidModel

COUNTED = 100_000
"""Up to so many entries the zeros of a dense table are counted."""

MERGED = 1_000_000
"""Entries up to which the rows of a sparse kernel are always in order and without repetition."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcomes:
    """Finitely many values of a random reward: x = values[k] with probability chance[s, a, k], independent of the next state given (s, a)."""

    values: Float[np.ndarray, "K"]
    chance: Float[np.ndarray, "S A K"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", freeze("outcomes.values", self.values))
        object.__setattr__(self, "chance", freeze("outcomes.chance", self.chance))
        require_distribution("outcomes.chance", self.chance)
        if self.values.ndim != 1 or self.chance.ndim != 3 or self.chance.shape[2] != len(self.values):
            raise InvalidModel(f"outcomes: values have shape {self.values.shape}, chance {self.chance.shape}; expected (K,) and (S, A, K).")


@dataclass(frozen=True, eq=False, kw_only=True)
class MDP:
    """A finite Markov decision process: discounted, of finite horizon, or episodic.

    Attributes:
        P: `P[s, a, t]` is the probability of moving from s to t under a; dense (S, A, S) or scipy.sparse (S*A, S), row s*A + a.
            A row may sum to less than one: the rest ends the episode.
        r: mean reward of a transition, (S, A) or (S, A, S); with sparse P the second form is sparse (S*A, S).
            The reward of a transition that ends the episode is r[s, a] in the first form; in the second it is `r_end`, zero unless given.
        mu: distribution of the first state, (S,).
        gamma: discount in [0, 1]; with 1, every policy that is evaluated must end almost surely.
        horizon: the episode ends after this many steps (a termination, not a cut); None: no limit.
        r2: second moment of the reward, in the form of r; default r squared, a reward without noise.
        outcomes: the finite law of a random reward; then r may be left out.
        r_end: mean reward (S, A) of ending, when r has the form (S, A, S).
        r2_end: second moment of that reward, given together with r2; default r_end squared.
        ends: probability that the episode ends after (s, a), what P[s, a] lacks to one; rounding is cut off. Not given: it follows from P.
    """

    P: np.ndarray | sp.sparray
    mu: Float[np.ndarray, "S"]
    r: np.ndarray | sp.sparray | None = None
    gamma: float = 1.0
    horizon: int | None = None
    r2: np.ndarray | sp.sparray | None = None
    outcomes: Outcomes | None = None
    r_end: Float[np.ndarray, "S A"] | None = None
    r2_end: Float[np.ndarray, "S A"] | None = None
    ends: Float[np.ndarray, "S A"] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)
        put("gamma", require_between("gamma", self.gamma, 0, 1))
        if self.horizon is not None:
            put("horizon", require_count("horizon", self.horizon))
        put("mu", freeze("mu", self.mu))
        if self.mu.ndim != 1 or not len(self.mu):
            raise InvalidModel(f"mu has shape {self.mu.shape}, expected (S,) with at least one state.")
        require_distribution("mu", self.mu)
        P, sums = frozen_kernel(self.P, len(self.mu))
        put("P", P)
        put("ends", freeze("ends", np.where(1 - sums > ROUNDING, 1 - sums, 0.0)))
        if self.r is None:
            if self.outcomes is None:
                raise InvalidModel("r is missing. Give the mean reward r of shape (S, A) or (S, A, S), or the law of a random reward as outcomes.")
            require_shape("outcomes.chance", self.outcomes.chance, (self.S, self.A, len(self.outcomes.values)), "S, A, K")
            put("r", self.outcomes.chance @ self.outcomes.values)
        put("r", self._frozen_reward("r", self.r))
        if self.r_end is not None:
            put("r_end", freeze("r_end", self.r_end))
            require_shape("r_end", self.r_end, (self.S, self.A), "S, A")
            if self.by_pair:
                raise InvalidModel("r_end is given, but r[s, a] already holds for every transition. Use r_end with r of shape (S, A, S) only.")
        if self.outcomes is not None:
            require_shape("outcomes.chance", self.outcomes.chance, (self.S, self.A, len(self.outcomes.values)), "S, A, K")
            mean = self.outcomes.chance @ self.outcomes.values
            if self.r.shape != mean.shape or abs(self.r - mean).max() > ROUNDING * max(1, abs(mean).max()):
                raise InvalidModel("r is not the mean of outcomes. Leave r out: it follows from outcomes.")
            if self.r2 is None:
                put("r2", self.outcomes.chance @ self.outcomes.values**2)
        if self.r2 is not None:
            put("r2", self._frozen_reward("r2", self.r2))
            require_shape("r2", self.r2, tuple(self.r.shape), "the form of r")
            low = self.r2 - self.r * self.r
            entries: np.ndarray = low.data if sp.issparse(low) else low  # pyright: ignore[reportAssignmentType]
            if (entries < -ROUNDING * max(1.0, abs(entries).max(initial=0))).any():
                raise InvalidModel(
                    "r2 is smaller than r squared somewhere. r2 is the second moment E[x^2] of the reward, at least the square of its mean."
                )
        if self.r2_end is not None:
            put("r2_end", freeze("r2_end", self.r2_end))
            if self.r2 is None or self.r_end is None:
                raise InvalidModel("r2_end is given without r2 and r_end. It is the second moment of r_end, as r2 is that of r: give all three.")
            require_shape("r2_end", self.r2_end, (self.S, self.A), "S, A")
            if (self.r2_end - self.r_end**2 < -ROUNDING * max(1.0, abs(self.r2_end).max())).any():
                raise InvalidModel("r2_end is smaller than r_end squared somewhere. A second moment is at least the square of its mean.")

    def _frozen_reward(self, name: str, values: object) -> np.ndarray | sp.sparray:
        if sp.issparse(values):
            csr = frozen_csr(name, values)
            require_shape(name, csr, (self.S * self.A, self.S), "S*A, S")
            return csr
        array = freeze(name, values)
        forms = [(self.S, self.A)] if sp.issparse(self.P) else [(self.S, self.A), (self.S, self.A, self.S)]
        if array.shape not in forms:
            cure = "With sparse P give r of shape (S, A), or sparse (S*A, S)." if sp.issparse(self.P) else "P fixes S and A."
            raise InvalidModel(f"{name} has shape {array.shape}, expected {' or '.join(map(str, forms))}. {cure}")
        return array

    @classmethod
    def from_counts(cls, counts: np.ndarray, **rest: object) -> "MDP":
        """A model from visit counts (S, A, S): each row is divided by its sum.

        Raises:
            InvalidModel: a pair (s, a) was never visited.
        """
        counts = freeze("counts", counts)
        require_nonnegative("counts", counts)
        total = counts.sum(axis=-1)
        if (total == 0).any():
            raise InvalidModel(f"counts{first(total == 0)} is a pair (s, a) that was never visited: its transitions are unknown. Add prior counts.")
        return cls(P=counts / total[..., None], **rest)  # type: ignore[arg-type]

    @property
    def S(self) -> int:
        """Number of states."""
        return len(self.mu)

    @property
    def A(self) -> int:
        """Number of actions."""
        return self.transition.shape[0] // self.S

    @property
    def by_pair(self) -> bool:
        """Whether r is r[s, a]; else it is a table of transitions, which has the same shape if sparse and S = A = 1."""
        return not sp.issparse(self.r) and np.ndim(self.r) == 2  # pyright: ignore[reportArgumentType]

    @cached_property
    def transition(self) -> np.ndarray | sp.csr_array:
        """P as a matrix (S*A, S), dense or CSR; row s*A + a."""
        return self.P if sp.issparse(self.P) else self.P.reshape(-1, self.S)

    @cached_property
    def branching(self) -> int:
        """At least the largest number of next states of a pair (s, a): S for a large dense table, whose zeros would take longer to count than a sweep."""
        return self.S if not sp.issparse(self.P) and self.P.size > COUNTED else int(nonzeros(self.transition).max())

    @cached_property
    def mean_reward(self) -> Float[np.ndarray, "S A"]:
        """E[reward | s, a], the end of the episode included."""
        if self.by_pair:
            return np.asarray(self.r)
        if sp.issparse(self.r):
            mean = np.asarray((self.transition * self.r).sum(axis=1)).reshape(self.S, self.A)
        else:
            mean = (self.r * self.transition.reshape(self.S, self.A, self.S)).sum(axis=-1)
        return mean if self.r_end is None else mean + self.ends * self.r_end

    @cached_property
    def largest_reward(self) -> float:
        """Largest absolute value of a mean reward, on a transition or at the end."""
        tables = [self.r] if self.r_end is None else [self.r, self.r_end]
        return max(float(abs(table).max()) for table in tables)  # type: ignore[arg-type]

    def kernel(self, pi: Float[np.ndarray, "S A"]) -> np.ndarray | sp.csr_array:
        """P_pi[s, t] = sum_a pi(a|s) P[s, a, t], as (S, S). Cost O(S^2 A), or O(nnz) when sparse.

        A large sparse P whose actions lead to different states is not merged: entries of a row of P_pi are in any order, and may repeat.
        """
        if sp.issparse(self.transition):
            return averaged(self.transition, pi.ravel(), self.A)
        return (pi[:, None] @ self.transition.reshape(self.S, self.A, self.S))[:, 0]

    def backup(self, V: Float[np.ndarray, "S"]) -> Float[np.ndarray, "S A"]:
        """Q[s, a] = r(s, a) + gamma sum_t P[s, a, t] V[t]. Cost O(S^2 A), or O(nnz) when sparse."""
        return self.mean_reward + self.gamma * (self.transition @ V).reshape(self.S, self.A)


def nonzeros(matrix: Any) -> Int[np.ndarray, "R"]:
    """Number of entries of each row that are not zero; of a CSR matrix, that are stored."""
    return np.diff(matrix.indptr) if sp.issparse(matrix) else np.count_nonzero(matrix, axis=1)


def row_sums(matrix: Any) -> Float[np.ndarray, "R"]:
    """The sum of each row of a CSR matrix, in one pass over its entries, without their columns: a third of the time of a product with ones."""
    starts, sums = matrix.indptr, np.zeros(matrix.shape[0])
    filled = starts[1:] > starts[:-1]
    if filled.any():
        sums[filled] = np.add.reduceat(matrix.data[: starts[-1]], starts[:-1] if filled.all() else starts[:-1][filled])
    return sums


def entries(matrix: Any, row: Int[np.ndarray, "E"], column: Int[np.ndarray, "E"]) -> Float[np.ndarray, "E"]:
    """matrix[row, column] as an array; a sparse matrix may be asked for none at all, which scipy answers with another sparse matrix."""
    if not sp.issparse(matrix):
        return matrix[row, column]
    return np.asarray(sp.csr_array(matrix)[row, column]).ravel() if len(row) else np.zeros(0)


def averaged(P: sp.csr_array, weight: Float[np.ndarray, "R"], A: int) -> sp.csr_array:
    """Each A rows of P, times their weights, as one row. Cost: the product of matrices for small P, or where many entries fall together; else one pass."""
    if P.nnz < MERGED or repeats(P, A) > 0.3:
        S = P.shape[0] // A
        return (sp.csr_array((weight, np.arange(S * A), np.arange(0, S * A + 1, A)), shape=(S, S * A)) @ P).tocsr()
    scale = np.repeat(weight, np.diff(P.indptr))
    data, indices, indptr = scale, P.indices, P.indptr[::A]
    if np.count_nonzero(weight) < 0.8 * weight.size:
        taken = scale > 0
        data, indices, indptr = P.data[taken] * scale[taken], indices[taken], np.concatenate([[0], np.cumsum(taken)])[indptr].astype(indptr.dtype)
    else:
        data *= P.data
    return sp.csr_array((data, indices, indptr), shape=(P.shape[0] // A, P.shape[1]))


def repeats(P: sp.csr_array, A: int) -> float:
    """The share of the entries of A rows that another entry of the same column precedes, by a look at 256 groups of rows."""
    S = P.shape[0] // A
    some = np.unique(np.linspace(0, S - 1, 256).astype(int))
    rows = P[(some[:, None] * A + np.arange(A)).ravel()]
    place = np.repeat(np.arange(rows.shape[0]) // A, np.diff(rows.indptr)) * P.shape[1] + rows.indices
    return 1 - len(np.unique(place)) / max(len(place), 1)


def frozen_csr(name: str, matrix: Any) -> sp.csr_array:
    """A read-only CSR copy with sorted, accumulated entries."""
    if np.iscomplexobj(matrix) or len(matrix.shape) != 2:
        found = "complex numbers" if np.iscomplexobj(matrix) else f"the shape {matrix.shape}"
        raise InvalidModel(f"{name} is a sparse array with {found}. Give real numbers in the shape (S*A, S), row s*A + a.")
    csr = sp.csr_array(matrix, dtype=np.float64, copy=True)
    csr.sum_duplicates()
    if max(csr.nnz, *csr.shape) < 2**31:
        # Half the traffic of 64-bit indices: a sweep over a large model costs what it reads.
        csr = sp.csr_array((csr.data, csr.indices.astype(np.int32, copy=False), csr.indptr.astype(np.int32, copy=False)), shape=csr.shape)
    if not np.isfinite(csr.data).all():
        raise InvalidModel(f"{entry(name, csr, ~np.isfinite(csr.data))}. Every entry must be a finite number: check how the matrix was built.")
    for part in (csr.data, csr.indices, csr.indptr):
        part.setflags(write=False)
    return csr


def entry(name: str, csr: sp.csr_array, wrong: Bool[np.ndarray, "nnz"]) -> str:
    """Where the first wrong entry stands, and what it is: `P[4, 1] is nan`, in the numbers of the matrix."""
    k = int(np.argmax(wrong))
    return f"{name}[{np.searchsorted(csr.indptr, k, side='right') - 1}, {csr.indices[k]}] is {csr.data[k]}"


def frozen_kernel(P: object, S: int) -> tuple[np.ndarray | sp.csr_array, Float[np.ndarray, "S A"]]:
    """A validated, read-only transition kernel over S states, and the sums of its rows."""
    if sp.issparse(P):
        csr = frozen_csr("P", P)
        if csr.shape[1] != S or not csr.shape[0] or csr.shape[0] % S:
            raise InvalidModel(f"P has shape {csr.shape}, expected (S*A, S) with S = {S}, the length of mu; row s*A + a.")
        if (csr.data < 0).any():
            raise InvalidModel(f"{entry('P', csr, csr.data < 0)}, a negative probability. Probabilities are at least 0: clip rounding errors before.")
        sums = row_sums(csr).reshape(S, -1)
        require_substochastic("P", sums)
        require_known_ends(P, sums, nonzeros(csr).reshape(S, -1))
        return csr, sums
    if isinstance(P, list | tuple) and any(map(sp.issparse, P)):
        raise InvalidModel(
            "P is a list of sparse matrices. Give one matrix (S*A, S) with the row s*A + a: of one matrix (S, S) for each of A actions this is "
            "scipy.sparse.vstack(P).tocsr()[np.arange(S * A).reshape(A, S).T.ravel()]."
        )
    array = freeze("P", P)
    if array.ndim != 3 or array.shape[0] != S or array.shape[2] != S or not array.shape[1]:
        cure = " Of tables P[a, s, t] give P.transpose(1, 0, 2)." if array.ndim == 3 and array.shape[1:] == (S, S) else ""
        raise InvalidModel(f"P has shape {array.shape}, expected (S, A, S) with S = {S}, the length of mu, and at least one action.{cure}")
    require_nonnegative("P", array)
    sums = array.sum(axis=-1)
    require_substochastic("P", sums)
    require_known_ends(P, sums, nonzeros(array))
    return array, sums


def require_known_ends(P: object, sums: Float[np.ndarray, "S A"], terms: Int[np.ndarray, "S A"]) -> None:
    """Refuse a row of float32 or shorter that lacks no more to one than the rounding of its `terms`: it may be a distribution, or end rarely."""
    kind: Any = np.dtype(getattr(P, "dtype", float))
    if kind.kind != "f" or kind.itemsize >= 8:
        return
    short = (1 - sums > ROUNDING) & (1 - sums <= np.finfo(kind).eps * terms)
    if short.any():
        where = first(short)
        raise InvalidModel(
            f"P{where} sums to {sums[tuple(where)]:.12g}, which {kind} does not tell from one: rounding, or an episode that ends there? "
            "Give float64, and if rows are distributions divide each by its sum."
        )


def as_mdp(model: object) -> MDP:
    """The decision process behind a model: itself, or the attribute `mdp` of a Bandit or a TokenTree.

    Raises:
        InvalidModel: the object is no model.
    """
    if isinstance(model, MDP):
        return model
    mdp = getattr(model, "mdp", None)
    if not isinstance(mdp, MDP):
        if isinstance(getattr(model, "model", None), MDP):
            raise InvalidModel(
                f"{type(model).__name__} is a larger model and the lift of a policy to it. Give its attribute `model`, and `lift(policy)` for the policy."
            )
        raise InvalidModel(f"{type(model).__name__} is not a model. Give an MDP, a Bandit, a TokenTree or an object whose attribute `mdp` is an MDP.")
    return mdp
