"""Parametrised policies: probabilities, score and Fisher information."""
