"""Tier 1: no rounding at all. Rational numbers, certified balls where exp and log enter, symbols. Independent of the float64 engines that it checks."""
