"""Anthropic, and every server that speaks its Messages API."""

from mmai.backends.anthropic.adapter import AnthropicBackend, open_backend

__all__ = ["AnthropicBackend", "open_backend"]
