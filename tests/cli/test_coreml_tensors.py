"""Tensors by name through the real command and a real model, whose answers are known: a sum of one row for each word."""

import io
import json
import os
import shutil
import zipfile
from typing import Any

import numpy as np
import pytest
from command import Mmai
from packages.shipped import DOMINANT_COLOR, color_png

RUN = ("run", "-m", "coreml:KeywordIntents", "--executor", "reference")
SAID = "runs in the reference executor (NumPy)\n"
WORD = [2] + [0] * 15
"""The first word that means anything, alone."""
MASK = [1] + [0] * 15
GIVEN = ("--input", f"input_ids={json.dumps(WORD)}", "--input", f"attention_mask={json.dumps(MASK)}")


@pytest.fixture
def taking(mmai: Mmai) -> Mmai:
    """The command beside the models that mmai ships."""
    mmai.configure(f"backends: {{coreml: {{directories: ['{DOMINANT_COLOR.parent}']}}}}")
    return mmai


def put(mmai: Mmai, **arrays: Any) -> None:
    for name, array in arrays.items():
        np.save(mmai.home / f"{name}.npy", np.asarray(array))


def test_numbers_may_be_typed(taking: Mmai) -> None:
    result = taking(*RUN, *GIVEN)

    assert (result.exit_code, result.stderr) == (0, SAID)
    assert result.stdout == "logits  float32  1 x 3  5 0 0\n"


def test_numbers_may_come_from_numpy_files(taking: Mmai) -> None:
    put(taking, ids=[WORD], mask=[MASK])

    result = taking(*RUN, "--input", "input_ids=ids.npy", "--input", "attention_mask=@mask.npy")

    assert result.stdout == "logits  float32  1 x 3  5 0 0\n"


def test_an_archive_names_its_arrays_itself(taking: Mmai) -> None:
    np.savez(taking.home / "both.npz", input_ids=[WORD], attention_mask=[MASK])

    assert taking(*RUN, "--input", "both.npz").stdout == "logits  float32  1 x 3  5 0 0\n"


def test_an_array_of_an_archive_may_be_taken_by_name_or_alone(taking: Mmai) -> None:
    np.savez(taking.home / "both.npz", input_ids=[WORD], other=[MASK])
    np.savez(taking.home / "one.npz", anything=[MASK])

    result = taking(*RUN, "--input", "input_ids=both.npz", "--input", "attention_mask=one.npz")

    assert result.stdout == "logits  float32  1 x 3  5 0 0\n"


def test_out_gets_every_output_as_an_archive(taking: Mmai) -> None:
    result = taking(*RUN, *GIVEN, "--out", "result.npz")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith(f"{SAID}wrote result.npz (application/x-npz, ")
    with np.load(taking.home / "result.npz", allow_pickle=False) as saved:
        assert {name: saved[name].tolist() for name in saved} == {"logits": [[5, 0, 0]]}
        assert saved["logits"].dtype == np.float32


def test_out_gets_one_output_as_an_array_or_as_json(taking: Mmai) -> None:
    taking(*RUN, *GIVEN, "--out", "result.npy")
    taking(*RUN, *GIVEN, "--out", "result.json")

    assert np.load(taking.home / "result.npy", allow_pickle=False).tolist() == [[5, 0, 0]]
    assert json.loads((taking.home / "result.json").read_text())["tensors"][0]["values"] == [[5, 0, 0]]


def test_what_is_no_array_is_in_the_archive_too(taking: Mmai) -> None:
    (taking.home / "a.png").write_bytes(color_png((255, 0, 0)))

    result = taking("run", "-m", "coreml:DominantColor", "-q", "--input", "image=a.png", "--out", "all.npz")

    assert result.exit_code == 0
    with np.load(taking.home / "all.npz", allow_pickle=False) as saved:
        assert saved["classLabel"].item() == "red"
        table = dict(zip(saved["classLabel_probs.keys"].tolist(), saved["classLabel_probs.values"].tolist(), strict=True))
    assert table["red"] > 0.99
    assert set(table) == {"red", "green", "blue", "white", "black"}


def test_json_has_the_values(taking: Mmai) -> None:
    data = taking(*RUN, *GIVEN, "--json").json["data"]

    assert data["tensors"] == [
        {"name": "logits", "dtype": "float32", "shape": [1, 3], "min": 0, "mean": 5 / 3, "max": 5, "values": [[5, 0, 0]]}
    ]
    assert data["values"] == {}
    assert [shape["name"] for shape in data["execution"]["inputs"]] == ["input_ids", "attention_mask"]


def test_events_have_the_values_too(taking: Mmai) -> None:
    events = [json.loads(line) for line in taking(*RUN, *GIVEN, "-o", "jsonl").stdout.splitlines()]

    (tensors,) = [event for event in events if event["type"] == "tensors"]
    assert tensors["tensors"][0]["values"] == [[5, 0, 0]]


