"""Fields: Jacobians against Hessians, curl of what is no gradient, projection on the catalogue, closed forms of group weights."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.fields.catalogue import common, effective_dimension, merged, project
from pgtheory.tabular.fields.field import Field, curl, directions, is_conservative
from pgtheory.tabular.fields.group_weight import GroupWeight, group_weight, known_weights
from pgtheory.tabular.objectives.catalogue import catalogue
from pgtheory.tabular.objectives.returns import Return
from pgtheory.worlds.default import GRADED, LOOP, ONE_PROMPT, TWO_PROMPTS


def field_on(spec, name):
    world = spec.build()
    return Field(builtin(name), world.sampling, world.scene())


def test_the_jacobian_of_an_unbiased_field_is_the_hessian():
    """Leave-one-out: E[g] = grad J, so its Jacobian is the closed-form Hessian, within its own error bound and symmetric."""
    field = field_on(ONE_PROMPT, "leave-one-out")
    jacobian, error = field.jacobian()
    hessian = Return().hessian(field.scene)
    assert abs(jacobian - hessian).max() <= error < 1e-8
    assert is_conservative(jacobian, error) is True


def test_everything_bound_moves_with_theta():
    """The k1 reward moves with theta: the field's Jacobian is minus the Hessian of the KL, which a frozen reward would miss."""
    from pgtheory.tabular.objectives.regularisers import ReverseKL

    field = field_on(ONE_PROMPT, "kl/k1-reward")
    jacobian, error = field.jacobian()
    assert abs(jacobian + ReverseKL().hessian(field.scene)).max() <= error < 1e-7


@pytest.mark.parametrize(
    "spec, name",
    [
        (ONE_PROMPT, "group-mean/per-sequence"),
        (TWO_PROMPTS, "group-std/batch"),
        (LOOP, "reward-to-go/no-step-discount"),
        (GRADED, "kl/k3-loss-token"),
    ],
)
def test_what_is_no_gradient_has_curl(spec, name):
    """Length normalisation, a batch-wide std over two prompts, a missing gamma^t, the k3 token loss."""
    field = field_on(spec, name)
    frame = directions(field.scene.point["theta"].size, 3, rng=np.random.default_rng(0))
    jacobian, error = field.jacobian(directions=frame)
    assert curl(jacobian) > 100 * error
    assert is_conservative(jacobian, error) is False


def test_a_curl_near_the_error_is_undecided():
    """Neither above 100 errors nor within two of them."""
    assert is_conservative(np.array([[0.0, 1e-9], [0.0, 0.0]]), 1e-10) is None


def projection(spec, name):
    from dataclasses import replace

    world = replace(spec, points=tuple(range(8))).build()
    field = Field(builtin(name), world.sampling, world.scene())
    means = np.stack([field(s.point["theta"]) for s in world.scenes])
    known = {o.name: np.stack([o.gradient(s) for s in world.scenes]) for o in catalogue(world.scene(), group=3)}
    return project(means, known, tolerance=1e-9), means, known


@pytest.mark.parametrize(
    "spec, name, expected, coefficient",
    [
        (ONE_PROMPT, "maximum-likelihood/centred", "truncated log-likelihood of order 2", 1),
        (ONE_PROMPT, "pass-at-2", "pass@2", 1),
        (GRADED, "max-of-2", "E[max of 2]", 1),
        (GRADED, "kl/k1-reward-to-go", "reverse KL", -1),
        (GRADED, "kl/k3-loss-sequence", "forward KL", -1),
    ],
)
def test_objectives_are_found_by_projection(spec, name, expected, coefficient):
    """One name with its coefficient, residual at rounding on held-out points."""
    found, *_ = projection(spec, name)
    assert found is not None
    assert found.names == (expected,)
    assert found.coefficients[0] == pytest.approx(coefficient, abs=1e-9)
    assert found.residual < 1e-11


def test_sums_of_objectives_are_found():
    """J - 0.1 KL + 0.3 entropy from its gradients alone."""
    _, _, known = projection(GRADED, "leave-one-out")
    field = known["J"] - 0.1 * known["reverse KL"] + 0.3 * known["entropy"]
    found = project(field, known, tolerance=1e-9)
    assert found is not None
    assert dict(zip(found.names, np.round(found.coefficients, 9), strict=True)) == {"J": 1, "reverse KL": -0.1, "entropy": 0.3}


