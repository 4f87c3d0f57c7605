"""What somebody notes about a model, in a file beside it or in its metadata: what is taken, and what is refused where."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.coreml.noted import applied
from mmai.backends.coreml.notes import read_own, read_sidecar, sidecar_of
from mmai.errors import CannotRun
from mmai.render.sidecars import sidecar_lines, sidecar_path
from mmai.values.package import AudioPreparation, Function, ImagePreparation, Package, Roles


def noted(folder: Path, text: str, roles: Roles | None = None) -> Roles:
    path = folder / "Model.mmai.yaml"
    path.write_text(text, encoding="utf-8")
    return applied(roles or Roles(), read_sidecar(path))


def owned(roles: Roles | None = None, **metadata: str) -> Roles:
    named = {f"mmai.{key}": value for key, value in metadata.items()}
    return applied(roles or Roles(), read_own(named, Path("/models/Model.mlpackage")))


def test_every_key_of_a_file_beside_the_model_is_taken(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\nhouse dog\n\n")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "Decoder.mlpackage").mkdir()
    roles = noted(
        tmp_path,
        """
        # what this model is
        task: image-classification
        inputs: {image: pixels}
        outputs:
          scores: out
        scores: sigmoid
        labels: labels.txt
        preprocess: {resize: crop, crop_fraction: 0.9, mean: [1, 2, 3], layout: nhwc}
        frontend: {type: log-mel, n_mels: 128, seconds: 30}
        tokenizer: tokenizer.json
        vocab: [a, b]
        pooling: first
        decoder: ctc-greedy
        blank: 3
        parts: {decoder: Decoder.mlpackage}
        options: {max_tokens: 7, suppress: [1, 2], normalize: true}
        """,
    )
    assert roles == Roles(
        task="image_classification",
        source="sidecar",
        inputs={"image": "pixels"},
        outputs={"scores": "out"},
        scores="sigmoid",
        labels=("cat", "house dog"),
        image=ImagePreparation(resize="crop", crop_fraction=0.9, mean=(1, 2, 3), layout="nhwc"),
        audio=AudioPreparation(n_mels=128, seconds=30),
        tokenizer=str(tmp_path / "tokenizer.json"),
        vocabulary=("a", "b"),
        pooling="first",
        decoder="ctc",
        blank=3,
        parts={"decoder": str(tmp_path / "Decoder.mlpackage")},
        options={"max_tokens": 7, "suppress": [1, 2], "normalize": True},
    )


def test_notes_change_only_what_they_name(tmp_path: Path) -> None:
    before = Roles(
        task="image_classification", inputs={"image": "x"}, outputs={"scores": "y"}, image=ImagePreparation(layout="nhwc")
    )
    after = noted(tmp_path, "labels: [a, b]\npreprocess: {resize: fit}\noutputs: {label: z}\n", before)
    assert (after.task, after.inputs, after.labels) == ("image_classification", {"image": "x"}, ("a", "b"))
    assert after.outputs == {"scores": "y", "label": "z"}
    assert after.image == ImagePreparation(resize="fit", layout="nhwc")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "task:\n"])
def test_notes_without_a_value_change_nothing(tmp_path: Path, text: str) -> None:
    before = Roles(task="image_embedding", source="metadata")
    assert noted(tmp_path, text, before) == before


@pytest.mark.parametrize(
    ("task", "inputs", "expected"),
    [
        ("Feature-Extraction", "{image: x}", "image_embedding"),
        ("feature_extraction", "{token_ids: x}", "text_embedding"),
        ("speech-to-text", "{mel: x}", "speech_transcription"),
        ("sentiment-analysis", "{token_ids: x}", "text_classification"),
    ],
)
def test_tasks_may_be_called_as_others_call_them(tmp_path: Path, task: str, inputs: str, expected: str) -> None:
    assert noted(tmp_path, f"task: {task}\ninputs: {inputs}\n").task == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lables: [a]", "line 1: there is no key `lables`; did you mean `labels`?"),
        ("task: image_clasification", "line 1: `task` is one of image_classification, image_embedding, text_classification, "),
        ("\ninputs: {imgae: x}", "line 2: `inputs` has no role `imgae`; did you mean `image`?"),
        ("inputs: image", "line 1: `inputs` is a table of names, not `image`"),
        ("inputs: {image: 3}", 'line 1: `inputs` is a table of names, not `{"image": 3}`'),
        ("scores: softmax", "line 1: `scores` is one of probabilities, logits, sigmoid, not `softmax`"),
        ("pooling: max", "line 1: `pooling` is one of mean, first, last, none, not `max`"),
        ("decoder: beam", "line 1: `decoder` is one of ctc, ctc_greedy, encoder_decoder, whisper, not `beam`"),
        ("blank: -1", "line 1: `blank` is the number of a token, not `-1`"),
        ("blank: true", "line 1: `blank` is the number of a token, not `true`"),
        ("options: 3", "line 1: `options` is a table, not `3`"),
        ("labels: cat", "line 1: `labels` is a list, or the name of a file, not `cat`"),
        ("labels: none.txt", "line 1: the file `none.txt` of `labels` cannot be read: No such file or directory"),
        ("labels: bad.json", "line 1: the file `bad.json` of `labels` is no JSON"),
        ("labels: {a: cat}", 'line 1: `labels` is names by their numbers, not `{"a": "cat"}`'),
        ("labels: {99999999: cat}", 'line 1: `labels` is names by their numbers, not `{"99999999": "cat"}`'),
        ("tokenizer: none.json", "line 1: the file `none.json` of `tokenizer` is not there"),
        ("tokenizer: empty", "line 1: the folder `empty` has neither `tokenizer.json` nor `vocab.txt`"),
        ("parts: {decoder: X.mlpackage}", "line 1: the file `X.mlpackage` of `parts` is not there"),
        ("preprocess: {resise: crop}", "line 1: `preprocess` has no `resise`; did you mean `resize`?"),
        ("preprocess: {resize: zoom}", "line 1: `preprocess` does not fit: Invalid enum value 'zoom' - at `$.resize`"),
        ("frontend: log-mel", "line 1: `frontend` is a table of sample_rate, n_fft, hop, n_mels, seconds, not `log-mel`"),
        ("task: [a", "line 2: not YAML: "),
        ("- task", "line 1: settings are keys with values, not a list"),
        ("task: !!python/object:os.system x", "line 1: `tag:yaml.org,2002:python/object:os.system` is a tag"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line_and_what_would(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "bad.json").write_text("[")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotRun) as caught:
        noted(tmp_path, text)
    assert caught.value.message.startswith(f"`Model.mmai.yaml` {sentence}")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Model.mmai.yaml"
    path.write_bytes(b"task: \xff\n")
    with pytest.raises(CannotRun, match=r"`Model\.mmai\.yaml` line 1: byte 0xff is not UTF-8"):
        read_sidecar(path)


def test_labels_may_stand_in_json_by_number_or_by_name(tmp_path: Path) -> None:
    (tmp_path / "by_number.json").write_text('{"1": "dog", "0": "cat"}')
    (tmp_path / "by_name.json").write_text('{"dog": 1, "cat": 0}')
    for file in ("by_number.json", "by_name.json"):
        assert noted(tmp_path, f"labels: {file}").labels == ("cat", "dog")


def test_a_tokenizer_may_be_named_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "vocab.txt").write_text("a\n")
    assert noted(tmp_path, "tokenizer: bert").tokenizer == str(tmp_path / "bert" / "vocab.txt")


def test_the_file_of_the_whole_name_goes_before_that_of_the_stem(tmp_path: Path) -> None:
    model = tmp_path / "Model.mlpackage"
    assert sidecar_of(model) is None
    (tmp_path / "Model.mmai.yaml").touch()
    assert sidecar_of(model) == tmp_path / "Model.mmai.yaml"
    (tmp_path / "Model.mlpackage.mmai.yaml").touch()
    assert sidecar_of(model) == tmp_path / "Model.mlpackage.mmai.yaml"


def test_metadata_holds_json_where_a_value_is_structured() -> None:
    roles = owned(
        task="text-classification",
        labels='["a", "b"]',
        vocab='["[PAD]", "on"]',
        inputs='{"token_ids": "x"}',
        frontend='{"type": "log-mel", "n_mels": 64}',
        blank="2",
    )
    assert (roles.task, roles.source, roles.labels) == ("text_classification", "metadata", ("a", "b"))
    assert (roles.vocabulary, roles.inputs, roles.blank) == (("[PAD]", "on"), {"token_ids": "x"}, 2)
    assert roles.audio == AudioPreparation(n_mels=64)


@pytest.mark.parametrize("characters", ["_abc", "0123456789", "-abc", " abc.,'", "a"])
def test_a_vocabulary_may_be_a_string_of_characters(characters: str) -> None:
    assert owned(vocab=characters).vocabulary == tuple(characters)


def test_keys_of_the_metadata_that_mean_nothing_here_are_somebody_elses() -> None:
    assert owned(shade="blue") == Roles()


def test_metadata_that_does_not_fit_is_refused_by_the_name_of_the_model() -> None:
    with pytest.raises(CannotRun, match=r"`Model\.mlpackage`: `labels` is a list, or the name of a file, not `a`"):
        owned(labels="a")


WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\x85\ufeff"), min_size=1
)
SOME_ROLES = st.builds(
    Roles,
    task=st.sampled_from(["image_classification", "text_embedding", "tensors"]),
    source=st.just("sidecar"),
    inputs=st.dictionaries(st.sampled_from(["image", "token_ids", "mel"]), WORD, max_size=3),
    outputs=st.dictionaries(st.sampled_from(["scores", "label"]), WORD, max_size=2),
    scores=st.sampled_from([None, "logits", "sigmoid"]),
    labels=st.lists(WORD, max_size=4).map(tuple),
    image=st.none()
    | st.builds(ImagePreparation, crop_fraction=st.floats(0.1, 1), mean=st.tuples(st.floats(-9, 9), st.floats(-9, 9))),
    audio=st.none() | st.builds(AudioPreparation, n_mels=st.integers(1, 128)),
    vocabulary=st.lists(WORD, max_size=4).map(tuple),
    pooling=st.sampled_from([None, "mean", "none"]),
    decoder=st.sampled_from([None, "ctc", "encoder_decoder"]),
    blank=st.integers(0, 99),
)


@given(SOME_ROLES)
def test_the_file_that_would_say_a_guess_says_it(tmp_path_factory: pytest.TempPathFactory, roles: Roles) -> None:
    folder = tmp_path_factory.mktemp("noted")
    package = Package(
        path=str(folder / "Model.mlpackage"),
        format="mlpackage",
        type="mlProgram",
        spec_version=7,
        functions=(Function(name="main"),),
        roles=roles,
    )
    assert sidecar_path(package) == folder / "Model.mmai.yaml"
    assert noted(folder, "\n".join(sidecar_lines(package))) == roles


def test_the_file_of_a_guess_names_paths_as_seen_from_the_model(tmp_path: Path) -> None:
    roles = Roles(tokenizer=str(tmp_path / "bert" / "vocab.txt"), parts={"decoder": "/elsewhere/D.mlpackage"})
    package = Package(path=str(tmp_path / "M.mlmodel"), format="mlmodel", type="pipeline", spec_version=4, roles=roles)
    assert sidecar_lines(package) == [
        "task: tensors",
        "tokenizer: bert/vocab.txt",
        'parts: {decoder: "/elsewhere/D.mlpackage"}',
    ]


@given(
    st.dictionaries(
        st.sampled_from(["task", "labels", "inputs", "preprocess", "blank", "vocab", "options"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda each: st.lists(each) | st.dictionaries(st.text(), each),
            max_leaves=5,
        ),
    )
)
def test_no_metadata_is_anything_but_roles_or_a_reason(said: dict[str, Any]) -> None:
    try:
        owned(None, **{key: value if isinstance(value, str) else json.dumps(value) for key, value in said.items()})
    except CannotRun as error:
        assert error.message.startswith("`Model.mlpackage`: ")


def test_the_home_of_nobody_has_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"`Model\.mmai\.yaml` line 1: .*~nobody-of-this-name"):
        noted(tmp_path, "tokenizer: ~nobody-of-this-name/tokenizer.json")
