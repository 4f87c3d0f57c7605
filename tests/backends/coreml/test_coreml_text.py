"""Texts as the numbers a model reads, and what it says of them as classes or one vector."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packages.scripted import Scripted, a_job, a_package, array_input, ran
from packages.texts import WORDS, a_tokenizer

from mmai.backends.coreml.tasks.embed_text import pooled
from mmai.errors import CannotRun, MmaiError, ProviderError, UsageError
from mmai.values.event import Event, LabelsEvent, VectorEvent
from mmai.values.package import Feature, Package, Roles
from mmai.values.request import TextPart

IDS = array_input("ids", 1, 8, dtype="int32")
MASK = array_input("mask", 1, 8, dtype="int32")
INTENTS = ("turn_on", "turn_off", "weather")


def a_classifier(*inputs: Feature, **roles: Any) -> Package:
    names = {"ids": "token_ids", "mask": "attention_mask", "types": "token_type_ids", "places": "position_ids"}
    found = {names[feature.name]: feature.name for feature in inputs}
    roles = {"task": "text_classification", "inputs": found, "outputs": {"scores": "logits"}, "labels": INTENTS} | roles
    return a_package(inputs=inputs, roles=Roles(**roles))


def an_input(name: str, shape: tuple[int, ...] = (1, 8), *, dtype: str = "int32", **sizes: Any) -> Feature:
    return array_input(name, *shape, dtype=dtype, **sizes)


def asked(package: Package, executor: Scripted, text: str, **options: Any) -> Event:
    (event,) = ran(package.roles.task, a_job(executor, package, TextPart(text), **options))
    return event


def fed(package: Package, text: str, **extra: Any) -> dict[str, Any]:
    executor = Scripted({"logits": np.zeros((1, 3), dtype=np.float32)})
    asked(package, executor, text, **extra)
    return {name: array.tolist() for name, array in executor.asked[0].items()}


def refused(package: Package, text: str, **extra: Any) -> MmaiError:
    with pytest.raises(MmaiError) as caught:
        fed(package, text, **extra)
    return caught.value


def test_a_text_is_framed_filled_up_and_masked(tmp_path: Path) -> None:
    model = a_classifier(IDS, MASK, an_input("types"), an_input("places"), tokenizer=str(a_tokenizer(tmp_path)))
    assert fed(model, "please stop") == {
        "ids": [[2, 4, 5, 3, 0, 0, 0, 0]],
        "mask": [[1, 1, 1, 1, 0, 0, 0, 0]],
        "types": [[0] * 8],
        "places": [[0, 1, 2, 3, 4, 5, 6, 7]],
    }


def test_a_tokenizer_that_was_saved_with_a_cut_and_a_padding_has_neither_here(tmp_path: Path) -> None:
    path = a_tokenizer(tmp_path, cut_at=3, pad_to=6)
    assert fed(a_classifier(IDS, tokenizer=str(path)), "please stop now") == {"ids": [[2, 4, 5, 7, 3, 0, 0, 0]]}


def test_a_tokenizer_that_pads_on_the_left_does_so(tmp_path: Path) -> None:
    path = a_tokenizer(tmp_path, pad_to=6, pad_left=True)
    assert fed(a_classifier(IDS, MASK, an_input("places"), tokenizer=str(path)), "please stop") == {
        "ids": [[7, 7, 7, 7, 2, 4, 5, 3]],
        "mask": [[0, 0, 0, 0, 1, 1, 1, 1]],
        "places": [[0, 0, 0, 0, 0, 1, 2, 3]],
    }


def test_the_token_that_fills_up_is_that_of_the_configuration_beside(tmp_path: Path) -> None:
    path = a_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "now"}}))
    assert fed(a_classifier(IDS, tokenizer=str(path)), "stop") == {"ids": [[2, 5, 3, 7, 7, 7, 7, 7]]}


@pytest.mark.parametrize(
    ("sizes", "length"),
    [
        ({"shapes": ((1, 4), (1, 16), (1, 6))}, 6),
        ({"ranges": ((1, 1), (1, 512))}, 5),
        ({"ranges": ((1, 4), (7, None))}, 7),
    ],
    ids=["enumerated", "ranged", "ranged from more"],
)
def test_a_text_takes_the_shortest_length_that_holds_it(tmp_path: Path, sizes: dict[str, Any], length: int) -> None:
    model = a_classifier(an_input("ids", (1, 16), **sizes), tokenizer=str(a_tokenizer(tmp_path)))
    assert (fed(model, "please stop now"))["ids"] == [[2, 4, 5, 7, 3, *[0] * (length - 5)]]


def test_inputs_have_the_rank_and_type_of_the_model(tmp_path: Path) -> None:
    model = a_classifier(
        an_input("ids", (8,), dtype="float32"),
        an_input("mask", (1, 1, 1, 8), dtype="float16"),
        tokenizer=str(a_tokenizer(tmp_path)),
    )
    executor = Scripted({"logits": np.zeros(3)})
    asked(model, executor, "stop")
    assert {name: (str(array.dtype), array.shape) for name, array in executor.asked[0].items()} == {
        "ids": ("float32", (8,)),
        "mask": ("float16", (1, 1, 1, 8)),
    }


def test_a_text_that_is_too_long_is_refused_with_both_lengths(tmp_path: Path) -> None:
    error = refused(a_classifier(IDS, tokenizer=str(a_tokenizer(tmp_path))), "stop " * 7)
    assert isinstance(error, UsageError)
    assert error.message == "the text has 9 tokens, and `coreml:Model` reads 8"
    assert error.hint == "mmai run -O truncate=true reads its beginning"


def test_truncate_keeps_the_beginning_and_the_frame(tmp_path: Path) -> None:
    model = a_classifier(IDS, tokenizer=str(a_tokenizer(tmp_path)))
    assert fed(model, "please " + "stop " * 9, truncate=True) == {"ids": [[2, 4, 5, 5, 5, 5, 5, 3]]}


def test_truncate_is_true_or_false() -> None:
    error = refused(a_classifier(IDS, vocabulary=WORDS[:2]), "stop", truncate="yes")
    assert isinstance(error, UsageError)


def test_words_are_found_whatever_their_case_and_without_the_signs_around_them() -> None:
    model = a_classifier(IDS, MASK, vocabulary=("[PAD]", "[UNK]", "stop", "don't", "!"))
    assert fed(model, "Don't STOP, really!") == {
        "ids": [[3, 2, 1, 1, 4, 0, 0, 0]],
        "mask": [[1, 1, 1, 1, 1, 0, 0, 0]],
    }


def test_words_that_are_unknown_are_left_out_where_no_token_stands_for_them() -> None:
    assert fed(a_classifier(IDS, vocabulary=("<pad>", "stop")), "please stop") == {"ids": [[1, 0, 0, 0, 0, 0, 0, 0]]}


def test_a_text_of_unknown_words_alone_is_refused() -> None:
    error = refused(a_classifier(IDS, vocabulary=("<pad>", "stop")), "please")
    assert error.message == "the text holds no word the model knows"


def test_an_empty_text_is_refused() -> None:
    assert (refused(a_classifier(IDS, vocabulary=("<pad>", "stop")), "  ")).message == "the text is empty"


def test_a_vocabulary_of_characters_spells() -> None:
    assert fed(a_classifier(IDS, vocabulary=("<pad>", "a", "b", " ")), "ab a") == {"ids": [[1, 2, 3, 1, 0, 0, 0, 0]]}


def test_a_vocabulary_of_bert_cuts_words_into_pieces(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nstop\n##ping\n!\n")
    assert fed(a_classifier(IDS, tokenizer=str(path)), "Stopping!") == {"ids": [[2, 4, 5, 6, 3, 0, 0, 0]]}


def test_a_vocabulary_with_capitals_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nstop\nStop\n")
    assert fed(a_classifier(IDS, tokenizer=str(path)), "Stop") == {"ids": [[2, 5, 3, 0, 0, 0, 0, 0]]}


def test_a_tokenizer_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    model = a_classifier(IDS, tokenizer=str(path))
    path.write_text("<pad>\nstop\n")
    assert (fed(model, "stop"))["ids"][0][0] == 1
    path.write_text("<pad>\ngo\nstop\n")
    os.utime(path, ns=(1, 1))
    assert (fed(model, "stop"))["ids"][0][0] == 2


@pytest.mark.parametrize("content", ["{}", "no json", "\x00"])
def test_a_file_that_is_no_tokenizer_is_said_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    error = refused(a_classifier(IDS, tokenizer=str(path)), "stop")
    assert isinstance(error, CannotRun)
    assert error.message.startswith("`tokenizer.json` is no tokenizer that can be read: ")


def test_a_tokenizer_that_is_gone_is_said_so() -> None:
    error = refused(a_classifier(IDS, tokenizer="/nowhere/tokenizer.json"), "stop")
    assert error.message == "the tokenizer `/nowhere/tokenizer.json` cannot be read: No such file or directory"


def test_without_any_vocabulary_it_says_what_to_put_where() -> None:
    error = refused(a_classifier(IDS), "stop")
    assert error.message == "nothing says which tokens the model reads: put its `tokenizer.json` or `vocab.txt` beside it"


def test_a_model_that_takes_several_texts_at_once_is_refused() -> None:
    error = refused(a_classifier(an_input("ids", (4, 8)), vocabulary=WORDS[:2]), "stop")
    assert error.message == "`ids` is no row of tokens, but 4 x 8"


def test_a_role_whose_input_is_not_there_is_refused() -> None:
    model = a_classifier(IDS, inputs={"token_ids": "tokens"}, vocabulary=WORDS[:2])
    assert (refused(model, "stop")).message == "`coreml:Model` has no input `tokens`, which is named for `token_ids`"


def test_classes_come_with_the_labels_of_the_roles() -> None:
    model = a_classifier(IDS, vocabulary=("[PAD]", "[UNK]"), scores="logits")
    event = asked(model, Scripted({"logits": np.array([[0.0, math.log(3), 0.0]])}), "stop", top_k=2)
    assert isinstance(event, LabelsEvent)
    assert [(label.name, round(label.probability or 0, 3)) for label in event.labels] == [("turn_off", 0.6), ("turn_on", 0.2)]


def an_encoder(**roles: Any) -> Package:
    roles = {"task": "text_embedding", "outputs": {"embedding": "state"}, "vocabulary": ("[PAD]", "stop")} | roles
    return a_package(inputs=[an_input("ids", (1, 3))], roles=Roles(inputs={"token_ids": "ids"}, **roles))


def embedded(model: Package, state: Any, **extra: Any) -> tuple[float, ...]:
    event = asked(model, Scripted({"state": state, "label": "x"}), "stop stop", **extra)
    assert isinstance(event, VectorEvent)
    return event.values


def test_an_embedding_is_the_mean_of_the_tokens_of_the_text() -> None:
    state = np.array([[[1.0, 0.0], [3.0, 4.0], [100.0, 100.0]]], dtype=np.float16)
    assert embedded(an_encoder(), state) == (2.0, 2.0)


@pytest.mark.parametrize(("pooling", "expected"), [("first", (1.0, 0.0)), ("last", (3.0, 4.0))])
def test_an_embedding_may_be_that_of_one_token(pooling: str, expected: tuple[float, ...]) -> None:
    state = np.array([[[1.0, 0.0], [3.0, 4.0], [100.0, 100.0]]])
    assert embedded(an_encoder(pooling=pooling), state) == expected


def test_an_embedding_that_is_pooled_already_is_left_as_it_is() -> None:
    assert embedded(an_encoder(), np.array([[1.0, 2.0]])) == (1.0, 2.0)


def test_an_embedding_has_unit_length_where_that_is_wanted() -> None:
    assert embedded(an_encoder(options={"normalize": True}), np.array([[3.0, 4.0]])) == (0.6, 0.8)
    assert embedded(an_encoder(), np.array([[3.0, 4.0]]), normalize=True) == (0.6, 0.8)


def test_features_before_tokens_are_read_as_the_neural_engine_has_them() -> None:
    tokens_first = np.arange(12.0).reshape(4, 3)
    assert pooled(tokens_first.T[None, :, None, :], (1, 1, 0, 0), "mean").tolist() == [1.5, 2.5, 3.5]


def test_as_many_features_as_tokens_are_told_apart_by_their_order() -> None:
    square = np.arange(9.0).reshape(3, 3)
    assert pooled(square[None], (1, 0, 0), "first").tolist() == [0, 1, 2]
    assert pooled(square[None, :, None, :], (1, 0, 0), "first").tolist() == [0, 3, 6]


@pytest.mark.parametrize("shape", [(1, 5, 7), (2, 3, 4), (1, 3, 4, 4)])
def test_an_output_that_is_no_embedding_is_refused_with_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(CannotRun, match=f"of shape {' x '.join(map(str, shape))}"):
        embedded(an_encoder(), np.zeros(shape))


def test_an_output_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="`coreml:Model` has no output `other` of numbers; its arrays are `state`"):
        embedded(an_encoder(outputs={"embedding": "other"}), np.zeros(3))


def test_an_embedding_that_is_no_numbers_is_a_failure_of_the_model() -> None:
    with pytest.raises(ProviderError, match="values that are no numbers"):
        embedded(an_encoder(), np.array([1.0, math.nan]))
