"""What a model is there for, guessed from the names and shapes of what goes in and comes out. Where that says little, nothing is.

Names are those exporters use: coremltools, Apple's own models, exporters of Hugging Face, WhisperKit, ml-ane-transformers.
"""

from collections.abc import Callable
from typing import Any, Literal

from msgspec.structs import replace

from mmai.backends.coreml.beside import file_beside, labels_beside
from mmai.values.package import AudioPreparation, Feature, Function, ImagePreparation, Package, Range, Roles, RoleTask

PREVIEW_TYPE = "com.apple.coreml.model.preview.type"
CLASSIFIER = "imageClassifier"
"""What Xcode previews as one; a segmenter, an estimator of depth or of poses gives no classes of the whole picture."""

IMAGENET = ImagePreparation(
    resize="crop", crop_fraction=0.9, interpolation="bicubic", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)
"""What a bare array of pixels most often wants: timm's usual preparation, as ml-fastvit has it."""

CLIP = ImagePreparation(
    resize="crop", interpolation="bicubic", mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)
)
"""Source: transformers, `CLIPImageProcessor`."""
CLIP_OUTPUT = "image_embeds"
"""As transformers calls what its CLIP models give for a picture."""

TEXT_INPUTS = (
    ("token_ids", ("input_ids", "token_ids", "tokens", "ids", "input_tokens")),
    ("attention_mask", ("attention_mask", "input_mask", "padding_mask", "mask")),
    ("token_type_ids", ("token_type_ids", "segment_ids")),
    ("position_ids", ("position_ids", "positions")),
)
"""Role to the names its input ends in, the most telling first."""

PIXELS = ("image", "pixel_values", "pixels", "input_image", "img", "x", "input", "data")
CLASS_WORDS = ("logit", "prob", "score", "class", "softmax")
EMBEDDING_WORDS = ("embed", "feature", "pooler", "pooled", "last_hidden_state", "hidden_state", "representation", "descriptor")
SOUND = ("audio", "waveform", "samples", "input_values", "wav", "signal", "speech")
MEL = ("mel", "logmel", "input_features", "spectrogram", "log_mel", "fbank")

FEWEST_SAMPLES = 4000
"""A quarter of a second; shorter arrays are no recording."""
MOST_UNNAMED_CLASSES = 20
"""Of a row of numbers about a text that nothing calls classes; a longer one may as well be an embedding."""
IMAGENET_CLASSES = (1000, 1001, 10450, 21841, 21843)


def propose(package: Package) -> Roles:
    """Roles by what the interface looks like; the task `tensors` where nothing is sure."""
    for guess in (_pictures, _texts, _sounds):
        if (roles := guess(package, package.main)) is not None:
            return roles
    return Roles()


def _pictures(package: Package, function: Function) -> Roles | None:
    wanted = [feature for feature in function.inputs if not feature.optional and not _is_setting(feature)]
    if len(wanted) != 1:
        return None
    (feature,) = wanted
    image = None
    if feature.kind == "array":
        layout = pixel_layout(feature)
        if layout is None:
            return None
        gray = _sizes(feature)[1 if layout == "nchw" else 3] == 1
        image = ImagePreparation(color="grayscale", layout=layout) if gray else replace(IMAGENET, layout=layout)
    elif feature.kind != "image":
        return None
    roles = Roles(inputs={"image": feature.name}, image=image)
    if package.metadata.get(PREVIEW_TYPE, CLASSIFIER) != CLASSIFIER:
        return roles
    if outputs := class_outputs(package, function):
        return _classifier(roles, "image_classification", outputs, package)
    if (embedding := _named_output(function, EMBEDDING_WORDS, bool)) is not None:
        if image is not None and image.color == "rgb" and embedding == CLIP_OUTPUT:
            image = replace(CLIP, layout=image.layout)
        return replace(roles, task="image_embedding", outputs={"embedding": embedding}, image=image)
    scores = _only_row(function)
    if scores is not None and (_is_class_row(package, function, scores) or _length(function, scores) in IMAGENET_CLASSES):
        return _classifier(roles, "image_classification", {"scores": scores}, package)
    return roles


def pixel_layout(feature: Feature) -> Literal["nchw", "nhwc"] | None:
    """`nchw` or `nhwc`, where an array has the shape of a picture of one or three channels."""
    shape = feature.array.shape if feature.array else ()
    dtype = feature.array.dtype if feature.array else None
    if len(shape) != 4 or shape[0] != 1 or dtype not in ("float32", "float16", "float64", None):
        return None
    named = any(feature.name.lower().startswith(name) for name in PIXELS)
    if shape[1] in (1, 3) and min(shape[2:]) >= 8 and (shape[1] == 3 or named):
        return "nchw"
    return "nhwc" if shape[3] in (1, 3) and min(shape[1:3]) >= 8 and (shape[3] == 3 or named) else None


def _is_setting(feature: Feature) -> bool:
    """Numbers beside the input proper, as the thresholds of a detector."""
    return feature.kind in ("double", "int64") or (feature.kind == "array" and _sizes(feature) == ())


def class_outputs(package: Package, function: Function) -> dict[str, str]:
    """The outputs of a classifier that says so itself."""
    probabilities = function.predicted_probabilities or next(
        (feature.name for feature in function.outputs if feature.kind == "dictionary"), None
    )
    label = function.predicted_label
    found = {"label": label} if label else {}
    if probabilities:
        found["scores"] = probabilities
    elif package.labels and (row := _only_row(function)) is not None:
        found["scores"] = row
    return found


