"""The tools that make the shipped tables, on a few examples of their own."""

import json
from pathlib import Path

import pytest

from mmai.selection.classifier import Classifier
from mmai.selection.features import features
from mmai.selection.grams import bins, grams
from tools.abilities import Score
from tools.abilities import encoded as abilities_encoded
from tools.examples import Example, collection, examples
from tools.fit import design
from tools.train import encoded, trained

TYPED = {
    "CodeGeneration": ["write a python function", "fix this code", "debug the loop", "a regex for dates", "implement a stack"],
    "Translation": [
        "translate this to french",
        "into german please",
        "say it in spanish",
        "the polish for bread",
        "to english",
    ],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    routing = tmp_path / "routing"
    routing.mkdir()
    files: dict[str, list[dict[str, object]]] = {
        "tasktype": [
            {"prompt": prompt, "task_type": task, "source": f"s{at}"}
            for task, each in TYPED.items()
            for at, prompt in enumerate(each)
        ],
        "domain": [
            {"prompt": "what is a court", "domain": "law", "source": "d"},
            {"prompt": "ohm's law", "domain": "engineering", "source": "d"},
        ],
        "llmrouter9": [
            {"prompt": f"question {at}", "task": "gsm8k", "scores": dict.fromkeys(MODELS, at % 2)} for at in range(4)
        ],
        "routellm_mmlu": [
            {"prompt": f"exam {at}", "subject": "anatomy", "strong_correct": 1, "weak_correct": at % 2} for at in range(4)
        ],
        "routellm_gsm8k": [{"prompt": f"sum {at}", "strong_correct": 1, "weak_correct": at % 2} for at in range(4)],
    }
    for name, rows in files.items():
        (routing / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


MODELS = (
    "llama-3.1-nemotron-51b-instruct", "llama-3.3-nemotron-super-49b-v1", "mistral-7b-instruct-v0.3", "codegemma-7b", "gemma-2-9b-it",
    "llama-3.1-8b-instruct", "qwen2.5-7b-instruct",
)  # fmt: skip


def read(data: Path) -> list[Example]:
    return examples(data, written=data)


def test_training_twice_gives_the_same_bytes(data: Path) -> None:
    once, again = (encoded(trained(read(data), design([features(row.prompt) for row in read(data)]))) for _ in range(2))
    assert once == again


def test_what_was_learned_is_read_back_by_the_classifier(data: Path) -> None:
    rows = read(data)
    classifier = Classifier.parse(encoded(trained(rows, design([features(row.prompt) for row in rows]))))
    for task, prompts in TYPED.items():
        for prompt in prompts:
            seen = features(prompt)
            logits = classifier.read(tuple(grams(seen)), bins(seen)).tasks
            assert max(logits, key=lambda name: logits[name]).replace("_", "") == task.lower()


def test_complexity_is_what_a_strong_model_gains(data: Path) -> None:
    gained = {row.prompt: row.complexity for row in read(data) if row.source == "RouteLLM/mmlu"}
    assert gained["exam 0"] == gained["exam 2"]
    assert (gained["exam 0"] or 0) > (gained["exam 1"] or 0)


def test_kin_is_left_out_together() -> None:
    assert collection("LLMRouter/nine/gsm8k") == collection("RouteLLM/gsm8k") == collection("gsm8k-train")
    assert collection("LLMRouter/nine/trivia_qa") == collection("LLMRouter/trivia_qa")
    assert collection("mmai/everyday/office") == "mmai/everyday"


def test_a_model_that_scores_higher_everywhere_is_more_able() -> None:
    scores = [
        Score(model, "WildBench", "code", quality, "a source")
        for model, quality in (("llama-3-8b", 0.4), ("llama-3-70b", 0.6), ("deepseek-v3", 0.7), ("deepseek-v2-chat-0628", 0.6))
    ]
    models = json.loads(abilities_encoded(scores))["models"]
    assert models["llama370b"]["abilities"][4] > models["llama38b"]["abilities"][4]
    assert models["llama370b"]["source"] == "a source"
