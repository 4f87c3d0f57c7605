"""`mmai run` of models in files that read text, from the words typed to the classes shown, through the executor `reference`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import Mmai, Result
from packages.shipped import KEYWORD_INTENTS, SENTENCES
from packages.texts import WORDS, a_tokenizer
from packages.toolkit import built, mb, types


@pytest.fixture
def models(mmai: Mmai) -> Path:
    """The folder mmai looks in unless told otherwise."""
    folder = mmai.home / "mmai" / "models"
    shutil.copytree(KEYWORD_INTENTS, folder / "Intents.mlpackage")
    return folder


def run(mmai: Mmai, *args: str) -> Result:
    return mmai("run", "-m", "coreml:Intents", "--executor", "reference", *args)


@pytest.mark.parametrize(("sentence", "intent"), SENTENCES.items())
def test_a_sentence_is_its_intent(mmai: Mmai, models: Path, sentence: str, intent: str) -> None:
    result = run(mmai, sentence, "-O", "top_k=1")
    assert result.exit_code == 0
    assert result.stdout.split()[-1] == intent


def test_a_file_of_text_is_read_as_one(mmai: Mmai, models: Path) -> None:
    (mmai.home / "said.txt").write_text("Stop!\n")
    result = run(mmai, "-f", "said.txt", "-O", "top_k=1")
    assert result.exit_code == 0
    assert result.stdout.split()[-1] == "turn_off"


def test_a_text_that_is_too_long_is_refused_unless_its_beginning_will_do(mmai: Mmai, models: Path) -> None:
    long = "start " + "please " * 20
    refused = run(mmai, long)
    assert refused.exit_code == 2
    assert refused.stderr.endswith(
        "error: the text has 21 tokens, and `coreml:Intents` reads 16\nhint: mmai run -O truncate=true reads its beginning\n"
    )
    assert run(mmai, long, "-O", "truncate=true", "-O", "top_k=1").stdout.split()[-1] == "turn_on"


def test_a_picture_is_no_text(mmai: Mmai, models: Path) -> None:
    (mmai.home / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run(mmai, "please stop", "-f", "x.png")
    assert result.exit_code == 3
    assert "`coreml:Intents` reads a text and nothing else" in result.stderr


@mb.program(input_specs=[mb.TensorSpec(shape=(1, 8), dtype=types.int32) for _ in range(2)])
def told(input_ids, attention_mask):  # type: ignore[no-untyped-def]
    """One logit for `stop` and one for `start`, which count wherever the mask is 1."""
    weights = np.zeros((len(WORDS), 2), np.float32)
    weights[WORDS.index("stop"), 0] = weights[WORDS.index("start"), 1] = 4
    mask = mb.expand_dims(x=mb.cast(x=attention_mask, dtype="fp32"), axes=[2])
    seen = mb.mul(x=mb.gather(x=weights, indices=input_ids, axis=0), y=mask)
    return mb.reduce_sum(x=seen, axes=[1], keep_dims=False, name="logits")


def test_a_model_without_notes_is_run_with_the_tokenizer_beside_it(mmai: Mmai, models: Path) -> None:
    built(told, models / "Intents" / "Intents.mlpackage")
    shutil.rmtree(models / "Intents.mlpackage")
    a_tokenizer(models / "Intents", pad_to=64)
    result = run(mmai, "please start now", "--json")
    assert result.exit_code == 0
    assert [label["name"] for label in result.json["data"]["labels"]] == ["class 1", "class 0"]
    assert result.json["data"]["execution"]["executor"] == "reference"

    (models / "Intents" / "config.json").write_text(json.dumps({"id2label": {"0": "halt", "1": "go"}}))
    assert run(mmai, "please start now", "-O", "top_k=1").stdout.split()[-1] == "go"


def test_a_text_becomes_a_vector(mmai: Mmai, models: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 4), dtype=types.int32)])
    def prog(input_ids):  # type: ignore[no-untyped-def]
        table = np.eye(len(WORDS), 3, k=-4, dtype=np.float32)
        return mb.gather(x=table, indices=input_ids, axis=0, name="last_hidden_state")

    built(prog, models / "Vectors" / "Vectors.mlpackage")
    a_tokenizer(models / "Vectors")
    result = mmai("run", "-m", "coreml:Vectors", "--executor", "reference", "please stop", "-O", "normalize=true", "--json")
    assert result.exit_code == 0
    assert result.json["data"]["vector"] == pytest.approx([2**-0.5, 2**-0.5, 0.0])