def _texts(package: Package, function: Function) -> Roles | None:
    inputs: dict[str, str] = {}
    for role, names in TEXT_INPUTS:
        for feature in function.inputs:
            if role not in inputs and feature.name not in inputs.values() and _is_text(feature, names):
                inputs[role] = feature.name
    others = [feature for feature in function.inputs if not feature.optional and feature.name not in inputs.values()]
    if "token_ids" not in inputs or others or function.states:
        return None
    tokenizer = file_beside(package, "tokenizer.json") or file_beside(package, "vocab.txt")
    roles = Roles(inputs=inputs, tokenizer=tokenizer)
    if outputs := class_outputs(package, function):
        return _classifier(roles, "text_classification", outputs, package)
    if (embedding := _named_output(function, EMBEDDING_WORDS, lambda sizes: len(sizes) <= 3)) is not None:
        return replace(roles, task="text_embedding", outputs={"embedding": embedding})
    row = _only_row(function)
    if row is not None and (_is_class_row(package, function, row) or 2 <= _length(function, row) <= MOST_UNNAMED_CLASSES):
        return _classifier(roles, "text_classification", {"scores": row}, package)
    return roles


def _is_text(feature: Feature, names: tuple[str, ...]) -> bool:
    if feature.kind != "array" or feature.array is None or feature.array.dtype not in ("int32", "float32", "float16", None):
        return False
    sizes = _sizes(feature)
    named = feature.name.lower()
    # ml-ane-transformers writes `input_input_ids`.
    return len(sizes) <= 2 and any(named == name or named.endswith(f"_{name}") for name in names)


def _sounds(package: Package, function: Function) -> Roles | None:
    wanted = [feature for feature in function.inputs if not feature.optional]
    if len(wanted) != 1 or wanted[0].kind != "array":
        return None
    (feature,) = wanted
    shape = _sizes(feature)
    named = feature.name.lower()
    inputs: dict[str, str] = {}
    audio = None
    mels = next((size for size in shape[:-1] if size in (40, 64, 80, 128)), None)
    if mels and (any(word in named for word in MEL) or 1000 <= shape[-1] <= 3001):
        inputs, audio = {"mel": feature.name}, AudioPreparation(n_mels=mels)
    elif (
        any(word in named for word in SOUND)
        and len(shape) <= 2
        and (_is_open(feature) or max(shape, default=0) >= FEWEST_SAMPLES)
    ):
        inputs, audio = {"waveform": feature.name}, AudioPreparation()
    if not inputs:
        return None
    logits = _named_output(function, ("logit", "prob", "output", "ctc"), lambda sizes: len(sizes) == 3)
    tokenizer = file_beside(package, "tokenizer.json")
    roles = Roles(inputs=inputs, audio=audio, outputs={"logits": logits} if logits else {})
    # Without its tokens nobody can read what it says.
    if logits is None or tokenizer is None:
        return roles
    return replace(roles, task="speech_transcription", decoder="ctc", tokenizer=tokenizer)


def _classifier(roles: Roles, task: RoleTask, outputs: dict[str, str], package: Package) -> Roles:
    scores = outputs.get("scores")
    classes = 0 if scores is None else _length(package.main, scores)
    return replace(
        roles,
        task=task,
        outputs=outputs,
        scores=None if scores is None else _kind(package, scores),
        labels=() if package.labels or not classes else labels_beside(package, classes),
    )


def _kind(package: Package, scores: str) -> Literal["probabilities", "logits"] | None:
    """By the output's name; and by the program, which makes no probabilities without one of two operations."""
    named = scores.lower()
    if "logit" in named:
        return "logits"
    # coremltools calls the table of a classifier `classLabel_probs` whatever the model gave.
    is_array = any(feature.name == scores and feature.kind == "array" for feature in package.main.outputs)
    if is_array and ("prob" in named or "softmax" in named):
        return "probabilities"
    makes_them = {"softmax", "sigmoid"} & package.ops.keys()
    return "logits" if package.type == "mlProgram" and package.ops and not makes_them else None


def _named_output(function: Function, words: tuple[str, ...], fits: Callable[[tuple[int, ...]], Any]) -> str | None:
    arrays = [feature for feature in function.outputs if feature.kind == "array"]
    return next(
        (each.name for word in words for each in arrays if word in each.name.lower() and fits(_sizes(each))),
        None,
    )


def _only_row(function: Function) -> str | None:
    """The one output, where it is a row of numbers."""
    arrays = [feature for feature in function.outputs if feature.kind == "array"]
    if len(arrays) != 1:
        return None
    sizes = [size for size in _sizes(arrays[0]) if size != 1]
    return arrays[0].name if len(sizes) <= 1 else None


def _length(function: Function, name: str) -> int:
    feature = next(feature for feature in function.outputs if feature.name == name)
    return max(_sizes(feature), default=0)


def _is_class_row(package: Package, function: Function, output: str) -> bool:
    """A row of numbers that its name, or Xcode's preview, calls one of classes."""
    called = package.metadata.get(PREVIEW_TYPE) == CLASSIFIER or any(word in output.lower() for word in CLASS_WORDS)
    return called and _length(function, output) >= 2


def _sizes(feature: Feature) -> tuple[int, ...]:
    """The default shape, or the largest of those allowed."""
    array = feature.array
    if array is None:
        return ()
    return array.shape or max(array.shapes, key=len, default=()) or tuple(_upper(each) for each in array.ranges)


def _upper(size: Range) -> int:
    return size[1] if size[1] is not None else size[0]


def _is_open(feature: Feature) -> bool:
    return feature.array is not None and any(upper is None or upper > lower for lower, upper in feature.array.ranges)
