"""`mmai models show` of models in files: everything there is to say, read when it is asked."""

import shutil
from pathlib import Path

import pytest
from command import Mmai
from packages.shipped import DOMINANT_COLOR, KEYWORD_INTENTS
from packages.toolkit import built, mb


@pytest.fixture
def models(mmai: Mmai) -> Path:
    """The folder mmai looks in unless told otherwise."""
    folder = mmai.home / "mmai" / "models"
    folder.mkdir(parents=True)
    return folder


def rows(text: str) -> dict[str, str]:
    """The table of one model, the first of several rows of one name."""
    found: dict[str, str] = {}
    for line in text.splitlines()[2:]:
        name, _, value = line.partition("  ")
        found.setdefault(name, value.strip())
    return found


def test_everything_the_files_say_is_shown(mmai: Mmai, models: Path) -> None:
    shutil.copytree(DOMINANT_COLOR, models / "Colors.mlpackage")
    result = mmai("models", "show", "coreml:Colors")
    assert result.exit_code == 0
    shown = rows(result.stdout)
    assert shown["file"] == str(models / "Colors.mlpackage")
    assert shown["format"] == "mlpackage, mlProgram of specification 7, needs macOS 13"
    assert shown["license"] == "CC0-1.0"
    assert shown["task"] == "image_classification, noted in it"
    assert shown["input"] == "image: rgb image of 32 x 32"
    assert shown["output"] == "classLabel: string (the most probable class)"
    assert shown["gives"] == "label from `classLabel`, scores from `classLabel_probs`"
    assert shown["labels"] == "5: red, green, blue, white, black"
    assert shown["operations"].startswith("9 of 7 kinds: ")
    assert "first token" not in shown


def test_all_labels_are_in_the_json(mmai: Mmai, models: Path) -> None:
    labels = [f"class {number}" for number in range(30)]
    shutil.copytree(KEYWORD_INTENTS, models / "Intents.mlpackage")
    (models / "Intents.mmai.yaml").write_text(f"labels: {labels}\n")
    mmai("discover", "coreml")
    roles = mmai("models", "show", "coreml:Intents", "--json").json["data"]["package"]["roles"]
    assert (roles["labels"], roles["source"]) == (labels, "sidecar")
    (listed,) = mmai("models", "list", "--provider", "coreml", "--json").json["data"]["models"]
    assert listed["package"]["roles"]["labels"] == labels[:10]


def test_a_guess_comes_with_the_file_that_would_say_it(mmai: Mmai, models: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 8, 8))])
    def prog(image):  # type: ignore[no-untyped-def]
        return mb.reduce_mean(x=image, axes=[2, 3], name="logits")

    built(prog, models / "Guess.mlpackage")
    result = mmai("models", "show", "coreml:Guess")
    assert f"what it is for is a guess; `{models / 'Guess.mmai.yaml'}` says it for good:\n" in result.stdout
    sidecar = mmai("models", "show", "coreml:Guess", "--json").json["data"]["sidecar"]
    assert sidecar in result.stdout
    assert sidecar.startswith("task: image_classification\ninputs: {image: image}\noutputs: {scores: logits}\nscores: logits\n")

    (models / "Guess.mmai.yaml").write_text(sidecar)
    noted = mmai("models", "show", "coreml:Guess", "--json").json["data"]
    assert noted["package"]["roles"]["source"] == "sidecar"
    assert "sidecar" not in noted


def test_a_model_is_shown_by_its_path(mmai: Mmai) -> None:
    shutil.copytree(DOMINANT_COLOR, mmai.home / "Colors.mlpackage")
    result = mmai("models", "show", "coreml:./Colors.mlpackage", "--json")
    assert result.exit_code == 0
    assert result.json["data"]["package"]["label_count"] == 5


def test_a_broken_model_is_shown_with_its_reason(mmai: Mmai, models: Path) -> None:
    (models / "Broken.mlmodel").write_bytes(b"")
    result = mmai("models", "show", "coreml:Broken")
    assert result.exit_code == 0
    assert rows(result.stdout)["health"] == "failing: `Broken.mlmodel` is damaged: `Broken.mlmodel` is empty"


def test_a_model_that_vanished_is_shown_as_it_was_with_the_reason(mmai: Mmai, models: Path) -> None:
    path = shutil.copytree(DOMINANT_COLOR, models / "Colors.mlpackage")
    mmai("discover", "coreml")
    shutil.rmtree(path)
    result = mmai("models", "show", "coreml:Colors")
    assert result.exit_code == 0
    assert rows(result.stdout)["health"] == f"failing: `coreml:Colors` is gone: there is no `{path}`"
    assert rows(result.stdout)["input"] == "image: rgb image of 32 x 32"


def test_a_model_that_was_mended_since_is_healthy_again(mmai: Mmai, models: Path) -> None:
    path = shutil.copytree(DOMINANT_COLOR, models / "Colors.mlpackage")
    (path / "Manifest.json").rename(path / "elsewhere")
    mmai("discover", "coreml")
    (path / "elsewhere").rename(path / "Manifest.json")
    assert rows(mmai("models", "show", "coreml:Colors").stdout)["health"] == "healthy"


def test_what_only_a_server_could_say_has_no_row(mmai: Mmai, models: Path) -> None:
    shutil.copytree(DOMINANT_COLOR, models / "Colors.mlpackage")
    shutil.copytree(DOMINANT_COLOR, models / "Bad.mlpackage")
    (models / "Bad.mlpackage/Manifest.json").unlink()
    mmai("discover", "coreml")
    shown = mmai("models", "show", "coreml:Colors").stdout
    assert [line.split("  ")[0] for line in shown.splitlines()[2:12]] == [
        "model", "where", "health", "capabilities", "inputs", "good at", "size", "parameters", "quantization", "price",
    ]  # fmt: skip
    bad = rows(mmai("models", "show", "coreml:Bad").stdout)
    assert bad == {
        "model": "coreml:Bad",
        "where": "this machine",
        "health": "failing: `Bad.mlpackage` has no `Manifest.json`",
        "price": "free",
    }
