"""Claims: a checkable sentence, its source, and the check by machine."""

# A second import name would double every class.
if __name__ != "pgtheory.proofs":
    raise ImportError(f"this package is imported as pgtheory.proofs, not as {__name__}")
