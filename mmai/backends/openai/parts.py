"""What requests for images and sound have in common: text, files, and options that nothing of the kind takes."""

from collections.abc import Iterator

from msgspec import Struct

from mmai.values.event import DroppedEvent
from mmai.values.media import suffix_of
from mmai.values.request import AudioPart, ImagePart, Options, Request

TUNING = ("temperature", "max_tokens", "stop", "seed", "think", "keep_alive")
"""Options of those who write text; whatever else is wanted is `-O` under the provider's own name."""


class Upload(Struct, frozen=True):
    """A file on its way into a form."""

    name: str
    data: bytes
    media_type: str

    @property
    def file(self) -> tuple[str, bytes, str]:
        """As the SDK takes it."""
        return self.name, self.data, self.media_type

    @property
    def shown(self) -> str:
        """As a preview shows it: `<talk.mp3, 12345 bytes>`."""
        return f"<{self.name}, {len(self.data)} bytes>"


def uploads(request: Request, kind: type[ImagePart] | type[AudioPart]) -> list[Upload]:
    """The attachments of one kind, in their order. A name gets the suffix of its content: services go by it."""
    parts = [part for message in request.messages for part in message.parts if isinstance(part, kind)]
    return [Upload(_name(part), part.data, part.media_type) for part in parts]


def words(request: Request) -> str:
    """All that was said, instructions first."""
    return "\n\n".join(text for text in (request.system, request.prompt) if text)


def dropped(options: Options, who: str, *, taken: tuple[str, ...] = ()) -> Iterator[DroppedEvent]:
    """A note for each option that was asked for and is not among those `taken`; `who` has none."""
    defaults = Options()
    for name in TUNING:
        if name not in taken and getattr(options, name) != getattr(defaults, name):
            yield DroppedEvent(name, f"{who} has none")


def _name(part: ImagePart | AudioPart) -> str:
    base = (part.name or part.media_type.partition("/")[0]).replace("\\", "/").rpartition("/")[2]
    return f"{base.rpartition('.')[0] or base}{suffix_of(part.media_type)}"
