"""The symbolic two-state model: identities hold as rational functions, and broken ones do not."""

from fractions import Fraction
from random import Random

import pytest

from pgtheory.tabular.exact.rational import Move, RationalMDP, evaluate_exactly, policy_gradient
from pgtheory.tabular.exact.symbolic import baseline_identity, bellman_identities, logit_derivative, policy_gradient_identity, symbolic_mdp


@pytest.fixture(scope="module")
def mdp():
    return symbolic_mdp()


@pytest.mark.parametrize("identities", [bellman_identities, policy_gradient_identity, baseline_identity])
def test_both_sides_have_one_normal_form(mdp, identities):
    """Bellman; the policy gradient theorem T15 in each logit; invariance under a state baseline."""
    pairs = identities(mdp)

    assert len(pairs) == 4
    assert all(left == right for left, right in pairs)
    assert any(left != 0 for left, _ in pairs)


def test_a_baseline_of_the_action_changes_the_gradient(mdp):
    """The planted bug: b(s, a) = b_a."""
    b = [mdp.symbols["b0"], mdp.symbols["b1"]]
    wrong = sum(mdp.d[0] * logit_derivative(mdp, mdp.pi[0][c], 0, 0) * (mdp.Q[0][c] - b[c]) for c in range(2))

    assert wrong != policy_gradient_identity(mdp)[0][0]


def test_an_occupancy_without_discount_is_no_gradient(mdp):
    """The planted bug: d with gamma left out of the discounted one, here d(s) (1 - g)."""
    left, right = policy_gradient_identity(mdp)[0]

    assert left != right * (1 - mdp.symbols["g"])


@pytest.mark.parametrize("seed", range(3))
def test_symbols_at_fractions_are_the_rational_tier(mdp, seed):
    """J, V, Q, d and the gradient with fractions put in for the symbols, against Gaussian elimination."""
    rng = Random(seed)
    at = {name: Fraction(rng.randint(1, 9), 10) for name in mdp.symbols}
    put = lambda f: value_of(f, at)
    moves = tuple(
        tuple(tuple(Move(chance, t, at[f"r{s}{a}"]) for t, chance in enumerate((at[f"p{s}{a}"], 1 - at[f"p{s}{a}"]))) for a in range(2))
        for s in range(2)
    )
    exact = RationalMDP(moves=moves, mu=(at["m"], 1 - at["m"]), gamma=at["g"])
    pi = [[at["x0"], 1 - at["x0"]], [at["x1"], 1 - at["x1"]]]
    found = evaluate_exactly(exact, pi)

    assert put(mdp.J) == found.J
    assert [put(v) for v in mdp.V] == found.V
    assert [put(d) for d in mdp.d] == found.occupancy
    assert [[put(q) for q in row] for row in mdp.Q] == found.Q
    assert [put(left) for left, _ in policy_gradient_identity(mdp)] == [x for row in policy_gradient(exact, pi) for x in row]


def value_of(f, at):
    """A rational function at fractions: numerator over denominator, term by term."""

    def polynomial(p):
        total = Fraction(0)
        for powers, coefficient in p.terms():
            term = Fraction(int(coefficient.numerator), int(coefficient.denominator))
            for value, power in zip(at.values(), powers, strict=True):
                term *= value**power
            total += term
        return total

    return polynomial(f.numer) / polynomial(f.denom)
