"""The chooser and its certificate: against fractions, against wrong answers, and method against method."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, NonTerminating, NotConverged
from pgtheory.tabular.solve import chain as module
from pgtheory.tabular.solve import structure
from pgtheory.tabular.solve.chain import SOLVERS, Chain
from pgtheory.tabular.solve.linear import sweeps
from pgtheory.tabular.solve.linear.banded import Banded
from pgtheory.tabular.solve.linear.krylov import Krylov
from pgtheory.tabular.solve.linear.solver import Aim
from pgtheory.tabular.solve.linear.sweeps import Sweeps

KERNELS = [np.array, sp.csr_array]


def distance(x, exact, transposed):
    """|x - exact| in the norm of the certificate, itself exact."""
    errors = [abs(Fraction(float(a)) - b) for a, b in zip(x, exact, strict=True)]
    return sum(errors) if transposed else max(errors)


# The norm of the inverse


@pytest.mark.parametrize("form", KERNELS)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
def test_norm_is_that_of_the_inverse_and_a_little_more(form, gamma):
    K = np.random.default_rng(1).dirichlet(np.ones(6), size=6)

    chain = Chain(K=form(K), gamma=gamma)
    true = np.linalg.norm(np.linalg.inv(np.eye(6) - gamma * K), np.inf)

    assert true * (1 - 1e-12) <= chain.inverse_norm <= true * (1 + 1e-11)


@pytest.mark.parametrize("gamma", [0.9, 1 - 1e-9, 1.0])
def test_norm_covers_that_of_the_inverse(kernel, gamma):
    """Every structure; with gamma = 1 where a state ends from everywhere. An iteration proves it from a residual of 1/1024, hence the 0.1 %."""
    K = kernel(36)
    if gamma == 1:
        K = K * np.where(np.arange(36) == 35, 0.5, 1.0)[:, None]
        if abs(np.linalg.eigvals(K)).max() > 1 - 1e-9:
            pytest.skip("this chain has states that never end")
    true = np.linalg.norm(np.linalg.inv(np.eye(36) - gamma * K), np.inf)

    for name in SOLVERS:
        try:
            bound = Chain(K=K, gamma=gamma, method=name).inverse_norm
        except (NotConverged, InvalidArgument):
            assert gamma == 1 and name in ("sweeps", "krylov")  # an iteration may give up, a factorisation may not
            continue
        assert true * (1 - 1e-9) <= bound
        if gamma == 1:
            assert bound <= true * (1 + 2e-3)


@pytest.mark.parametrize("form", KERNELS)
@pytest.mark.parametrize("K", [[[1.0]], [[0.0, 1.0], [1.0, 0.0]], [[1.0, 1e-30], [0.0, 0.5]], [[2.0]]])
def test_matrix_that_is_no_m_matrix_is_refused(form, K):
    """Singular, singular up to rounding, or with an inverse that has negative entries: there is no positive x with M x near 1."""
    with pytest.raises(NonTerminating, match="so rarely"):
        Chain(K=form(K), gamma=1.0).inverse_norm  # noqa: B018


@pytest.mark.parametrize("form", KERNELS)
def test_no_state_at_all(form):
    chain = Chain(K=form(np.zeros((0, 0))), gamma=1.0)

    assert chain.inverse_norm == 0
    assert chain.solve(np.zeros(0)).shape == (0,) and chain.solve_transposed(np.zeros((0, 2))).shape == (0, 2)


# The certificate


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_bound_of_any_answer_is_at_least_its_error(data, structures, exact):
    """x is whatever hypothesis likes, far from the solution or near it: |M^-1| times the residual covers the error, in fractions."""
    S = data.draw(st.integers(1, 5))
    make, gamma = data.draw(st.sampled_from(list(structures.values()))), data.draw(st.sampled_from([0.0, 0.5, 0.99, 1 - 1e-9]))
    K = make(max(S, 4), np.random.default_rng(S))
    n, transposed = len(K), data.draw(st.booleans())
    b = np.array(data.draw(st.lists(st.floats(-10, 10), min_size=n, max_size=n)))
    true = exact(K, gamma, b, transposed)
    noise = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=n, max_size=n))) * 10.0 ** data.draw(st.integers(-17, 3))
    x = np.array([float(v) for v in true]) + noise
    chain = Chain(K=K, gamma=gamma)

    found = chain.judged(x, b, transposed, "planted", 0)

    assert distance(x, true, transposed) <= Fraction(chain.inverse_norm) * Fraction(float(found.residual))


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("size", [1e-12, 1e-6, 1.0])
def test_a_method_that_lies_is_found_out(monkeypatch, exact, structures, name, size):
    """Planted bug in each method: its answer is disturbed in the worst direction, that of the expected length. The tolerance is not believed."""
    K = structures["garnet"](12, np.random.default_rng(0))
    b, solver = np.random.default_rng(1).random(12), SOLVERS[name]
    worst = np.linalg.solve(np.eye(12) - 0.99 * K, np.ones(12))
    honest = solver.solve
    monkeypatch.setattr(solver, "solve", lambda self, *arguments: (honest(self, *arguments)[0] + size * worst, 1))
    chain = Chain(K=K, gamma=0.99, method=name, tolerance=50 * size)

    with pytest.raises(NotConverged) as caught:
        chain.solve(b)

    error = distance(caught.value.best, exact(K, 0.99, b), False)
    assert Fraction(90 * size) <= error <= Fraction(caught.value.bound) <= Fraction(1000 * size + 1e-10)


@pytest.mark.parametrize("name", [None, *SOLVERS])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-8])
def test_what_is_asked_is_true_in_fractions(exact, structures, name, transposed, tolerance):
    """Every method on the chains that it can solve: the error is below the tolerance, or the error says that it is not."""
    for make in structures.values():
        K, b = make(12, np.random.default_rng(0)), np.random.default_rng(1).standard_normal(12 if make.__name__ != "grid" else 9)
        chain = Chain(K=sp.csr_array(K), gamma=0.9, method=name, tolerance=tolerance)

        x = chain.solve_transposed(b) if transposed else chain.solve(b)

        assert distance(x, exact(K, 0.9, b, transposed), transposed) <= Fraction(tolerance)


def test_a_tolerance_below_rounding_is_refused_with_the_best_that_there_is(exact):
    K, b = np.full((3, 3), 1 / 3), np.array([1.0, 2.0, 4.0])

    with pytest.raises(NotConverged, match="Give a larger tolerance") as caught:
        Chain(K=K, gamma=0.9, tolerance=1e-16).solve(b)

    assert distance(caught.value.best, exact(K, 0.9, b), False) <= Fraction(caught.value.bound) < Fraction(1e-11)


def test_a_tolerance_is_that_of_every_column():
    K = np.random.default_rng(0).dirichlet(np.ones(5), size=5)
    b = np.eye(5) * [1e-9, 1, 1, 1e9, 1]

    with pytest.raises(NotConverged):
        Chain(K=K, gamma=0.9, tolerance=1e-10).solve(b)
    assert Chain(K=K, gamma=0.9, tolerance=1e-10).solve(b[:, :3]).shape == (5, 3)


def test_without_a_tolerance_iterations_give_ten_digits(structures):
    K, b = sp.csr_array(structures["garnet"](500, np.random.default_rng(0))), np.random.default_rng(1).random(500)
    expected = np.linalg.solve(np.eye(500) - 0.99 * K.toarray(), b)

    for name in ("sweeps", "krylov"):
        found = Chain(K=K, gamma=0.99, method=name).find(b)
        assert found.method == name and 1 < found.steps <= 60
        assert abs(found.x - expected).max() <= 1e-10 * abs(expected).max()


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("transposed", [False, True])
def test_no_column_at_all(name, transposed):
    chain = Chain(K=sp.csr_array((350, 350)), gamma=0.5, method=name)

    assert (chain.solve_transposed if transposed else chain.solve)(np.zeros((350, 0))).shape == (350, 0)
    assert chain.find(np.zeros((350, 0)), transposed=transposed).x.shape == (350, 0)


# What K is stored in

STORED = ["dense", "float32", "list", "matrix", "csr", "csc", "coo", "bsr", "lil", "dok", "dia", "dia32", "short"]


def lopsided(S, form):
    """Up by one or two, down by one, never where it is: no method may take K for K', and no diagonal is missing by chance. `short`: one diagonal below."""
    K = np.diag(np.full(S - 1, 0.375), 1) + np.diag(np.full(S - 2, 0.25), 2) + np.diag(np.full(S - 1, 0.125), -1)
    if form == "short":
        K = np.diag(np.full(S - 1, 0.5), -1)
        return sp.diags_array([K.diagonal(-1)], offsets=[-1]), K
    dense = {"dense": np.array, "float32": np.float32, "list": np.ndarray.tolist, "matrix": sp.csr_matrix}
    return (dense[form](K) if form in dense else sp.dia_array(K).astype(np.float32) if form == "dia32" else sp.csr_array(K).asformat(form)), K


