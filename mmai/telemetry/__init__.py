"""What happened: the history of runs."""
