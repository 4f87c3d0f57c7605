"""Images by `POST /images/generations`, and by `POST /images/edits` where some are given to start from.

Source: OpenAI API, "Images"; fields as in the SDK 3.54.
"""

import shlex
from collections.abc import AsyncGenerator
from typing import Any

from msgspec import Struct

from mmai.backends.openai.client import MaybeError, Sdk
from mmai.backends.openai.parts import Upload, dropped, uploads, words
from mmai.errors import ProtocolError
from mmai.values.event import Event, FinishedEvent, ImageEvent, Usage
from mmai.values.media import sniffed
from mmai.values.model import ModelCard
from mmai.values.request import ImagePart, Request

GENERATIONS, EDITS = "/images/generations", "/images/edits"


class _Image(Struct):
    b64_json: bytes | None = None
    url: str | None = None


class _Tokens(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Images(MaybeError):
    data: list[_Image] | None = None
    usage: _Tokens | None = None


async def generate_image(sdk: Sdk, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
    """One event for each image, as the provider encoded it, and how many tokens they took.

    Raises:
        CallError: no image came of it.
    """
    for event in dropped(request.options, "a model that makes images"):
        yield event
    path, fields, images = image_question(model, request)
    async with sdk.calling(model.ref) as client:
        # The SDK types every known option; what the user asks for goes out as it is, known or not.
        given: Any = {"model": fields.pop("model"), "prompt": fields.pop("prompt"), "extra_body": fields}
        resource = client.images.with_raw_response
        if path == EDITS:
            answer = await resource.edit(image=[image.file for image in images], **given)
        else:
            answer = await resource.generate(**given)
    made = sdk.read(answer.content, _Images, model.ref, what="images")
    for image in made.data or ():
        yield _event(image, where=sdk.where)
    if not made.data:
        raise ProtocolError(f"{sdk.where} sent no image")
    tokens = made.usage or _Tokens()
    yield FinishedEvent(
        usage=Usage(input_tokens=tokens.input_tokens, output_tokens=tokens.output_tokens, images=len(made.data))
    )


def image_question(model: ModelCard, request: Request) -> tuple[str, dict[str, Any], list[Upload]]:
    """Path, fields, and the images to start from."""
    fields = {"model": model.name, "prompt": words(request), **_form(model.name, request.media_type), **request.options.extra}
    images = uploads(request, ImagePart)
    return (EDITS if images else GENERATIONS), fields, images


def _form(name: str, media_type: str | None) -> dict[str, str]:
    """How the image is wanted. OpenAI's own models of today take `output_format` and always send the image itself; older ones,
    and those that other services run, send an address unless they are told not to, and have one format.
    """
    if not name.rpartition("/")[2].startswith(("gpt-", "chatgpt-")):
        return {"response_format": "b64_json"}
    kind, _, form = (media_type or "").partition("/")
    return {"output_format": form} if kind == "image" else {}


def _event(image: _Image, *, where: str) -> ImageEvent:
    if image.b64_json:
        return ImageEvent(image.b64_json, sniffed(image.b64_json) or "application/octet-stream")
    if image.url:
        raise ProtocolError(
            f"{where} sent the address of an image in place of the image, and mmai does not follow",
            hint=f"curl -o image.png {shlex.quote(image.url)}",
        )
    raise ProtocolError(f"{where} sent an image without content")
