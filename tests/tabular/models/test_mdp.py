"""MDP: every rule of the constructor, the derived quantities against loops, and arrays that nobody can change."""

import numpy as np
import pytest
import scipy
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, PgtheoryError
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP, Outcomes, as_mdp, row_sums

P = [[[0.5, 0.25], [0.0, 1.0]], [[0.25, 0.25], [0.0, 0.0]]]
R = [[1.0, 2.0], [3.0, 4.0]]
MU = [0.25, 0.75]
SPARSE = sp.csr_array(np.reshape(P, (4, 2)))
RANDOM = settings(max_examples=40)


def changed(value: object, *where_and_what) -> list:
    """A nested list with one entry replaced."""
    *where, what = where_and_what
    array = np.array(value, dtype=object)
    array[tuple(where)] = what
    return array.tolist()


def fair(values=(0.0, 2.0), chance=0.5) -> Outcomes:
    return Outcomes(values=np.array(values), chance=np.full((2, 2, len(values)), chance))


def transitions(m: MDP) -> np.ndarray:
    return np.asarray(m.transition.toarray() if sp.issparse(m.transition) else m.transition).reshape(m.S, m.A, m.S)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"P": changed(P, 1, 0, 1, 0.8)}, r"P\[1, 0\] sums to 1.05, more than one.*the rest ends the episode.*MDP.from_counts"),
        ({"P": changed(P, 0, 1, 0, -0.5)}, r"P\[0, 1, 0\] is -0.5, a negative probability.*clip"),
        ({"P": changed(P, 0, 1, 0, np.nan)}, r"P\[0, 1, 0\] is nan\. Every entry must be a finite number"),
        ({"P": changed(P, 0, 1, 0, "x")}, "P is not an array of numbers"),
        ({"P": [[[1.0]], [[1.0, 2.0]]]}, "P is not an array of numbers"),
        ({"P": np.zeros((2, 2))}, r"P has shape \(2, 2\), expected \(S, A, S\) with S = 2"),
        ({"P": np.zeros((2, 2, 3))}, r"P has shape \(2, 2, 3\)"),
        ({"P": np.zeros((2, 0, 2))}, "at least one action"),
        ({"P": sp.csr_array(np.zeros((3, 2)))}, r"P has shape \(3, 2\), expected \(S\*A, S\) with S = 2"),
        ({"P": sp.csr_array(-np.reshape(P, (4, 2)))}, "negative probability"),
        ({"P": sp.csr_array(1.5 * np.reshape(P, (4, 2)))}, r"P\[0, 0\] sums to 1.125"),
        ({"P": sp.csr_array(np.inf * np.ones((4, 2)))}, r"P\[0, 0\] is inf\. Every entry must be a finite number"),
        ({"P": sp.csr_array(([0.5, np.nan], ([0, 2], [0, 1])), shape=(4, 2))}, r"P\[2, 1\] is nan\. Every entry must be a finite number"),
        ({"P": sp.csr_array(([0.5, -0.5], ([0, 3], [0, 1])), shape=(4, 2))}, r"P\[3, 1\] is -0.5, a negative probability.*clip"),
        ({"P": SPARSE * 1j}, "P is a sparse array with complex numbers"),
        ({"P": sp.coo_array(np.ones(2))}, r"P is a sparse array with the shape \(2,\).*\(S\*A, S\)"),
        ({"P": [sp.csr_array(np.eye(2))] * 2}, r"P is a list of sparse matrices.*scipy\.sparse\.vstack\(P\)"),
        ({"P": np.zeros((3, 2, 2))}, r"Of tables P\[a, s, t\] give P\.transpose\(1, 0, 2\)"),
        ({"P": np.zeros((3, 2, 3))}, r"P has shape \(3, 2, 3\).*at least one action\.$"),
        ({"P": np.array(P) + 0j}, "P is not an array of numbers.*complex"),
        ({"P": None}, r"P is None\. Every entry"),
        (
            {"P": np.full((2, 1, 2), 0.1, dtype=np.float32) * 5.0000005},
            r"more than one.*\. Rounding, as of float32: divide each row by its sum, in float64\.$",
        ),
        ({"mu": np.array([0.1, 0.9], dtype=np.float32)}, "divide it by its sum, in float64"),
        ({"mu": sp.csr_array([MU])}, r"mu is a sparse matrix.*mu\.toarray\(\)"),
        ({"mu": 1.0}, r"mu has shape \(\)"),
        ({"mu": np.nan}, "mu is nan"),
        ({"mu": [0.5, 0.6]}, "mu sums to 1.1, not to one"),
        ({"mu": [1.5, -0.5]}, r"mu\[1\] is -0.5, a negative probability"),
        ({"mu": []}, r"mu has shape \(0,\)"),
        ({"mu": [[0.5, 0.5]]}, r"mu has shape \(1, 2\), expected \(S,\)"),
        ({"r": None}, "r is missing"),
        ({"r": [1.0, 2.0]}, r"r has shape \(2,\), expected \(2, 2\) or \(2, 2, 2\)"),
        ({"r": changed(R, 1, 0, np.inf)}, r"r\[1, 0\] is inf"),
        ({"P": SPARSE, "r": np.zeros((2, 2, 2))}, r"With sparse P give r of shape \(S, A\), or sparse \(S\*A, S\)"),
        ({"r": sp.csr_array(np.zeros((2, 2)))}, r"r has shape \(2, 2\), expected \(4, 2\)"),
        ({"r2": [[1.0, 4.0], [8.9, 16.0]]}, "r2 is smaller than r squared"),
        ({"r2": np.zeros((2, 2, 2))}, r"r2 has shape \(2, 2, 2\), expected \(2, 2\) \(the form of r\)"),
        ({"r_end": np.zeros((2, 2))}, r"r_end is given, but r\[s, a\] already holds"),
        ({"r": np.zeros((2, 2, 2)), "r_end": np.zeros(2)}, r"r_end has shape \(2,\), expected \(2, 2\)"),
        ({"r": np.zeros((2, 2, 2)), "r_end": np.zeros((2, 2)), "r2_end": np.zeros((2, 2))}, "r2_end is given without r2 and r_end"),
        (
            {"r": np.zeros((2, 2, 2)), "r2": np.zeros((2, 2, 2)), "r_end": np.ones((2, 2)), "r2_end": np.zeros((2, 2))},
            "r2_end is smaller than r_end squared",
        ),
        ({"outcomes": fair()}, "r is not the mean of outcomes"),
        ({"r": None, "outcomes": Outcomes(values=np.zeros(2), chance=np.full((1, 2, 2), 0.5))}, r"outcomes.chance has shape \(1, 2, 2\)"),
    ],
)
def test_invalid_model(fields, text):
    with pytest.raises(InvalidModel, match=text):
        MDP(**{"P": P, "r": R, "mu": MU} | fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"gamma": 1.2}, r"gamma is 1.2, outside \[0, 1\]"),
        ({"gamma": -0.1}, "gamma is -0.1"),
        ({"gamma": float("nan")}, "gamma is nan"),
        ({"gamma": None}, "gamma is None, expected a number between 0 and 1"),
        ({"gamma": "0.9"}, "gamma is '0.9', expected a number"),
        ({"gamma": True}, "gamma is True, expected a number"),
        ({"gamma": np.True_}, "gamma is (np.)?True_?, expected a number"),
        ({"gamma": [0.9, 0.8]}, r"gamma is \[0.9, 0.8\], expected a number"),
        ({"horizon": 0}, "horizon is 0, expected a whole number of at least 1"),
        ({"horizon": 2.5}, "horizon is 2.5"),
        ({"horizon": True}, "horizon is True"),
    ],
)
def test_invalid_number(fields, text):
    with pytest.raises(InvalidArgument, match=text):
        MDP(**{"P": P, "r": R, "mu": MU} | fields)