@pytest.mark.parametrize("form", STORED)
@pytest.mark.parametrize("name", [None, *SOLVERS])
@pytest.mark.parametrize("large", [False, True])
def test_every_method_reads_every_form(monkeypatch, exact, name, form, large):
    """The numbers of K are those of float32 too: in whatever precision K comes, 1e-10 is proven in double. `large`: sweeps in single precision."""
    if large:
        for part in (structure, sweeps):
            monkeypatch.setattr(part, "LARGE", 1)
    K, table = lopsided(8, form)
    b, chain = np.random.default_rng(0).standard_normal(8), Chain(K=K, gamma=0.9, method=name, tolerance=1e-10)

    for transposed, x in ((False, chain.solve(b)), (True, chain.solve_transposed(b))):
        assert distance(x, exact(table, 0.9, b, transposed), transposed) <= Fraction(1e-10)


@pytest.mark.parametrize("form", ["csc", "coo", "dia"])
def test_no_entry_in_any_form(form):
    chain = Chain(K=sp.csr_array((3, 3)).asformat(form), gamma=0.9)

    assert chain.solve(np.arange(3.0)).tolist() == [0, 1, 2]
    assert chain.structure.bandwidth == (0, 0)


def test_what_can_be_read_is_not_copied():
    for K in (np.eye(3), sp.csr_array(np.eye(3)), sp.dia_array(np.eye(3))):
        assert Chain(K=K, gamma=0.9).K is K


