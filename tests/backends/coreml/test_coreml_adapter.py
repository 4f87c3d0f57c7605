"""The adapter, where cards are older than the files they are of."""

import shutil
from pathlib import Path

from builders import a_request
from packages.shipped import DOMINANT_COLOR, KEYWORD_INTENTS

from mmai.backends.base import Inspectable
from mmai.backends.coreml.adapter import CoreMLBackend, open_backend
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelCard


def a_backend(folder: Path) -> CoreMLBackend:
    options = {"directories": (str(folder),), "named": True, "cache_dir": "/nowhere", "files": {}}
    backend = open_backend(Endpoint(provider="coreml", kind="coreml", options=options))
    assert isinstance(backend, CoreMLBackend)
    return backend


def test_a_model_that_is_only_declared_is_looked_at(tmp_path: Path) -> None:
    shutil.copytree(KEYWORD_INTENTS, tmp_path / "Intents.mlpackage")
    declared = ModelCard(provider="coreml", name="Intents", capabilities_guessed=True, source="configured")
    assert a_backend(tmp_path).can_handle(declared, a_request("stop")) is None


def test_a_problem_that_was_mended_is_none(tmp_path: Path) -> None:
    shutil.copytree(KEYWORD_INTENTS, tmp_path / "Intents.mlpackage")
    card = ModelCard(provider="coreml", name="Intents", problem="its weights are missing")
    assert a_backend(tmp_path).can_handle(card, a_request("stop")) is None


def test_a_problem_that_stays_is_told_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "Intents.mlmodel").touch()
    card = ModelCard(provider="coreml", name="Intents", problem="its weights are missing")
    assert a_backend(tmp_path).can_handle(card, a_request("x")) == "`Intents.mlmodel` is damaged: `Intents.mlmodel` is empty"


def test_a_model_with_a_problem_that_is_gone_is_unknown(tmp_path: Path) -> None:
    card = ModelCard(provider="coreml", name="Intents", problem="its weights are missing")
    assert a_backend(tmp_path).can_handle(card, a_request("x")) == f"there is no `coreml:Intents`: looked in `{tmp_path}`"


def test_all_labels_are_read_where_a_card_keeps_some(tmp_path: Path) -> None:
    shutil.copytree(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    (tmp_path / "Colors.mmai.yaml").write_text(f"labels: {list(map(str, range(40)))}\n")
    backend = a_backend(tmp_path)
    assert isinstance(backend, Inspectable)
    card = backend.assume("Colors")
    assert card.package
    assert (len(card.package.roles.labels), len(backend.inspect(card).roles.labels)) == (10, 40)
