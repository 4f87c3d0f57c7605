"""One request as every adapter takes it."""

from typing import Any, Literal
from zlib import crc32

from msgspec import Struct

from mmai.values.execution import ExecutorChoice
from mmai.values.task import TaskType

Role = Literal["system", "user", "assistant", "tool"]

SPEAKERS: dict[str, str] = {"user": "User", "assistant": "Assistant"}
"""Of a conversation as one text."""


class TextPart(Struct, frozen=True, tag="text"):
    """Plain text."""

    text: str


class ImagePart(Struct, frozen=True, tag="image"):
    """An encoded image: the bytes as they stand in the file, of a PNG, JPEG, WebP or GIF, or a TIFF, BMP or AVIF, which only models
    on this machine take.
    """

    data: bytes
    media_type: str
    name: str | None = None


class AudioPart(Struct, frozen=True, tag="audio"):
    """An encoded recording: WAV, MP3, M4A, AAC, FLAC or OGG bytes as they stand in the file."""

    data: bytes
    media_type: str
    name: str | None = None


class TensorPart(Struct, frozen=True, tag="tensor"):
    """One input of a model by its name: the bytes of a `.npy` file, or JSON."""

    name: str
    data: bytes
    origin: str | None = None
    """The file, for what is said of it."""


Part = TextPart | ImagePart | AudioPart | TensorPart


class ToolCall(Struct, frozen=True, tag="tool_call"):
    """The model asks for a function. `arguments` is decoded JSON."""

    name: str
    arguments: dict[str, Any]
    id: str | None = None
    signature: str | None = None
    """The provider's seal on the thinking before the call, which has to go back to it unchanged."""


class Message(Struct, frozen=True):
    """One turn."""

    role: Role
    parts: tuple[Part, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant turn."""
    tool_name: str | None = None
    """Of a tool turn: the function that answered."""
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The text parts, joined by blank lines."""
        return "\n\n".join(part.text for part in self.parts if isinstance(part, TextPart))


class Tool(Struct, frozen=True):
    """A function the model may ask for; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class Options(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tuning. None leaves the provider's default alone."""

    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    think: bool | Literal["low", "medium", "high", "max"] | None = None
    keep_alive: float | str | None = None
    """How long a local server holds the weights: seconds or `10m`; negative is forever."""
    executor: ExecutorChoice | None = None
    """What runs a model in a file; other models have none."""
    extra: dict[str, Any] = {}
    """`-O key=value`, passed through under the provider's own names."""


class Request(Struct, frozen=True, kw_only=True):
    """What is asked, of whichever model."""

    messages: tuple[Message, ...]
    options: Options = Options()
    schema: dict[str, Any] | None = None
    """JSON schema the answer must satisfy."""
    tools: tuple[Tool, ...] = ()
    media_type: str | None = None
    """In which form a generated image or speech is wanted, such as `image/png`; None leaves it to the provider."""
    task: TaskType | None = None
    """What was asked for by `--task`, or the analysis's own answer."""

    @property
    def prompt(self) -> str:
        """For whoever takes one text alone: the text of the user turns, joined by blank lines; of a conversation all turns, each
        with who said it.
        """
        turns = [message for message in self.messages if message.role in SPEAKERS]
        if all(message.role == "user" for message in turns):
            return "\n\n".join(message.text for message in turns)
        return "\n\n".join(f"{SPEAKERS[message.role]}: {message.text}" for message in turns)

    @property
    def latest(self) -> str:
        """The text of the latest turn of the user's."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def system(self) -> str:
        """The text of the system turns, joined by blank lines."""
        return "\n\n".join(message.text for message in self.messages if message.role == "system")

    @property
    def fingerprint(self) -> str:
        """Checksum and size of the messages and attachments, without their names: tells requests within minutes of each other apart.

        No digest for secrets: hashlib costs 2 ms of a start, and nothing else of a run needs it.
        """
        check = size = 0
        for message in self.messages:
            for part in message.parts:
                data = part.text.encode("utf-8", "surrogatepass") if isinstance(part, TextPart) else part.data
                check = crc32(data, crc32(message.role.encode(), check))
                size += len(data)
        return f"{check:08x}-{size:x}"
