"""From exact laws to a verdict."""
