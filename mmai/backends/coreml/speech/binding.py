"""Which input of a decoder is what: names differ with every exporter, and say enough beside types and shapes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.axis import Axis, axis_of
from mmai.backends.coreml.wording import listed
from mmai.errors import CannotRun
from mmai.values.package import ArrayFormat, Feature, Function, Roles

Array = np.ndarray[Any, Any]

TOKEN_NAMES = ("input_ids", "decoder_input_ids", "token_ids", "tokens", "token", "input_id", "ids")

POSITION_WORDS = "pos|length|len$|offset|step|cache|past|index"

PASSING = {"past", "present", "new", "next", "prev", "previous", "updated", "update", "updates", "in", "out", "input", "output"}
"""Words that tell a cache as it goes in from the same as it comes out."""

ENCODED_ROLES = ("encoded", "encoder_hidden_states")


class Carried(Struct, frozen=True):
    """What a decoder gives and takes again with the next token: keys and values of those before."""

    input: Feature
    output: Feature


class Heard(Struct, frozen=True):
    """What a decoder takes of what the encoder made."""

    input: Feature
    source: str
    """The encoder's output."""


class Binding(Struct, frozen=True, kw_only=True):
    """The inputs of a decoder by what they are, and its output."""

    tokens: Feature
    axis: Axis
    """Of the tokens."""
    logits: str
    heard: tuple[Heard, ...]
    carried: tuple[Carried, ...]
    positions: tuple[Feature, ...]
    """How many tokens went before, or the number of each."""
    masks: tuple[Feature, ...]
    """Which tokens may be looked at."""
    slots: tuple[Feature, ...]
    """Which place of a cache this token is put into: 1 there, 0 elsewhere."""
    whole: tuple[Feature, ...]
    """Masks over the encoder's output, of which everything may be looked at."""
    states: tuple[Feature, ...]
    """What the model keeps by itself."""

    @property
    def remembers(self) -> bool:
        """It is given every token once; otherwise all of them each time."""
        return bool(self.states or self.carried)


def bound(function: Function, roles: Roles, *, encoded: Mapping[str, Array]) -> Binding:
    """The inputs of `function`, which continues what an encoder made.

    Raises:
        CannotRun: it has an input that nothing here is for, or takes no tokens.
    """
    arrays = [feature for feature in function.inputs if feature.array is not None]
    tokens = _tokens(arrays, roles)
    if tokens is None or tokens.array is None:
        raise CannotRun(f"no input of the decoder takes tokens: they are {_listed(function.inputs)}")
    left = [feature for feature in arrays if feature.name != tokens.name]
    carried = tuple(_carried(left, function, encoded))
    left = [feature for feature in left if feature.name not in {each.input.name for each in carried}]
    kinds = {feature.name: "encoded" if feature.name in encoded else _kind(feature, roles) for feature in left}

    def of_kind(kind: str) -> tuple[Feature, ...]:
        return tuple(feature for feature in left if kinds[feature.name] == kind)

    return Binding(
        tokens=tokens,
        axis=axis_of(tokens.array),
        logits=_logits(function, roles, {each.output.name for each in carried}),
        heard=tuple(_heard(of_kind("encoded"), roles, encoded)),
        carried=carried,
        positions=of_kind("position"),
        masks=of_kind("mask"),
        slots=of_kind("slot"),
        whole=of_kind("whole"),
        states=function.states,
    )


def _tokens(arrays: Iterable[Feature], roles: Roles) -> Feature | None:
    named = {feature.name: feature for feature in arrays}
    if roles.inputs.get("token_ids") in named:
        return named[roles.inputs["token_ids"]]
    listed = next((named[name] for name in TOKEN_NAMES if name in named), None)
    numbers = [each for each in named.values() if _whole_numbers(each) and not re.search(POSITION_WORDS, each.name.lower())]
    worded = next((feature for feature in numbers if re.search("token|ids?$", feature.name)), None)
    return listed or worded or (numbers[0] if len(numbers) == 1 else None)


def _kind(feature: Feature, roles: Roles) -> str:
    """`position`, `mask`, `slot`, `whole` or `encoded`."""
    name = feature.name.lower()
    if feature.name == roles.inputs.get("position_ids"):
        return "position"
    if feature.name == roles.inputs.get("attention_mask"):
        return "mask"
    if "mask" in name:
        return "slot" if "update" in name else "whole" if "encoder" in name.replace("decoder", "") else "mask"
    return "position" if _whole_numbers(feature) and re.search(POSITION_WORDS, name) else "encoded"


def _carried(features: Iterable[Feature], function: Function, encoded: Mapping[str, Array]) -> Iterator[Carried]:
    outputs = {_words(output.name): output for output in reversed(function.outputs)}
    for feature in features:
        if feature.name not in encoded and "mask" not in feature.name and not _whole_numbers(feature):
            partner = outputs.get(_words(feature.name))
            if partner is not None:
                yield Carried(feature, partner)


def _words(name: str) -> tuple[str, ...]:
    """A cache's name without what tells its going in from its coming out."""
    bare = re.sub("(past|present)_key_values?", "past", name.lower())
    return tuple(word for word in re.split(r"[^a-z0-9]+", bare) if word not in PASSING)


def _heard(features: Iterable[Feature], roles: Roles, encoded: Mapping[str, Array]) -> Iterator[Heard]:
    """Every input with its output of the encoder: the one the roles say, that of the same name or words, or else the first free one of its shape."""
    bound_by_role = {roles.inputs[role] for role in ENCODED_ROLES if role in roles.inputs}
    taken: set[str] = set()
    for feature in features:
        array = feature.array
        same = [name for name in encoded if name == feature.name or _words(name) == _words(feature.name)]
        shaped = [name for name, made in encoded.items() if name not in taken and array is not None and fits(made, array)]
        role = list(encoded)[:1] if feature.name in bound_by_role else []
        source = next(iter([*role, *same, *shaped]), None)
        if source is not None:
            taken.add(source)
            yield Heard(feature, source)
        elif not feature.optional:
            raise CannotRun(f"nothing gives the decoder's input `{feature.name}`; the encoder has {listed(encoded) or 'none'}")


def fits(array: Array, wanted: ArrayFormat) -> bool:
    """Whether an array is of a shape, dimensions of 1 aside."""
    if wanted.ranges:
        return array.ndim == len(wanted.ranges) and all(
            least <= size and (most is None or size <= most)
            for size, (least, most) in zip(array.shape, wanted.ranges, strict=True)
        )
    shapes = wanted.shapes or (wanted.shape,)
    bare = [size for size in array.shape if size != 1]
    return any([size for size in shape if size != 1] == bare for shape in shapes)


def _logits(function: Function, roles: Roles, carried: set[str]) -> str:
    outputs = [output.name for output in function.outputs if output.name not in carried]
    if roles.outputs.get("logits") in outputs:
        return roles.outputs["logits"]
    found = next((name for name in outputs if "logits" in name.lower()), outputs[0] if outputs else None)
    if found is None:
        raise CannotRun(f"no output of the decoder scores tokens: they are {_listed(function.outputs)}")
    return found


def _whole_numbers(feature: Feature) -> bool:
    return feature.array is not None and "int" in (feature.array.dtype or "")


def _listed(features: Iterable[Feature]) -> str:
    return listed(feature.name for feature in features) or "none"
