"""The proof kernel: builds the Coq files, asks what was proved and on which axioms, and says which theorems are accepted. Standard library alone."""
