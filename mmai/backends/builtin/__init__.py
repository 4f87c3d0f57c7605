"""Models that ship inside mmai: extractive summaries, key phrases and embeddings, offline and without a key."""

from mmai.backends.base import Backend
from mmai.backends.builtin.backend import BuiltinBackend
from mmai.values.endpoint import Endpoint


def open_backend(endpoint: Endpoint) -> Backend:
    """The embedded models under the endpoint's provider name. Nothing is loaded until one runs."""
    return BuiltinBackend(endpoint)
