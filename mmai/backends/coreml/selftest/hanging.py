"""A worker's engine that never answers, and as Core ML does never lets go of the interpreter: to see that it is ended."""

import ctypes
from collections.abc import Sequence
from typing import Any

from mmai.backends.coreml.apple.messages import Reply, Request


class Engine:
    """The whole of it."""

    def answer(self, request: Request, arrays: Sequence[Any]) -> tuple[Reply, Sequence[Any]]:
        """Never."""
        while True:
            ctypes.PyDLL(None).sleep(3600)
