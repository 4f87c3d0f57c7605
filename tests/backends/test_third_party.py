import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmai import backends
from mmai.errors import ConfigError
from mmai.values.endpoint import Endpoint

MODULE = """
class Parrot:
    def __init__(self, endpoint):
        self.provider = endpoint.provider
        self.endpoint = endpoint.url


def open_backend(endpoint):
    return Parrot(endpoint)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with an adapter, as pip leaves it: a module, and metadata that names its entry point."""
    (tmp_path / "mmai_parrot.py").write_text(MODULE)
    metadata = tmp_path / "mmai_parrot-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mmai-parrot\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[mmai.backends]\nparrot = mmai_parrot:open_backend\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("mmai_parrot", None)


@pytest.mark.usefixtures("installed")
def test_an_installed_package_adds_a_kind_of_endpoint() -> None:
    backend = backends.load(Endpoint(provider="bird", kind="parrot", url="http://box:1"))
    assert type(backend).__name__ == "Parrot"
    assert (backend.provider, backend.endpoint) == ("bird", "http://box:1")


@pytest.mark.usefixtures("installed")
def test_a_package_cannot_take_the_place_of_a_built_in_kind() -> None:
    assert type(backends.load(Endpoint(provider="ollama", kind="ollama"))).__module__.startswith("mmai.backends.ollama")


def test_a_kind_nobody_speaks_is_named_with_what_there_is() -> None:
    with pytest.raises(ConfigError) as raised:
        backends.load(Endpoint(provider="bird", kind="parrot"))
    assert raised.value.message.startswith("no adapter for `parrot`: built in are ")
    assert all(f"`{kind}`" in raised.value.message for kind in backends.ADAPTERS)
