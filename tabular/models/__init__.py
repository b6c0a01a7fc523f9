"""Finite problems that are solved exactly."""
