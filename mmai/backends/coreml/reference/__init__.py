"""mmai's own executor of ML Programs: NumPy on any system, exact, slow, and no measure of how fast Core ML is."""
