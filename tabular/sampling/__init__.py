"""The laws of the data that an estimator sees."""
