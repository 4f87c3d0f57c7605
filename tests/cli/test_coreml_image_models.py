"""Models of pictures as others export them: bare arrays, other orders of colors, several sizes; through the real command."""

from pathlib import Path

import pytest
from command import Mmai
from packages.shipped import color_png

pytest.importorskip("coremltools", reason="there is no coremltools for this platform")

from packages.vision import SHAPES, bare_classifier, tiles

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def seeing(mmai: Mmai) -> Mmai:
    """The command beside two pictures, twice as wide as high."""
    (mmai.home / "red.png").write_bytes(color_png(RED, (64, 32)))
    (mmai.home / "blue.png").write_bytes(color_png(BLUE, (64, 32)))
    return mmai


def run(mmai: Mmai, path: Path, *more: str) -> tuple[str, ...]:
    return ("run", "-m", f"coreml:{path}", "--executor", "reference", "-q", *more)


def test_an_array_is_a_picture_and_its_scores_are_named_where_somebody_noted_so(seeing: Mmai, tmp_path: Path) -> None:
    path = bare_classifier(tmp_path / "Bare.mlpackage")
    (tmp_path / "Bare.mmai.yaml").write_text(
        "task: image-classification\ninputs: {image: x}\nlabels: [red, green, blue]\npreprocess: {mean: [0, 0, 0], std: [1, 1, 1]}\n"
    )

    result = seeing(*run(seeing, path, "-f", "red.png", "-f", "blue.png", "-O", "top_k=1"))

    assert (result.exit_code, result.stdout) == (0, "red.png: 1.00  red\nblue.png: 1.00  blue\n")


def test_colors_noted_the_other_way_round_turn_the_answer(seeing: Mmai, tmp_path: Path) -> None:
    path = bare_classifier(tmp_path / "Bare.mlpackage")
    (tmp_path / "Bare.mmai.yaml").write_text(
        "task: image-classification\ninputs: {image: x}\nlabels: [red, green, blue]\n"
        "preprocess: {color: bgr, mean: [0, 0, 0], std: [1, 1, 1]}\n"
    )

    assert seeing(*run(seeing, path, "-f", "red.png", "-O", "top_k=1")).stdout == "1.00  blue\n"


@pytest.mark.parametrize(("color", "vector"), [("RGB", [1, 0, 0]), ("BGR", [0, 0, 1])])
def test_a_map_of_features_is_one_vector_whatever_the_order_of_colors(
    seeing: Mmai, tmp_path: Path, color: str, vector: list[float]
) -> None:
    path = tiles(tmp_path / "Tiles.mlpackage", color=color)

    result = seeing(*run(seeing, path, "-f", "red.png", "--json"))

    assert result.json["data"]["vector"] == pytest.approx(vector, abs=1e-3)


def test_vectors_of_several_files_are_told_apart(seeing: Mmai, tmp_path: Path) -> None:
    path = tiles(tmp_path / "Tiles.mlpackage")

    lines = seeing(*run(seeing, path, "-f", "red.png", "-f", "blue.png")).stdout.splitlines()
    data = seeing(*run(seeing, path, "-f", "red.png", "-f", "blue.png", "--json")).json["data"]

    assert [line.partition(": [")[0] for line in lines] == ["red.png", "blue.png"]
    assert [each["file"] for each in data["results"]] == ["red.png", "blue.png"]
    assert data["results"][1]["vector"] == pytest.approx([0, 0, 1], abs=1e-3)


@pytest.mark.parametrize(
    ("sizes", "pixels", "tiled"), [("several", [16, 32, 3], [1, 3, 2, 4]), ("range", [12, 24, 3], [1, 3, 1, 3])]
)
def test_a_wide_picture_goes_in_at_the_allowed_size_of_the_nearest_proportions(
    seeing: Mmai, tmp_path: Path, sizes: str, pixels: list[int], tiled: list[int]
) -> None:
    path = tiles(tmp_path / "Tiles.mlpackage", shape=SHAPES[sizes]())

    data = seeing(*run(seeing, path, "--input", "image=red.png", "--json")).json["data"]

    assert data["execution"]["inputs"] == [{"name": "image", "dtype": "uint8", "shape": pixels}]
    assert data["tensors"][0]["shape"] == tiled
