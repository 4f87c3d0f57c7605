import pytest

from mmai.selection.features import features
from mmai.selection.inferred import CHEAP_USD, SOON_MS, infer


def limits(prompt: str) -> dict[str, float | bool]:
    return {field: value for field, (value, _) in infer(features(prompt)).items()}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Answer quickly: what is the capital of Peru?", {"max_latency_ms": SOON_MS}),
        ("I need a quick answer. Which port does ssh use?", {"max_latency_ms": SOON_MS}),
        ("Translate this to German as fast as possible", {"max_latency_ms": SOON_MS}),
        ("Antworte bitte schnell: was ist ein Quark?", {"max_latency_ms": SOON_MS}),
        ("Reply within 2 seconds. Is 91 prime?", {"max_latency_ms": 2_000}),
        ("Please answer in under 800 ms: 17*23", {"max_latency_ms": 800}),
        ("Summarise this with the cheapest model", {"max_cost_usd": CHEAP_USD}),
        ("Write a haiku, don't spend a lot", {"max_cost_usd": CHEAP_USD}),
        ("Explain TCP. Spend at most 2 cents.", {"max_cost_usd": 0.02}),
        ("This may cost up to $0.005: list ten birds", {"max_cost_usd": 0.005}),
        ("Keep this private. Proofread my resignation letter.", {"local_only": True}),
        ("Proofread this with a local model, be quick", {"local_only": True, "max_latency_ms": SOON_MS}),
    ],
)
def test_limits_are_read_from_what_is_said_of_the_answer(prompt: str, expected: dict[str, float | bool]) -> None:
    assert limits(prompt) == pytest.approx(expected)


@pytest.mark.parametrize(
    "prompt",
    [
        "Write a function that sorts a list quickly",
        "How can I fall asleep quickly?",
        "Which cheap hotels are there in Rome?",
        "The train covers 300 km in 2 hours. How fast is it?",
        "A shop sells pens for 20 cents. How many can I buy with 3 dollars?",
        "Explain how offline signatures work",
        "Choose the most expensive model and take your time",
        "What is a local maximum?",
    ],
)
def test_material_and_subject_are_no_limits(prompt: str) -> None:
    assert limits(prompt) == {}


def test_what_lies_in_the_middle_of_a_document_is_not_read() -> None:
    document = "A first line. A second line. " + "Something else. " * 20 + "Answer quickly. " + "Something else. " * 20
    assert limits(document) == {}


def test_the_words_a_limit_was_read_from_are_told() -> None:
    assert infer(features("Please ANSWER quickly, thanks"))["max_latency_ms"][1] == "answer quickly"
