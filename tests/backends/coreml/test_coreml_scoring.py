"""Scores of classifiers, of every form Core ML gives them in, as classes by name."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.coreml.tasks.scoring import classify, ranked
from mmai.errors import CannotRun, ProviderError
from mmai.values.event import Label
from mmai.values.package import Function, Package, Roles

CATS = ("cat", "dog", "owl")


def a_classifier(**roles: object) -> Package:
    return Package(
        path="/m/x.mlmodel",
        format="mlmodel",
        type="neuralNetwork",
        spec_version=4,
        functions=(Function(name="main"),),
        roles=Roles(task="image_classification", **roles),  # type: ignore[arg-type]
    )


def probabilities(found: tuple[Label, ...]) -> dict[str, float | None]:
    return {label.name: label.probability and round(label.probability, 4) for label in found}


def test_logits_are_made_probabilities_together() -> None:
    found = ranked(np.array([[0.0, math.log(3), 0.0]], dtype=np.float16), CATS, "logits", 2)
    assert probabilities(found) == {"dog": 0.6, "cat": 0.2}


def test_sigmoid_scores_stand_each_for_itself() -> None:
    found = ranked(np.array([0.0, 2000.0, -2000.0]), CATS, "sigmoid", 3)
    assert probabilities(found) == {"dog": 1.0, "cat": 0.5, "owl": 0.0}


def test_probabilities_are_left_as_they_are_and_held_within_0_and_1() -> None:
    assert probabilities(ranked(np.array([0.2, 1.0001, -1e-6]), CATS, "probabilities", 3)) == {"dog": 1, "cat": 0.2, "owl": 0}


def test_what_sums_to_one_is_taken_for_probabilities_where_nobody_says() -> None:
    assert probabilities(ranked(np.array([0.2, 0.7, 0.1]), CATS, None, 1)) == {"dog": 0.7}


def test_anything_else_is_taken_for_logits() -> None:
    assert probabilities(ranked(np.array([5.0, 0.0, 0.0]), CATS, None, 1)) == {"cat": 0.9867}


def test_equal_scores_keep_their_order() -> None:
    assert [label.name for label in ranked(np.zeros(3), CATS, "logits", 3)] == ["cat", "dog", "owl"]


def test_without_labels_a_class_is_called_by_its_number() -> None:
    assert ranked(np.array([0.0, 1.0]), (), "probabilities", 1) == (Label("class 1", 1.0),)


def test_one_score_is_that_of_the_second_of_two_classes() -> None:
    found = ranked(np.array([[math.log(3)]]), ("negative", "positive"), "logits", 5)
    assert probabilities(found) == {"positive": 0.75, "negative": 0.25}


def test_one_score_alone_is_no_certainty() -> None:
    assert probabilities(ranked(np.array([-math.log(3)]), (), None, 5)) == {"class 0": 0.25}


def test_a_dictionary_brings_its_own_names() -> None:
    assert ranked({"cat": 0.25, "dog": 0.75}, (), None, 1) == (Label("dog", 0.75),)


def test_classes_of_a_dictionary_need_not_exclude_each_other() -> None:
    assert ranked({"cat": 0.9, "pet": 0.95}, (), None, None) == (Label("pet", 0.95), Label("cat", 0.9))


def test_a_dictionary_of_logits_is_made_probabilities() -> None:
    assert probabilities(ranked({"cat": 0.0, "pet": math.log(3)}, (), None, None)) == {"pet": 0.75, "cat": 0.25}


def test_classes_that_are_numbers_are_looked_up_among_the_labels() -> None:
    assert ranked({0: 0.25, 7: 0.75}, CATS, "probabilities", 2) == (Label("7", 0.75), Label("cat", 0.25))


def test_more_labels_than_scores_are_refused_with_both_counts() -> None:
    with pytest.raises(CannotRun, match="gives 2 scores, and 3 labels are named"):
        ranked(np.zeros(2), CATS, "logits", 5)


def test_scores_for_every_token_are_no_row() -> None:
    with pytest.raises(CannotRun, match="of shape 1 x 16 x 3"):
        ranked(np.zeros((1, 16, 3)), CATS, "logits", 5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_a_failure_of_the_model(bad: float) -> None:
    with pytest.raises(ProviderError, match="no numbers"):
        ranked(np.array([0.0, bad, 0.0]), CATS, "logits", 5)


def test_the_output_of_the_roles_is_read() -> None:
    model = a_classifier(outputs={"scores": "out", "label": "best"}, labels=CATS, scores="logits")
    found = classify({"best": "owl", "out": np.array([0.0, 0.0, 9.0]), "other": np.zeros(5)}, model, top_k=1)
    assert [label.name for label in found] == ["owl"]


def test_a_model_that_gives_its_label_alone_has_no_probability_of_it() -> None:
    assert classify({"best": "owl"}, a_classifier(outputs={"label": "best"}), top_k=5) == (Label("owl"),)


def test_without_a_role_the_only_table_or_the_only_row_is_read() -> None:
    assert classify({"a": {"cat": 1.0}, "b": np.zeros(3)}, a_classifier(), top_k=None) == (Label("cat", 1.0),)
    assert classify({"a": np.array([0.0, 1.0])}, a_classifier(), top_k=1) == (Label("class 1", 1.0),)
    with pytest.raises(CannotRun, match="the model gives `a`, `b`"):
        classify({"a": np.zeros(3), "b": np.zeros(3)}, a_classifier(), top_k=1)


def test_without_a_role_for_any_output_the_model_cannot_be_run() -> None:
    with pytest.raises(CannotRun, match="which output holds the scores; the model gives `a`, `b`"):
        classify({"a": "x", "b": "y"}, a_classifier(), top_k=5)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=50), st.sampled_from(["logits", "sigmoid", None]))
def test_probabilities_lie_between_0_and_1_and_fall(row: list[float], kind: str | None) -> None:
    found = [label.probability for label in ranked(np.array(row), (), kind, len(row))]
    values = [value for value in found if value is not None]
    assert len(values) == len(row)
    assert all(0 <= value <= 1 for value in values)
    assert values == sorted(values, reverse=True)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=50))
def test_probabilities_of_logits_sum_to_one(row: list[float]) -> None:
    assert sum(label.probability or 0 for label in ranked(np.array(row), (), "logits", len(row))) == pytest.approx(1)
