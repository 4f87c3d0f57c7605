"""A model in a file, as rows: what goes in and comes out, what is what, and what its author noted."""

from collections.abc import Iterator, Mapping
from itertools import islice

from mmai.render.table import Cell, Value
from mmai.render.units import size
from mmai.values.package import ArrayFormat, Feature, Function, ImageFormat, Package, Range, Roles

SHOWN_LABELS = 10
SHOWN_OPS = 8
SHOWN_CHARACTERS = 200
"""Of one note of the author's, which may be a whole vocabulary."""
SHOWN_SHAPES = 6

SOURCES = {"sidecar": "noted beside it", "metadata": "noted in it", "proposed": "proposed by names and shapes"}

Row = tuple[str, Value | Cell]


def package_rows(package: Package) -> list[Row]:
    """What there is to say of the files, an unsaid thing left out."""
    rows = [
        ("file", package.path),
        ("format", _format(package)),
        ("description", package.description),
        ("author", package.author),
        ("license", package.license),
        ("version", package.version),
        ("files", _sizes(package)),
        ("computes in", _counted(package.precision, SHOWN_OPS)),
        ("operations", _operations(package.ops)),
        ("stages", " → ".join(package.stages)),
        ("task", f"{package.roles.task}, {SOURCES[package.roles.source]}"),
        *_interface(package),
        *_roles(package.roles),
        ("labels", _labels(package)),
        *(("noted", f"{key}: {_cut(text)}") for key, text in package.metadata.items()),
    ]
    return [(name, text) for name, text in rows if text]


def _format(package: Package) -> str:
    needs = f", needs {package.min_os}" if package.min_os else ""
    updatable = ", updatable" if package.updatable else ""
    return f"{package.format}, {package.type} of specification {package.spec_version}{needs}{updatable}"


def _sizes(package: Package) -> str:
    parts = (("specification", package.spec_bytes), ("weights", package.weight_bytes))
    return ", ".join(f"{name} {size(count)}" for name, count in parts if count is not None)


def _operations(ops: Mapping[str, int]) -> str:
    total = sum(ops.values())
    return f"{total} of {len(ops)} kinds: {_counted(ops, SHOWN_OPS)}" if ops else ""


def _counted(counts: Mapping[str, int], most: int) -> str:
    """`conv 55, add 40, …`, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{name} {count}" for name, count in ordered[:most]]
    return ", ".join([*shown, "…"] if len(ordered) > most else shown)


def _interface(package: Package) -> Iterator[Row]:
    several = len(package.functions) > 1
    for function in package.functions:
        of = f" of {function.name}" if several else ""
        if several:
            default = " (default)" if function is package.main else ""
            yield "function", f"{function.name}{default}: `-O function={function.name}`"
        for kind, features in (("input", function.inputs), ("output", function.outputs), ("state", function.states)):
            for feature in features:
                yield f"{kind}{of}", _feature(feature, function)


def _feature(feature: Feature, function: Function) -> str:
    notes = {function.predicted_label: "the most probable class", function.predicted_probabilities: "of every class"}
    said = (notes.get(feature.name), "optional" if feature.optional else None, feature.description)
    words = "; ".join(text for text in said if text)
    return f"{feature.name}: {_kind(feature)}" + (f" ({words})" if words else "")


def _kind(feature: Feature) -> str:
    if feature.image is not None:
        return _image(feature.image)
    if feature.array is not None:
        return _array(feature.array)
    return f"probabilities by {feature.keys}" if feature.keys else feature.kind


def _image(image: ImageFormat) -> str:
    color = image.color.replace("_", " ")
    if image.sizes:
        return f"{color} image of {_alternatives([f'{width} x {height}' for width, height in image.sizes])}"
    if image.width_range and image.height_range:
        return f"{color} image of {_range(image.width_range)} x {_range(image.height_range)}"
    return f"{color} image of {image.width} x {image.height}"


def _array(array: ArrayFormat) -> str:
    if array.ranges:
        shape = " x ".join(map(_range, array.ranges))
    elif array.shapes:
        shape = _alternatives([" x ".join(map(str, shape)) for shape in array.shapes])
    else:
        shape = " x ".join(map(str, array.shape)) or "of a shape it does not say"
    default = "" if array.default is None else f", {array.default:g} where it is left out"
    return f"{array.dtype or 'numbers'} {shape}{default}"


def _alternatives(shapes: list[str]) -> str:
    shown = " or ".join(shapes[:SHOWN_SHAPES])
    return f"{shown} or {len(shapes) - SHOWN_SHAPES} others" if len(shapes) > SHOWN_SHAPES else shown


def _range(bounds: Range) -> str:
    lower, upper = bounds
    return str(lower) if lower == upper else f"{lower}–{upper}" if upper is not None else f"{lower} or more"


def _roles(roles: Roles) -> Iterator[Row]:
    for kind, named in (("reads", roles.inputs), ("gives", roles.outputs)):
        yield (
            kind,
            ", ".join(f"{role} from `{name}`" if kind == "gives" else f"{role} as `{name}`" for role, name in named.items()),
        )
    if (image := roles.image) is not None:
        yield "pictures", f"{image.resize} {image.interpolation}, {image.color} {image.layout}"
    if (audio := roles.audio) is not None:
        mels = f", {audio.n_mels} mels" if "mel" in roles.inputs or "mel" in roles.parts else ""
        yield "recordings", f"{audio.sample_rate} Hz{mels}"
    yield "tokenizer", roles.tokenizer
    yield "vocabulary", f"{len(roles.vocabulary)} tokens" if roles.vocabulary else ""
    for role, path in roles.parts.items():
        yield f"part {role}", path


def _labels(package: Package) -> str:
    labels = package.labels or package.roles.labels
    count = package.label_count or len(labels)
    shown = ", ".join(islice(labels, SHOWN_LABELS))
    return f"{count}: {shown}{', …' if count > SHOWN_LABELS else ''}" if labels else ""


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
