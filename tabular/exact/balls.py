"""Certified numbers where exp, log and square roots enter: balls of python-flint's `arb`, a midpoint and a radius that contains the true value.

The programs of `programs.py` run on balls as they do on fractions, and jets of balls give certified gradients and Hessians. At 192 bits the radius is below
1e-30 for every example of the tests; `to_float` refuses a ball that is wider. Source: Johansson (2017), "Arb: efficient arbitrary-precision midpoint-radius
interval arithmetic".
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np

from pgtheory.tabular.errors import InvalidArgument, MissingExtra
from pgtheory.tabular.exact.arithmetic import Number
from pgtheory.tabular.exact.jets import Jet, seeded
from pgtheory.tabular.exact.laws import ExactLaw, Rows, Weights, moments
from pgtheory.tabular.exact.programs import Program, expected_return, occupancy, per_prompt
from pgtheory.tabular.exact.rational import RationalMDP, Table

RADIUS = 1e-30
"""Largest radius that a certified number may have, relative to max(1, |value|)."""

BITS = 192
"""Working precision: 2^-192 is 1.6e-58, so that 27 digits may be lost before RADIUS is reached."""


def flint() -> Any:
    """The module python-flint.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import flint as module
    except ImportError:
        raise MissingExtra('certified numbers need python-flint, which the extra "exact" brings: pip install "pgtheory[exact]".') from None
    return module


@contextmanager
def precision(bits: int = BITS) -> Iterator[Any]:
    """python-flint at `bits` bits of working precision; the precision before is restored."""
    module = flint()
    with module.ctx.workprec(bits):
        yield module


def ball(x: Number) -> Number:
    """The ball around a number, of radius zero for integers and floats, which are binary; a ball stays what it is."""
    module = flint()
    if isinstance(x, module.arb):
        return x
    if isinstance(x, Fraction):
        return module.arb(module.fmpq(x.numerator, x.denominator))
    return module.arb(x if isinstance(x, int) else float(x))


def to_float(x: Number, *, radius: float = RADIUS) -> float:
    """The float nearest to the midpoint of a ball.

    Raises:
        InvalidArgument: the ball is wider than `radius` times max(1, |x|), or not finite.
    """
    middle, spread = float(x.mid()), float(x.rad())
    if not (x.is_finite() and spread <= radius * max(1.0, abs(middle))):
        raise InvalidArgument(
            f"the ball {x} has radius {spread:.1e}, more than {radius:.0e}: its value is not certain. Work with more bits (`bits`)."
        )
    return middle


