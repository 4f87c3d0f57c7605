"""Bytes to values and back, one file a wire protocol. Pure: no I/O, no clock."""
