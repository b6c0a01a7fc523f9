"""The exact law of an estimator, data set by data set: mean and covariance as Fractions in the logits of a softmax table.

A data set is a tuple of trajectories, its probability the product of theirs; an estimator is a function from it to weights of scores. Nothing is merged,
nothing is vectorised: this is the count that the float64 engine must reproduce.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.exact.arithmetic import Number, as_fraction, exact_policy, fast_field
from pgtheory.tabular.exact.rational import RationalMDP, Table
from pgtheory.tabular.exact.trajectories import Trajectory, trajectories

Rows = tuple[Trajectory, ...]
Weights = Callable[[Rows], Sequence[Sequence[Number]]]
"""Estimator: data set -> weights[b][t], factor of the score of the action taken; or weights[b][t][a], one factor for the score of each action."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ExactLaw:
    """Mean (D,), second moment E[g g'] (D, D) and covariance (D, D) of an estimator, and the number of data sets; D = S*A, coordinate s*A + a.

    Theorem: T18.
    """

    mean: list[Number]
    second: list[list[Number]]
    count: int

    @property
    def covariance(self) -> list[list[Number]]:
        """E[g g'] - E[g] E[g]'."""
        return [[x - m * n for x, n in zip(row, self.mean, strict=True)] for row, m in zip(self.second, self.mean, strict=True)]

    @property
    def variance(self) -> Number:
        """Total variance, the trace of the covariance."""
        return sum(row[i] for i, row in enumerate(self.covariance))


def episodes(mdp: RationalMDP, pi: Table, *, count: int = 1, horizon: int | None = None) -> Iterator[tuple[Fraction, Rows]]:
    """(probability, data set) for every ordered tuple of `count` independent episodes under pi; cut after `horizon` steps if given."""
    table = exact_policy(pi)
    law = [(mdp.mu[path.start] * path.probability(table), path) for path in trajectories(mdp, horizon=horizon)]
    return _tuples([law] * count)


def groups(mdp: RationalMDP, pi: Table, *, size: int, prompts: int | None = None) -> Iterator[tuple[Fraction, Rows]]:
    """(probability, data set) for groups of `size` completions, prompt by prompt.

    prompts=None: every first state has one group; a number: that many first states are drawn independently from mu, each answered by a group.
    """
    table = exact_policy(pi)
    starts = [x for x, mass in enumerate(mdp.mu) if mass]
    law = {x: [(p, path) for path in trajectories(mdp) if path.start == x and (p := path.probability(table))] for x in starts}
    for chosen in [tuple(starts)] if prompts is None else product(starts, repeat=prompts):
        prior = Fraction(1)
        for x in chosen if prompts is not None else ():
            prior *= mdp.mu[x]
        for probability, rows in _tuples([law[x] for x in chosen for _ in range(size)]):
            yield prior * probability, rows


def _tuples(laws: Sequence[Sequence[tuple[Fraction, Trajectory]]]) -> Iterator[tuple[Fraction, Rows]]:
    """All ways to take one trajectory of each law, with the product of their probabilities."""
    if not laws:
        yield Fraction(1), ()
        return
    for probability, rows in _tuples(laws[:-1]):
        for p, path in laws[-1]:
            yield probability * p, (*rows, path)


def exact_law(weights: Weights, datasets: Iterable[tuple[Fraction, Rows]], pi: Table) -> ExactLaw:
    """E[g] and E[g g'] for g = sum over rows, steps (and actions) of weight * grad log pi(a|s), pi the current policy in logits.

    Cost: one call of `weights` and O(D^2) exact operations a data set. For weights with logarithms or roots: `balls.ball_law`.

    Raises:
        InvalidArgument: the probabilities of the data sets do not sum to one.
    """
    number = fast_field()
    law = moments(weights, datasets, pi, number=lambda x: number(Fraction(x)))
    return ExactLaw(mean=[as_fraction(x) for x in law.mean], second=[[as_fraction(x) for x in row] for row in law.second], count=law.count)


def moments(weights: Weights, datasets: Iterable[tuple[Fraction, Rows]], pi: Table, *, number: Callable[[Number], Number]) -> ExactLaw:
    """`exact_law` over the field into which `number` maps the weights, the probabilities and pi."""
    table = exact_policy(pi)
    S, A, zero = len(table), len(table[0]), number(Fraction(0))
    current = [[number(x) for x in row] for row in table]
    mean, lower = [zero] * (S * A), [[zero] * (i + 1) for i in range(S * A)]
    total, count = Fraction(0), 0
    for chance, rows in datasets:
        W = [[zero] * A for _ in range(S)]
        for row, path in zip(weights(rows), rows, strict=True):
            for entry, (s, a, _) in zip(row, path.steps, strict=True):
                for b, w in enumerate(entry) if isinstance(entry, Sequence) else ((a, entry),):
                    W[s][b] = W[s][b] + number(w)
        sums = [sum(row, zero) for row in W]
        g = [W[s][a] - current[s][a] * sums[s] for s in range(S) for a in range(A)]
        p, total, count = number(chance), total + chance, count + 1
        for i, x in enumerate(g):
            if x != 0:
                mean[i] = mean[i] + p * x
                lower[i] = [y + p * x * z for y, z in zip(lower[i], g, strict=False)]
    if total != 1:
        raise InvalidArgument(f"the probabilities of the data sets sum to {total}, not to one. Give every data set of the sampling law exactly once.")
    return ExactLaw(mean=mean, second=[[lower[max(i, j)][min(i, j)] for j in range(S * A)] for i in range(S * A)], count=count)
