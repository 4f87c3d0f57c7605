"""One request under one deadline, and who gets it."""
