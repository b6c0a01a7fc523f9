"""What follows from the laws: noise along directions, where it comes from, and the values and batch sizes that make it small."""
