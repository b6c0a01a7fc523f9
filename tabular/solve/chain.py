"""The linear systems of a Markov chain: chooses a method by structure, checks every answer, and bounds the norm of the inverse.

Write M = I - gamma K, K substochastic. For any x whatever, |x - M^-1 b| <= |M^-1| |b - M x|. The norm is bounded without a solve where gamma K contracts,

    |M^-1|_inf <= 1 / (1 - |gamma K|_inf),

and else by one solve. M is a Z-matrix (no positive entry off the diagonal). If some x > 0 has M x > 0 then M is a nonsingular M-matrix: its inverse exists
and has no negative entry (Berman and Plemmons 1979, Theorem 6.2.3, I27 and N38). So |M^-1|_inf is the largest entry of the solution of M x = 1, and for a
computed x > 0 whose residual satisfies |1 - M x| <= e < 1 one has M x >= (1 - e) 1, hence x >= (1 - e) M^-1 1 and |M^-1|_inf <= max(x) / (1 - e).

The residual is computed here, after the solve, and its rounding is added to it: nothing about the solve itself is assumed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from pgtheory.tabular.errors import InvalidArgument, NonTerminating, NotConverged
from pgtheory.tabular.solve.compiled import LEAST
from pgtheory.tabular.solve.linear.banded import Banded
from pgtheory.tabular.solve.linear.dense import Dense
from pgtheory.tabular.solve.linear.krylov import Krylov
from pgtheory.tabular.solve.linear.solver import Aim, Refused, Solver, norm
from pgtheory.tabular.solve.linear.sparse_lu import SparseLU
from pgtheory.tabular.solve.linear.sweeps import Sweeps
from pgtheory.tabular.solve.structure import UNIT, Structure

SOLVERS: dict[str, type[Solver]] = {solver.name: solver for solver in (Dense, Banded, SparseLU, Sweeps, Krylov)}
"""Every method, by its name."""

DIRECT = (Dense.name, Banded.name, SparseLU.name)
"""The methods that factorise."""

ITERATIONS = (Sweeps.name, Krylov.name)
"""The methods that may fail where a factorisation does not."""

DIGITS = 1e-10
"""Error of an iterative method relative to the largest entry, where no tolerance is given and rounding allows it."""

ALONE = 100_000
"""Steps that an iteration may take if it was asked for by name."""

SMALL = 300
"""Up to so many states a full LU costs less than anything else."""

FULL = 5000
"""Up to so many states a full LU is a matter of seconds."""

MANY = {"krylov": 30, "sweeps": 10, "dense": 50}
"""States a right-hand side up to which a full LU costs less than Krylov steps or sweeps of a sparse K, or sweeps of a dense one: measured on chains that forget
within some dozens of steps."""

BAND = 10
"""Operations of a banded LU for each entry of K up to which it is preferred to all others."""

FILL = 20_000
"""Operations of a banded LU for each entry of K up to which a sparse LU, which needs far fewer, is preferred to iterations."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Solution:
    """x and what is proven of it.

    Attributes:
        x: the solution, (S,) or (S, k).
        defect: b - M x as computed.
        residual: at least |b - M x|, rounding included; of each column, (k,). Sup norm, or 1-norm for the transposed system.
        size: the norm of x, of each column.
        rounding: the part of `residual` that is there for its rounding.
        method: the method that found it.
        steps: its steps: 1 for a factorisation, products with K for an iteration.
    """

    x: Float[np.ndarray, "S *k"]
    defect: Float[np.ndarray, "S *k"]
    residual: Float[np.ndarray, "*k"]
    size: Float[np.ndarray, "*k"]
    rounding: Float[np.ndarray, "*k"]
    method: str
    steps: int

    def enough(self, aim: Aim) -> Bool[np.ndarray, "*k"]:
        """Whether the residual is as small as `aim` asks, or as rounding lets it be; of each column."""
        return self.residual <= aim.allowed(self.size) + 2 * self.rounding


