"""The bridge bears what is true and nothing else: a wrong number has no proof, a planted bug is denied, and no definition in a theorem is without its span."""

import importlib
import inspect
import os
import re
import textwrap
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from pgtheory.proofs.bridge import cross, literal
from pgtheory.proofs.kernel import sources, verdict
from pgtheory.proofs.spans import NO_NUMBER, SPANS

EXACT = "pgtheory.tabular.exact"
PAGES = "pgtheory.proofs.pages"

PLANTED = {
    "FiniteHorizon.V": (f"{EXACT}.rational:RationalMDP.backup", "self.gamma * V", "V"),
    "Discounted.Ppi": (f"{EXACT}.rational:_stationary", "int(s == t) - mdp.gamma * P[s][t]", "int(s == t) - mdp.gamma * P[t][s]"),
    "BellmanOptimality.bellman": (f"{EXACT}.rational:optimal_value", "max(row) for row in Q", "min(row) for row in Q"),
    "Trajectories.prob": (f"{EXACT}.estimators:reward_to_go", "gamma ** (k - t)", "gamma ** k"),
    "Trajectories.Etraj": (f"{EXACT}.trajectories:Trajectory.total", "gamma**t", "gamma"),
    "OffPolicyReturns.vtrace_mean": (f"{PAGES}.t60_vtrace_retrace:vtrace", "trace * case.rho[x][a]", "trace * case.c[x][a]"),
    "OffPolicy.excursion": (f"{EXACT}.rational:_finite", "mdp.gamma * sum(d[-1][s]", "sum(d[-1][s]"),
    "DroppedDiscount.advance": (f"{EXACT}.rational:RationalMDP.backup", "self.gamma * V", "V"),
    "PolicyHessian.curvature": (f"{EXACT}.jets:Jet.__mul__", "f[i] * g[j] + f[j] * g[i]", "f[i] * g[j]"),
    "GeneralisedAdvantage.delta": (f"{EXACT}.estimators:gae", "(gamma * lambda_) ** (k - t)", "lambda_ ** (k - t)"),
    "LeaveOneOut.leave_one_out": (f"{EXACT}.estimators:leave_one_out", "len(rewards) - 1", "len(rewards)"),
    "Clip.clip": (f"{PAGES}.t55_clip:smaller", "min(w * A, clip", "max(w * A, clip"),
    "Softmax.smx": ("pgtheory.tabular.policies.policy:fisher", "d[:, None] * policy.probabilities", "d[:, None] * policy.probabilities ** 2"),
    "Variance.E": (f"{PAGES}.laws:best_baseline", "square = [g * g", "square = [g"),
    "StateBaseline.score_mass": (f"{PAGES}.t45_state_baseline:total_variance", "(y - b[s])", "y"),
    "AverageReward.gain": ("pgtheory.tabular.solve.average:Unichain.deviation", "return x - self.d @ x", "return x"),
    "KullbackLeibler.KL": (f"{PAGES}.t62_kl_regularised:KL", "quotient(x, y)", "quotient(y, x)"),
    "NaturalRate.natural_run": (f"{PAGES}.t24_natural_multiplicative:formula", "p * x / weight", "x / weight"),
    "SoftmaxGradient.softmax_policy": (f"{EXACT}.rational:policy_gradient", "pi[s][a] * A[s][a]", "pi[s][a] * Q[s][a]"),
}
"""First definition of a span -> a Python function behind it, and a mistake somebody could make in it."""


def used_in_statements() -> set[str]:
    """Our definitions in the golden statements of theorems, and in the definitions that those use."""
    golden = verdict.parse(sources.GOLDEN.read_text(encoding="utf8"))
    ours = {f"{name}.{d}" for name, source in sources.read().items() for d in source.definitions if not name.startswith("mutants.")}
    mentioned = lambda text: {name for name in re.findall(r"[A-Z]\w*\.\w+", text) if name in ours}
    todo = [
        text
        for name, text in golden.items()
        if sources.ID.fullmatch(name) and not (sources.MUTANT.fullmatch(name) or sources.INSTANCE.fullmatch(name))
    ]
    found: set[str] = set()
    while todo:
        new = mentioned(todo.pop()) - found
        found |= new
        todo += [golden[name] for name in new]
    return found


