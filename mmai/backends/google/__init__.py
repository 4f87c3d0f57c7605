"""Google's Gemini API."""

from mmai.backends.google.adapter import GoogleBackend, open_backend

__all__ = ["GoogleBackend", "open_backend"]
