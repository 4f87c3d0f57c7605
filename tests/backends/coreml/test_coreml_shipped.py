"""The models in the package are those that the builder writes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packages.shipped import DOMINANT_COLOR, FOLDER, KEYWORD_INTENTS, TONE_LETTERS
from packages.shipped_models import AUTHOR, LICENSE, SHIPPED
from packages.toolkit import ct

WEIGHTS = Path("Data", "com.apple.CoreML", "weights", "weight.bin")


def description(path: Path) -> Any:
    """Its interface and what its author says; without the versions of what built it."""
    kept = ct.utils.load_spec(str(path)).description
    for name in [name for name in kept.metadata.userDefined if name.startswith("com.github.apple.")]:
        del kept.metadata.userDefined[name]
    return kept


def operations(path: Path) -> list[tuple[str, list[str]]]:
    """The kinds of its operations in order, with the names of what comes out; builders number them on from what they made before."""
    function = ct.utils.load_spec(str(path)).mlProgram.functions["main"]
    block = function.block_specializations[function.opset]
    return [
        (operation.type, [re.sub(r"_\d+", "_N", output.name) for output in operation.outputs]) for operation in block.operations
    ]


@pytest.mark.parametrize(("shipped", "build"), SHIPPED.items(), ids=[path.stem for path in SHIPPED])
def test_a_shipped_model_is_what_the_builder_writes(shipped: Path, build: Callable[[Path], Path], tmp_path: Path) -> None:
    rebuilt = build(tmp_path / shipped.name)
    assert description(rebuilt) == description(shipped)
    assert operations(rebuilt) == operations(shipped)
    # In half precision; the last bit of the pseudoinverse is the linear algebra library's own.
    ours, theirs = (np.fromfile(path / WEIGHTS, np.float16) for path in (shipped, rebuilt))
    np.testing.assert_allclose(theirs, ours, rtol=2**-9, atol=2**-9)


@pytest.mark.parametrize("path", [DOMINANT_COLOR, TONE_LETTERS, KEYWORD_INTENTS], ids=lambda path: path.stem)
def test_a_shipped_model_says_who_made_it_and_what_it_is_for(path: Path) -> None:
    said = description(path).metadata
    assert (said.author, said.license, said.versionString) == (AUTHOR, LICENSE, "1.0")
    assert "mmai.task" in said.userDefined


def test_the_note_beside_them_names_every_model() -> None:
    note = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in note for path in FOLDER.glob("*.mlpackage"))
    assert "CC0 1.0" in note
