"""Rates of convergence: theorems with their constants, and what a run shows."""
