"""Classes and vectors of pictures, from whatever a model gives."""

from typing import Any

import numpy as np
import pytest
from packages.scripted import Scripted, a_job, a_package, array_input, image_input, ran
from packages.shipped import color_png

from mmai.errors import ProviderError, UsageError
from mmai.values.event import Label, LabelsEvent, VectorEvent
from mmai.values.package import Feature, Function, ImagePreparation, Package, Roles
from mmai.values.request import ImagePart

TABLE = {"red": 0.75, "green": 0.0, "blue": 0.25}


def a_picture(name: str = "a.png") -> ImagePart:
    return ImagePart(color_png((255, 0, 0)), "image/png", name)


def classifier(*inputs: Feature, roles: Roles | None = None, **more: Any) -> Package:
    return a_package(
        Function(name="main", inputs=inputs or (image_input(),), **more), roles=roles or Roles(task="image_classification")
    )


def classes(outputs: dict[str, Any], *, roles: Roles | None = None, labels: tuple[str, ...] = (), **options: Any) -> Any:
    package = a_package(inputs=(image_input(),), roles=roles, labels=labels)
    (event,) = ran("image_classification", a_job(Scripted(outputs), package, a_picture(), **options))
    assert isinstance(event, LabelsEvent)
    return event.labels


def test_a_table_of_classes_is_sorted() -> None:
    assert classes({"classLabel": "red", "probs": TABLE}) == (Label("red", 0.75), Label("blue", 0.25), Label("green", 0.0))


def test_five_classes_unless_told_otherwise() -> None:
    outputs = {"scores": np.zeros((1, 9), np.float32)}

    assert len(classes(outputs)) == 5
    assert len(classes(outputs, top_k=2)) == 2
    assert len(classes(outputs, top_k=50)) == 9
    assert len(classes(outputs, top_k="all")) == 9


@pytest.mark.parametrize("count", [0, -1, 2.5, "some", True])
def test_no_such_number_of_classes(count: object) -> None:
    with pytest.raises(UsageError, match=r"`top_k` is a whole number of at least 1"):
        classes({"probs": TABLE}, top_k=count)


@pytest.mark.parametrize("shape", [(1, 3), (3,), (1, 3, 1, 1), (1, 1, 3)])
def test_any_other_array_is_logits_whatever_its_shape(shape: tuple[int, ...]) -> None:
    found = classes({"out": np.array([0.0, np.log(2), np.log(5)], np.float32).reshape(shape)})

    assert [label.name for label in found] == ["class 2", "class 1", "class 0"]
    assert [label.probability for label in found] == pytest.approx([5 / 8, 2 / 8, 1 / 8])


def test_every_picture_gets_its_labels_by_its_file() -> None:
    executor = Scripted(lambda feeds: {"out": np.array([feeds["image"][0, 0, 0] / 255.0, 0.0])})
    parts = (a_picture("a.png"), ImagePart(color_png((0, 0, 0)), "image/png", "b.png"))

    events = ran("image_classification", a_job(executor, classifier(), *parts, top_k=1))

    assert [(event.of, event.labels[0].name) for event in events if isinstance(event, LabelsEvent)] == [
        ("a.png", "class 0"),
        ("b.png", "class 0"),
    ]
    assert [feeds["image"].shape for feeds in executor.asked] == [(32, 32, 3)] * 2


def test_a_picture_that_cannot_be_read_ends_it_before_the_model_is_asked() -> None:
    executor = Scripted({"probs": TABLE})
    parts = (a_picture("a.png"), ImagePart(b"nothing", "image/png", "b.png"))

    with pytest.raises(UsageError, match=r"`b.png` is no picture"):
        ran("image_classification", a_job(executor, classifier(), *parts))
    assert executor.asked == []


def test_a_model_of_two_pictures_is_refused() -> None:
    package = classifier(image_input("left"), image_input("right"))

    with pytest.raises(UsageError, match="`coreml:Model` takes `left`, `right` together, and a picture alone"):
        ran("image_classification", a_job(Scripted({}), package, a_picture()))


def test_an_optional_input_may_be_left_out() -> None:
    package = classifier(image_input(), array_input("threshold", 1, optional=True))

    assert len(ran("image_classification", a_job(Scripted({"probs": TABLE}), package, a_picture()))) == 1


def test_a_model_with_states_gets_fresh_ones_for_every_picture() -> None:
    executor = Scripted({"probs": TABLE})
    package = classifier(states=(array_input("memory", 2),))

    ran("image_classification", a_job(executor, package, a_picture("a.png"), a_picture("b.png")))

    assert executor.states == [1, 2]
    assert executor.held == set()


def test_an_unknown_function_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="`coreml:Model` has no function `other`; it has `main`"):
        ran("image_classification", a_job(Scripted({}), classifier(), a_picture(), function="other"))


def vector(value: Any, roles: Roles | None = None, **options: Any) -> tuple[float, ...]:
    outputs = value if isinstance(value, dict) else {"out": value}
    job = a_job(Scripted(outputs), a_package(inputs=(image_input(),), roles=roles), a_picture(), **options)
    (event,) = ran("image_embedding", job)
    assert isinstance(event, VectorEvent)
    return event.values


MAP = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
TOKENS = np.arange(6, dtype=np.float32).reshape(1, 3, 2)


@pytest.mark.parametrize("shape", [(4,), (1, 4), (1, 4, 1, 1), (1, 1, 4)])
def test_a_vector_is_itself(shape: tuple[int, ...]) -> None:
    assert vector(np.array([1, 2, 3, 4], np.float16).reshape(shape)) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("value", "roles", "expected"),
    [
        (MAP, Roles(), (1.5, 5.5)),
        (MAP, Roles(pooling="mean", image=ImagePreparation(layout="nhwc")), (3, 4)),
        (MAP, Roles(pooling="first"), (0, 4)),
        (MAP, Roles(pooling="last"), (3, 7)),
        (MAP, Roles(pooling="none"), (0, 1, 2, 3, 4, 5, 6, 7)),
        (TOKENS, Roles(), (2, 3)),
        (TOKENS, Roles(pooling="first"), (0, 1)),
        (TOKENS[0], Roles(pooling="last"), (4, 5)),
    ],
)
def test_maps_and_tokens_are_pooled(value: Any, roles: Roles, expected: tuple[float, ...]) -> None:
    assert vector(value, roles) == expected


def test_the_output_that_was_asked_for_then_the_noted_one() -> None:
    outputs = {"a": np.array([1.0]), "b": np.array([2.0]), "c": np.array([3.0]), "label": "cat"}

    assert vector(outputs, Roles(outputs={"embedding": "b"})) == (2.0,)
    assert vector(outputs, Roles(outputs={"embedding": "b"}), output="c") == (3.0,)


@pytest.mark.parametrize(("options", "said"), [({}, "no output that is surely"), ({"output": "label"}, "no output `label`")])
def test_an_output_that_is_not_plain_is_asked_for(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=rf"`coreml:Model` has {said}.*its arrays are `a`, `b`") as refusal:
        vector({"a": np.array([1.0]), "b": np.array([2.0]), "label": "cat"}, **options)
    assert refusal.value.hint == "mmai run -O output=NAME"


def test_an_embedding_that_is_no_numbers_is_a_failure_of_the_model() -> None:
    with pytest.raises(ProviderError, match="values that are no numbers"):
        vector(np.array([1.0, np.nan]))
