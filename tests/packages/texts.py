"""Tokenizers made on the spot, as their last user may have left them."""

from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "please", "stop", "start", "now")


def a_tokenizer(folder: Path, *, cut_at: int | None = None, pad_to: int | None = None, pad_left: bool = False) -> Path:
    """A `tokenizer.json` of `WORDS` that frames a text with [CLS] and [SEP]; what pads on the left does so with `now`."""
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
