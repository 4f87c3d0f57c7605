"""Core ML: models in files, found on any system, and run by Apple's framework or by a NumPy executor of our own."""
