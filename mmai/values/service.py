"""A service with an HTTP API of its own, as the settings describe it: how it is asked, and where in its answer is what."""

import re
from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from mmai.values.model import FREE, ModelCard
from mmai.values.placeholders import places
from mmai.values.task import Modality, TaskType

OUTPUTS = ("text", "labels", "vector", "image", "audio")
"""Paths of a response that lead to an answer, in the order they are read."""

AS_IT_CAME = "@"
"""As the path of text, an image or sound: the body, event or line itself, which need not be JSON."""

CARRIERS = {
    Modality.TEXT: ("prompt", "messages"),
    Modality.IMAGE: ("image", "image_base64"),
    Modality.AUDIO: ("audio", "audio_base64"),
}
"""What goes into a model to the placeholders that carry it."""

CLASSIFIES = {Modality.IMAGE: "image_classification", Modality.AUDIO: "audio_classification"}
MADE = {"vector": "embedding", "image": "image_generation", "audio": "speech_synthesis"}
"""Paths of a response to what a model can do that has them."""

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
"""Content types under which a body is the fields of a form."""

_TASKS = frozenset(TaskType)
_MARK = re.compile(r"\[[A-Za-z][A-Za-z _-]*\]|[A-Za-z]\w*(-\w+)+")


class ServiceRequest(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The one HTTP request that asks for an answer. Strings in `query` and `body` have placeholders."""

    method: str = "POST"
    path: str = ""
    """Behind the endpoint's own, with a slash in front; `{model}` is its only placeholder."""
    query: dict[str, Any] = {}
    body: Any = None
    """A JSON value, or `{image}` or `{audio}`, which is the attached file itself; None sends none."""
    content_type: str | None = None
    """Of the body; None is JSON, or the type of the file. As `FORM` or `MULTIPART` its top keys are fields, one of which may be
    `{image}` or `{audio}` in the latter; as `text/…` a body that is text is sent as it is.
    """

    def places(self) -> frozenset[str]:
        """Every placeholder of it."""
        return frozenset((*places(self.path), *places(self.query), *places(self.body)))


class ServiceResponse(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where in an answer is what, each a JMESPath; of a stream they are read in every event or line."""

    stream: Literal["none", "sse", "ndjson"] = "none"
    text: str | None = None
    """Of a stream: more of the text."""
    labels: str | None = None
    vector: str | None = None
    image: str | None = None
    audio: str | None = None
    usage: dict[str, str] = {}
    """Field of `Usage` to the path of its count."""
    finish_reason: str | None = None
    error: str | None = None
    """What is there in an answer that is a failure, and null, false or empty in any other."""
    done: str | None = None
    """What is true in the last event or line of a stream; or its whole text, or the name of its event."""


def bare_type(content_type: str | None) -> str:
    """A content type without parameters, in small letters; none is no text."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_mark(done: str) -> bool:
    """Whether `done` can only be the text of the last event, such as `[DONE]`, or its name, such as `message-end`: as a path, the
    one would be a list, always true, and the other is none.
    """
    return _MARK.fullmatch(done) is not None


class Service(Struct, frozen=True, kw_only=True):
    """Everything an adapter needs to know of it beside its address."""

    request: ServiceRequest
    response: ServiceResponse
    auth: str = "bearer"
    """The header that carries the key; `bearer` is `Authorization: Bearer KEY`."""
    health: str | None = None
    """Path that costs nothing to ask and answers with success while the service is well."""

    @property
    def inputs(self) -> tuple[Modality, ...]:
        """What it can be given."""
        used = self.request.places()
        return tuple(kind for kind, names in CARRIERS.items() if not used.isdisjoint(names))


def described(card: ModelCard, service: Service) -> ModelCard:
    """The card of a model behind the service, with what the request takes and the response gives."""
    capabilities = tuple(_capabilities(service))
    return replace(
        card,
        capabilities=capabilities,
        tasks=tuple(TaskType(word) for word in capabilities if word in _TASKS),
        only_tasks="text_generation" not in capabilities,
        inputs=service.inputs,
    )


def served(card: ModelCard, service: Service) -> ModelCard:
    """The card of a model the settings declare: described where they do not say what it can do, free where it runs here."""
    silent = card.capabilities == ("text_generation",) and not card.tasks
    price = card.price or (FREE if card.locality == "local" else None)
    return replace(described(card, service) if silent else card, price=price)


def _capabilities(service: Service) -> Iterator[str]:
    response, inputs = service.response, service.inputs
    transcribes = response.text is not None and inputs == (Modality.AUDIO,)
    if transcribes:
        yield "speech_transcription"
    elif response.text:
        yield "text_generation"
        yield from ("vision",) if Modality.IMAGE in inputs else ()
        yield from ("json_schema",) if "schema" in service.request.places() else ()
    if response.labels:
        yield next((word for kind, word in CLASSIFIES.items() if kind in inputs), "text_classification")
    if Modality.AUDIO in inputs and not transcribes:
        yield "audio"
    yield from (word for name, word in MADE.items() if getattr(response, name))
