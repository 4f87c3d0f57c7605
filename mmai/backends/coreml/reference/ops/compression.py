"""Weights that are stored smaller than they are used: quantized, looked up in a palette, sparse."""

from mmai.backends.coreml.reference.kernel import Table

OPS: Table = {}
