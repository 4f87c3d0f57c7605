"""Core ML: models in files, found on any system, and run by Apple's framework or by a NumPy executor of our own."""

from mmai.backends.base import Backend
from mmai.backends.coreml.adapter import CoreMLBackend
from mmai.values.endpoint import Endpoint


def open_backend(endpoint: Endpoint) -> Backend:
    """The models under the endpoint's folders. Nothing is read until something is asked."""
    return CoreMLBackend(endpoint)
