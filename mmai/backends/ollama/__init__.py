"""Ollama servers, over their native API."""

from mmai.backends.ollama.adapter import OllamaBackend, open_backend

__all__ = ["OllamaBackend", "open_backend"]
