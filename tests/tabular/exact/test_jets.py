"""Second-order Taylor polynomials: rules against known derivatives, and whole programs against power series along a direction."""

from dataclasses import dataclass
from fractions import Fraction

import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.exact.jets import Jet, seeded, solve_in_order
from pgtheory.tabular.exact.programs import derivatives, expected_return
from pgtheory.tabular.exact.rational import RationalMDP, policy_gradient

F = Fraction
ZERO = F(0)


def variables(x: Fraction, y: Fraction) -> tuple[Jet, Jet]:
    """Two independent variables as jets."""
    zero = ((F(0),), (F(0), F(0)))
    return Jet(x, (F(1), F(0)), zero), Jet(y, (F(0), F(1)), zero)


def test_rules_of_sum_product_quotient_and_power():
    """f = (3 x^2 y - y/x + 2)/(1 + y) at x = 2, y = 3, with derivatives worked out by hand."""
    x, y = variables(F(2), F(3))

    f = (3 * x**2 * y - y / x + 2) / (1 + y)

    # f = u/v, u = 3x^2 y - y/x + 2, v = 1 + y; u_x = 6xy + y/x^2, u_y = 3x^2 - 1/x, u_xx = 6y - 2y/x^3, u_xy = 6x + 1/x^2, u_yy = 0
    u, ux, uy, uxx, uxy, v = F(73, 2), F(147, 4), F(23, 2), F(69, 4), F(49, 4), F(4)
    assert f.value == u / v
    assert f.gradient == (ux / v, uy / v - u / v**2)
    assert f.hessian == [[uxx / v, uxy / v - ux / v**2], [uxy / v - ux / v**2, -2 * uy / v**2 + 2 * u / v**3]]


def test_constants_stand_on_either_side():
    x, _ = variables(F(5), F(1))
    one = lambda jet: (jet.value, jet.gradient[0], jet.lower[0][0])

    assert one(2 - x) == (-3, -1, 0)
    assert one(x - 2) == (3, 1, 0)
    assert one(x / 2) == (F(5, 2), F(1, 2), 0)
    assert one(1 / x) == (F(1, 5), F(-1, 25), F(2, 125))
    assert one(-x + 1) == (-4, -1, 0)
    assert one(x**0) == (1, 0, 0)
    assert one(x**1) == (5, 1, 0)
    assert one(sum([x, x])) == (10, 2, 0)


@dataclass(frozen=True)
class Series:
    """c0 + c1 t + c2 t^2 + O(t^3): one direction, another arithmetic than jets."""

    c0: Fraction
    c1: Fraction = ZERO
    c2: Fraction = ZERO

    def __add__(self, other):
        other = other if isinstance(other, Series) else Series(F(other))
        return Series(self.c0 + other.c0, self.c1 + other.c1, self.c2 + other.c2)

    def __mul__(self, other):
        other = other if isinstance(other, Series) else Series(F(other))
        a, b = self, other
        return Series(a.c0 * b.c0, a.c0 * b.c1 + a.c1 * b.c0, a.c0 * b.c2 + a.c1 * b.c1 + a.c2 * b.c0)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other):
        """Long division."""
        q0 = self.c0 / other.c0
        q1 = (self.c1 - q0 * other.c1) / other.c0
        return Series(q0, q1, (self.c2 - q0 * other.c2 - q1 * other.c1) / other.c0)


def series_policy(pi, u, coordinates):
    """pi along theta + t u: in logits pi_a e^(t u_a) / sum_b pi_b e^(t u_b) with e^(tu) = 1 + tu + (tu)^2/2 + ..., else pi + t u."""
    if coordinates == "direct":
        return [[Series(p, v) for p, v in zip(row, move, strict=True)] for row, move in zip(pi, u, strict=True)]
    raised = [[Series(p, p * v, p * v * v / 2) for p, v in zip(row, move, strict=True)] for row, move in zip(pi, u, strict=True)]
    return [[x / sum(row, Series(F(0))) for x in row] for row in raised]


