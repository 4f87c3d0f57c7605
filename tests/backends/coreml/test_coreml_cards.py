"""Models in files as cards: what they say of themselves to the rest of mmai, and which requests they take."""

from pathlib import Path
from typing import Any

import pytest
from builders import a_recording, a_request, an_image
from msgspec.structs import replace
from packages.scripted import array_input, image_input

from mmai.backends.coreml.cards import accepts, card_of
from mmai.backends.coreml.library import Found
from mmai.registry.catalog import with_declared
from mmai.settings.document import parse
from mmai.settings.models import declared
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelCard
from mmai.values.package import Feature, Function, Package, Roles, RoleTask
from mmai.values.registry import Registry
from mmai.values.request import TensorPart, Tool
from mmai.values.task import Modality, TaskType

HERE = Endpoint(provider="coreml", kind="coreml", url=None, locality="local")


def a_card(
    task: RoleTask = "image_classification", *inputs: Feature, roles: dict[str, Any] | None = None, **fields: Any
) -> ModelCard:
    package = Package(
        path="/models/FastViT.mlpackage",
        format="mlpackage",
        type="mlProgram",
        spec_version=7,
        functions=(Function(name="main", inputs=inputs),),
        roles=Roles(task=task, **(roles or {})),
        **fields,
    )
    return card_of(Found(name="FastViT", path=Path(package.path), package=package), endpoint=HERE)


def test_a_card_says_what_the_files_say() -> None:
    card = a_card(
        spec_bytes=1000, weight_bytes=9000, parameter_count=4500, precision={"float16": 60, "int32": 90, "float32": 2}
    )
    assert str(card.ref) == "coreml:FastViT"
    assert (card.size_bytes, card.parameter_count, card.quantization) == (10_000, 4500, "float16")
    assert (card.locality, card.only_tasks, card.source, card.problem) == ("local", True, "discovered", None)
    assert card.price
    assert card.price.input_usd_per_mtok == 0


@pytest.mark.parametrize(
    ("task", "capability", "tasks", "reads"),
    [
        ("image_classification", "image_classification", (TaskType.IMAGE_CLASSIFICATION,), Modality.IMAGE),
        ("image_embedding", "embedding", (TaskType.EMBEDDING,), Modality.IMAGE),
        ("text_classification", "text_classification", (), Modality.TEXT),
        ("text_embedding", "embedding", (TaskType.EMBEDDING,), Modality.TEXT),
        ("speech_transcription", "speech_transcription", (TaskType.SPEECH_TRANSCRIPTION,), Modality.AUDIO),
        ("tensors", "tensors", (), Modality.TENSOR),
    ],
)
def test_a_role_is_a_capability(task: RoleTask, capability: str, tasks: tuple[TaskType, ...], reads: Modality) -> None:
    card = a_card(task)
    assert (card.capabilities, card.tasks, card.inputs) == ((capability,), tasks, (reads,))


def test_a_broken_model_has_a_card_with_its_problem() -> None:
    card = card_of(Found(name="Broken", path=Path("/m/Broken.mlmodel"), problem="`Broken.mlmodel` is damaged"), endpoint=HERE)
    assert (str(card.ref), card.problem, card.package, card.capabilities) == (
        "coreml:Broken",
        "`Broken.mlmodel` is damaged",
        None,
        (),
    )


def test_a_card_keeps_the_first_labels_and_the_beginning_of_long_notes() -> None:
    many = tuple(f"class {number}" for number in range(1000))
    card = a_card(
        labels=many, label_count=1000, metadata={"note": "x" * 201, "short": "y"}, roles={"labels": many, "vocabulary": many}
    )
    assert card.package
    assert (len(card.package.labels), card.package.label_count) == (10, 1000)
    assert card.package.metadata == {"note": "x" * 200 + "…", "short": "y"}
    assert (len(card.package.roles.labels), len(card.package.roles.vocabulary)) == (10, 10)


@pytest.mark.parametrize(
    ("sizes", "context"), [({}, 128), ({"shapes": ((1, 64), (1, 512))}, 512), ({"ranges": ((1, 1), (1, None))}, None)]
)
def test_a_text_model_says_how_many_tokens_it_reads(sizes: dict[str, Any], context: int | None) -> None:
    ids = array_input("ids", 1, 128, dtype="int32", **sizes)
    assert a_card("text_classification", ids, roles={"inputs": {"token_ids": "ids"}}).context_tokens == context


