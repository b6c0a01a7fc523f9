"""Sweeps: as fast as the chain mixes, whatever gamma is; and what does not shrink is handed on."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.solve import structure
from pgtheory.tabular.solve.blocks import Blocks
from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.linear import sweeps
from pgtheory.tabular.solve.linear.solver import Aim, Refused, norm
from pgtheory.tabular.solve.linear.sweeps import PATIENCE, Sweeps
from pgtheory.tabular.solve.structure import Structure


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("gamma", [0.9, 0.9999, 1 - 1e-9])
def test_the_horizon_costs_no_sweeps_where_the_chain_mixes(structures, gamma, transposed):
    """Second eigenvalue about 3^-1/2, so that 1e-14 takes 59 sweeps at every gamma, and a few more by how far the start is off. Plain sweeps would take 30 / (1 - gamma)."""
    K = structures["garnet"](400, np.random.default_rng(0))
    b = np.random.default_rng(1).random(400)

    x, steps = Sweeps(Structure(sp.csr_array(K), gamma)).solve(b, transposed, Aim(relative=1e-14))

    expected = np.linalg.solve(np.eye(400) - gamma * (K.T if transposed else K), b)
    assert steps <= 62
    assert abs(x - expected).max() <= 4e-14 / (1 - gamma) * abs(expected).max()


@pytest.mark.parametrize("transposed", [False, True])
def test_a_cycle_is_handed_on_early(structures, transposed):
    K, b = structures["cycle"](50, np.random.default_rng(0)), np.eye(50)[0]

    _, steps = Sweeps(Structure(K, 0.999)).solve(b, transposed, Aim(relative=1e-13))

    assert steps == PATIENCE + 1


def test_rows_that_sum_to_less_do_not_diverge():
    """Adding a constant as if rows summed to one sends the residual to 1e20 here. Without it the rate is 0.99 * 0.9."""
    K = np.array([[0.9, 0.1], [0.0, 0.2]])
    b = np.array([1.0, -1.0])

    solver = Sweeps(Structure(K, 0.99))
    x, _ = solver.solve(b, False, Aim(relative=1e-12))

    assert solver.rate == 0
    np.testing.assert_allclose(x, np.linalg.solve(np.eye(2) - 0.99 * K, b), atol=1e-9)


def test_rows_of_one_sum_below_one_have_the_constant_taken_out(structures):
    K = 0.999 * structures["garnet"](300, np.random.default_rng(0))
    b = np.random.default_rng(1).random(300)

    x, steps = Sweeps(Structure(K, 1.0)).solve(b, False, Aim(relative=1e-14))

    assert steps <= 70
    assert abs(x - np.linalg.solve(np.eye(300) - K, b)).max() <= 1e-10 * abs(x).max()


def test_a_chain_that_never_ends_is_refused():
    with pytest.raises(Refused, match="need not converge"):
        Sweeps(Structure(np.eye(2), 1.0))


def test_a_right_hand_side_of_zero_takes_one_sweep():
    x, steps = Sweeps(Structure(np.full((3, 3), 1 / 3), 0.9)).solve(np.zeros(3), False, Aim(relative=1e-12))

    assert x.tolist() == [0, 0, 0] and steps == 1


def test_a_constant_is_solved_by_one_sweep():
    """The correction moves the swept value by gamma / (1 - gamma) of the residual, no more: 3 + 3 * 9 at gamma = 0.9."""
    x, steps = Sweeps(Structure(np.full((3, 3), 1 / 3), 0.9)).solve(np.full(3, 3.0), False, Aim(relative=1e-12))

    np.testing.assert_allclose(x, 30, rtol=1e-14)
    assert steps == 1


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("columns", [None, 3])
@pytest.mark.parametrize("gamma", [0.9, 0.99, 0.9999])
def test_single_precision_leaves_five_digits_fewer(monkeypatch, structures, transposed, columns, gamma):
    """Above LARGE entries the sweeps are in float32. Columns of any size; the constant, or the total, which is 1 / (1 - gamma) as large, is not lost in it: an answer
    leaves a hundred-thousandth of its right-hand side, and where M' begins with the total, of what that leaves."""
    K, rng = sp.csr_array(structures["garnet"](400, np.random.default_rng(0))), np.random.default_rng(1)
    b = rng.random(400 if columns is None else (400, columns)) * (1 if columns is None else [1.0, 1e-60, 0.0])
    for module in (sweeps, structure):
        monkeypatch.setattr(module, "LARGE", 1)
    solver = Sweeps(Structure(K, gamma))

    x, _ = solver.solve(b, transposed, Aim(relative=1e-14))

    left = lambda x: b - x + gamma * ((K.T if transposed else K) @ x)
    assert solver.single and x.dtype == np.float64
    begun = norm(left(b + gamma / (1 - gamma) * b.mean(axis=0)), True) if gamma > 0.99 and transposed else 0
    assert (norm(left(x), transposed) <= 1e-5 * np.maximum(norm(b, transposed), begun)).all()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("columns", [None, 3])
