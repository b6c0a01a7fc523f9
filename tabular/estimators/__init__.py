"""Estimators of policy gradients, vectorised over data sets. Each declares what it estimates."""
