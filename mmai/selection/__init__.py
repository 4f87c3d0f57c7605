"""From a prompt to a ranking: analyse, filter, score. Pure: no I/O, no clock."""
