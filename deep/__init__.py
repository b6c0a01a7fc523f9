"""Everything that needs torch or JAX: losses as estimators, policies, rollouts, trainers. Needs the extra `deep` (or `jax`)."""

# A second import name would double every class.
if __name__ != "pgtheory.deep":
    raise ImportError(f"this package is imported as pgtheory.deep, not as {__name__}")
