"""OpenAI's protocol as bytes on one side and values on the other: chat completions, responses, embeddings, models. No I/O.

It is also that of every server which says it is compatible; what those add or leave out is named where it is read.
"""

from mmai.dialects.openai.chat import ChatStream, chat_events
from mmai.dialects.openai.embed import embed_events
from mmai.dialects.openai.errors import decode, failure, told_error
from mmai.dialects.openai.models import assumed, parse_models
from mmai.dialects.openai.requests import chat_body, embed_body
from mmai.dialects.openai.responses import ResponsesStream, responses_events
from mmai.dialects.openai.responses_request import responses_body
from mmai.dialects.openai.tuning import chat_tuning, embed_tuning, responses_tuning, without

__all__ = [
    "ChatStream",
    "ResponsesStream",
    "assumed",
    "chat_body",
    "chat_events",
    "chat_tuning",
    "decode",
    "embed_body",
    "embed_events",
    "embed_tuning",
    "failure",
    "parse_models",
    "responses_body",
    "responses_events",
    "responses_tuning",
    "told_error",
    "without",
]