@pytest.mark.parametrize(
    ("values", "chance", "text"),
    [
        ([0.0, 1.0], np.full((2, 2, 2), 0.6), r"outcomes.chance\[0, 0\] sums to 1.2"),
        ([0.0, 1.0, 2.0], np.full((2, 2, 2), 0.5), r"outcomes: values have shape \(3,\)"),
        ([0.0, np.nan], np.full((2, 2, 2), 0.5), r"outcomes.values\[1\] is nan"),
    ],
)
def test_invalid_outcomes(values, chance, text):
    with pytest.raises(InvalidModel, match=text):
        Outcomes(values=np.array(values), chance=chance)


def test_one_sparse_matrix_an_action_is_stacked_as_the_error_says():
    """The cure, run as printed, gives the model of the dense table."""
    per_action = [sp.csr_array(np.array(P)[:, a, :]) for a in range(2)]
    with pytest.raises(InvalidModel) as caught:
        MDP(P=per_action, r=R, mu=MU)
    cure = str(caught.value).partition("this is ")[2].rstrip(".")
    stacked = MDP(P=eval(cure, {"scipy": scipy, "np": np, "P": per_action, "S": 2, "A": 2}), r=R, mu=MU)

    assert np.array_equal(transitions(stacked), P)


def test_every_error_is_a_value_error_of_the_library():
    with pytest.raises(ValueError) as caught:
        MDP(P=P, r=R, mu=[1.0, 1.0])
    assert isinstance(caught.value, PgtheoryError)


