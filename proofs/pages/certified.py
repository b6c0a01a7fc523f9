"""Problems and policies in balls: fractions, but for exp and log, with an error that is carried along."""

from typing import Any

from pgtheory.proofs.claim import Case
from pgtheory.proofs.pages.finite import Number, Process, Table, Vector, as_fractions
from pgtheory.tabular.exact.balls import ball
from pgtheory.tabular.exact.jets import solve_in_order


def balls(table: Any) -> Any:
    """Nested lists of fractions as balls of radius zero."""
    return [balls(part) for part in table] if isinstance(table, list | tuple) else ball(table)


def in_balls(p: Process) -> Process:
    return Process(balls(p.P), balls(p.r), ball(p.gamma))


def inner(x: Vector, y: Vector) -> Number:
    """sum_i x_i y_i, of balls."""
    return sum((a * b for a, b in zip(x, y, strict=True)), ball(0))


def value(p: Process, pi: Table) -> list:
    """V."""
    return p.solve(pi, [inner(row, r) for row, r in zip(pi, p.r, strict=True)])


def advantage(p: Process, pi: Table) -> list[list]:
    """Q - V."""
    V = value(p, pi)
    return [[r + p.gamma * inner(P, V) - V[s] for P, r in zip(*rows, strict=True)] for s, rows in enumerate(zip(p.P, p.r, strict=True))]


def softmax(theta: Table) -> list[list]:
    """1 / sum_b exp(theta(s, b) - theta(s, a)): differences keep their digits where logits are large."""
    return [[1 / sum((y - x).exp() for y in row) for x in row] for row in theta]


def occupancy(p: Process, mu: Vector, pi: Table) -> list:
    """d = mu (I - gamma P_pi)^-1."""
    return solve_in_order([*zip(*p.bellman(pi), strict=True)], mu)


def softmax_gradient(p: Process, mu: Vector, pi: Table) -> list[list]:
    """d(s) pi(a|s) (Q(s, a) - V(s)), the derivative of mu V with respect to the logits."""
    return weighted(occupancy(p, mu, pi), pi, advantage(p, pi))


def weighted(d: Vector, pi: Table, X: Table) -> list[list]:
    """d(s) pi(a|s) X(s, a)."""
    return [[x * y * z for y, z in zip(*rows, strict=True)] for x, *rows in zip(d, pi, X, strict=True)]


def made(label: str, parts: dict) -> Case:
    """A case by hand: P, r and gamma become its process, texts become fractions."""
    exact = {name: as_fractions(part) for name, part in parts.items()}
    return Case(label, process=Process(exact.pop("P"), exact.pop("r"), exact.pop("gamma")), **exact)