INTERFACE = "its inputs are `input_ids` (int32 of 1 x 16), `attention_mask` (int32 of 1 x 16)"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (GIVEN[:2], f"nothing was given for `attention_mask`; {INTERFACE}"),
        ((*GIVEN, "--input", "ids=1"), f"`coreml:KeywordIntents` has no input `ids`; {INTERFACE}"),
        ((*GIVEN, "--input", "input_ids=1"), "the input `input_ids` is given twice"),
        (("--input", "input_ids=[1,2,3]", *GIVEN[2:]), "`input_ids` takes int32 of 1 x 16, not 1 x 3"),
        (("--input", "input_ids=gone.npy"), "`gone.npy` is neither a file nor JSON; `input_ids` takes int32 of 1 x 16"),
        (("--input", "input_ids=@gone.npy"), "cannot read `gone.npy`: No such file or directory"),
        (("--input", "input_ids=broken.npy"), "`broken.npy` is neither a NumPy file nor JSON"),
        (("--input", "broken.npz"), "`broken.npz` is a damaged archive: File is not a zip file"),
        (("--input", "input_ids=two.npz"), "`two.npz` has no array `input_ids`, but `a`, `b`"),
        (("--input", "ids.npy"), "`--input ids.npy` is not `NAME=FILE` or `NAME=JSON`"),
        (("--input", "input_ids=."), "`.` is a folder, and an input is a file"),
        (("--input", "input_ids=empty.npy"), "`empty.npy` is empty"),
        ((*GIVEN, "hello"), f"a text came without the name of an input; {INTERFACE}"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(taking: Mmai, given: tuple[str, ...], message: str) -> None:
    (taking.home / "broken.npy").write_bytes(b"\x00\x01")
    (taking.home / "broken.npz").write_bytes(b"PK\x03\x04nothing")
    (taking.home / "empty.npy").write_bytes(b"")
    np.savez(taking.home / "two.npz", a=[1], b=[2])

    result = taking(*RUN, *given)

    assert result.exit_code == 2
    assert f"error: {message}" in result.stderr


def test_a_value_beyond_the_type_is_refused(taking: Mmai) -> None:
    put(taking, ids=[[1 << 40] + [0] * 15])

    result = taking(*RUN, "--input", "input_ids=ids.npy", *GIVEN[2:])

    assert result.exit_code == 2
    assert "`input_ids` takes int32, which cannot hold 1099511627776" in result.stderr


def test_an_archive_that_unpacks_to_too_much_is_refused(taking: Mmai) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * 1000)
    data = bytearray(file.getvalue())
    size = data.rindex((1000).to_bytes(4, "little"))
    data[size : size + 4] = (3 << 30).to_bytes(4, "little")
    (taking.home / "bomb.npz").write_bytes(data)

    result = taking(*RUN, "--input", "bomb.npz")

    assert (result.exit_code, "`bomb.npz` unpacks to more than 1 GiB" in result.stderr) == (2, True)


def test_tensors_need_a_model_that_is_named(taking: Mmai) -> None:
    result = taking("run", "--input", "x=1")

    assert result.exit_code == 2
    assert "error: `--input` hands in tensors, whose names only one model knows" in result.stderr


def test_a_model_that_generates_text_takes_no_tensors(taking: Mmai) -> None:
    result = taking("run", "-m", "ollama:gemma3:4b", "--input", "x=1")

    assert result.exit_code == 3
    assert "takes text and media, not tensors" in result.stderr


def test_the_place_is_tried_before_anything_runs(taking: Mmai) -> None:
    result = taking(*RUN, *GIVEN, "--out", "nowhere/result.npz")

    assert result.exit_code == 2
    assert result.stderr == "error: there is no folder `nowhere`\nhint: mkdir -p nowhere\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk here")
def test_a_full_disk_keeps_the_answer_elsewhere(taking: Mmai) -> None:
    result = taking(*RUN, *GIVEN, "--out", "/dev/full")

    assert result.exit_code == 1
    (kept,) = taking.home.glob("mmai-*.npz")
    assert f"cannot write `/dev/full`: No space left on device; it is in `{kept}`" in result.stderr
    with np.load(kept) as saved:
        assert saved["logits"].tolist() == [[5, 0, 0]]


def test_a_function_that_is_not_there_is_refused(taking: Mmai) -> None:
    result = taking(*RUN, *GIVEN, "-O", "function=other")

    assert result.exit_code == 2
    assert "`coreml:KeywordIntents` has no function `other`; it has `main`" in result.stderr


def test_a_model_by_its_path(taking: Mmai) -> None:
    shutil.copytree(DOMINANT_COLOR.with_name("KeywordIntents.mlpackage"), taking.home / "Mine.mlpackage")

    result = taking("run", "-m", "coreml:./Mine.mlpackage", "--executor", "reference", *GIVEN)

    assert result.stdout == "logits  float32  1 x 3  5 0 0\n"
