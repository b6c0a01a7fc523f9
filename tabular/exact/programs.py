"""Objectives as programs: functions of a model and a table of probabilities that use +, -, *, / only and so run on numbers and on jets alike.

`derivatives(program, mdp, pi)` runs one and returns its value, gradient and Hessian as Fractions. Logarithms, which no fraction can hold, appear as the
logarithm of a quotient, which is 0 at the point and has rational derivatives; their values are in `balls.py`.
"""

from collections.abc import Callable
from fractions import Fraction

from pgtheory.tabular.exact.arithmetic import Number, as_fraction, exact_policy, fast_field
from pgtheory.tabular.exact.jets import Jet, seeded, solve_in_order
from pgtheory.tabular.exact.rational import RationalMDP, Table
from pgtheory.tabular.exact.trajectories import Trajectory, trajectories

Program = Callable[[RationalMDP, Table], Number]


def derivatives(program: Program, mdp: RationalMDP, pi: Table, *, coordinates: str = "logits") -> Jet:
    """Value, gradient and Hessian of an objective in the S*A logits (or the entries of pi, "direct"), as Fractions.

    Cost: that of the program times O((S A)^2).

    >>> from pgtheory.tabular.exact.rational import Move
    >>> coin = RationalMDP(moves=(((Move(Fraction(1), -1, Fraction(1)),), (Move(Fraction(1), -1, Fraction(0)),)),), mu=(Fraction(1),), gamma=Fraction(1))
    >>> derivatives(expected_return, coin, [[Fraction(1, 3), Fraction(2, 3)]]).gradient
    (Fraction(2, 9), Fraction(-2, 9))
    """
    number = fast_field()
    table = [[number(x) for x in row] for row in exact_policy(pi)]
    jet = program(mdp.over(number), seeded(table, coordinates))
    back = lambda row: tuple(map(as_fraction, row))
    return Jet(as_fraction(jet.value), back(jet.gradient), tuple(map(back, jet.lower)))


def log_quotient(x: Jet) -> Jet:
    """log of x divided by its value at the point: zero there, with the derivatives of log x."""
    u = 1 / x.value
    return x.through(0 * u, u, -u * u)


def expected_return(mdp: RationalMDP, pi: Table, *, reward: Table | None = None, gamma: Number | None = None) -> Number:
    """J = mu . V, by elimination or by the recursion of the horizon; `reward` (S, A) and `gamma` replace those of the model.

    Theorem: T14.
    """
    r, discount, states = mdp.mean_reward if reward is None else reward, mdp.gamma if gamma is None else gamma, range(mdp.S)
    gain = [sum(p * x for p, x in zip(pi[s], r[s], strict=True)) for s in states]
    P = mdp.kernel(pi)
    if mdp.horizon is None:
        V = solve_in_order([[(s == t) - discount * P[s][t] for t in states] for s in states], gain)
    else:
        V = [0 * x for x in gain]
        for _ in range(mdp.horizon):
            V = [gain[s] + discount * sum(P[s][t] * V[t] for t in states) for s in states]
    return sum(m * v for m, v in zip(mdp.mu, V, strict=True))


def path_mean(f: Callable[[Trajectory], Number], *, start: int | None = None) -> Program:
    """E[f(trajectory)], or given that it starts in `start`.

    Theorem: T07.
    """

    def program(mdp: RationalMDP, pi: Table) -> Number:
        paths = [path for path in trajectories(mdp) if start is None or path.start == start]
        weight = lambda path: mdp.mu[path.start] if start is None else 1
        return sum(weight(path) * f(path) * path.probability(pi) for path in paths)

    return program


def per_prompt(phi: Callable[[Number], Number]) -> Program:
    """sum_x mu(x) Phi(p_x), p_x the probability of a return of 1 from the first state x."""
    won = lambda path: int(path.total() == 1)

    def program(mdp: RationalMDP, pi: Table) -> Number:
        return sum(mass * phi(path_mean(won, start=x)(mdp, pi)) for x, mass in enumerate(mdp.mu) if mass != 0)

    return program


def pass_at(k: int) -> Program:
    """1 - (1-p)^k: at least one of k completions succeeds."""
    return per_prompt(lambda p: 1 - (1 - p) ** k)


def truncated_log_likelihood(n: int) -> Program:
    """-sum_{k<=n} (1-p)^k / k."""
    return per_prompt(lambda p: -sum((1 - p) ** k / k for k in range(1, n + 1)))


log_success: Program = per_prompt(log_quotient)
"""log p, up to the constant that makes it zero at the point."""

return_per_length: Program = path_mean(lambda path: path.total() / len(path.steps))
"""E[R/L]."""

length: Program = path_mean(lambda path: len(path.steps))
"""E[L]."""


def inverse_length(mdp: RationalMDP, pi: Table) -> Number:
    """E[1/L]."""
    return path_mean(lambda path: (1 + 0 * mdp.gamma) / len(path.steps))(mdp, pi)


def max_of(k: int) -> Program:
    """sum_x mu(x) E[largest of k returns from x], by the definition: the largest is at most v iff all k are."""

    def program(mdp: RationalMDP, pi: Table) -> Number:
        total = 0 * mdp.gamma
        for x, mass in enumerate(mdp.mu):
            if mass != 0:
                below = 0 * mass
                for v in sorted({path.total() for path in trajectories(mdp) if path.start == x}):
                    at_most = path_mean(lambda path, v=v: int(path.total() <= v), start=x)(mdp, pi) ** k
                    total = total + mass * v * (at_most - below)
                    below = at_most
        return total

    return program


def forward_kl(ref: Table, *, weights: tuple[Fraction, ...] | None = None) -> Program:
    """KL(ref || pi) of trajectories, sum_s d(s) sum_a ref(a|s) log(ref/pi), up to the constant that makes it zero at the point.

    d is the undiscounted occupancy of ref, found path by path, unless `weights` are given.
    """

    def program(mdp: RationalMDP, pi: Table) -> Number:
        number = fast_field()
        table = [[number(x) for x in row] for row in exact_policy(ref)]
        d = occupancy(mdp, table) if weights is None else [number(w) for w in weights]
        return -sum(d[s] * table[s][a] * log_quotient(pi[s][a]) for s in range(mdp.S) for a in range(mdp.A))

    return program


def occupancy(mdp: RationalMDP, pi: Table) -> list[Number]:
    """Expected number of visits of each state, undiscounted: E[number of t with s_t = s]."""
    count = lambda s: path_mean(lambda path: sum(step.state == s for step in path.steps))
    return [count(s)(mdp, pi) for s in range(mdp.S)]