# The choice


@pytest.mark.parametrize(
    ("name", "S", "form", "method"),
    [
        ("garnet", 100, sp.csr_array, "dense"),
        ("walk", 400, sp.csr_array, "banded"),
        ("grid", 400, sp.csr_array, "sparse-lu"),
        ("tree", 400, sp.csr_array, "sparse-lu"),
        ("garnet", 1000, sp.csr_array, "sweeps"),
        ("garnet", 400, np.array, "sweeps"),
        ("absorbing", 1000, sp.csr_array, "krylov"),
        ("absorbing", 400, np.array, "dense"),
        ("cycle", 400, sp.csr_array, "sparse-lu"),
        ("cycle", 400, np.array, "dense"),
    ],
)
def test_structure_chooses(structures, name, S, form, method):
    """The right-hand side of ones is solved by one sweep where rows sum to one, so it is not used here."""
    K, b = form(structures[name](S, np.random.default_rng(0))), np.random.default_rng(1).random(S)

    found = Chain(K=K, gamma=0.999).find(b)

    assert found.method == method
    M = np.eye(S) - 0.999 * (K.toarray() if sp.issparse(K) else K)
    assert abs(M @ found.x - b).max() <= 1e-11 * abs(found.x).max()


@pytest.mark.parametrize(
    ("name", "form", "columns", "method"),
    [
        ("garnet", sp.csr_array, 99, "sweeps"),
        ("garnet", sp.csr_array, 100, "dense"),
        ("absorbing", sp.csr_array, 33, "krylov"),
        ("absorbing", sp.csr_array, 34, "dense"),
        ("cycle", sp.csr_array, 34, "dense"),
        ("garnet", np.array, 19, "sweeps"),
        ("garnet", np.array, 20, "dense"),
        ("walk", sp.csr_array, 100, "banded"),
    ],
)
def test_many_columns_are_worth_a_factorisation(monkeypatch, structures, name, form, columns, method):
    """A column for every ten states of a sparse chain that mixes, for thirty of one that does not or ends, for fifty of a dense one; a narrow band comes first."""
    monkeypatch.setattr(module, "FILL", 0 if name == "cycle" else module.FILL)
    K, b = form(structures[name](1000, np.random.default_rng(0))), np.random.default_rng(1).random((1000, columns))

    chain = Chain(K=K, gamma=0.99)
    found = chain.find(b)

    assert found.method == method
    assert abs(b - found.x + 0.99 * (K @ found.x)).max() <= 1e-10
    assert chain.find(b[:, 0]).method == method  # a factorisation at hand serves a single column too


def test_many_columns_of_too_many_states_are_not_factorised(monkeypatch, structures):
    monkeypatch.setattr(module, "FULL", 999)

    assert next(Chain(K=sp.csr_array(structures["garnet"](1000, np.random.default_rng(0))), gamma=0.99)._order(100)) == "sweeps"


