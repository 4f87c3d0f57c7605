"""Files of weights: what coremltools writes is read, and what lies is refused."""

import contextlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packages.damage import replaced
from packages.toolkit import ct, types

from mmai.backends.coreml.reference.packing import packed_bytes, unpack, unpack_bits
from mmai.backends.coreml.reference.weights import Weights
from mmai.dialects.coreml.mil import BlobFile
from mmai.errors import CannotRun, MmaiError

BlobWriter: Any = pytest.importorskip("coremltools.libmilstoragepython")._BlobStorageWriter

NAME = "@model_path/weights/weight.bin"


def package(folder: Path, content: bytes) -> Weights:
    (folder / "weights").mkdir(exist_ok=True)
    replaced(folder / "weights" / "weight.bin", content)
    return Weights(folder=folder, root=folder)


def blob(dtype: int, data: bytes, *, size: int | None = None, start: int = 128, sentinel: int = 0xDEADBEEF) -> bytes:
    """A file with one record at 64, and its data after it."""
    record = struct.pack("<IIQQQ", sentinel, dtype, len(data) if size is None else size, start, 0)
    return struct.pack("<II", 1, 2).ljust(64, b"\0") + record.ljust(64, b"\0") + data


@pytest.mark.parametrize(
    ("dtype", "values", "writer"),
    [
        ("float32", np.linspace(-1, 1, 11, dtype=np.float32), "float"),
        ("int8", np.arange(-5, 6, dtype=np.int8), "int8"),
        ("uint8", np.arange(11, dtype=np.uint8), "uint8"),
        ("int16", np.arange(-500, 600, 100, dtype=np.int16), "int16"),
        ("uint16", np.arange(0, 65000, 5000, dtype=np.uint16), "uint16"),
        ("int32", np.array([-(2**31), 0, 2**31 - 1], np.int32), "int32"),
        ("uint32", np.array([0, 2**32 - 1], np.uint32), "uint32"),
        *((f"uint{bits}", np.arange(37) % 2**bits, f"uint{bits}") for bits in (1, 2, 3, 4, 6)),
        ("int4", np.arange(37) % 16 - 8, "int4"),
    ],
)
def test_every_type_that_coremltools_writes_is_read(tmp_path: Path, dtype: str, values: Any, writer: str) -> None:
    (tmp_path / "weights").mkdir()
    file = BlobWriter(str(tmp_path / "weights" / "weight.bin"))
    given = values.astype(types.string_to_nptype(dtype)) if values.dtype == np.int64 else values
    offset = getattr(file, f"write_{writer}_data")(given)
    del file
    read = Weights(folder=tmp_path, root=tmp_path).read(BlobFile(NAME, offset), dtype=dtype, count=values.size)
    assert read.tolist() == values.tolist()


def test_float16_is_read_as_float16(tmp_path: Path) -> None:
    values = np.array([0.1, -2, 65504], np.float16)
    read = package(tmp_path, blob(1, values.tobytes())).read(BlobFile(NAME, 64), dtype="float16", count=3)
    assert read.dtype == np.float16
    assert read.tolist() == values.tolist()


def test_bfloat16_is_the_upper_half_of_float32(tmp_path: Path) -> None:
    data = np.array([1.5, -0.15625, 2.0**100], np.float32).view(np.uint32) >> 16
    read = package(tmp_path, blob(5, data.astype("<u2").tobytes())).read(BlobFile(NAME, 64), dtype="bfloat16", count=3)
    assert read.tolist() == [1.5, -0.15625, 2.0**100]


def test_float8_is_read_as_its_definition_says() -> None:
    codes = np.array([0x00, 0x01, 0x08, 0x38, 0x3C, 0x7E, 0xB8], np.uint8)
    assert unpack(codes, "float8e4m3fn", 7).tolist() == [0, 2**-9, 2**-6, 1, 1.5, 448, -1]
    assert np.isnan(unpack(np.array([0x7F, 0xFF], np.uint8), "float8e4m3fn", 2)).all()
    codes = np.array([0x01, 0x04, 0x3C, 0x7B, 0x7C, 0xBC], np.uint8)
    assert unpack(codes, "float8e5m2", 6).tolist() == [2**-16, 2**-14, 1, 57344, np.inf, -1]


def test_bits_are_packed_from_the_lowest_up() -> None:
    assert unpack_bits(np.array([0b01101100, 0b00000011], np.uint8), 2, 5).tolist() == [0, 3, 2, 1, 3]


@given(bits=st.sampled_from([1, 2, 3, 4, 6, 8]), values=st.lists(st.integers(0, 255), min_size=1, max_size=60))
def test_unpacking_undoes_packing(bits: int, values: list[int]) -> None:
    elements = np.array(values, np.uint8) & (2**bits - 1)
    packed = np.packbits(np.unpackbits(elements[:, None], axis=1, bitorder="little")[:, :bits].reshape(-1), bitorder="little")
    assert packed.size == packed_bytes(f"uint{bits}", len(values))
    assert unpack_bits(packed, bits, len(values)).tolist() == elements.tolist()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (blob(2, b"\0" * 8)[:100], "it ends at 100"),
        (blob(2, b"\0" * 8, sentinel=7), "there is no constant at 64"),
        (blob(4, b"\0" * 8), "is int8, and the program says float32"),
        (blob(99, b"\0" * 8), "is unknown, and the program says float32"),
        (blob(2, b"\0" * 4), "has 4 bytes, and 2 of float32 take 8"),
        (blob(2, b"\0" * 8, start=2**40), "goes on after its end at 136"),
        (blob(2, b"\0" * 8, size=2**63), "goes on after its end at 136"),
        (b"", "are empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    ],
)
def test_a_file_that_lies_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(CannotRun, match=reason):
        package(tmp_path, content).read(BlobFile(NAME, 64), dtype="float32", count=2)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"`@model_path/weights/weight\.bin` are missing"):
        Weights(folder=tmp_path, root=tmp_path).read(BlobFile(NAME, 64), dtype="float32", count=2)


@pytest.mark.parametrize("name", ["../outside.bin", "@model_path/../../outside.bin", "/etc/passwd", "weights/link.bin"])
def test_nothing_outside_of_the_package_is_opened(tmp_path: Path, name: str) -> None:
    root = tmp_path / "model.mlpackage"
    (root / "weights").mkdir(parents=True)
    (tmp_path / "outside.bin").write_bytes(blob(2, b"\0" * 8))
    (root / "weights" / "link.bin").symlink_to(tmp_path / "outside.bin")
    with pytest.raises(CannotRun, match="outside of the package"):
        Weights(folder=root, root=root).read(BlobFile(name, 64), dtype="float32", count=2)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 135), byte=st.integers(0, 255), cut=st.booleans(), offset=st.integers(0, 2**64))
def test_a_file_gone_wrong_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, cut: bool, offset: int
) -> None:
    content = bytearray(blob(2, b"\0" * 8))
    content[at] = byte
    weights = package(tmp_path_factory.getbasetemp(), bytes(content[:at] if cut else content))
    for place in (64, offset):
        with contextlib.suppress(MmaiError):
            assert weights.read(BlobFile(NAME, place), dtype="float32", count=2).shape == (2,)


assert ct  # skips the file where there is no coremltools to write with