@dataclass(frozen=True, eq=False, kw_only=True)
class Chain:
    """The systems M x = b and M' y = c with M = I - gamma K.

    Attributes:
        K: (S, S), no negative entry, rows that sum to at most one; dense, or sparse in any form of scipy (entries in any order, also repeated). Kept as it is
            if dense, CSR or by diagonals, of float64; all else is copied into one of these, one pass over the entries.
        gamma: discount in [0, 1].
        method: name of a method of SOLVERS; None lets the structure of K choose, and falls back on the next method where an answer is not good enough.
        tolerance: proven error of every solution, sup norm for M, 1-norm for M'; None: direct methods go to rounding, iterative ones to ten digits of the
            largest entry, or to rounding.

    Raises:
        InvalidArgument: an unknown method, a tolerance that is not positive.
    """

    K: np.ndarray | sp.csr_array
    gamma: float
    method: str | None = None
    tolerance: float | None = None

    def __post_init__(self) -> None:
        require_method(self.method)
        require_tolerance(self.tolerance)
        object.__setattr__(self, "K", readable(self.K))

    def solve(self, b: Float[np.ndarray, "S *k"]) -> Float[np.ndarray, "S *k"]:
        """x with M x = b, for one right-hand side or several as columns.

        Raises:
            NotConverged: no method proves the tolerance.
        """
        return self._proven(b, False)

    def solve_transposed(self, c: Float[np.ndarray, "S *k"]) -> Float[np.ndarray, "S *k"]:
        """y with M' y = c.

        Raises:
            NotConverged: no method proves the tolerance.
        """
        return self._proven(c, True)

    @cached_property
    def structure(self) -> Structure:
        """What the pattern of K says."""
        return Structure(self.K, self.gamma)

    def find(self, b: Float[np.ndarray, "S *k"], *, transposed: bool = False, aim: Aim | None = None) -> Solution:
        """The solution of the first method whose residual is as small as `aim` asks (default: as `tolerance` asks), else the best that was found.

        Raises:
            InvalidArgument: the method that was asked for cannot be set up.
            NonTerminating: no method could be set up: the matrix is singular to all of them.
        """
        if not b.size:
            return self.judged(b.copy(), b, transposed, "none", 0)  # without a column LAPACK writes beyond what it is given
        aim = self.aim if aim is None else aim
        if self.method is not None:
            aim = replace(aim, steps=ALONE)
        best, tried = None, set()
        for name in self._order(1 if b.ndim == 1 else b.shape[1]):
            solver = None if name in tried else self._solver(name)
            tried.add(name)
            if solver is None:
                continue
            found = self._refined(solver, b, transposed, aim)
            if best is None or not np.all(best.residual <= found.residual):
                best = found
            if found.enough(aim).all():
                break
        if best is None:
            raise too_long()
        return best

    def _refined(self, solver: Solver, b: np.ndarray, transposed: bool, aim: Aim) -> Solution:
        """The answer of a method; if it works in single precision, improved by its answer to the residual, as often as that halves what is left; an answer that
        makes a column worse which wants more is not taken.

        Source: iterative refinement, Higham (2002), Chapter 12.
        """
        x, steps = solver.solve(b, transposed, aim)
        found = self.judged(x, b, transposed, solver.name, steps)
        while solver.single and not found.enough(aim).all() and found.steps < aim.steps:
            change, steps = solver.solve(found.defect, transposed, Aim(absolute=aim.allowed(found.size), steps=aim.steps - found.steps))
            before, found = found, self.judged(found.x + change, b, transposed, solver.name, found.steps + steps)
            if not np.any((found.residual <= 0.5 * before.residual) & ~before.enough(aim)):
                return found if np.all((found.residual <= before.residual) | found.enough(aim)) else replace(before, steps=found.steps)
        return found

    def judged(self, x: Float[np.ndarray, "S *k"], b: Float[np.ndarray, "S *k"], transposed: bool, method: str, steps: int) -> Solution:
        """Any x as a solution, with its residual. Cost: one product with K.

        Sums of n terms err by at most n u / (1 - n u) times the sum of absolute values (Higham 2002, Section 3.1).
        """
        terms = self.structure.longest_column if transposed else self.structure.longest_row
        with np.errstate(invalid="ignore", over="ignore"):
            defect = b - x + self.gamma * self.structure.product(x, transposed)
            size = norm(x, transposed)
            rounding = 2 * (terms + 4) * UNIT * (norm(b, transposed) + 2 * size)
            return Solution(
                x=x, defect=defect, residual=norm(defect, transposed) + rounding, size=size, rounding=rounding, method=method, steps=steps
            )

    @cached_property
    def aim(self) -> Aim:
        """The residual that the tolerance allows, half of it left to rounding; without tolerance, rounding itself where the norm cannot be proven."""
        if self.tolerance is not None:
            return Aim(absolute=0.5 * self.tolerance / self.inverse_norm)
        rounding = 4 * (self.structure.longest_row + 4) * UNIT
        try:
            return Aim(relative=max(DIGITS / self.inverse_norm, rounding))
        except NonTerminating:
            return Aim(relative=rounding)

    @cached_property
    def length(self) -> Float[np.ndarray, "S"]:
        """M^-1 1, the expected discounted number of steps from each state."""
        return self.solve(np.ones(self.structure.size))

    @cached_property
    def inverse_norm(self) -> float:
        """A number that is at least |M^-1|_inf = |M'^-1|_1, by the argument at the top of this file; the smaller one of what is cheap.

        Raises:
            NonTerminating: float64 cannot tell the chain from one that never ends.
            NotConverged: an iteration that was asked for by name does not find out.
        """
        if not self.structure.size:
            return 0.0
        rate = self.structure.contraction
        if rate < 1 and self.gamma < 1:  # without a discount the row that ends most rarely says little of the others
            return (1 + 8 * UNIT) / (1 - rate)
        found = self.find(np.ones(self.structure.size), aim=Aim(absolute=2.0**-10))
        x, e = found.x, float(found.residual)
        if not (np.isfinite(x).all() and (x > 0).all() and e < 1):
            if self.method in ITERATIONS:
                raise NotConverged(
                    f"{self.method} did not solve for the expected length of an episode, without which nothing is proven. Leave the method out.",
                    best=x,
                    bound=np.inf,
                )
            raise too_long()
        return float(x.max() / (1 - e) * (1 + 8 * UNIT))

    def _proven(self, b: np.ndarray, transposed: bool) -> np.ndarray:
        b = np.asarray(b, dtype=float)
        if b.size and self.tolerance is None and self.method in DIRECT and (solver := self._solver(self.method)):
            return solver.solve(b, transposed, Aim())[0]  # nothing is asked of the answer, and there is no other
        found = self.find(b, transposed=transposed)
        if self.tolerance is not None:
            bound = float(self.inverse_norm * np.max(found.residual, initial=0))
            if not bound <= self.tolerance:
                raise NotConverged(not_proven(bound, self.tolerance, found), best=found.x, bound=bound)
        return found.x

    def _order(self, columns: int) -> Iterator[str]:
        """Names of the methods to try, the best first; what is costly to ask of the structure is asked when the methods before it have failed.

        Looks at structure and at what is factorised already, never at a clock: the same questions give the same bits.
        """
        if self.method is not None:
            yield self.method
            return
        yield from (name for name in DIRECT if self.__dict__.get("_solvers", {}).get(name))
        s = self.structure
        if s.size <= SMALL:
            yield "dense"
            return
        full = lambda instead: s.size <= FULL and columns * MANY[instead] >= s.size
        if s.sparse:
            if narrow(s, s.bandwidth, BAND):
                yield "banded"
            if full("sweeps") and not narrow(s, s.bandwidth, FILL):
                yield "dense"
            if 0 in s.bandwidth or narrow(s, s.bandwidth, FILL):
                yield "sparse-lu"
        elif columns * MANY["dense"] >= s.size or not s.constant_sum:
            yield "dense"
        if s.constant_sum and s.contraction < 1:
            yield "sweeps"
        if s.sparse and s.entries <= LEAST / 4 and narrow(s, s.ordered_bandwidth, FILL):
            yield "sparse-lu"
        if full("krylov") or (not s.sparse and s.size <= FULL):
            yield "dense"
        yield "krylov"
        if s.sparse and narrow(s, s.ordered_bandwidth, BAND):
            yield "banded"
        if s.sparse and narrow(s, s.ordered_bandwidth, 100 * FILL):
            yield "sparse-lu"
        yield "dense"

    def _solver(self, name: str) -> Solver | None:
        solvers = self.__dict__.setdefault("_solvers", {})
        if name not in solvers:
            try:
                solvers[name] = SOLVERS[name](self.structure)
            except Refused as problem:
                if self.method is not None:
                    raise InvalidArgument(f"method {name!r} cannot solve this chain: {problem}. Leave the method out, or take another.") from None
                solvers[name] = None
        return solvers[name]