def test_a_bundle_is_as_large_as_all_its_packages(tmp_path: Path) -> None:
    (tmp_path / "E.mlpackage").mkdir()
    (tmp_path / "E.mlpackage" / "weights").write_bytes(b"x" * 30)
    (tmp_path / "D.mlmodel").write_bytes(b"x" * 12)
    parts = {"encoder": str(tmp_path / "E.mlpackage"), "decoder": str(tmp_path / "D.mlmodel")}
    card = a_card("speech_transcription", spec_bytes=5, parameter_count=9, roles={"parts": parts})
    assert (card.size_bytes, card.parameter_count) == (42, None)


def test_a_model_takes_what_it_reads() -> None:
    assert accepts(a_card(), a_request("", an_image())) is None
    assert accepts(a_card("text_embedding"), a_request("stop")) is None
    assert accepts(a_card("speech_transcription"), a_request("", a_recording())) is None


@pytest.mark.parametrize("task", ["image_classification", "text_classification", "tensors"])
def test_any_model_takes_tensors(task: RoleTask) -> None:
    assert accepts(a_card(task), a_request("", TensorPart("x", b"[1]"))) is None


@pytest.mark.parametrize(
    ("card", "request_", "reason"),
    [
        (a_card(), a_request("what is this?"), "`coreml:FastViT` reads a picture, and none was given"),
        (a_card(), a_request("", an_image(), a_recording()), "`coreml:FastViT` reads a picture and nothing else"),
        (a_card("speech_transcription"), a_request("hello"), "`coreml:FastViT` reads a recording, and none was given"),
        (
            a_card(),
            a_request("", an_image(), task=TaskType.EMBEDDING),
            "`coreml:FastViT` does image_classification, not embedding",
        ),
        (
            a_card("tensors"),
            a_request("hello"),
            "nothing says what `coreml:FastViT` is for, so it takes tensors: `mmai run -m coreml:FastViT --input NAME=FILE.npy`",
        ),
        (
            a_card("tensors", image_input("photo"), array_input("size", 2), array_input("mask", 1, optional=True)),
            a_request("", an_image()),
            "nothing says what `coreml:FastViT` is for, so it takes tensors: "
            "`mmai run -m coreml:FastViT --input photo=FILE.png --input size=FILE.npy`",
        ),
        (a_card("text_embedding"), a_request(tools=(Tool("f", "", {}),)), "`coreml:FastViT` calls no tools"),
        (a_card("text_embedding"), a_request(schema={}), "`coreml:FastViT` writes no JSON of your own"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_what_would(card: ModelCard, request_: Any, reason: str) -> None:
    assert accepts(card, request_) == reason


def described(row: str, found: ModelCard) -> ModelCard:
    """A card that was found, with what the settings say of the same model."""
    node = parse(f"m: {row}".encode())
    assert node
    assert isinstance(node.value, dict)
    own = declared(node.value["m"]).card
    here = replace(HERE, models=(replace(own, provider="coreml"),))
    registry = with_declared(Registry(models={str(found.ref): found}), [here])
    return registry.models[str(found.ref)]


def test_what_the_settings_declare_goes_over_what_was_found() -> None:
    row = """{name: FastViT, model_path: m/FastViT.mlpackage, capabilities: [image_classification, feature_extraction],
      performance_profile: {latency_ms: 0.65}}"""
    card = described(row, a_card(spec_bytes=10))
    assert card.capabilities == ("image_classification", "embedding")
    assert card.tasks == (TaskType.IMAGE_CLASSIFICATION, TaskType.EMBEDDING)
    assert (card.inputs, card.size_bytes, card.source) == ((Modality.IMAGE,), 10, "discovered")
    assert card.profile
    assert card.profile.latency_ms == 0.65
    assert card.package


@pytest.mark.parametrize("row", ["m/FastViT.mlpackage", "{name: FastViT, model_path: m/FastViT.mlpackage}"])
def test_a_model_that_is_only_named_keeps_all_that_was_found(row: str) -> None:
    found = a_card("text_classification")
    assert described(row, found) == found
