"""Which models are found under some folders, and what they are called."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.shipped import DOMINANT_COLOR, KEYWORD_INTENTS, TONE_LETTERS

from mmai.backends.coreml import walk
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.library import Found, Library
from mmai.backends.coreml.naming import distinct, reference
from mmai.backends.coreml.setup import Setup
from mmai.errors import UnknownModel
from mmai.values.health import Health
from mmai.values.model import ModelRef
from mmai.values.package import Package


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


def test_hidden_folders_are_left_alone(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / ".cache" / "Colors.mlpackage")
    assert library(tmp_path).scan() == []


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "elsewhere" / "Colors.mlpackage")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "disk").symlink_to(tmp_path / "elsewhere")
    (found,) = library(tmp_path / "models").scan()
    assert found.path == tmp_path / "models" / "disk" / "Colors.mlpackage"


def test_links_that_go_round_show_each_model_once(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "z" / "Colors.mlpackage")
    (tmp_path / "a").symlink_to(tmp_path)
    (tmp_path / "z" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "z")
    (tmp_path / "nowhere").symlink_to(tmp_path / "nowhere")
    (found,) = library(tmp_path, tmp_path / "z").scan()
    assert found.path == tmp_path / "z" / "Colors.mlpackage"


def test_a_home_directory_is_not_looked_through_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_FOLDERS", 3)
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    for name in "abcd":
        placed(DOMINANT_COLOR, tmp_path / name / f"{name}.mlpackage")
    models = library(tmp_path)
    assert names(models.scan()) == ["a", "b", "Colors"]
    reason = f"there are more than 3 folders; those after `{tmp_path}/c` were left out"
    assert models.health() == Health(state="healthy", reason=reason)


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


def test_as_many_folders_as_tell_models_apart_stand_before_their_names(tmp_path: Path) -> None:
    for size in ("base", "tiny"):
        placed(DOMINANT_COLOR, tmp_path / size / "fp16" / "M.mlpackage")
    placed(DOMINANT_COLOR, tmp_path / "old" / "M.mlpackage")
    assert names(library(tmp_path).scan()) == ["base/fp16/M", "old/M", "tiny/fp16/M"]


def test_names_that_differ_in_white_space_alone_are_numbered(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "my model.mlpackage")
    placed(DOMINANT_COLOR, tmp_path / "my\tmodel.mlpackage")
    placed(DOMINANT_COLOR, tmp_path / "my-model.mlpackage")
    found = names(library(tmp_path).scan())
    assert len(set(found)) == 3
    assert found == names(library(tmp_path).scan())


@given(stem=st.text(min_size=1))
def test_any_file_name_makes_a_reference(stem: str) -> None:
    ref = ModelRef.parse(f"coreml:{reference(stem)}")
    assert (ref.provider, ref.name) == ("coreml", reference(stem))
    assert reference(ref.name) == ref.name


@given(stems=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab"), st.sampled_from(["M", "N", "a/M"])), unique=True))
def test_no_two_models_have_one_name(stems: list[tuple[str, str, str]]) -> None:
    named = [(name, Path("/", *folders, f"{at}.mlmodel")) for at, (*folders, name) in enumerate(stems)]
    found = distinct(named, {"b/N"})
    assert len({*found, "b/N"}) == len(stems) + 1
    assert found == distinct(named, {"b/N"})


def test_a_letter_with_marks_is_found_however_it_is_written(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "gru\u0308n.mlpackage")
    for name in ("gr\u00fcn", "gru\u0308n"):
        assert library(tmp_path).find(name, provider="coreml").name == "gr\u00fcn"


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


@pytest.mark.parametrize("name", ["M", "m", "fp16/m", "M.mlpackage"])
def test_models_of_the_same_file_name_are_near(name: str, tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "fp16" / "M.mlpackage")
    placed(DOMINANT_COLOR, tmp_path / "fp32" / "M.mlpackage")
    with pytest.raises(UnknownModel, match="near it are `coreml:fp16/M`"):
        library(tmp_path).find(name, provider="coreml")


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x.mlpackage", "x" * 5000 + ".mlmodel", "a\0b.mlmodel"])
def test_what_can_be_no_path_is_an_unknown_model(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="looked in"):
        library(tmp_path).find(name, provider="coreml")


def test_a_path_from_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    assert library().find("~/Colors.mlpackage", provider="coreml").path == tmp_path / "Colors.mlpackage"


def test_one_model_is_found_without_reading_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    (tmp_path / "Broken.mlpackage").mkdir()
    read: list[str] = []

    def reading(path: Path) -> Package:
        read.append(path.name)
        return read_package(path)

    monkeypatch.setattr("mmai.backends.coreml.library.read_package", reading)
    assert library(tmp_path).find("Colors", provider="coreml").package
    assert read == ["Colors.mlpackage"]


def test_a_folder_that_is_fine_needs_no_reason(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    assert library(tmp_path).health() == Health(state="healthy")


def test_a_file_where_a_folder_was_named_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    assert library(tmp_path / "models").health() == Health(state="failing", reason=f"the folder `{tmp_path}/models` is a file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_folders_within_that_nobody_may_read_are_told_and_the_rest_is_found(tmp_path: Path) -> None:
    placed(DOMINANT_COLOR, tmp_path / "Colors.mlpackage")
    (tmp_path / "closed").mkdir(mode=0)
    models = library(tmp_path)
    assert names(models.scan()) == ["Colors"]
    reason = f"the folder `{tmp_path}/closed` may not be read and was left out"
    assert models.health() == Health(state="healthy", reason=reason)


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


@pytest.mark.parametrize("part", ["~nobody-of-this-name/a.mlpackage", "x" * 5000 + ".mlpackage"])
def test_a_part_that_can_be_nowhere_is_a_row_with_the_reason(tmp_path: Path, part: str) -> None:
    (tmp_path / "speech.mmai.yaml").write_text(f"parts: {{encoder: {part}, decoder: b.mlpackage}}\n")
    (found,) = library(tmp_path).scan()
    assert (found.name, found.package) == ("speech", None)
    assert found.problem


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_nobody_waits_for_notes_that_are_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "speech.mmai.yaml")
    assert library(tmp_path).scan() == []


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
