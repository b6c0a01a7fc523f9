"""Derivatives at the leaf: batched and looped, types, copies. Expected values are closed formulas."""

import numpy as np
import pytest
import torch

from pgtheory.deep.adapt import CHUNK, FEW, Lifted, TorchAdapter, double_precision, from_loss, tensor
from pgtheory.tabular.errors import UserFunctionError

N, B, T = 40, 4, 3


def made(n=N):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, B, T)), rng.normal(size=(n, B))


def derivative(loss, adapter=None, n=N, **more):
    x, a = made(n)
    adapter = adapter or from_loss(lambda values: loss(**values))
    rest = {"a": a, **more}
    arrays = frozenset(c for c, v in rest.items() if isinstance(v, np.ndarray))
    slopes, losses = adapter({"x": x}, rest, arrays)
    return slopes["x"], losses, adapter


def square(x, a):
    return (x**2 * a[:, None]).sum()


@pytest.mark.parametrize("n", [1, FEW, FEW + 1, N, CHUNK + 5])
def test_a_loss_that_batches(n):
    x, a = made(n)
    slopes, losses, adapter = derivative(square, n=n)
    np.testing.assert_allclose(slopes, 2 * x * a[..., None], rtol=1e-14)
    np.testing.assert_allclose(
        losses, (x**2 * a[..., None]).sum(axis=(1, 2)), rtol=1e-12, atol=1e-13
    )  # twelve terms of size up to ten, which may cancel
    assert adapter.batched is (None if n <= FEW else True)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, a: (x**2 * a[:, None]).sum() + 0 * a.sum().item(),
        lambda x, a: (x**2 * a[:, None]).sum() * (1 if a[0] > 0 else 2) / (1 if a[0] > 0 else 2),
        lambda x, a: sum(x[b] @ x[b] * float(a[b]) for b in range(B)),
        lambda x, a: torch.stack([x[b].pow(2).sum() * v for b, v in enumerate(a.tolist())]).sum(),
        lambda x, a: (x[a > -9] ** 2 * a[:, None]).sum(),
    ],
)
def test_losses_that_do_not_batch_are_looped_over(loss):
    """.item(), a branch on data, lists, and masks of data-dependent shape."""
    x, a = made()
    slopes, _, adapter = derivative(loss)
    assert adapter.batched is False
    np.testing.assert_allclose(slopes, 2 * x * a[..., None], rtol=1e-13)


def test_a_batched_result_that_differs_from_the_loop_is_thrown_away():
    """A loss that finds out that it is batched, and lies: the comparison with the loop catches it."""
    x, a = made()
    slopes, _, adapter = derivative(lambda x, a: square(x, a) * (2 if "Tensor(lvl=" in repr(x) else 1))
    assert adapter.batched is False
    np.testing.assert_allclose(slopes, 2 * x * a[..., None], rtol=1e-14)


def test_groups_that_all_data_sets_share_may_steer_the_flow():
    """A loop over unique groups batches when every data set has the same groups, and is looped over when they differ."""

    def by_group(x, a, group):
        return sum((x[group == g] ** 2).sum() * a[group == g].mean() for g in torch.unique(group))

    x, a = made()
    same = np.broadcast_to([0, 0, 1, 1], (N, B)).copy()
    mixed = same.copy()
    mixed[::2] = [0, 1, 1, 1]
    for group, batched in ((same, True), (mixed, False)):
        slopes, _, adapter = derivative(by_group, group=group)
        mean = np.stack([[a[n][group[n] == g].mean() for g in group[n]] for n in range(N)])
        np.testing.assert_allclose(slopes, 2 * x * mean[..., None], rtol=1e-12)
        assert adapter.batched is batched


def test_strings_and_objects_stay_as_they_are():
    names = np.array([[f"prompt-{b // 2}" for b in range(B)]] * N, dtype=object)

    def by_name(x, a, names):
        assert isinstance(names, np.ndarray)
        assert isinstance(names[0], str)
        return square(x, a)

    x, a = made()
    np.testing.assert_allclose(derivative(by_name, names=names)[0], 2 * x * a[..., None], rtol=1e-14)