# Ownership


@pytest.mark.parametrize("kernel", [np.array(P), SPARSE.copy()], ids=["dense", "sparse"])
def test_model_owns_read_only_copies(kernel):
    r, mu = np.array(R), np.array(MU)
    m = MDP(P=kernel, r=r, mu=mu)
    before = transitions(m).copy()

    r[:] = 9
    mu[:] = 9
    (kernel.data if sp.issparse(kernel) else kernel)[:] = 9

    assert (m.r == R).all()
    assert (m.mu == MU).all()
    assert (transitions(m) == before).all()
    for array in (m.r, m.mu, m.P.data if sp.issparse(m.P) else m.P):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError):
        m.gamma = 0.5  # pyright: ignore[reportAttributeAccessIssue]


def test_arguments_are_named():
    with pytest.raises(TypeError):
        MDP(P, MU)  # pyright: ignore


def test_sparse_entries_that_repeat_are_added():
    twice = sp.coo_array(([0.25, 0.25], ([0, 0], [0, 0])), shape=(1, 1))

    assert MDP(P=twice, r=[[0.0]], mu=[1.0]).transition.toarray() == [[0.5]]


def test_sparse_indices_take_half_the_memory_whatever_was_given():
    wide = sp.csr_array((SPARSE.data, SPARSE.indices.astype(np.int64), SPARSE.indptr.astype(np.int64)), shape=SPARSE.shape)
    m = MDP(P=wide, r=np.zeros((2, 2)), mu=MU)

    assert (wide.indices.dtype, m.transition.indices.dtype, m.transition.indptr.dtype) == (np.int64, np.int32, np.int32)
    assert (m.transition != SPARSE).nnz == 0
    with pytest.raises(ValueError, match="read-only"):
        m.transition.indices[0] = 1


# Derived quantities, against loops


@st.composite
def models(draw):
    """Models with rewards of every form, dense or sparse, and some mass that ends."""
    S, A, form = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.sampled_from(["sa", "sat", "sat+end"]))
    numbers = lambda n, low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), dtype=float)
    weights = numbers(S * A * S, 0, 3).reshape(S, A, S)
    kernel = weights / (weights.sum(axis=-1, keepdims=True) + draw(st.integers(1, 3)))
    r = numbers(S * A, -3, 3).reshape(S, A) if form == "sa" else numbers(S * A * S, -3, 3).reshape(S, A, S)
    rest = {"r_end": numbers(S * A, -3, 3).reshape(S, A)} if form == "sat+end" else {}
    make = lambda P, r: MDP(P=P, r=r, mu=np.full(S, 1 / S), gamma=0.5, **rest)
    flat = lambda array: sp.csr_array(array.reshape(S * A, S))
    return make(kernel, r), make(flat(kernel), r if form == "sa" else flat(r))


@RANDOM
@given(models())
def test_derived_quantities_are_what_loops_say(pair):
    dense, sparse = pair
    S, A, P = dense.S, dense.A, transitions(dense)
    V, pi = np.arange(S) + 0.5, np.full((S, A), 1 / A)
    for s in range(S):
        for a in range(A):
            ends = 1 - sum(P[s, a])
            mean = dense.r[s, a] if dense.r.ndim == 2 else sum(p * x for p, x in zip(P[s, a], dense.r[s, a], strict=True))
            mean += ends * dense.r_end[s, a] if dense.r_end is not None else 0
            q = mean + 0.5 * sum(P[s, a] * V)
            for m in pair:
                assert abs(m.ends[s, a] - ends) < 1e-14
                assert abs(m.mean_reward[s, a] - mean) < 1e-13
                assert abs(m.backup(V)[s, a] - q) < 1e-13
    for m in pair:
        K = m.kernel(pi)
        np.testing.assert_allclose(K.toarray() if sp.issparse(K) else K, P.mean(axis=1), atol=1e-15)
    assert (sparse.S, sparse.A, sparse.branching) == (S, A, dense.branching)
    assert dense.branching == (P > 0).sum(axis=-1).max()


