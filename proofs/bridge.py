"""The bridge: Coq proves that its own definition, on a rational instance, has the value that Python's function returned.

A theorem is about the V of its Coq file. Here the V of Coq, not a copy of it, is laid open on random instances in fractions, and the equation "V = number of the library"
is handed to the kernel as a lemma: hidden sums become lists, the kernel computes, and a number that is wrong has no proof. All spans are one file for Coq, since most of
the time is that of loading MathComp; a span that is refused is taken out, and the rest is asked again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from pgtheory.proofs.kernel import sources as files
from pgtheory.proofs.kernel.prover import Build, NoProver, Store, cache_folder, coq, find
from pgtheory.tabular.exact.jets import Jet

LIMIT = 300.0
"""Seconds that Coq may take for all of them: a definition that was not laid open may keep it busy, which counts as a refusal."""

PREAMBLE = """From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Evaluation mutants.Rationals.
{requires}
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.
"""


@dataclass(frozen=True, kw_only=True)
class Equation:
    """One lemma: the Coq term has this value, or, with `value` True, the proposition holds.

    Attributes:
        name: of the lemma.
        term: the definition applied to the instance, in Coq.
        value: what Python's function returned.
        prepare: tactics before the definitions of the span are unfolded; "" for most.
        proof: tactics that end a proof of a proposition.
    """

    name: str
    term: str
    value: Fraction | bool
    prepare: str = ""
    proof: str = ""

    def lemma(self, unfold: str, *, denied: bool = False) -> str:
        """The lemma in Coq; `denied`: that the term does not have the value."""
        if self.value is True:
            return f"Lemma {self.name} : {self.term}. Proof. {self.proof} Qed."
        sign, end = ("<>", "differs") if denied else ("=", "computed")
        return f"Lemma {self.name} : {self.term} {sign} {literal(self.value)}. Proof. {self.prepare} {unfold} {end}. Qed."


Instance = Callable[[np.random.Generator], tuple[str, Sequence[Equation]]]


@dataclass(frozen=True, kw_only=True)
class Span:
    """Definitions and the Python functions that they are compared with.

    Attributes:
        definitions: names in Coq, file and definition: "FiniteHorizon.V".
        functions: module:function of what is compared.
        instance: random numbers -> text of definitions for Coq, and the equations.
        unfold: more names that are unfolded besides the definitions.
    """

    definitions: tuple[str, ...]
    functions: tuple[str, ...]
    instance: Instance
    unfold: tuple[str, ...] = ()

    @property
    def opening(self) -> str:
        """The tactic that puts the bodies in the place of the names."""
        return f"cbv beta delta [{' '.join([*self.definitions, *self.unfold])}];"

    @property
    def files(self) -> tuple[str, ...]:
        """The Coq files behind it."""
        return tuple(dict.fromkeys(name.rpartition(".")[0] for name in (*self.definitions, *self.unfold) if "." in name))


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """What came of one span: the equations that Coq accepted, or what it says against them; `checked` is False without a prover."""

    span: Span
    equations: Sequence[Equation]
    complaint: str = ""
    checked: bool = True


def literal(x: Any) -> str:
    """A fraction, a number with its derivative, or nested lists of them, as Coq writes them.

    >>> literal([Fraction(-1, 2), 3])
    '[:: frac (-1) 2; frac 3 1]'
    """
    if isinstance(x, list | tuple):
        return f"[:: {'; '.join(map(literal, x))}]"
    if isinstance(x, Jet):
        return f"Instances.Dual ({literal(x.value)}) ({literal(x.gradient[0])})"
    q = Fraction(x)
    return f"frac {q.numerator if q >= 0 else f'({q.numerator})'} {q.denominator}"


def table(name: str, values: Any) -> str:
    """Nested lists as a function of ordinals."""
    shape, part = [], values
    while isinstance(part, list | tuple):
        shape.append(len(part))
        part = part[0]
    return f"Definition {name} := @table{len(shape)} _ {' '.join(map(str, shape))} {literal(values)}."


def number(name: str, value: Fraction) -> str:
    """A fraction with a name."""
    return f"Definition {name} : q := {literal(value)}."


def script(spans: Sequence[tuple[Span, str, Sequence[Equation]]], *, denied: bool = False) -> tuple[str, list[int]]:
    """The Coq file of instances, a module each, and the line on which each module ends."""
    lines = PREAMBLE.format(requires="\n".join(f"From PG Require {name}." for name in needed(span for span, _, _ in spans))).splitlines()
    ends = []
    for number, (span, setting, equations) in enumerate(spans):
        lines += [f"Module Span{number}.", *setting.splitlines(), *(e.lemma(span.opening, denied=denied) for e in equations), f"End Span{number}."]
        ends.append(len(lines))
    return "\n".join([*lines, ""]), ends


def needed(spans: Any) -> list[str]:
    """The Coq files behind spans, each once."""
    return sorted({name for span in spans for name in span.files})


def cross(
    spans: Sequence[Span],
    *,
    seed: int = 0,
    instances: int = 1,
    denied: bool = False,
    store: Store | None = None,
    compiling: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> list[Crossing]:
    """Lets Coq prove the equations of every span on random instances; `denied`: that each of them is wrong. Without `compiling` nothing is built: what is not stored is not checked.

    Cost: some seconds, once and for each span that is refused.
    """
    made = [(span, *span.instance(np.random.default_rng([seed, i]))) for span in spans for i in range(instances)]
    unchecked = lambda why: [Crossing(span=span, equations=equations, complaint=why, checked=False) for span, _, equations in made]
    try:
        prover = find()
    except NoProver as error:
        return unchecked(str(error))
    sources = files.read()
    with Build(prover, store or Store(cache_folder()), compiling=compiling) as build:
        build.make(files.closure({"Evaluation", "mutants.Rationals", *needed(spans)}, sources), say)
        if build.absent:
            return unchecked(f"not built on this machine yet: {', '.join(sorted(build.absent))}")
        if build.refused:
            return unchecked(f"refused: {', '.join(sorted(build.refused))}")
        complaints: dict[int, str] = {}
        while left := [i for i in range(len(made)) if i not in complaints]:
            text, ends = script([made[i] for i in left], denied=denied)
            (build.folder / "Bridge.v").write_text(text, encoding="utf8")
            answer = coq(build.folder, "Bridge.v", prover, limit=LIMIT)
            if answer.returncode == 0:
                break
            line = re.search(r"line (\d+)", answer.stderr)
            at = next((i for i, end in zip(left, ends, strict=True) if line and int(line[1]) <= end), None)
            complaints.update({at: answer.stderr.strip()[-600:]} if at is not None else dict.fromkeys(left, answer.stderr.strip()[-600:]))
    return [Crossing(span=span, equations=equations, complaint=complaints.get(i, "")) for i, (span, _, equations) in enumerate(made)]
