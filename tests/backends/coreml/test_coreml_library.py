"""Which models are found under some folders, and what they are called."""

import os
import shutil
from pathlib import Path

import pytest
from packages.shipped import DOMINANT_COLOR, KEYWORD_INTENTS, TONE_LETTERS

from mmai.backends.coreml.library import Found, Library
from mmai.backends.coreml.setup import Setup
from mmai.errors import UnknownModel


def library(*directories: Path, files: dict[str, Path] | None = None, named: bool = True) -> Library:
    return Library(Setup(directories=directories, files=files or {}, cache_dir=Path("/nowhere"), named=named))


def placed(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copytree(source, target))


def names(found: list[Found]) -> list[str]:
    return [each.name for each in found]


def test_packages_are_found_in_folders_within_folders(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "a" / "b" / "Colors.mlpackage")
    placed(KEYWORD_INTENTS, tmp_path / "Intents.mlpackage")
    found = library(tmp_path).scan()
    assert names(found) == ["Colors", "Intents"]
    assert [each.package.roles.task for each in found if each.package] == ["image_classification", "text_classification"]


def test_what_lies_within_a_package_is_no_model(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage" / "Data" / "Inner.mlpackage")
    assert names(library(tmp_path).scan()) == ["Colors"]


def test_hidden_folders_and_links_to_folders_are_left_alone(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / ".cache" / "Colors.mlpackage")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert library(tmp_path).scan() == []


def test_a_link_to_a_package_is_a_package(tmp_path: Path) -> None:
    source = placed(DOMINANT_COLOR, tmp_path / "elsewhere" / "Colors.mlpackage")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "Linked.mlpackage").symlink_to(source)
    (found,) = library(tmp_path / "models").scan()
    assert (found.name, found.problem) == ("Linked", None)


def test_a_model_that_cannot_be_read_is_there_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "Broken.mlpackage").mkdir()
    (found,) = library(tmp_path).scan()
    assert (found.name, found.package) == ("Broken", None)
    assert found.problem == "`Broken.mlpackage` has no `Manifest.json`"


def test_white_space_in_a_name_cannot_stand_in_a_reference(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "my  model\t2 (fp16).mlpackage")
    assert names(library(tmp_path).scan()) == ["my-model-2-(fp16)"]


def test_models_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "fp16" / "M.mlpackage")
    placed(DOMINANT_COLOR, tmp_path / "fp32" / "M.mlpackage")
    assert names(library(tmp_path).scan()) == ["fp16/M", "fp32/M"]


def test_formats_of_one_model_are_told_apart_by_their_suffix(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "M.mlpackage")
    (tmp_path / "M.mlmodelc").mkdir()
    assert len(set(names(library(tmp_path).scan()))) == 2
    assert all(name.endswith((".mlpackage", ".mlmodelc")) for name in names(library(tmp_path).scan()))


def test_a_model_named_in_the_settings_has_that_name_and_comes_once(tmp_path: Path) -> None:
    path = placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    assert names(library(tmp_path, files={"palette": path}).scan()) == ["palette"]


def test_a_file_the_settings_name_and_nobody_has_is_a_row_with_the_reason(tmp_path: Path) -> None:
    (found,) = library(files={"gone": tmp_path / "gone.mlpackage"}).scan()
    assert found.problem == f"there is no `{tmp_path}/gone.mlpackage`"


def test_a_model_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    monkeypatch.chdir(tmp_path)
    found = library().find("./Colors.mlpackage", provider="coreml")
    assert (found.name, found.path) == ("./Colors.mlpackage", tmp_path / "Colors.mlpackage")
    assert found.package
    assert found.package.roles.task == "image_classification"


