"""Classes and vectors of pictures, from whatever a model gives."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.scripted import Scripted, a_job, a_package, array_input, image_input, ran
from packages.shipped import color_png

from mmai.backends.coreml.tasks.scores import ranked
from mmai.errors import CannotRun, InvalidRequest, ProviderError, UsageError
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
    with pytest.raises(InvalidRequest, match=r"`top_k` is a whole number of at least 1"):
        classes({"probs": TABLE}, top_k=count)


def test_an_array_that_sums_to_one_is_probabilities() -> None:
    found = classes({"out": np.array([[0.25, 0.75]], np.float32)}, labels=("cat", "dog"))

    assert found == (Label("dog", 0.75), Label("cat", 0.25))


@pytest.mark.parametrize("shape", [(1, 3), (3,), (1, 3, 1, 1), (1, 1, 3)])
def test_any_other_array_is_logits_whatever_its_shape(shape: tuple[int, ...]) -> None:
    found = classes({"out": np.array([0.0, np.log(2), np.log(5)], np.float32).reshape(shape)})

    assert [label.name for label in found] == ["class 2", "class 1", "class 0"]
    assert [label.probability for label in found] == pytest.approx([5 / 8, 2 / 8, 1 / 8])


def test_what_was_noted_of_scores_outweighs_what_they_look_like() -> None:
    values = {"out": np.array([[0.25, 0.75]], np.float32)}

    assert classes(values, roles=Roles(scores="logits"))[0].probability == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert classes(values, roles=Roles(scores="sigmoid"))[0].probability == pytest.approx(1 / (1 + np.exp(-0.75)))


def test_classes_of_a_table_need_not_exclude_each_other() -> None:
    assert classes({"probs": {"cat": 0.9, "pet": 0.95}}) == (Label("pet", 0.95), Label("cat", 0.9))


def test_a_table_of_logits_is_made_probabilities() -> None:
    assert sum(label.probability for label in classes({"probs": {"cat": -3.0, "pet": 12.0}})) == pytest.approx(1)


def test_one_number_for_two_classes_is_the_probability_of_the_second() -> None:
    assert classes({"out": np.array([[0.75]])}, labels=("no", "yes")) == (Label("yes", 0.75), Label("no", 0.25))


def test_one_logit_for_two_classes() -> None:
    (first, second) = classes({"out": np.array([[-20.0]])}, labels=("no", "yes"))

    assert (first.name, second.name) == ("no", "yes")
    assert first.probability == pytest.approx(1.0)


def test_names_come_from_the_package_then_the_roles_then_numbers() -> None:
    scores = {"out": np.array([1.0, 0.0])}

    assert classes(scores, labels=("a", "b"), roles=Roles(labels=("x", "y")))[0].name == "a"
    assert classes(scores, roles=Roles(labels=("x",)))[0].name == "x"
    assert classes(scores)[0].name == "class 0"


def test_whole_numbers_of_a_table_are_names() -> None:
    assert classes({"probs": {7: 0.9, 3: 0.1}})[0] == Label("7", 0.9)


def test_a_model_that_tells_no_more_than_the_class() -> None:
    assert classes({"label": "cat"}, roles=Roles(outputs={"label": "label"})) == (Label("cat"),)


def test_the_noted_output_is_taken_of_several() -> None:
    outputs = {"aux": np.array([1.0, 0.0]), "main": np.array([0.0, 1.0])}

    assert classes(outputs, roles=Roles(outputs={"scores": "main"}))[0].name == "class 1"
    with pytest.raises(CannotRun, match="none of the outputs of `coreml:Model` is known to hold classes: aux, main"):
        classes(outputs)


@pytest.mark.parametrize(("bad", "said"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_scores_that_are_no_numbers_are_a_failure_of_the_model(bad: float, said: str) -> None:
    with pytest.raises(ProviderError, match=f"the scores in its output `out` are no numbers: there is {said} among them"):
        classes({"out": np.array([[0.5, bad]], np.float16)})


def test_a_map_is_no_list_of_scores() -> None:
    with pytest.raises(CannotRun, match=r"the output `out` has the shape \[1, 5, 7, 7\]"):
        classes({"out": np.zeros((1, 5, 7, 7))})


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


def test_an_unknown_function_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="`coreml:Model` has no function `other`, but `main`"):
        ran("image_classification", a_job(Scripted({}), classifier(), a_picture(), function="other"))


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20), st.sampled_from([None, "logits", "sigmoid", "probabilities"]))
def test_probabilities_are_within_0_and_1_and_sorted(values: list[float], kind: Any) -> None:
    found = [label.probability for label in ranked(np.array(values), output="out", kind=kind, names=())]

    assert all(each is not None and 0 <= each <= 1 for each in found)
    assert found == sorted(found, key=lambda each: -(each or 0))


@given(st.integers(2, 50))
def test_equal_classes_keep_their_order(count: int) -> None:
    found = ranked(np.zeros(count), output="out", kind="logits", names=())

    assert [label.name for label in found] == [f"class {index}" for index in range(count)]


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