def readable(K: Any) -> np.ndarray | sp.csr_array | sp.dia_array:
    """K in a form that every method reads: full, by rows, or by diagonals of full length; in double precision, in which the residual is taken."""
    if not sp.issparse(K):
        return np.asarray(K, dtype=np.float64)
    if not isinstance(K, sp.csr_array) and not (isinstance(K, sp.dia_array) and len(K.offsets) and K.data.shape[1] == K.shape[1]):
        K = sp.csr_array(K)
    return K if K.dtype == np.float64 else K.astype(np.float64)


def require_method(method: str | None) -> None:
    """Refuse a name that no method has."""
    if method is not None and not (isinstance(method, str) and method in SOLVERS):
        raise InvalidArgument(f"method is {method!r}, expected None or one of {', '.join(SOLVERS)}.")


def require_tolerance(tolerance: float | None) -> None:
    """Refuse a tolerance that nothing can reach, or that is no number."""
    if tolerance is not None and not (isinstance(tolerance, Real) and not isinstance(tolerance, bool) and 0 < tolerance < np.inf):
        raise InvalidArgument(f"tolerance is {tolerance!r}, expected a positive number.")


def narrow(structure: Structure, bandwidth: tuple[int, int], limit: float) -> bool:
    """Whether an LU within that band needs at most `limit` operations for each entry of K."""
    below, above = bandwidth
    return structure.size * (min(below, above) + 1) * (below + above) <= limit * structure.entries


def not_proven(bound: float, tolerance: float, found: Solution) -> str:
    """The text of NotConverged."""
    return (
        f"{found.method} reached the proven bound {bound:.3g} after {found.steps} steps, not {tolerance:g}. "
        "Give a larger tolerance, or leave the method out so that others are tried."
    )


def too_long() -> NonTerminating:
    """The error of a chain that ends, but so rarely that the digits of float64 do not show it."""
    return NonTerminating(
        "the episode ends under this policy, but so rarely that float64 cannot solve for its value (expected length of order 1e15 or more). "
        "Take a policy that is less extreme, or gamma below 1."
    )
