"""The worlds on which functions are examined: small, frozen, rational, each with an id."""
