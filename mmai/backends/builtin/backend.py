"""The adapter: what the embedded models take, and their answers as a stream."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from mmai import __version__
from mmai.backends.base import RetryAdvice, advise
from mmai.backends.builtin.asking import read_request
from mmai.backends.builtin.cards import KINDS, cards
from mmai.errors import InvalidRequest, MmaiError, UnknownModel
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event
from mmai.values.health import Health
from mmai.values.model import ModelCard, ModelRef
from mmai.values.preview import Preview
from mmai.values.request import Request, TextPart
from mmai.values.task import TaskType


class BuiltinBackend:
    """Small extractive models that ship inside mmai and need neither network, key nor weights."""

    endpoint: str | None = None

    def __init__(self, endpoint: Endpoint) -> None:
        self.provider = endpoint.provider

    async def list_models(self) -> Sequence[ModelCard]:
        """The same four always."""
        return cards(self.provider)

    def assume(self, name: str) -> ModelCard:
        """One of the four.

        Raises:
            UnknownModel: there is no such embedded model.
        """
        for card in cards(self.provider):
            if card.name == name:
                return card
        raise self._unknown(name)

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """Text alone, for a task of the model's own."""
        if any(not isinstance(part, TextPart) for message in request.messages for part in message.parts):
            return f"`{model.ref}` reads text alone"
        if request.options.executor is not None:
            return f"`{model.ref}` has no executor to choose"
        if request.tools:
            return f"`{model.ref}` calls no tools"
        if request.schema is not None:
            return f"`{model.ref}` answers in sentences of the text, not in JSON"
        tasks = KINDS[model.name].tasks if model.name in KINDS else ()
        if request.task is not None and request.task not in tasks:
            return f"`{model.ref}` does {' and '.join(task.value for task in tasks) or 'nothing'}, not {request.task.value}"
        if request.task is TaskType.INFORMATION_EXTRACTION and not _is_extractable(model.name, request):
            return f"`{model.ref}` finds {'key phrases' if model.name == 'keywords' else 'key sentences'} and extracts nothing else"
        return None

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """The text and the options; nothing is sent anywhere."""
        return Preview(body={"model": model.name, "text": request.prompt, "options": request.options.extra})

    async def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """Stream the answer sentence by sentence, or as one vector.

        Raises:
            UnknownModel: there is no such embedded model.
            InvalidRequest: see `can_handle` and `answer`.
            ContextOverflow: the text is too long.
        """
        if model.name not in KINDS:
            raise self._unknown(model.name)
        if reason := self.can_handle(model, request):
            raise InvalidRequest(reason)
        for event in await asyncio.to_thread(_answer, model.ref, request):
            yield event

    async def health_check(self) -> Health:
        """What runs is there."""
        return Health(state="healthy", latency_ms=0.0, version=__version__)

    def advise(self, error: MmaiError) -> RetryAdvice:
        """Nothing here fails by chance, so the general rule says enough."""
        return advise(error)

    async def aclose(self) -> None:
        """Nothing is held."""

    def _unknown(self, name: str) -> UnknownModel:
        names = ", ".join(f"`{self.provider}:{known}`" for known in KINDS)
        return UnknownModel(f"there is no `{self.provider}:{name}`; embedded models are {names}", hint="mmai models")


def _is_extractable(name: str, request: Request) -> bool:
    wording = KINDS[name].extracts
    instruction = read_request(request).instruction
    return not instruction or wording is None or re.search(wording, instruction, re.IGNORECASE) is not None


def _answer(ref: ModelRef, request: Request) -> list[Event]:
    from mmai.backends.builtin.answer import answer  # noqa: PLC0415 - numpy costs 50 ms, which listing the models need not pay

    return answer(ref, request)
