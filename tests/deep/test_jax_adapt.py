"""JAX derivatives at the leaf, against closed formulas."""

import numpy as np
import pytest

from pgtheory.tabular.errors import UserFunctionError

jax = pytest.importorskip("jax")
from pgtheory.deep.jax_adapt import JaxAdapter  # noqa: E402

N, B, T = 12, 4, 3


def made():
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, B, T)), rng.normal(size=(N, B))


def derivative(loss):
    x, a = made()
    adapter = JaxAdapter()
    slopes, losses = adapter.derivative(lambda values: loss(**values), "loss", {"x": x}, {"a": a, "k": 2.0}, frozenset({"a"}))
    return slopes["x"], losses, adapter


@pytest.mark.parametrize(
    ("loss", "batched"),
    [
        (lambda x, a, k: k * (jax.numpy.square(x) * a[:, None]).sum(), True),
        (lambda x, a, k: k * (jax.numpy.square(x) * a[:, None]).sum() * (1 if a[0] > 0 else 2) / (1 if a[0] > 0 else 2), False),
    ],
)
def test_batched_and_looped(loss, batched):
    """In float64, whatever the setting of the process is."""
    x, a = made()
    slopes, losses, adapter = derivative(loss)
    assert adapter.batched is batched
    np.testing.assert_allclose(slopes, 4 * x * a[..., None], rtol=1e-14)
    np.testing.assert_allclose(losses, 2 * (x**2 * a[..., None]).sum(axis=(1, 2)), rtol=1e-12, atol=1e-13)
    assert jax.numpy.ones(1).dtype == jax.numpy.float32


def test_what_is_no_scalar_is_an_error():
    with pytest.raises(UserFunctionError, match="not a scalar"):
        derivative(lambda x, a, k: x * a[:, None])


def test_results_are_float64():
    _, a = made()
    found = JaxAdapter().result(lambda v: jax.numpy.asarray(v["a"]) / 3, "f", {"a": a[0]})
    assert (found == a[0] / 3).all()


def test_peek_tells_which_leaves_the_derivative_meets():
    x, a = made()
    peek = lambda f: JaxAdapter().peek(f, {"x": x[0]}, {"a": a[0]})
    assert peek(lambda v: (v["x"] * v["a"][:, None]).sum()) == ((), frozenset({"x"}))
    assert peek(lambda v: jax.lax.stop_gradient(v["x"])) == ((B, T), frozenset())
    assert peek(lambda v: None) == (None, None)
