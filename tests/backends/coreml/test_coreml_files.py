"""What is read from packages, against what coremltools reads; and every way in which files can be wrong."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from packages.kinds import KINDS
from packages.told import functions_of
from packages.toolkit import ct

from mmai.backends.coreml.files import read_package
from mmai.errors import CannotRun

# coremltools leaves it to the collector to take away what it built in.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kinds")


@pytest.fixture(scope="module")
def packages(folder: Path) -> dict[str, Path]:
    return {build.__name__: build(folder) for build in KINDS}


@pytest.mark.parametrize("kind", [build.__name__ for build in KINDS])
def test_a_package_is_read_as_coremltools_reads_it(kind: str, packages: dict[str, Path]) -> None:
    ours, theirs = read_package(packages[kind]), ct.utils.load_spec(str(packages[kind]))
    told = theirs.description
    assert ours.type == theirs.WhichOneof("Type")
    assert ours.spec_version == theirs.specificationVersion
    assert ours.metadata == dict(told.metadata.userDefined)
    assert (ours.author, ours.license, ours.version) == (
        told.metadata.author,
        told.metadata.license,
        told.metadata.versionString,
    )
    assert ours.description == told.metadata.shortDescription
    assert ours.functions == functions_of(theirs)
    if ours.type == "mlProgram":
        assert Counter(ours.ops) == operations(theirs)


def operations(spec: Any) -> Counter[str]:
    counts: Counter[str] = Counter()

    def count(block: Any) -> None:
        for operation in block.operations:
            counts[operation.type] += 1
            for inner in operation.blocks:
                count(inner)

    for function in spec.mlProgram.functions.values():
        count(function.block_specializations[function.opset])
    del counts["const"]
    return counts


def test_what_is_inside_is_counted(packages: dict[str, Path]) -> None:
    package = read_package(packages["dense"])
    assert package.parameter_count == 64 * 32 + 64
    assert package.precision == {"float32": 1}
    assert (package.min_os, package.format) == ("macOS 13", "mlpackage")
    assert package.weight_bytes == (packages["dense"] / "Data/com.apple.CoreML/weights/weight.bin").stat().st_size
    assert read_package(packages["half"]).precision == {"float16": 1}


@pytest.mark.parametrize("kind", ["palettized", "quantized", "pruned", "pruned_and_palettized"])
def test_compressed_weights_count_as_what_they_stand_for(kind: str, packages: dict[str, Path]) -> None:
    assert read_package(packages[kind]).parameter_count == 64 * 32 + 64


def test_weights_that_functions_share_count_once(packages: dict[str, Path]) -> None:
    assert read_package(packages["several"]).parameter_count == 64 * 32 + 64


def test_classes_are_read_wherever_they_stand(packages: dict[str, Path]) -> None:
    assert read_package(packages["picture"]).labels == ("blue", "grün", "red")
    assert read_package(packages["numbered"]).labels == ("7", "8", "9")
    assert read_package(packages["network"]).labels[:2] == ("class 0", "class 1")
    assert read_package(packages["network"]).ops == {"innerProduct": 1, "softmaxND": 1}


def test_of_several_functions_one_is_the_default(packages: dict[str, Path]) -> None:
    package = read_package(packages["several"])
    assert [function.name for function in package.functions] == ["first", "second"]
    assert package.main.name == "second"


@pytest.fixture
def package(packages: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(packages["dense"], tmp_path / "dense.mlpackage"))


SPECIFICATION = Path("Data/com.apple.CoreML/model.mlmodel")
WEIGHTS = Path("Data/com.apple.CoreML/weights/weight.bin")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7992208\n"


def manifest(path: str) -> bytes:
    return json.dumps({"itemInfoEntries": {"a": {"path": path}}, "rootModelIdentifier": "a"}).encode()


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("Manifest.json", None, "`dense.mlpackage` has no `Manifest.json`"),
        ("Manifest.json", b"{", "the `Manifest.json` of `dense.mlpackage` is damaged"),
        ("Manifest.json", b"[1]", "the `Manifest.json` of `dense.mlpackage` is damaged"),
        ("Manifest.json", manifest("../../../../etc/passwd"), "which is outside it"),
        ("Manifest.json", manifest("none"), "the specification of `dense.mlpackage` is missing"),
        ("Manifest.json", manifest("a\0b"), "`dense.mlpackage` is damaged"),
        (SPECIFICATION, None, "the specification of `dense.mlpackage` is missing: there is no `model.mlmodel`"),
        (SPECIFICATION, b"", "`model.mlmodel` is empty"),
        (SPECIFICATION, POINTER, "`model.mlmodel` of `dense.mlpackage` is a Git LFS pointer and not the file itself"),
        (SPECIFICATION, b"not a model at all", "`dense.mlpackage` is damaged"),
        (SPECIFICATION, b"\x08\x07", "it does not say which kind of model it is"),
        (WEIGHTS, None, "the weights of `dense.mlpackage` are missing: there is no `weight.bin`"),
        (WEIGHTS, POINTER, "`weight.bin` of `dense.mlpackage` is a Git LFS pointer"),
        (WEIGHTS, b"\0" * 100, "the weights of `dense.mlpackage` are cut off: `weight.bin` has 100 bytes"),
    ],
)
def test_a_damaged_package_says_what_is_wrong(file: str | Path, content: bytes | None, sentence: str, package: Path) -> None:
    if content is None:
        (package / file).unlink()
    else:
        (package / file).write_bytes(content)
    with pytest.raises(CannotRun) as refusal:
        read_package(package)
    assert sentence in refusal.value.message


def test_a_pointer_is_fetched_by_a_command(package: Path) -> None:
    (package / WEIGHTS).write_bytes(POINTER)
    with pytest.raises(CannotRun) as refusal:
        read_package(package)
    assert refusal.value.hint == "git lfs pull"


@pytest.mark.parametrize("file", [SPECIFICATION, WEIGHTS])
def test_a_link_out_of_the_package_is_not_followed(file: Path, package: Path, tmp_path: Path) -> None:
    shutil.move(package / file, tmp_path / "elsewhere")
    (package / file).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotRun) as refusal:
        read_package(package)
    assert refusal.value.message == f"`{file.name}` of `dense.mlpackage` is a link to a place outside it"
    assert refusal.value.hint == f"cp -RL {package} dense-copy.mlpackage"


def test_a_copy_as_the_hint_says_can_be_read(package: Path, tmp_path: Path) -> None:
    shutil.move(package / WEIGHTS, tmp_path / "elsewhere")
    (package / WEIGHTS).symlink_to(tmp_path / "elsewhere")
    copy = Path(shutil.copytree(package, tmp_path / "copy.mlpackage"))
    assert read_package(copy).weight_bytes == (tmp_path / "elsewhere").stat().st_size


@pytest.mark.parametrize("file", ["Manifest.json", SPECIFICATION, WEIGHTS])
def test_a_link_that_leads_to_itself_says_so(file: str | Path, package: Path) -> None:
    (package / file).unlink()
    (package / file).symlink_to(package / file)
    with pytest.raises(CannotRun, match=r"`dense\.mlpackage` cannot be read: Too many levels of symbolic links"):
        read_package(package)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("file", ["Manifest.json", SPECIFICATION, WEIGHTS])
def test_nobody_waits_for_a_pipe(file: str | Path, package: Path) -> None:
    (package / file).unlink()
    os.mkfifo(package / file)
    with pytest.raises(CannotRun, match=f"`{Path(file).name}` of `dense.mlpackage` is no file"):
        read_package(package)


@pytest.mark.parametrize("file", ["Manifest.json", SPECIFICATION, WEIGHTS])
def test_a_folder_where_a_file_should_be_says_so(file: str | Path, package: Path) -> None:
    (package / file).unlink()
    (package / file).mkdir()
    with pytest.raises(CannotRun, match=f"`{Path(file).name}` of `dense.mlpackage` is no file"):
        read_package(package)


def test_a_manifest_of_any_size_is_not_read_whole(package: Path) -> None:
    os.truncate(package / "Manifest.json", 1 << 30)
    with pytest.raises(CannotRun, match=r"`Manifest.json` of `dense.mlpackage` is larger than 4 MiB"):
        read_package(package)


def test_a_file_that_was_laid_out_and_never_written_is_told_at_once(package: Path) -> None:
    os.truncate(package / SPECIFICATION, 0)
    os.truncate(package / SPECIFICATION, 1 << 32)
    with pytest.raises(CannotRun, match=r"`dense\.mlpackage` is damaged: a field has no number"):
        read_package(package)


def test_weights_that_end_within_their_last_tensor_are_cut_off(package: Path) -> None:
    size = (package / WEIGHTS).stat().st_size
    os.truncate(package / WEIGHTS, size - 1)
    with pytest.raises(CannotRun, match=f"`weight.bin` has {size - 1} bytes, and its last tensor ends at {size}"):
        read_package(package)


def test_weights_that_were_never_written_are_damaged(package: Path) -> None:
    (package / WEIGHTS).write_bytes(bytes((package / WEIGHTS).stat().st_size))
    with pytest.raises(CannotRun, match=r"the weights of `dense\.mlpackage` are damaged: no tensor begins at"):
        read_package(package)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_package_nobody_may_read_says_so(package: Path) -> None:
    (package / SPECIFICATION).chmod(0)
    with pytest.raises(CannotRun, match="cannot be read: Permission denied"):
        read_package(package)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a.mlpackage", "is a file, where a package is a folder"),
        ("a.mlmodelc", "is a file, where a compiled model is a folder"),
        ("a.txt", "is no Core ML model"),
        ("none.mlpackage", "there is no"),
        ("none.mlmodel", "there is no"),
        ("none.mlmodelc", "there is no"),
    ],
)
def test_what_is_no_package_is_told_apart(name: str, sentence: str, tmp_path: Path) -> None:
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CannotRun, match=sentence):
        read_package(tmp_path / name)


def test_a_folder_that_is_called_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.mlmodel").mkdir()
    with pytest.raises(CannotRun, match="is a folder, where a model is a file"):
        read_package(tmp_path / "x.mlmodel")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.mlmodel")
    with pytest.raises(CannotRun) as refusal:
        read_package(tmp_path / "x.mlmodel")
    assert refusal.value.message == "`x.mlmodel` is no file"


def test_a_specification_alone_misses_its_weights(package: Path, tmp_path: Path) -> None:
    shutil.copy(package / SPECIFICATION, tmp_path / "alone.mlmodel")
    with pytest.raises(CannotRun, match="it was taken out of its package"):
        read_package(tmp_path / "alone.mlmodel")


def test_models_within_models_end_somewhere(tmp_path: Path) -> None:
    inner = b"\x08\x07"
    for _ in range(3000):  # a pipeline (202) of one model (1)
        inner = b"\x08\x07" + message(202, message(1, inner))
    (tmp_path / "deep.mlmodel").write_bytes(inner)
    with pytest.raises(CannotRun, match="damaged"):
        read_package(tmp_path / "deep.mlmodel")


def message(field: int, content: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(content)) + content


def number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