def floats(jet: Jet) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, gradient (D,) and Hessian (D, D) of a jet of balls, each certified by `to_float`."""
    return to_float(jet.value), np.array([to_float(x) for x in jet.gradient]), np.array([[to_float(x) for x in row] for row in jet.hessian])


def softmax_balls(theta: Sequence[Sequence[float]], *, bits: int = BITS) -> list[list[Number]]:
    """exp theta[s, a] / sum_b exp theta[s, b] for the very numbers that the floats are.

    Theorem: T22.
    """
    with precision(bits):
        exponentials = [[ball(x).exp() for x in row] for row in theta]
        return [[x / sum(row) for x in row] for row in exponentials]


def ball_derivatives(program: Program, mdp: RationalMDP, pi: Table, *, bits: int = BITS) -> Jet:
    """Value, gradient and Hessian of an objective in the logits as balls; pi is a table of balls (`softmax_balls`) or Fractions."""
    with precision(bits):
        return program(mdp.over(ball), seeded(_table(pi), "logits"))


def ball_law(weights: Weights, datasets: Iterable[tuple[Fraction, Rows]], pi: Table, *, bits: int = BITS) -> ExactLaw:
    """`laws.exact_law` for weights that are balls; probabilities and pi stay Fractions.

    Raises:
        InvalidArgument: the probabilities of the data sets do not sum to one.
    """
    with precision(bits):
        return moments(weights, datasets, pi, number=ball)


def entropy(mdp: RationalMDP, pi: Table) -> Number:
    """E[-sum_t log pi(a_t|s_t)] along a trajectory, undiscounted: the return for the reward -log pi."""
    return expected_return(mdp, pi, reward=[[-log(p) for p in row] for row in pi], gamma=ball(1))


def reverse_kl(ref: Table) -> Program:
    """KL(pi || ref) of the laws of trajectories: E_pi[sum_t log pi - log ref], the return for the reward log(pi/ref), undiscounted."""

    def program(mdp: RationalMDP, pi: Table) -> Number:
        reward = [[log(p) - q.log() for p, q in zip(row, other, strict=True)] for row, other in zip(pi, _table(ref), strict=True)]
        return expected_return(mdp, pi, reward=reward, gamma=ball(1))

    return program


def forward_kl(ref: Table, *, weights: Sequence[Fraction] | None = None) -> Program:
    """KL(ref || pi) of the laws of trajectories: sum_s d(s) sum_a ref(a|s) log(ref(a|s) / pi(a|s)), d the undiscounted occupancy of ref.

    With `weights` these stand for d: the divergence state by state. Without them the trajectories of the model are enumerated.
    """

    def program(mdp: RationalMDP, pi: Table) -> Number:
        table = _table(ref)
        d = occupancy(mdp, table) if weights is None else [ball(w) for w in weights]
        return sum(d[s] * table[s][a] * (table[s][a].log() - log(pi[s][a])) for s in range(mdp.S) for a in range(mdp.A))

    return program


def state_entropy(weights: Sequence[Fraction]) -> Program:
    """sum_s w(s) entropy(pi(.|s)) with constant weights."""
    return lambda mdp, pi: -sum(ball(w) * p * log(p) for w, row in zip(weights, pi, strict=True) for p in row)


def state_reverse_kl(ref: Table, weights: Sequence[Fraction]) -> Program:
    """sum_s w(s) KL(pi(.|s) || ref(.|s)) with constant weights."""

    def program(mdp: RationalMDP, pi: Table) -> Number:
        rows = zip(weights, pi, _table(ref), strict=True)
        return sum(ball(w) * p * (log(p) - q.log()) for w, row, other in rows for p, q in zip(row, other, strict=True))

    return program


log_success: Program = per_prompt(lambda p: log(p))
"""sum_x mu(x) log p_x."""

arcsine_success: Program = per_prompt(lambda p: arcsine(p))
"""sum_x mu(x) 2 arcsin sqrt p_x."""


def log(x: Number) -> Number:
    """log of a ball or of a jet of balls."""
    return x.through(x.value.log(), 1 / x.value, -1 / (x.value * x.value)) if isinstance(x, Jet) else x.log()


def arcsine(x: Number) -> Number:
    """2 arcsin sqrt x of a ball or of a jet of balls; its slope is 1 / sqrt(x (1-x))."""
    if not isinstance(x, Jet):
        return 2 * x.sqrt().asin()
    slope = 1 / (x.value * (1 - x.value)).sqrt()
    return x.through(arcsine(x.value), slope, slope * slope * slope * (2 * x.value - 1) / 2)


def standardised(*, epsilon: Fraction = Fraction(0), ddof: int = 0) -> Callable[[Sequence[Number]], list[Number]]:
    """Advantage (r_i - mean) / (std + epsilon) as balls, zero where all rewards agree; std^2 = sum (r - mean)^2 / (G - ddof).

    With `estimators.group_weight` it gives w_G(p) of group normalisation. Source: Shao et al. (2024), GRPO.
    """

    def advantage(rewards: Sequence[Number]) -> list[Number]:
        mean = sum(rewards) / Fraction(len(rewards))
        deviation = [r - mean for r in rewards]
        if not any(deviation):
            return [ball(0)] * len(rewards)
        std = ball(sum(x * x for x in deviation) / (len(rewards) - ddof)).sqrt()
        return [ball(x) / (std + ball(epsilon)) for x in deviation]

    return advantage


def _table(pi: Table) -> list[list[Number]]:
    return [[ball(x) for x in row] for row in pi]
