"""Main experiments that are too long for the file of their paper."""
