"""The claims of each paper, one file a paper: its attribute `PAPER` is the `Paper`."""