def test_what_is_at_hand_comes_first_if_it_is_a_factorisation(structures):
    chain = Chain(K=sp.csr_array(structures["garnet"](1000, np.random.default_rng(0))), gamma=0.99)

    for name, expected in (("krylov", "sweeps"), ("dense", "dense")):
        assert chain._solver(name) is not None
        assert next(chain._order(1)) == expected


def test_methods_that_fail_hand_on(monkeypatch, structures):
    """Sweeps and BiCGSTAB return rubbish, one of them not a number: the next in line answers."""
    K, b = sp.csr_array(structures["garnet"](1000, np.random.default_rng(0))), np.random.default_rng(1).random(1000)
    monkeypatch.setattr(Sweeps, "solve", lambda self, b, transposed, aim: (np.full_like(b, np.nan), 3))
    monkeypatch.setattr(Krylov, "solve", lambda self, b, transposed, aim: (np.ones_like(b), 3))
    monkeypatch.setattr(module, "FILL", 0)

    found = Chain(K=K, gamma=0.9).find(b)

    assert found.method == "dense"
    assert abs(found.x - np.linalg.solve(np.eye(1000) - 0.9 * K.toarray(), b)).max() <= 1e-11


def test_where_all_fail_the_best_is_returned(monkeypatch):
    """One after the other, each once: not a number, an error of one, an error of 100. The first number wins, and the bound says what it is worth."""
    tried = []
    K, b = sp.csr_array(np.full((400, 400), 1 / 400)), np.random.default_rng(1).random(400)
    true = np.linalg.solve(np.eye(400) - 0.9 * K.toarray(), b)
    for solver, error in ((Sweeps, np.nan), (Krylov, 1.0), (SOLVERS["dense"], 100.0), (SOLVERS["sparse-lu"], 100.0), (Banded, 100.0)):
        monkeypatch.setattr(solver, "solve", lambda self, b, transposed, aim, error=error: (tried.append(self.name) or true + error, 3))

    with pytest.raises(NotConverged, match="krylov reached") as caught:
        Chain(K=K, gamma=0.9, tolerance=1e-3).solve(b)

    assert len(tried) == len(set(tried)) >= 4
    assert abs(caught.value.best - true - 1).max() <= 1e-9
    assert 1 <= caught.value.bound <= 1.001


def test_a_factorisation_is_done_once(monkeypatch):
    made = []
    honest = SOLVERS["dense"].__init__
    monkeypatch.setattr(SOLVERS["dense"], "__init__", lambda self, structure: (made.append(1), honest(self, structure))[1])
    chain = Chain(K=np.full((3, 3), 0.2), gamma=1.0)

    chain.solve(np.ones(3))
    chain.solve_transposed(np.ones(3))
    assert chain.length.tolist() == pytest.approx([2.5] * 3)
    assert made == [1]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1 - 1e-12])
@pytest.mark.parametrize("name", [None, *SOLVERS])
def test_one_state(name, gamma):
    chain = Chain(K=np.array([[1.0]]), gamma=gamma, method=name)

    assert chain.solve(np.array([3.0])) == pytest.approx([3 / (1 - gamma)], rel=1e-4 if gamma > 0.99 else 1e-12)
    assert chain.solve_transposed(np.array([[3.0, 1.0]])) == pytest.approx(np.array([[3, 1]]) / (1 - gamma), rel=1e-4 if gamma > 0.99 else 1e-12)


# Bad input


def test_a_method_that_does_not_exist():
    with pytest.raises(InvalidArgument, match=r"'lu', expected None or one of dense, banded, sparse-lu, sweeps, krylov"):
        Chain(K=np.eye(2), gamma=0.5, method="lu")


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, "a", [1e-3], 1j])
def test_a_tolerance_that_is_not_positive(tolerance):
    with pytest.raises(InvalidArgument, match="tolerance is .*, expected a positive number"):
        Chain(K=np.eye(2), gamma=0.5, tolerance=tolerance)


def test_a_method_that_cannot():
    with pytest.raises(InvalidArgument, match="'sweeps' cannot solve this chain: its rows sum to one and gamma is 1"):
        Chain(K=np.eye(2), gamma=1.0, method="sweeps").find(np.ones(2), aim=Aim())


def test_a_singular_chain_that_no_method_solves():
    with pytest.raises(NonTerminating, match="so rarely"):
        Chain(K=sp.csr_array(np.eye(2)), gamma=1.0, tolerance=1e-3).solve(np.ones(2))