def series_return(mdp, pi):
    """J for two states by Cramer's rule, or by the recursion of the horizon."""
    gain = [sum((pi[s][a] * mdp.mean_reward[s][a] for a in range(2)), Series(F(0))) for s in range(2)]
    K = [[Series(F(0)), Series(F(0))] for _ in range(2)]
    for s in range(2):
        for a in range(2):
            for m in mdp.moves[s][a]:
                if m.following >= 0:
                    K[s][m.following] = K[s][m.following] + pi[s][a] * (mdp.gamma * m.chance)
    if mdp.horizon is not None:
        V = [Series(F(0))] * 2
        for _ in range(mdp.horizon):
            V = [gain[s] + K[s][0] * V[0] + K[s][1] * V[1] for s in range(2)]
    else:
        M = [[int(s == t) + K[s][t] * -1 for t in range(2)] for s in range(2)]
        det = M[0][0] * M[1][1] + M[0][1] * M[1][0] * -1
        V = [(M[1][1] * gain[0] + M[0][1] * gain[1] * -1) / det, (M[0][0] * gain[1] + M[1][0] * gain[0] * -1) / det]
    return V[0] * mdp.mu[0] + V[1] * mdp.mu[1]


@pytest.mark.parametrize("kind", ["discounted", "horizon", "episodic"])
@pytest.mark.parametrize("coordinates", ["logits", "direct"])
def test_gradient_and_hessian_of_the_return_along_directions(model, policy, kind, coordinates):
    """The series of J(theta + t u) is J + t u.grad + t^2/2 u.Hu."""
    mdp, pi = RationalMDP.of(model(21, kind=kind, reward="move")), policy(22, 2, 2)
    jet = derivatives(expected_return, mdp, pi, coordinates=coordinates)

    for u in ([[1, 0], [0, 0]], [[0, 1], [2, 0]], [[1, -1], [3, F(1, 2)]]):
        flat = [F(x) for row in u for x in row]
        series = series_return(mdp, series_policy(pi, u, coordinates))
        assert jet.value == series.c0
        assert sum(x * g for x, g in zip(flat, jet.gradient, strict=True)) == series.c1
        assert sum(x * y * jet.hessian[i][j] for i, x in enumerate(flat) for j, y in enumerate(flat)) == 2 * series.c2


def test_a_hessian_without_the_curvature_of_the_softmax_is_caught(model, policy):
    """The planted bug: the second derivative of pi left out of the seeds."""
    mdp, pi = RationalMDP.of(model(21)), policy(22, 2, 2)
    flat = [[Jet(x.value, x.gradient, tuple(tuple(0 * h for h in row) for row in x.lower)) for x in row] for row in seeded(pi, "logits")]

    wrong = expected_return(mdp, flat)

    series = series_return(mdp, series_policy(pi, [[1, 0], [0, 0]], "logits"))
    assert wrong.gradient[0] == series.c1
    assert wrong.hessian[0][0] != 2 * series.c2


@pytest.mark.parametrize("kind", ["discounted", "horizon", "episodic", "forward"])
@pytest.mark.parametrize("coordinates", ["logits", "direct"])
def test_the_gradient_is_that_of_the_theorem(model, policy, kind, coordinates):
    mdp, pi = RationalMDP.of(model(31, S=3, A=3, kind=kind, reward="outcomes")), policy(32, 3, 3)

    table = policy_gradient(mdp, pi, coordinates=coordinates)

    assert list(derivatives(expected_return, mdp, pi, coordinates=coordinates).gradient) == [x for row in table for x in row]


def test_probabilities_move_on_the_simplex(policy):
    """In logits every row of jets sums to the constant one."""
    for row in seeded(policy(1, 2, 3), "logits"):
        total = row[0] + row[1] + row[2]
        assert total.value == 1
        assert not any(total.gradient)
        assert not any(x for part in total.lower for x in part)


def test_elimination_without_exchanges():
    assert solve_in_order([[F(2), F(1)], [F(1), F(3)]], [F(3), F(4)]) == [1, 1]
    with pytest.raises(ZeroDivisionError):
        solve_in_order([[F(0), F(1)], [F(1), F(0)]], [F(1), F(1)])


def test_unknown_coordinates_are_refused(policy):
    with pytest.raises(InvalidArgument, match="'logits' and 'direct'"):
        seeded(policy(1, 1, 2), "theta")
