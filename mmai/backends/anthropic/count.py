"""Counting the tokens of a request, by Anthropic's own SDK."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from mmai.backends.anthropic.client import Sdk
from mmai.dialects.anthropic import decode
from mmai.values.model import ModelRef


class _Counted(Struct):
    input_tokens: int


async def count_tokens(sdk: Sdk, ref: ModelRef, fields: Mapping[str, Any]) -> int:
    """Input tokens of the request whose body is `fields`.

    Raises:
        CallError: it could not be asked.
    """
    rest = {name: value for name, value in fields.items() if name not in ("model", "messages")}
    async with sdk.calling(ref) as client:
        answer = await client.messages.with_raw_response.count_tokens(
            model=fields["model"], messages=fields["messages"], extra_body=rest
        )
    return decode(answer.http_response.content, _Counted, where=sdk.where, what="a count of tokens").input_tokens
