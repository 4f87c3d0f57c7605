"""Pictures through the real command and a real model, whose answers are known by construction: the dominant color."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from command import Mmai
from packages.shipped import COLORS, DOMINANT_COLOR, color_png
from PIL import Image

RUN = ("run", "-m", "coreml:DominantColor", "--executor", "reference")
SAID = "runs in the reference executor (NumPy)\n"
RED, GREEN, BLUE = (255, 0, 0), (0, 200, 30), (10, 20, 250)


@pytest.fixture
def seeing(mmai: Mmai) -> Mmai:
    """The command beside the model that mmai ships."""
    mmai.configure(f"backends: {{coreml: {{directories: ['{DOMINANT_COLOR.parent}']}}}}")
    return mmai


def put(mmai: Mmai, name: str, image: Image.Image, form: str = "PNG", **how: Any) -> None:
    file = io.BytesIO()
    image.save(file, form, **how)
    (mmai.home / name).write_bytes(file.getvalue())


def first(stdout: str) -> str:
    """The class on the first line."""
    return stdout.splitlines()[0].split(maxsplit=1)[1]


def test_a_picture_gets_its_color_and_how_probable_the_others_are(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED, (217, 93)))

    result = seeing(*RUN, "-f", "a.png")

    assert (result.exit_code, result.stderr) == (0, SAID)
    assert first(result.stdout) == "red"
    assert len(result.stdout.splitlines()) == 5


def test_pictures_of_every_size_mode_and_format_get_their_color(seeing: Mmai) -> None:
    for size, (rgb, name) in zip(((217, 93), (1, 1), (32, 32), (7, 400), (64, 48)), COLORS.items(), strict=True):
        (seeing.home / f"{name}.png").write_bytes(color_png(rgb, size))
    pictures = {
        "rgba": (Image.new("RGBA", (40, 20), (*RED, 255)), "PNG", "red"),
        "transparent": (Image.new("RGBA", (40, 20), (*RED, 0)), "PNG", "white"),
        "palette": (Image.new("RGB", (40, 20), BLUE).quantize(2), "PNG", "blue"),
        "gray": (Image.new("L", (40, 20), 2), "PNG", "black"),
        "la": (Image.new("LA", (40, 20), (2, 0)), "PNG", "white"),
        "bit": (Image.new("1", (40, 20), 1), "PNG", "white"),
        "gray16": (Image.new("I;16", (40, 20), 0xFFFF), "PNG", "white"),
        "jpeg": (Image.new("RGB", (40, 20), GREEN), "JPEG", "green"),
        "cmyk": (Image.new("CMYK", (40, 20), (0, 255, 255, 0)), "JPEG", "red"),
        "webp": (Image.new("RGB", (40, 20), GREEN), "WEBP", "green"),
        "gif": (Image.new("RGB", (40, 20), BLUE), "GIF", "blue"),
        "tiff": (Image.new("RGB", (40, 20), BLUE), "TIFF", "blue"),
        "bmp": (Image.new("RGB", (40, 20), BLUE), "BMP", "blue"),
    }
    for name, (image, form, _) in pictures.items():
        put(seeing, name, image, form)
    expected = {f"{name}.png": name for name in COLORS.values()} | {name: color for name, (_, _, color) in pictures.items()}

    lines = seeing(*RUN, *(word for name in expected for word in ("-f", name)), "-O", "top_k=1").stdout.splitlines()

    assert {line.split(":")[0]: line.split()[-1] for line in lines} == expected


def test_a_picture_may_come_through_a_pipe(seeing: Mmai) -> None:
    assert first(seeing(*RUN, stdin=color_png(GREEN)).stdout) == "green"


def test_a_picture_is_turned_and_its_larger_part_wins(seeing: Mmai) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (30, 60), RED)
    image.paste(BLUE, (0, 0, 30, 10))
    put(seeing, "a.jpg", image, "JPEG", exif=exif)

    assert first(seeing(*RUN, "-f", "a.jpg").stdout) == "red"


def test_several_files_are_told_apart_line_by_line(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))
    (seeing.home / "b.png").write_bytes(color_png(BLUE))

    result = seeing(*RUN, "-f", "a.png", "-f", "b.png", "-O", "top_k=1")

    assert result.stdout == "a.png: 1.00  red\nb.png: 1.00  blue\n"


def test_json_of_one_file_has_labels_and_how_it_was_run(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    data = seeing(*RUN, "-f", "a.png", "--json", "-q").json["data"]

    assert data["labels"][0]["name"] == "red"
    assert sum(label["probability"] for label in data["labels"]) == pytest.approx(1, abs=1e-3)
    assert "results" not in data
    execution = data["execution"]
    assert (execution["executor"], execution["reason"], execution["predictions"]) == ("reference", None, 1)
    assert execution["inputs"] == [{"name": "image", "dtype": "uint8", "shape": [32, 32, 3]}]
    assert all(execution[f"{stage}_ms"] > 0 for stage in ("prepare", "load", "predict"))


def test_json_of_several_files_has_a_result_for_each(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))
    (seeing.home / "b.png").write_bytes(color_png(BLUE))

    data = seeing(*RUN, "-f", "a.png", "-f", "b.png", "--json").json["data"]

    assert [(each["file"], each["labels"][0]["name"]) for each in data["results"]] == [("a.png", "red"), ("b.png", "blue")]
    assert "labels" not in data


def test_events_name_their_file_and_what_runs(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))
    (seeing.home / "b.png").write_bytes(color_png(BLUE))

    events = [json.loads(line) for line in seeing(*RUN, "-f", "a.png", "-f", "b.png", "-o", "jsonl").stdout.splitlines()]

    assert [event["type"] for event in events] == ["trying", "execution", "labels", "labels", "finished", "result"]
    assert [event["of"] for event in events if event["type"] == "labels"] == ["a.png", "b.png"]


def test_out_gets_labels_as_json(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    result = seeing(*RUN, "-f", "a.png", "--out", "labels.json", "-q")

    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads((seeing.home / "labels.json").read_text())[0]["name"] == "red"


def test_usage_says_what_took_how_long(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    line = seeing(*RUN, "-f", "a.png", "--usage").stderr.splitlines()[-1]

    assert [part.split()[0] for part in line.split(" · ")] == ["reference", "prepare", "load", "predict"]


@pytest.mark.skipif(sys.platform == "darwin", reason="Core ML runs it there")
def test_left_to_itself_it_says_why_it_is_not_core_ml(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    stderr = seeing("run", "-m", "coreml:DominantColor", "-f", "a.png").stderr

    assert stderr == "runs in the reference executor (NumPy): Core ML needs macOS\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (color_png(RED, (300, 300))[:300], "`a.png` cannot be decoded: "),
        (b"\x89PNG\r\n\x1a\nnothing more", "`a.png` is no picture of a format that is read here"),
    ],
    ids=["truncated", "no picture"],
)
def test_a_picture_that_cannot_be_read_is_the_users_own_fault(seeing: Mmai, data: bytes, message: str) -> None:
    (seeing.home / "a.png").write_bytes(data)

    result = seeing(*RUN, "-f", "a.png")

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"error: {message}" in result.stderr


def test_no_number_of_classes(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    result = seeing(*RUN, "-f", "a.png", "-O", "top_k=0")

    assert result.exit_code == 2
    assert "error: `top_k` is a whole number of at least 1, not `0`" in result.stderr


def test_an_option_nobody_reads_is_refused_with_those_there_are(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    result = seeing(*RUN, "-f", "a.png", "-O", "topk=3")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "`coreml:DominantColor` has no option `topk`, only `compute_units`, `function`, `top_k`" in result.stderr


def test_compute_units_there_are_not(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    result = seeing(*RUN, "-f", "a.png", "-O", "compute_units=gpu")

    assert result.exit_code == 2
    assert "`compute_units` is one of all, neural_engine, cpu_and_gpu, cpu_only, not `gpu`" in result.stderr


def test_a_text_alone_is_nothing_for_a_classifier(seeing: Mmai) -> None:
    result = seeing(*RUN, "hello")

    assert result.exit_code == 3
    assert "`coreml:DominantColor` reads a picture, and none was given" in result.stderr


@pytest.mark.skipif(sys.platform == "darwin", reason="Core ML runs it there")
def test_apples_executor_is_refused_where_there_is_none(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    result = seeing("run", "-m", "coreml:DominantColor", "--executor", "apple", "-f", "a.png")

    assert result.exit_code == 3
    assert "error: the executor `apple` cannot run here: Core ML needs macOS" in result.stderr


def test_a_picture_alone_goes_to_a_classifier_that_was_found(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(BLUE))
    seeing("discover")

    chosen = seeing("select", "-f", "a.png")
    result = seeing("run", "-f", "a.png", "--task", "image_classification")

    assert chosen.stdout == "coreml:DominantColor\n"
    assert first(result.stdout) == "blue"
    assert result.stderr.startswith("coreml:DominantColor (image_classification; score ")


def test_a_damaged_model_is_excluded_with_its_reason(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(BLUE))
    models = seeing.home / "models"
    shutil.copytree(DOMINANT_COLOR, models / "Broken.mlpackage")
    (models / "Broken.mlpackage/Data/com.apple.CoreML/model.mlmodel").write_bytes(b"\xff" * 40)
    seeing.configure(f"backends: {{coreml: {{directories: ['{models}']}}}}")
    seeing("discover")

    result = seeing("select", "-f", "a.png", "--explain", "--json")

    assert result.exit_code == 3
    assert "`coreml:Broken`: " in result.json["error"]["message"]


def test_a_reference_run_leaves_the_models_profile_unknown(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(BLUE))
    seeing("discover")
    assert seeing(*RUN, "-f", "a.png").exit_code == 0

    candidates = seeing("select", "-f", "a.png", "--json").json["data"]["candidates"]
    (seen,) = [each for each in candidates if each["model"] == "coreml:DominantColor"]
    shown = seeing("models", "show", "coreml:DominantColor", "--json").json["data"]

    assert "assumed" in seen["reasons"]["performance"]
    assert not shown.get("profile")


def test_a_hosted_model_has_no_executor(seeing: Mmai, tmp_path: Path) -> None:
    result = seeing("run", "hi", "-m", "ollama:gemma3:4b", "--executor", "reference")

    assert result.exit_code != 0
    assert "runs on a server, and has no executor to choose" in result.stderr


def test_a_picture_of_a_phone_that_is_not_read_here_is_named_with_what_converts_it(seeing: Mmai) -> None:
    (seeing.home / "IMG 1.heic").write_bytes(b"\0\0\0\x20ftypheic\0\0\0\0mif1")

    result = seeing(*RUN, "-f", "IMG 1.heic")

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-2:] == [
        "error: IMG 1.heic is a HEIC picture, which is not read here",
        "hint: heif-convert FILE.heic FILE.jpg",
    ]


def test_an_option_nobody_reads_is_refused_by_a_dry_run_too(seeing: Mmai) -> None:
    (seeing.home / "a.png").write_bytes(color_png(RED))

    result = seeing(*RUN, "-f", "a.png", "-O", "topk=1", "--dry-run")

    assert result.exit_code == 2
    assert "has no option `topk`, only `compute_units`, `function`, `top_k`" in result.stderr
