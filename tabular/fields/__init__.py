"""The mean of an estimator as a vector field over parameters."""
