"""Sound as Gemini speaks it: bare samples, which become a file that plays."""

import struct

from mmai.values.event import AudioEvent

RATE_HZ, CHANNELS, SAMPLE_BYTES = 24_000, 1, 2
"""Where the type does not say; source: Gemini API, "Speech generation"."""


def is_pcm(media_type: str) -> bool:
    """Whether data of this type, such as `audio/L16;codec=pcm;rate=24000`, is samples without a head."""
    return media_type.partition(";")[0].strip().lower() in ("audio/l16", "audio/pcm")


def wav(samples: bytes, media_type: str) -> AudioEvent:
    """The samples with a head that says how to play them.

    They are 16 bits with the low byte first, whatever RFC 2586 says of `audio/L16`; source: Google's own examples, which write
    them into a WAV file as they are.
    """
    told = dict(_parameter(text) for text in media_type.split(";")[1:])
    rate, channels = told.get("rate") or RATE_HZ, told.get("channels") or CHANNELS
    frame = channels * SAMPLE_BYTES
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * frame, frame, SAMPLE_BYTES * 8)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return AudioEvent(struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data, "audio/wav")


def _parameter(text: str) -> tuple[str, int]:
    name, _, value = text.strip().partition("=")
    return name.lower(), int(value) if value.isascii() and value.isdigit() else 0