@pytest.mark.parametrize(("leaf_too", "batched"), [(True, False), (False, True)])
def test_functions_may_write_into_their_arguments(leaf_too, batched):
    """In the loop, in the batch, and into what all data sets share; the caller's arrays stay as they were."""
    ones = np.ones((N, B))

    def writes(x, a, ones):
        if leaf_too:
            x *= 2
        a *= 3
        ones *= 5
        return (x * (a * ones)[:, None]).sum()

    x, a = made()
    before = a.copy()
    adapter = from_loss(lambda values: writes(**values))
    for _ in range(2):
        np.testing.assert_allclose(
            derivative(writes, adapter, ones=ones)[0], np.broadcast_to(15 * (1 + leaf_too) * a[..., None], x.shape), rtol=1e-13
        )
    assert (ones == 1).all()
    assert (a == before).all()
    assert adapter.batched is batched


def test_nan_stays_in_its_data_set():
    def centred(x, a):
        return (x * ((a - a.mean()) / a.std())[:, None]).sum()

    x, a = made()
    a[3] = 1.0
    for loss in (centred, lambda x, a: centred(x, a) + 0 * float(a[0])):
        slopes, _ = from_loss(lambda values, loss=loss: loss(**values))({"x": x}, {"a": a}, frozenset({"a"}))
        assert np.isnan(slopes["x"][3]).all()
        assert np.isfinite(np.delete(slopes["x"], 3, axis=0)).all()


def test_a_leaf_that_is_not_used_has_derivative_zero():
    slopes, losses, _ = derivative(lambda x, a: a.sum())
    assert not slopes.any()
    assert (losses != 0).all()


def test_what_is_no_scalar_is_an_error():
    with pytest.raises(UserFunctionError, match=r"shape \(4, 3\), not a scalar"):
        derivative(lambda x, a: x * a[:, None])


@pytest.mark.parametrize(
    "cast",
    [
        lambda x: x.float(), lambda x: x.half(), lambda x: x.to(torch.float32), lambda x: x.to(dtype=torch.bfloat16), lambda x: x.to("cpu", torch.float32),
        lambda x: x.type(torch.float32), lambda x: x.type("torch.FloatTensor"), lambda x: torch.zeros(3, dtype=torch.float32) + x.float(),
        lambda x: torch.softmax(x, 0, dtype=torch.float32), lambda x: x.sum(dtype=torch.float32), lambda x: torch.ones_like(x, dtype=torch.float16),
    ],
)  # fmt: skip
def test_casts_are_lifted(cast):
    third = torch.full((3,), 1 / 3, dtype=torch.float64)
    assert cast(third).dtype != torch.float64
    with Lifted():
        assert cast(third).dtype == torch.float64


def test_other_types_are_not_touched():
    with Lifted():
        assert torch.ones(3).to(torch.int64).dtype == torch.int64
        assert torch.ones(3).to(torch.bool).dtype == torch.bool


def test_the_default_type_is_put_back():
    before = torch.get_default_dtype()

    def fails():
        with double_precision():
            assert torch.zeros(1).dtype == torch.float64
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert torch.get_default_dtype() == before


def test_tensors_are_copies():
    x = np.ones(3)
    found = tensor(x)
    assert isinstance(found, torch.Tensor)
    found += 1
    assert (x == 1).all()


def test_peek_tells_which_leaves_the_derivative_meets():
    adapter = TorchAdapter()
    x, a = made()
    leaves, rest = {"x": x[0], "y": x[1]}, {"a": a[0]}
    assert adapter.peek(lambda v: (v["x"] * v["a"][:, None]).sum(), leaves, rest) == ((), frozenset({"x"}))
    assert adapter.peek(lambda v: v["x"].detach() + v["y"].detach(), leaves, rest) == ((B, T), frozenset())
    assert adapter.peek(lambda v: 3.0, leaves, rest) == ((), None)
    assert adapter.peek(lambda v: None, leaves, rest) == (None, None)
