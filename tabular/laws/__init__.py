"""Exact mean and covariance of estimators."""