@pytest.mark.parametrize("gamma", [0.9, 0.9999, 1 - 1e-9])
def test_single_precision_reaches_the_digits_of_double(monkeypatch, structures, transposed, columns, gamma):
    """The residuals are taken in float64 and solved for in turn: the answer has fourteen digits all the same, for little more than the sweeps of float64."""
    K, rng = sp.csr_array(structures["garnet"](400, np.random.default_rng(0))), np.random.default_rng(1)
    b = rng.random(400 if columns is None else (400, columns)) * (1 if columns is None else [1.0, 1e-6, 0.0])
    plain, steps = Sweeps(Structure(K, gamma)).solve(b, transposed, Aim(relative=1e-14))
    for module in (sweeps, structure):
        monkeypatch.setattr(module, "LARGE", 1)

    found = Chain(K=K, gamma=gamma).find(b, transposed=transposed, aim=Aim(relative=1e-14))

    assert found.method == "sweeps" and 3 < found.steps <= 1.5 * steps + 15
    expected = np.linalg.solve(np.eye(400) - gamma * (K.T if transposed else K).toarray(), b)
    size = norm(expected, transposed)
    assert (abs(found.x - expected).max(axis=0) <= 4e-14 / (1 - gamma) * size).all()
    assert (abs(found.x - plain).max(axis=0) <= 4e-14 / (1 - gamma) * size).all()


@pytest.mark.parametrize("transposed", [False, True])
def test_a_cycle_is_handed_on_early_in_single_precision(monkeypatch, structures, transposed):
    for module in (sweeps, structure):
        monkeypatch.setattr(module, "LARGE", 1)
    chain = Chain(K=sp.csr_array(structures["cycle"](50, np.random.default_rng(0))), gamma=0.999)

    found = chain._refined(Sweeps(chain.structure), np.eye(50)[0], transposed, Aim(relative=1e-13))

    assert found.steps <= 2 * PATIENCE + 4


@pytest.mark.parametrize("steps", [1, 10, 20])
@pytest.mark.parametrize("gamma", [0.99, 0.9999])
@pytest.mark.parametrize("transposed", [False, True])
def test_limit_of_steps_holds_in_single_precision_too(monkeypatch, structures, transposed, gamma, steps):
    """Of the seventy or so that fourteen digits take, in one answer and in answers to residuals. They are products, that of the start of M' included."""
    for module in (sweeps, structure):
        monkeypatch.setattr(module, "LARGE", 1)
    K, b = sp.csr_array(structures["garnet"](400, np.random.default_rng(0))), np.random.default_rng(1).random(400)
    chain, products = Chain(K=K, gamma=gamma), []
    for kind in (Structure, Blocks):
        honest = kind.product
        monkeypatch.setattr(kind, "product", lambda self, x, back, honest=honest: products.append(x.dtype) or honest(self, x, back))

    _, one = Sweeps(chain.structure).solve(b, transposed, Aim(relative=1e-14, steps=steps))
    assert len(products) == one and products.count(np.float64) == (transposed and gamma > 0.99)
    found = chain._refined(Sweeps(chain.structure), b, transposed, Aim(relative=1e-14, steps=steps))

    assert one <= steps and found.steps == steps


@pytest.mark.parametrize("size", [1.0, 1e6])
def test_single_precision_ends_where_the_aim_is_reached(monkeypatch, structures, size):
    """Half of the aim, a two-hundredth of b, takes log(200) / log(3^1/2) = 9.6 sweeps, whatever the size of b; five digits take 21, near gamma = 1 for M' too."""
    for module in (sweeps, structure):
        monkeypatch.setattr(module, "LARGE", 1)
    K, b = sp.csr_array(structures["garnet"](400, np.random.default_rng(0))), size * np.random.default_rng(1).random(400)
    solver = Sweeps(Structure(K, 0.99))

    assert solver.solve(b, False, Aim(absolute=0.01 * size))[1] <= 11 < 15 < solver.solve(b, False, Aim())[1] <= 22
    assert 15 < Sweeps(Structure(K, 1 - 1e-9)).solve(b, True, Aim())[1] <= 24


@pytest.mark.parametrize("large", [False, True])
def test_a_sweep_leaves_half_of_the_span(monkeypatch, large):
    """x = b = (3, 1) at gamma = 1/2: K b = (2.5, 1.5), the residual (1.25, 0.75), its middle 1; with the constant 2 what is left is gamma K (0.25, -0.25).
    In single precision half of the aim is left to what is double."""
    for module in (sweeps, structure):
        monkeypatch.setattr(module, "LARGE", 1 if large else 10**9)
    solver, b = Sweeps(Structure(sp.csr_array([[0.75, 0.25], [0.25, 0.75]]), 0.5)), np.array([3.0, 1.0])

    half = 0.5 if large else 0.25

    x, steps = solver.solve(b, False, Aim(absolute=1.001 * half))

    assert steps == 1 and solver.solve(b, False, Aim(absolute=0.999 * half))[1] == 2
    np.testing.assert_allclose(x, [5.25, 2.75], rtol=1e-6)


def test_what_is_hopeless_is_forecast_by_the_rate_of_one_sweep():
    """A residual that falls by 0.9 a sweep needs 131 more for six digits: log(1e-6) / log(0.9) = 131.1. One column of several is enough."""
    falling = [np.array([0.9**k, 0.1**k]) for k in range(PATIENCE + 1)]
    allowed = 1e-6 * falling[-1]

    assert not sweeps.hopeless(falling, allowed, 132)
    assert sweeps.hopeless(falling, allowed, 131)
    assert not sweeps.hopeless(falling, falling[-1], 0)
