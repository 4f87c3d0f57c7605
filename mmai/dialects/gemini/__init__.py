"""Google's Gemini API, `generateContent` and its kin, as bytes on one side and values on the other. No I/O.

Source: Gemini API reference, v1beta (https://ai.google.dev/api), and the types of google-genai 3.4. Numbers that are zero are
left out there, as protobuf does: what is absent is None here.
"""

from mmai.dialects.gemini.embed import embed_events
from mmai.dialects.gemini.errors import failure
from mmai.dialects.gemini.models import assumed, full_name, parse_models
from mmai.dialects.gemini.requests import dropped, embed_body, generate_body
from mmai.dialects.gemini.stream import GenerateStream, generate_events

__all__ = [
    "GenerateStream",
    "assumed",
    "dropped",
    "embed_body",
    "embed_events",
    "failure",
    "full_name",
    "generate_body",
    "generate_events",
    "parse_models",
]
