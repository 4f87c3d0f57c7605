"""A model in a file, as the file and the notes beside it describe it: what goes in, what comes out, and which input is what."""

from typing import Any, Literal

from msgspec import Struct

SIDECAR = ".mmai.yaml"
"""How the file beside a model ends that notes its roles."""

Color = Literal["rgb", "bgr", "grayscale", "grayscale_float16"]

Range = tuple[int, int | None]
"""Smallest and largest; None is without limit."""

FeatureKind = Literal["image", "array", "dictionary", "sequence", "string", "int64", "double", "state", "unknown"]

RoleTask = Literal[
    "image_classification",
    "image_embedding",
    "text_classification",
    "text_embedding",
    "speech_transcription",
    "tensors",
]
"""What a model in a file is run as. `tensors` is any model at all, fed with `--input`."""


class ImageFormat(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A pixel buffer. Sizes are in pixels, width first."""

    width: int
    height: int
    color: Color
    sizes: tuple[tuple[int, int], ...] = ()
    """Where several are allowed, all of them."""
    width_range: Range | None = None
    height_range: Range | None = None


class ArrayFormat(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A tensor."""

    dtype: str | None = None
    """`float32`, `float16`, `float64`, `int32` or `int8`; None where the file does not say."""
    shape: tuple[int, ...] = ()
    """The default shape; empty where the file gives none, as outputs of flexible models."""
    shapes: tuple[tuple[int, ...], ...] = ()
    """Where several are allowed, all of them."""
    ranges: tuple[Range, ...] = ()
    """Where sizes may vary, one range for each dimension."""
    default: float | None = None
    """The value of an optional input that is left out."""


class Feature(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One input, output or state."""

    name: str
    kind: FeatureKind
    description: str = ""
    optional: bool = False
    image: ImageFormat | None = None
    array: ArrayFormat | None = None
    """Of an array, and of a state."""
    keys: Literal["string", "int64"] | None = None
    """Of a dictionary, whose values are probabilities."""


class Function(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One entry point."""

    name: str
    inputs: tuple[Feature, ...] = ()
    outputs: tuple[Feature, ...] = ()
    states: tuple[Feature, ...] = ()
    predicted_label: str | None = None
    """The output with the most probable class."""
    predicted_probabilities: str | None = None
    """The output with the probability of every class."""


class ImagePreparation(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """From a picture to what the model takes. What the package itself does (a scale and bias baked in) is no part of it."""

    resize: Literal["stretch", "crop", "fit"] = "stretch"
    """To the model's size: regardless of proportions, by cutting the middle out, or whole with black at the edges."""
    crop_fraction: float = 1.0
    """With `crop`: the share of the shorter side that is kept."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bilinear"
    color: Literal["rgb", "bgr", "grayscale"] = "rgb"
    """Order of the channels of an array input; an image input says its own."""
    layout: Literal["nchw", "nhwc"] = "nchw"
    """Of an array input."""
    scale: float = 1 / 255
    """An array input gets `(pixel * scale - mean) / std`, pixels being 0 to 255; an image input gets pixels."""
    mean: tuple[float, ...] = ()
    """One for each channel; empty is 0."""
    std: tuple[float, ...] = ()
    """One for each channel; empty is 1."""


class AudioPreparation(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """From a recording to what the model takes: mono samples, and where it wants them log-mel features as Whisper has them."""

    sample_rate: int = 16_000
    n_fft: int = 400
    """Samples of one window."""
    hop: int = 160
    """Samples from one window to the next."""
    n_mels: int = 80
    seconds: float | None = None
    """What is shorter is filled up with silence, what is longer is cut into pieces of this length; None takes any length."""


class Roles(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Which input is what, and what surrounds the model."""

    task: RoleTask = "tensors"
    source: Literal["sidecar", "metadata", "proposed"] = "proposed"
    """Who says so: the file beside the model, the model's own `mmai.*` metadata, or mmai by names, shapes and preview type."""
    inputs: dict[str, str] = {}
    """Role to the name of an input. Roles: image; token_ids attention_mask token_type_ids position_ids; waveform mel."""
    outputs: dict[str, str] = {}
    """Role to the name of an output. Roles: label scores embedding logits."""
    scores: Literal["probabilities", "logits", "sigmoid"] | None = None
    """What the scores of a classifier are: already probabilities, to be made some together, or each for itself."""
    labels: tuple[str, ...] = ()
    """Names of classes in the order of the scores, where the package has none of its own."""
    image: ImagePreparation | None = None
    audio: AudioPreparation | None = None
    tokenizer: str | None = None
    """Absolute path of a `tokenizer.json`."""
    vocabulary: tuple[str, ...] = ()
    """Of a model whose tokens are plain words or characters, in the order of their numbers."""
    pooling: Literal["mean", "first", "last", "none"] | None = None
    """How one embedding comes of a token's each; None decides by the shape."""
    decoder: Literal["ctc", "encoder_decoder"] | None = None
    """How text comes of the logits of a speech model."""
    blank: int = 0
    """The CTC token that stands for nothing."""
    parts: dict[str, str] = {}
    """Role to the absolute path of another package of a bundle: mel, encoder, decoder."""
    options: dict[str, Any] = {}
    """What else the task reads: of a decoder `start_ids`, `end_id`, `suppress_ids`, `max_tokens`."""


class Package(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One Core ML model on disk. None and empty are what its files do not say."""

    path: str
    """Absolute."""
    format: Literal["mlpackage", "mlmodel", "mlmodelc"]
    type: str
    """As Core ML calls it: `mlProgram`, `neuralNetworkClassifier`, `pipeline` …"""
    spec_version: int
    min_os: str | None = None
    """The oldest macOS that runs it, `macOS 13`."""
    functions: tuple[Function, ...] = ()
    """At least one; several of a multifunction model."""
    default_function: str | None = None
    labels: tuple[str, ...] = ()
    """Names of classes in the order of their probabilities; in the registry only the first of them."""
    label_count: int | None = None
    description: str = ""
    author: str = ""
    license: str = ""
    version: str = ""
    precision: dict[str, int] = {}
    """Element type to the number of operations whose result has it: the precision it computes in."""
    ops: dict[str, int] = {}
    """Operation, or layer, to how often it stands in the model; nested blocks are counted, constants are not."""
    stages: tuple[str, ...] = ()
    """Of a pipeline, the types of its models in order."""
    spec_bytes: int | None = None
    weight_bytes: int | None = None
    """Beside the specification; None where weights stand in it."""
    parameter_count: int | None = None
    updatable: bool = False
    metadata: dict[str, str] = {}
    """What its author noted; in the registry long values are cut."""
    roles: Roles = Roles()

    @property
    def main(self) -> Function:
        """The default function."""
        return next((function for function in self.functions if function.name == self.default_function), self.functions[0])
