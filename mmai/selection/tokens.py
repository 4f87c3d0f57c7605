"""How many tokens a request takes: an estimate that needs no tokenizer, since every family has another one."""

from collections.abc import Iterable

import msgspec

from mmai.values.request import AudioPart, ImagePart, Part, Request, TensorPart, TextPart

IMAGE_TOKENS = 1_000
"""One image. Providers count 85 to 1,600 by size and detail; a filter should rather see too many."""

AUDIO_BYTES_PER_TOKEN = 1_000
"""16 kHz WAV is 32,000 bytes a second and 25 to 32 tokens."""

MESSAGE_TOKENS = 4
"""Role and separators of one turn."""

_SAMPLE_CHARS = 4_096


class _Hundredths(dict[str, int]):
    """Of a token, for each character as it is met; whole numbers, since CPython 3.12 adds up floats otherwise than 3.11."""

    def __missing__(self, char: str) -> int:
        self[char] = hundredths = _hundredths(char)
        return hundredths


def _hundredths(char: str) -> int:
    if char.isspace() or (char.isalpha() and char < "\u0250"):
        return 23  # Latin prose with its punctuation comes to 4 characters a token
    if char < "\u0250":
        return 50  # digits and punctuation, which make code and numbers dearer than prose
    if char < "\u1100":
        return 40  # Greek, Cyrillic, Arabic, Hebrew, Indic: 2.5 characters a token
    return 100  # CJK, Hangul, emoji


_HUNDREDTHS = _Hundredths()


def text_tokens(text: str) -> int:
    """Tokens of a text by script: Latin letters 4.3 to a token, digits and marks 2, other alphabets 2.5, CJK 1.

    Texts above 4,096 characters are judged by an even sample of about as many.
    """
    step = len(text) // _SAMPLE_CHARS + 1
    sample = text[::step]
    return _round_up(sum(map(_HUNDREDTHS.__getitem__, sample)) * len(text), 100 * len(sample)) if sample else 0


def request_tokens(request: Request) -> int:
    """Tokens of everything that is sent: turns, attachments, tools and schema."""
    turns = sum(MESSAGE_TOKENS + _parts_tokens(message.parts) for message in request.messages)
    called = [call.arguments for message in request.messages for call in message.tool_calls]
    data = [*called, *([request.schema] if request.schema else []), *request.tools]
    return turns + sum(map(_json_tokens, data))


def _parts_tokens(parts: Iterable[Part]) -> int:
    total = 0
    for part in parts:
        match part:
            case TextPart():
                total += text_tokens(part.text)
            case ImagePart():
                total += IMAGE_TOKENS
            case AudioPart():
                total += _round_up(len(part.data), AUDIO_BYTES_PER_TOKEN)
            case TensorPart():
                pass
    return total


def _json_tokens(value: object) -> int:
    return text_tokens(msgspec.json.encode(value).decode())


def _round_up(total: int, share: int) -> int:
    return -(-total // share)