@pytest.mark.parametrize("span", SPANS, ids=lambda span: span.definitions[0])
def test_definitions_and_functions_of_a_span_exist(span):
    found = sources.read()

    assert [name for name in span.definitions if name.rpartition(".")[2] not in found[name.rpartition(".")[0]].definitions] == []
    for place in span.functions:
        module, _, name = place.partition(":")
        assert hasattr(importlib.import_module(module), name), place


def test_every_definition_in_a_statement_has_a_span():
    crossed = {name for span in SPANS for name in span.definitions}
    used = used_in_statements()

    assert used >= {"Fisher.fisher", "NaturalRate.natural_step", "OffPolicyReturns.retrace_tail"}, "read directly, and through another definition"
    assert used - crossed == NO_NUMBER.keys()
    assert all(NO_NUMBER.values())


@pytest.mark.parametrize("span", SPANS, ids=lambda span: span.definitions[0])
def test_equations_of_a_span_name_every_definition_of_it(span):
    """A definition that a span lists and never asks about would count as crossed. What is named only inside another definition counts too."""
    golden = verdict.parse(sources.GOLDEN.read_text(encoding="utf8"))
    _, equations = span.instance(np.random.default_rng(1))
    text = " ".join(equation.term for equation in equations)
    for _ in span.definitions:
        text += " ".join(golden[name] for name in span.definitions if re.search(rf"\b{re.escape(name)}\b", text))

    assert [name for name in span.definitions if not re.search(rf"\b{re.escape(name)}\b", text)] == []
    assert {type(equation.value) for equation in equations} <= {Fraction, bool}
    assert Fraction in {type(equation.value) for equation in equations}
    assert len({equation.name for equation in equations}) == len(equations)


def test_fractions_as_coq_reads_them():
    assert literal([[Fraction(-3, 4), 0], [Fraction(10**12 + 1), 2]]) == "[:: [:: frac (-3) 4; frac 0 1]; [:: frac 1000000000001 1; frac 2 1]]"


def plant(monkeypatch, place: str, old: str, new: str) -> None:
    """Puts a mistake into a function, wherever it has been imported to: its code is compiled anew from changed source."""
    module_name, _, name = place.partition(":")
    module = importlib.import_module(module_name)
    function = module
    for part in name.split("."):
        function = inspect.unwrap(getattr(function, part))
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) >= 1, f"{place} has no {old!r} any more"
    scope = dict(vars(module))
    exec(compile("from __future__ import annotations\n" + source.replace(old, new), place, "exec"), scope)
    monkeypatch.setattr(function, "__code__", scope[function.__name__].__code__)


def planted(monkeypatch, span):
    """The span with the first equation that changes under its planted mistake, and the value that the mistake gives: one is enough to catch it, and Coq's time goes by equations."""
    setting, right = span.instance(np.random.default_rng([0, 0]))
    with monkeypatch.context() as context:
        plant(context, *PLANTED[span.definitions[0]])
        _, wrong = span.instance(np.random.default_rng([0, 0]))
    assert [e.name for e in right] == [e.name for e in wrong]
    return replace(span, instance=lambda rng: (setting, [w for r, w in zip(right, wrong, strict=True) if r.value != w.value][:1]))


def test_every_span_catches_a_planted_bug(monkeypatch):
    """Python's number moves under the mistake, and Coq proves that it is not the value of its definition."""
    assert PLANTED.keys() == {span.definitions[0] for span in SPANS}
    spans = [planted(monkeypatch, span) for span in SPANS]

    assert [span.definitions[0] for span in spans if not span.instance(np.random.default_rng(0))[1]] == []

    found = cross(spans, denied=True, compiling=False)
    if not all(crossing.checked for crossing in found):
        assert not os.environ.get("CI"), found[0].complaint
        pytest.skip(f"not checked: {found[0].complaint}")

    assert {crossing.span.definitions[0]: crossing.complaint for crossing in found if crossing.complaint} == {}


def test_wrong_number_is_refused_and_the_right_ones_beside_it_are_not():
    span = next(span for span in SPANS if "Clip.clip" in span.definitions)
    setting, (right, *_) = span.instance(np.random.default_rng(0))
    wrong = replace(right, value=right.value + 1)

    found = cross([replace(span, instance=lambda rng, e=equation: (setting, [e])) for equation in (wrong, right)], compiling=False)
    if not all(crossing.checked for crossing in found):
        assert not os.environ.get("CI"), found[0].complaint
        pytest.skip(f"not checked: {found[0].complaint}")

    assert [bool(crossing.complaint) for crossing in found] == [True, False]
