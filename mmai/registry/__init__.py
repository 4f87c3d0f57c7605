"""What is known of models between two runs: one JSON file, shared by every command."""
