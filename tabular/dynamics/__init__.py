"""Dynamics: exact updates of theta, composed of an oracle, a direction, a geometry and a step size, on many problems at once."""