def test_a_name_nobody_has_is_told_with_those_near_it(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    with pytest.raises(UnknownModel, match="there is no `coreml:Colours`; near it are `coreml:Colors`"):
        library(tmp_path).find("Colours", provider="coreml")
    with pytest.raises(UnknownModel, match=f"there is no `coreml:x`: looked in `{tmp_path}/none`"):
        library(tmp_path / "none").find("x", provider="coreml")


def test_only_a_folder_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    assert library(tmp_path / "none", named=False).health().state == "healthy"
    health = library(tmp_path / "none").health()
    assert (health.state, health.reason) == ("failing", f"the folder `{tmp_path}/none` does not exist")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_nobody_may_read_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        assert library(tmp_path).health().reason == f"the folder `{tmp_path}` may not be read"
    finally:
        tmp_path.chmod(0o700)


def test_an_encoder_with_its_decoder_is_one_model(tmp_path: Path) -> None:
    for part in ("AudioEncoder", "TextDecoder", "MelSpectrogram"):
        placed(TONE_LETTERS, tmp_path / "whisper-tiny" / f"{part}.mlpackage")
    (tmp_path / "whisper-tiny" / "tokenizer.json").write_text("{}")
    (found,) = library(tmp_path).scan()
    assert found.name == "whisper-tiny"
    assert found.package
    roles = found.package.roles
    assert (roles.task, roles.decoder) == ("speech_transcription", "encoder_decoder")
    assert {role: Path(path).name for role, path in roles.parts.items()} == {
        "encoder": "AudioEncoder.mlpackage",
        "decoder": "TextDecoder.mlpackage",
        "mel": "MelSpectrogram.mlpackage",
    }
    assert roles.tokenizer == str(tmp_path / "whisper-tiny" / "tokenizer.json")


def test_encoders_of_several_sizes_go_with_their_own_decoders(tmp_path: Path) -> None:
    for size in ("tiny", "base"):
        for part in ("encoder", "decoder"):
            placed(TONE_LETTERS, tmp_path / f"whisper-{size}-{part}.mlpackage")
    assert names(library(tmp_path).scan()) == ["whisper-base", "whisper-tiny"]


def test_a_bundle_is_what_its_notes_say(tmp_path: Path) -> None:
    placed(TONE_LETTERS, tmp_path / "one.mlpackage")
    placed(TONE_LETTERS, tmp_path / "two.mlpackage")
    (tmp_path / "speech.mmai.yaml").write_text(
        "task: speech-to-text\nparts: {encoder: one.mlpackage, decoder: two.mlpackage}\n"
    )
    (found,) = library(tmp_path).scan()
    assert (found.name, found.path, found.problem) == ("speech", tmp_path / "one.mlpackage", None)


def test_encoders_and_decoders_that_hear_nothing_are_models_of_their_own(tmp_path: Path) -> None:
    for part in ("VAEEncoder", "VAEDecoder"):
        placed(DOMINANT_COLOR, tmp_path / f"{part}.mlpackage")
    assert names(library(tmp_path).scan()) == ["VAEDecoder", "VAEEncoder"]


def test_a_pair_takes_what_notes_of_its_name_say(tmp_path: Path) -> None:
    for part in ("encoder", "decoder"):
        placed(TONE_LETTERS, tmp_path / f"whisper-{part}.mlpackage")
    (tmp_path / "whisper.mmai.yaml").write_text("options: {max_tokens: 7}\n")
    (found,) = library(tmp_path).scan()
    assert found.package
    assert (found.name, found.package.roles.options, found.package.roles.source) == ("whisper", {"max_tokens": 7}, "sidecar")


@pytest.mark.parametrize(
    ("notes", "problem"),
    [
        ("labels: [a]\n", "`Gone.mmai.yaml` names no `parts`, and no model of its name lies beside it"),
        ("lables: [a]\n", "`Gone.mmai.yaml` line 1: there is no key `lables`; did you mean `labels`?"),
    ],
)
def test_notes_without_a_model_are_a_row_with_the_reason(tmp_path: Path, notes: str, problem: str) -> None:
    (tmp_path / "Gone.mmai.yaml").write_text(notes)
    (found,) = library(tmp_path).scan()
    assert (found.name, found.package, found.problem) == ("Gone", None, problem)


def test_a_name_that_is_no_text_is_a_problem_that_can_be_written_down(tmp_path: Path) -> None:
    try:
        placed(DOMINANT_COLOR, tmp_path / os.fsdecode(b"a\xff.mlpackage"))
    except OSError:
        pytest.skip("this system takes no such name")
    (found,) = library(tmp_path).scan()
    assert (found.name, found.problem) == ("a", f"the name of `{tmp_path}/a\\udcff.mlpackage` is no UTF-8")


def test_notes_that_do_not_fit_are_the_models_problem(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    (tmp_path / "Colors.mmai.yaml").write_text("task: image_clasification\n")
    (found,) = library(tmp_path).scan()
    assert found.problem
    assert found.problem.startswith("`Colors.mmai.yaml` line 1: `task` is one of image_classification, image_embedding")


def test_an_encoder_alone_is_a_model_of_its_own(tmp_path: Path) -> None:
    placed(TONE_LETTERS, tmp_path / "text-encoder.mlpackage")
    assert names(library(tmp_path).scan()) == ["text-encoder"]
