"""Methods for the linear system of a chain, one a file. Nobody believes them: `chain.py` checks the residual of every answer."""
