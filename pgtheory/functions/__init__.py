"""User functions as they are: loaded, bound by the names of their parameters, and turned into estimators."""
