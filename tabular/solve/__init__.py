"""Exact evaluation and optimisation of finite models."""
