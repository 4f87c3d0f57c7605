"""OpenAI, and every server that speaks its protocol. See `adapter.py`."""

from mmai.backends.openai.adapter import OpenAIBackend, open_backend

__all__ = ["OpenAIBackend", "open_backend"]
