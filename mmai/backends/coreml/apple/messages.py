"""What mmai and its worker say to each other."""

from typing import Any, Literal

from msgspec import Struct


class Value(Struct, frozen=True, kw_only=True):
    """One input or output. The bytes of an array, in C order, follow the message they stand in, in the order of its values."""

    name: str
    kind: Literal["array", "image", "plain"]
    dtype: str = ""
    shape: tuple[int, ...] = ()
    plain: Any = None
    """Of what is no array: a string, a number, or a dictionary."""


class Compile(Struct, frozen=True, kw_only=True, tag="compile"):
    """Make a `.mlmodelc` of a model."""

    source: str
    destination: str
    spec_version: int


class Load(Struct, frozen=True, kw_only=True, tag="load"):
    """Have a compiled model ready."""

    path: str
    units: str
    function: str | None
    spec_version: int
    modes: dict[str, str]
    """Names of the inputs that are pictures, with the mode Pillow has for them: `RGB`, `L` or `F`."""


class Plan(Struct, frozen=True, kw_only=True, tag="plan"):
    """Say where a compiled model would be computed."""

    path: str
    units: str
    function: str | None


class Predict(Struct, frozen=True, kw_only=True, tag="predict"):
    """Run the model once."""

    values: tuple[Value, ...]
    state: int | None = None


class MakeState(Struct, frozen=True, kw_only=True, tag="make_state"):
    """Fresh states for one sequence of predictions."""

    dropped: tuple[int, ...] = ()
    """Those that nobody asks with any more."""


class Compiled(Struct, frozen=True, kw_only=True, tag="compiled"):
    """The `.mlmodelc` is there."""

    compile_ms: float


class Loaded(Struct, frozen=True, kw_only=True, tag="loaded"):
    """The model can be asked."""

    load_ms: float


class Planned(Struct, frozen=True, kw_only=True, tag="planned"):
    """Where Core ML means to compute."""

    placement: dict[str, float] | None
    """`cpu`, `gpu`, `neural_engine` or `unknown` to the share of the estimated cost, 0 to 1; None where that cannot be asked."""


class Predicted(Struct, frozen=True, kw_only=True, tag="predicted"):
    """What came out."""

    values: tuple[Value, ...]
    engine_ms: float | None = None


class StateMade(Struct, frozen=True, kw_only=True, tag="state_made"):
    """Under which number the states are kept."""

    state: int


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """It did not work, and the worker is still there."""

    message: str
    never: bool = False
    """Nothing that could be tried again would help: the system is too old, or not Apple's."""


Request = Compile | Load | Plan | Predict | MakeState
Reply = Compiled | Loaded | Planned | Predicted | StateMade | Failed


class Order(Struct, frozen=True, kw_only=True):
    """A request with the time it may take."""

    request: Request
    timeout_s: float
    """After this, and a little more, the worker ends itself: whoever asked may be gone."""

    @property
    def values(self) -> tuple[Value, ...]:
        """What it carries."""
        return self.request.values if isinstance(self.request, Predict) else ()


class Answer(Struct, frozen=True, kw_only=True):
    """A reply with what the worker has come to."""

    reply: Reply
    memory_bytes: int | None = None
    """Peak resident size; None where the system does not tell."""

    @property
    def values(self) -> tuple[Value, ...]:
        """What it carries."""
        return self.reply.values if isinstance(self.reply, Predicted) else ()
