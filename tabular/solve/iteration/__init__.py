"""Methods for the optimal value of a model without horizon, one a file. Each returns a value, a policy and its steps; `certificates.py` judges them."""
