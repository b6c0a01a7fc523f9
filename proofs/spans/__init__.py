"""The definitions that the bridge compares, each with the function that returns the same number; and those of which there is no number to compare."""

from pgtheory.proofs.bridge import Span
from pgtheory.proofs.spans import derivatives, estimators, laws, logarithms, paths, planning

SPANS: tuple[Span, ...] = (*planning.SPANS, *paths.SPANS, *derivatives.SPANS, *estimators.SPANS, *laws.SPANS, *logarithms.SPANS)

NO_NUMBER = {
    "Derivation.derivation": "a property of a function on all numbers: that it is additive and obeys the product rule; the pages drop both rules in turn",
    "ExpLog.explog": "a property of two functions on all numbers: what is used of exp and log; those of the reals have it, `T62_instance_explog`",
}
"""Definitions in the statements of theorems without a span, and why. The set may only shrink."""
