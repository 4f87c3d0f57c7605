"""Models that read text, as values; tokenizers made on the spot; and an executor that answers what a test wants."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from mmai.backends.coreml.executor import LoadReport, Prediction
from mmai.backends.coreml.meter import Meter
from mmai.backends.coreml.tasks.job import Job
from mmai.values.execution import ExecutorName
from mmai.values.model import ModelRef
from mmai.values.package import ArrayFormat, Feature, Function, Package, Roles
from mmai.values.request import Message, Options, Request, TextPart

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "please", "stop", "start", "now")


class Answering:
    """Gives the same outputs whatever is asked, and keeps what it was fed."""

    name: ExecutorName = "reference"
    compute_units: str | None = None
    alive = True
    report = LoadReport(load_ms=1.0)

    def __init__(self, **outputs: Any) -> None:
        self.outputs = outputs
        self.fed: dict[str, np.ndarray[Any, Any]] = {}

    async def predict(self, feeds: Mapping[str, Any], *, state: int | None = None) -> Prediction:
        self.fed = dict(feeds)
        return Prediction(outputs=self.outputs)

    async def new_state(self) -> int:
        return 0

    async def aclose(self) -> None:
        return None


def an_input(name: str, shape: tuple[int, ...] = (1, 8), *, dtype: str = "int32", **sizes: Any) -> Feature:
    return Feature(name=name, kind="array", array=ArrayFormat(dtype=dtype, shape=shape, **sizes))


def a_text_model(*inputs: Feature, roles: Roles, path: str = "/models/Intent.mlpackage") -> Package:
    function = Function(name="main", inputs=inputs, outputs=(an_input("logits", (1, 3), dtype="float32"),))
    return Package(path=path, format="mlpackage", type="mlProgram", spec_version=7, functions=(function,), roles=roles)


def a_job(package: Package, executor: Answering, text: str, **extra: Any) -> Job:
    async def open_part(part: Path | None, function: str | None) -> Any:
        return executor

    request = Request(messages=(Message("user", (TextPart(text),)),), options=Options(extra=extra))
    return Job(ref=ModelRef("coreml", "Intent"), package=package, request=request, open=open_part, meter=Meter())


def a_tokenizer(folder: Path, *, cut_at: int | None = None, pad_to: int | None = None, pad_left: bool = False) -> Path:
    """A `tokenizer.json` of `WORDS` that frames a text with [CLS] and [SEP], set up as its last user may have left it."""
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    if cut_at:
        tokenizer.enable_truncation(cut_at)
    if pad_to:
        tokenizer.enable_padding(length=pad_to, pad_id=7 if pad_left else 0, direction="left" if pad_left else "right")
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path
