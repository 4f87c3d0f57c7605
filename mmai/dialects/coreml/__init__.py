"""Core ML: what stands in its specification files."""
