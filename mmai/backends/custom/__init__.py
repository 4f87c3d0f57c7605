"""Services with an HTTP API of their own, as the settings describe them."""

from mmai.backends.custom.adapter import CustomBackend, open_backend

__all__ = ["CustomBackend", "open_backend"]