def test_ends_forgives_rounding():
    """Seven times 1/7, added one by one, is less than one: the row does not end."""
    m = MDP(P=np.broadcast_to(np.array([1 / 7] * 7), (7, 1, 7)), r=np.zeros((7, 1)), mu=np.eye(7)[0])

    assert sum([1 / 7] * 7) < 1
    assert (m.ends == 0).all()


def test_one_state_one_action_tells_the_forms_of_r_apart():
    """r[s, a] and the sparse table of transitions both have shape (1, 1); the second pays nothing at the end."""
    pair = MDP(P=sp.csr_array([[0.5]]), r=[[2.0]], mu=[1.0])
    transition = MDP(P=sp.csr_array([[0.5]]), r=sp.csr_array([[2.0]]), mu=[1.0])

    assert (pair.by_pair, transition.by_pair) == (True, False)
    assert (pair.mean_reward.tolist(), transition.mean_reward.tolist()) == ([[2.0]], [[1.0]])


def test_outcomes_give_mean_and_second_moment():
    m = MDP(P=P, mu=MU, outcomes=fair((-1.0, 3.0)))

    assert (m.r == 1.0).all()
    assert (m.r2 == 5.0).all()


def test_largest_reward_looks_at_the_end_too():
    r = np.zeros((2, 2, 2))
    assert MDP(P=P, r=r, r_end=[[0.0, -7.0], [0.0, 0.0]], mu=MU).largest_reward == 7
    assert MDP(P=SPARSE, r=sp.csr_array((4, 2)), mu=MU).largest_reward == 0


# Other doors


def test_from_counts_divides_by_the_sums():
    m = MDP.from_counts([[[1, 3]], [[2, 2]]], r=[[0.0], [1.0]], mu=MU, gamma=0.9)

    assert np.asarray(m.P).tolist() == [[[0.25, 0.75]], [[0.5, 0.5]]]


@pytest.mark.parametrize(
    ("counts", "text"), [([[[0, 0]], [[1, 1]]], r"counts\[0, 0\] is a pair \(s, a\) that was never visited"), ([[[2, -1]], [[1, 1]]], "negative")]
)
def test_from_counts_refuses(counts, text):
    with pytest.raises(InvalidModel, match=text):
        MDP.from_counts(counts, r=[[0.0], [1.0]], mu=MU)


def test_as_mdp():
    m = MDP(P=P, r=R, mu=MU)

    assert as_mdp(m) is m
    assert as_mdp(Bandit(r=[1.0, 2.0])).A == 2
    with pytest.raises(InvalidModel, match="str is not a model. Give an MDP"):
        as_mdp("chain/5")


def test_row_sums_of_rows_without_entries():
    """First, last and between; the entries behind the last row belong to none."""
    dense = np.array([[0, 0, 0], [0.5, 0.25, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]])
    matrix = sp.csr_array(dense)
    spare = sp.csr_array(dense)
    spare.data, spare.indices = np.append(spare.data, 7.0), np.append(spare.indices, 0)

    np.testing.assert_array_equal(row_sums(matrix), dense.sum(axis=1))
    np.testing.assert_array_equal(row_sums(spare), dense.sum(axis=1))
    np.testing.assert_array_equal(row_sums(sp.csr_array((4, 3))), np.zeros(4))


@pytest.mark.parametrize(("kind", "form"), [(np.float16, np.array), (np.float32, np.array), (np.float32, lambda P: sp.csr_array(P.reshape(3, 3)))])
def test_a_short_type_does_not_end_an_episode_by_rounding(form, kind):
    """Three successors of a third: in float32 and float16 the rows lack 3e-8 and 2e-4 to one, and with gamma = 1 everything would end. An end that the type can tell is taken."""
    thirds = np.full((3, 1, 3), 0.3333, dtype=kind) if kind == np.float16 else np.full((3, 1, 3), 0.33333331, dtype=kind)
    rest = {"r": np.ones((3, 1)), "mu": np.full(3, 1 / 3), "gamma": 1.0}

    with pytest.raises(InvalidModel, match=rf"P\[0, 0\] sums to 0\.999\d+, which {np.dtype(kind)} does not tell from one.*Give float64") as caught:
        MDP(P=form(thirds), **rest)
    assert "divide each by its sum" in str(caught.value)

    halves = MDP(P=form(np.full((3, 1, 3), 0.25, dtype=kind)), **rest)
    assert halves.ends.tolist() == [[0.25]] * 3
    assert MDP(P=form(thirds.astype(float)), **rest).ends.min() > 0
