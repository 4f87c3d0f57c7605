"""llama.cpp's own HTTP server with a model that is written on the spot: no fake, but as quick to start as one.

It lives in a process of its own, which a native crash takes down alone, and which `kill` ends in the middle of an answer.

    with LlamaServer(tmp_path) as server:
        server.url                                   # http://127.0.0.1:PORT/v1

Run alone for trying things by hand: `python tests/fakes/llamacpp.py --port 8080`, until its standard input ends.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Self

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.gguf import CONTEXT_TOKENS, NAME, write_model


class LlamaServer:
    """The server, answering from construction on. Use as a context manager."""

    def __init__(self, folder: Path, *, context_tokens: int = CONTEXT_TOKENS, key: str | None = None) -> None:
        """`folder` is where the model goes; `key` is the one it takes, if it asks for any."""
        arguments = ["--folder", str(folder), "--context", str(context_tokens), *(["--key", key] if key else [])]
        # The child ends with its standard input, so that it does not outlive a test that is killed.
        self._process = subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().decode().strip()
        """Base URL of the OpenAI-compatible API."""
        if not self.url:
            self.kill()
            raise RuntimeError(f"llama.cpp did not start: exit code {self._process.returncode}")

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def serve(folder: Path, *, port: int, context_tokens: int, key: str | None) -> None:
    """Print the URL, and answer until standard input ends."""
    xllamacpp = import_module("xllamacpp")  # not built for every system, and without types
    model = folder / f"{NAME}.gguf"
    write_model(model)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {NAME}
    parameters.port = port
    parameters.api_keys = [key] if key else []
    parameters.n_ctx, parameters.n_parallel = context_tokens, 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.n_gpu_layers, parameters.fit_params, parameters.warmup = 0, False, False
    parameters.embedding, parameters.pooling_type = True, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()
    # The library's own way down waits for answers under way.
    os._exit(0)


def main() -> None:
    """Serve one model until standard input ends."""
    parser = argparse.ArgumentParser(description="llama.cpp on loopback, with a bigram table for a model.")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--context", type=int, default=CONTEXT_TOKENS)
    parser.add_argument("--key")
    arguments = parser.parse_args()
    serve(arguments.folder, port=arguments.port, context_tokens=arguments.context, key=arguments.key)


if __name__ == "__main__":
    main()
