"""Apple's Core ML, by way of coremltools, in a process of its own for each model. Written for macOS; see `machine.py`."""