def test_a_small_foreign_part_is_not_projected_away():
    """A field that is J plus 1e-6 of something outside the catalogue has no projection."""
    _, _, known = projection(GRADED, "leave-one-out")
    rng = np.random.default_rng(0)
    assert project(known["J"] + 1e-6 * rng.normal(size=known["J"].shape), known, tolerance=1e-9) is None


def test_few_dimensions_answer_nothing():
    """In two effective dimensions too many fields are gradients: no projection is offered."""
    rng = np.random.default_rng(1)
    field = rng.normal(size=(8, 2))
    assert effective_dimension(field, {"a": field}) == 2
    assert project(field, {"a": field}, tolerance=1e-9) is None


def test_equal_objectives_are_merged_and_keep_their_names():
    """For 0/1 rewards pass@2 is the best of two; a rescaled copy is dropped."""
    _, _, known = projection(ONE_PROMPT, "leave-one-out")
    groups = merged(known | {"twice J": 2 * known["J"]})
    assert "E[max of 2]" in groups["pass@2"]
    assert "twice J" not in groups
    assert groups["J"] == {"J"}


def test_common_names_need_a_name_right_everywhere():
    """pass@2 on 0/1 rewards and E[max of 2] on graded ones share the second name; pass@2 and pass@3 share none."""
    binary, graded = projection(ONE_PROMPT, "max-of-2")[0], projection(GRADED, "max-of-2")[0]
    other = projection(ONE_PROMPT, "maximum-likelihood")[0]
    assert binary is not None
    assert graded is not None
    assert other is not None
    assert common([binary, graded])[0] == ("E[max of 2]",)
    assert common([binary, other]) is None


@pytest.mark.parametrize("G", [2, 3, 5, 8])
def test_group_weight_of_std_is_the_binomial_sum(G):
    """w_G(p) = E[sqrt(K(G-K))] / (G p (1-p)) with K ~ Binomial(G, p), in another form than the code's, up to the estimator's own epsilon."""
    w = group_weight(builtin("group-std"), G)
    assert w is not None
    for p in (0.1, 0.35, 0.8):
        ddof = 1 if abs(w(0.5) - exact_std(G, 0.5, 1)) < abs(w(0.5) - exact_std(G, 0.5, 0)) else 0
        assert w(p) == pytest.approx(exact_std(G, p, ddof), rel=2e-3)  # epsilon 1e-4 over a std of at least 0.2


def exact_std(G, p, ddof):
    value = sum(comb(G, k) * p**k * (1 - p) ** (G - k) * np.sqrt(k * (G - k)) for k in range(G + 1)) / (G * p * (1 - p))
    return value * (np.sqrt((G - 1) / G) if ddof else 1)


@pytest.mark.parametrize("G", [2, 4, 7])
def test_named_weights_in_rational_arithmetic(G):
    """Bernstein coefficients against the closed forms k (1-p)^(k-1) and (1 - (1-p)^n) / p in fractions."""
    p = Fraction(2, 7)
    known = known_weights(G)
    for k in range(2, G + 1):
        assert known[f"pass@{k}"](float(p)) == pytest.approx(float(k * (1 - p) ** (k - 1)), rel=1e-13)
        assert known[f"truncated log-likelihood of order {k}"](float(p)) == pytest.approx(float((1 - (1 - p) ** k) / p), rel=1e-13)


def test_phi_is_the_integral_of_w():
    """Against Gauss-Legendre quadrature, which is exact for these degrees; and the slope against differences of w."""
    w = GroupWeight(np.array([2.0, -1.0, 0.5, 3.0]))
    nodes, weights = np.polynomial.legendre.leggauss(8)
    for p in (0.2, 0.9):
        assert w.phi(p) == pytest.approx(float(p / 2 * (weights @ w(p / 2 * (nodes + 1)))), rel=1e-13)
        assert w.slope(p) == pytest.approx(float((w(p + 1e-6) - w(p - 1e-6)) / 2e-6), rel=1e-8)


def test_maximum_likelihood_orders_are_told_apart():
    """Order N for the plain form, N - 1 for the centred one (P039, C2 and C3)."""
    for name, order in (("maximum-likelihood", 4), ("maximum-likelihood/centred", 3)):
        w = group_weight(builtin(name), 4)
        assert w is not None
        np.testing.assert_allclose(w.coefficients, known_weights(4)[f"truncated log-likelihood of order {order}"].coefficients, atol=1e-12)


def test_estimators_in_parameter_space_have_no_weights():
    """The error names the form that is needed."""
    with pytest.raises(InvalidArgument, match="local"):
        group_weight(builtin("natural"), 4)
