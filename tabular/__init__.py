"""Everything that is solved exactly: models, policies, objectives, sampling, estimators, laws, fields. Imports numpy and scipy only."""

# A second import name would double every class.
if __name__ != "pgtheory.tabular":
    raise ImportError(f"this package is imported as pgtheory.tabular, not as {__name__}")
