"""What a model is there for, as its names and shapes propose it, its metadata notes it and the file beside it has the last word."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from packages.scripted import array_input, image_input

from mmai.backends.coreml.proposal import IMAGENET, propose
from mmai.backends.coreml.roles import find_roles
from mmai.errors import CannotRun
from mmai.values.package import AudioPreparation, Feature, Function, Package, Roles

LABEL = Feature(name="classLabel", kind="string")
TABLE = Feature(name="classLabel_probs", kind="dictionary", keys="string")


def a_model(*inputs: Feature, gives: tuple[Feature, ...] = (), folder: Path = Path("/models"), **fields: Any) -> Package:
    said: dict[str, Any] = {"predicted_label": LABEL.name, "predicted_probabilities": TABLE.name} if TABLE in gives else {}
    function = Function(name="main", inputs=inputs, outputs=gives, **said)
    fields = {"type": "mlProgram", "ops": {"conv": 1, "softmax": 1}} | fields
    return Package(path=str(folder / "Model.mlpackage"), format="mlpackage", spec_version=7, functions=(function,), **fields)


def tokens(*names: str) -> list[Feature]:
    return [array_input(name, 1, 128, dtype="int32") for name in names]


def test_a_classifier_of_pictures_says_so_itself() -> None:
    roles = propose(a_model(image_input(), gives=(LABEL, TABLE), labels=("cat", "dog")))
    assert (roles.task, roles.source) == ("image_classification", "proposed")
    assert roles.inputs == {"image": "image"}
    assert roles.outputs == {"label": "classLabel", "scores": "classLabel_probs"}
    assert roles.image is None
    assert roles.scores is None, "coremltools calls it probabilities whatever the model gave"


@pytest.mark.parametrize(("shape", "layout"), [((1, 3, 256, 256), "nchw"), ((1, 224, 224, 3), "nhwc"), ((1, 3, 8, 8), "nchw")])
def test_an_array_of_pixels_is_prepared_as_most_models_want_it(shape: tuple[int, ...], layout: Any) -> None:
    roles = propose(a_model(array_input("images", *shape), gives=(array_input("out", 1, 1000),)))
    assert roles.task == "image_classification"
    assert roles.image == replace(IMAGENET, layout=layout)


def test_an_array_of_pixels_for_clip_is_prepared_as_clip_has_it() -> None:
    roles = propose(a_model(array_input("pixel_values", 1, 3, 224, 224), gives=(array_input("image_embeds", 1, 512),)))
    assert roles.image
    assert (roles.image.mean, roles.image.crop_fraction) == ((0.48145466, 0.4578275, 0.40821073), 1.0)


def test_a_gray_array_is_a_picture_where_its_name_says_so() -> None:
    gives = (array_input("logits", 1, 10),)
    roles = propose(a_model(array_input("image", 1, 1, 28, 28), gives=gives))
    assert roles.task == "image_classification"
    assert roles.image
    assert (roles.image.color, roles.image.mean) == ("grayscale", ())
    assert propose(a_model(array_input("grid", 1, 1, 28, 28), gives=gives)).inputs == {}


@pytest.mark.parametrize(
    ("output", "task"),
    [
        (array_input("logits", 1, 7), "image_classification"),
        (array_input("class_scores", 1, 7, 1, 1), "image_classification"),
        (array_input("var_812", 1, 1000), "image_classification"),
        (array_input("embedding", 1, 512), "image_embedding"),
        (array_input("image_features", 1, 512), "image_embedding"),
        (array_input("last_hidden_state", 1, 197, 192), "image_embedding"),
        (array_input("output", 1, 512), "tensors"),
        (array_input("score", 1, 1), "tensors"),
        (array_input("var_812", 1, 5, 64, 64), "tensors"),
        (image_input("stylized"), "tensors"),
    ],
    ids=lambda value: value.name if isinstance(value, Feature) else None,
)
def test_what_comes_of_a_picture_is_called_something_only_where_that_is_plain(output: Feature, task: str) -> None:
    assert propose(a_model(image_input(), gives=(output,))).task == task


@pytest.mark.parametrize("preview", ["imageSegmenter", "depthEstimation", "poseEstimation", "objectDetector"])
def test_what_xcode_previews_as_something_else_is_no_classifier(preview: str) -> None:
    noted = {"com.apple.coreml.model.preview.type": preview}
    assert propose(a_model(image_input(), gives=(array_input("logits", 1, 1000),), metadata=noted)).task == "tensors"


def test_the_settings_of_a_detector_are_no_second_input() -> None:
    threshold = Feature(name="iouThreshold", kind="double", optional=True)
    confidence = array_input("confidence", 20, 80)
    assert propose(a_model(image_input(), threshold, gives=(confidence,))).inputs == {"image": "image"}


def test_two_pictures_are_nothing_that_is_known() -> None:
    assert propose(a_model(image_input("a"), image_input("b"), gives=(LABEL, TABLE))) == Roles()


def test_labels_come_from_the_preview_where_there_are_as_many_as_classes() -> None:
    noted = {"com.apple.coreml.model.preview.parameters": json.dumps({"labels": ["cat", "dog"]})}
    assert propose(a_model(image_input(), gives=(array_input("logits", 1, 2),), metadata=noted)).labels == ("cat", "dog")
    assert propose(a_model(image_input(), gives=(array_input("logits", 1, 3),), metadata=noted)).labels == ()


def test_labels_come_from_files_beside_the_model(tmp_path: Path) -> None:
    model = a_model(image_input(), gives=(array_input("logits", 1, 2),), folder=tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "yes", "1": "no"}}))
    assert propose(model).labels == ("yes", "no")
    (tmp_path / "Model.labels.txt").write_text("cat\ndog\n")
    assert propose(model).labels == ("cat", "dog")


@pytest.mark.parametrize(
    "config",
    ['{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}', '{"id2label": 3}', "[]", "{", "\x00", '{"id2label": {"5": "a"}}'],
)
def test_a_configuration_that_names_nothing_names_nothing(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    assert propose(a_model(image_input(), gives=(array_input("logits", 1, 2),), folder=tmp_path)).labels == ()


@pytest.mark.parametrize(
    ("name", "ops", "kind"),
    [
        ("logits", {"softmax": 4}, "logits"),
        ("probabilities", {"softmax": 4}, "probabilities"),
        ("softmax_out", {}, "probabilities"),
        ("class_scores", {"conv": 3}, "logits"),
        ("class_scores", {"conv": 3, "softmax": 1}, None),
        ("class_scores", {}, None),
    ],
)
def test_what_scores_are_is_told_by_their_name_and_by_the_program(name: str, ops: dict[str, int], kind: str | None) -> None:
    assert propose(a_model(image_input(), gives=(array_input(name, 1, 5),), ops=ops)).scores == kind


@pytest.mark.parametrize(
    "names",
    [
        ("input_ids", "attention_mask", "token_type_ids", "position_ids"),
        ("input_input_ids", "input_attention_mask", "input_token_type_ids", "input_position_ids"),
        ("tokens", "mask", "segment_ids", "positions"),
    ],
)
def test_tokens_are_known_by_the_names_of_several_exporters(names: tuple[str, ...]) -> None:
    roles = propose(a_model(*tokens(*names), gives=(array_input("logits", 1, 3),)))
    assert roles.task == "text_classification"
    assert roles.inputs == dict(zip(("token_ids", "attention_mask", "token_type_ids", "position_ids"), names, strict=True))
    assert (roles.outputs, roles.scores) == ({"scores": "logits"}, "logits")


@pytest.mark.parametrize(
    ("output", "task"),
    [
        (array_input("last_hidden_state", 1, 128, 768), "text_embedding"),
        (array_input("pooler_output", 1, 768), "text_embedding"),
        (array_input("text_embeds", 1, 512), "text_embedding"),
        (array_input("var_90", 1, 6), "text_classification"),
        (array_input("var_90", 1, 768), "tensors"),
        (array_input("logits", 1, 128, 9), "tensors"),
    ],
    ids=lambda value: f"{value.name} of {len(value.array.shape)}" if isinstance(value, Feature) and value.array else None,
)
def test_what_comes_of_a_text_is_called_something_only_where_that_is_plain(output: Feature, task: str) -> None:
    assert propose(a_model(*tokens("input_ids"), gives=(output,))).task == task


def test_a_language_model_is_no_classifier() -> None:
    assert propose(a_model(*tokens("input_ids"), gives=(array_input("logits", 1, 128, 50257),))).task == "tensors"
    cached = a_model(*tokens("input_ids", "cache_length"), gives=(array_input("logits", 1, 2),))
    assert propose(cached).task == "tensors"


def test_the_answers_of_a_reader_are_no_classes() -> None:
    gives = (array_input("start_logits", 1, 128), array_input("end_logits", 1, 128))
    assert propose(a_model(*tokens("input_ids", "attention_mask"), gives=gives)).task == "tensors"


def test_a_tokenizer_is_found_beside_the_model_or_in_a_folder_of_that_name(tmp_path: Path) -> None:
    model = a_model(*tokens("input_ids"), gives=(array_input("logits", 1, 3),), folder=tmp_path)
    assert propose(model).tokenizer is None
    (tmp_path / "vocab.txt").touch()
    assert propose(model).tokenizer == str(tmp_path / "vocab.txt")
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "tokenizer.json").touch()
    assert propose(model).tokenizer == str(tmp_path / "tokenizer" / "tokenizer.json")
    (tmp_path / "Model.tokenizer.json").touch()
    assert propose(model).tokenizer == str(tmp_path / "Model.tokenizer.json")


@pytest.mark.parametrize(
    ("feature", "inputs", "audio"),
    [
        (array_input("logmel_data", 1, 80, 3000), {"mel": "logmel_data"}, AudioPreparation()),
        (
            array_input("melspectrogram_features", 1, 128, 1, 3000),
            {"mel": "melspectrogram_features"},
            AudioPreparation(n_mels=128),
        ),
        (array_input("mel", ranges=((1, 1), (80, 80), (1, 3000))), {"mel": "mel"}, AudioPreparation()),
        (array_input("audio", 480000), {"waveform": "audio"}, AudioPreparation()),
        (array_input("input_values", ranges=((1, 1), (400, None))), {"waveform": "input_values"}, AudioPreparation()),
        (array_input("audio", 1, 512), {}, None),
        (array_input("x", 1, 80, 20), {}, None),
    ],
    ids=lambda value: value.name if isinstance(value, Feature) else None,
)
def test_sound_goes_in_as_samples_or_as_features(
    feature: Feature, inputs: dict[str, str], audio: AudioPreparation | None
) -> None:
    roles = propose(a_model(feature, gives=(array_input("output", 1, 1500, 384),)))
    assert (roles.inputs, roles.audio, roles.task) == (inputs, audio, "tensors")


def test_what_a_speech_model_says_is_read_with_its_tokenizer_alone(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").touch()
    roles = propose(a_model(array_input("audio", 1, 16000), gives=(array_input("logits", 1, 49, 32),), folder=tmp_path))
    assert (roles.task, roles.decoder, roles.outputs) == ("speech_transcription", "ctc", {"logits": "logits"})


@pytest.mark.parametrize(
    "model",
    [a_model(), a_model(array_input("x", 1, 4), gives=(array_input("y", 1, 2),)), a_model(Feature(name="s", kind="string"))],
    ids=["nothing", "numbers", "a text itself"],
)
def test_what_is_not_known_is_tensors(model: Package) -> None:
    assert propose(model) == Roles()


def test_metadata_goes_over_the_proposal_and_the_file_over_both(tmp_path: Path) -> None:
    noted = {"mmai.task": "feature-extraction", "mmai.labels": '["a", "b"]', "mmai.outputs": '{"embedding": "logits"}'}
    model = a_model(image_input(), gives=(array_input("logits", 1, 2),), folder=tmp_path, metadata=noted)
    roles = find_roles(model)
    assert (roles.task, roles.source, roles.labels) == ("image_embedding", "metadata", ("a", "b"))
    (tmp_path / "Model.mmai.yaml").write_text("labels: [yes, no]\n")
    roles = find_roles(model)
    assert (roles.task, roles.source, roles.labels) == ("image_embedding", "sidecar", ("yes", "no"))
    assert roles.inputs == {"image": "image"}


@pytest.mark.parametrize(
    ("notes", "sentence"),
    [
        ("inputs: {image: imgae}", "line 1: the model has no input `imgae`; did you mean `image`?"),
        ("\noutputs: {scores: y}", "line 2: the model has no output `y`, only logits"),
    ],
)
def test_a_role_for_what_is_not_there_is_refused(tmp_path: Path, notes: str, sentence: str) -> None:
    (tmp_path / "Model.mmai.yaml").write_text(notes)
    with pytest.raises(CannotRun) as caught:
        find_roles(a_model(image_input(), gives=(array_input("logits", 1, 2),), folder=tmp_path))
    assert caught.value.message == f"`Model.mmai.yaml` {sentence}"
