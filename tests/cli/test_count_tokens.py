"""`mmai run --count-tokens`: counts and prices, and no answer."""

import sys

import pytest
from command import Mmai
from fakes.anthropic import FakeAnthropic, error_body
from fakes.ollama import FakeOllama

PRICED = """
backends:
  anthropic:
    models:
      - name: claude-opus-5-5
        cost_per_token: 0.000004
        max_output_tokens: 1000
  acme:
    kind: anthropic
    endpoints: ["URL"]
"""
CLAUDE = ("run", "-m", "anthropic:claude-opus-5-5", "--count-tokens")


@pytest.fixture
def beside(mmai: Mmai, anthropic: FakeAnthropic) -> Mmai:
    """The command beside a fake Anthropic, with a price for one of its models and the same server under an unknown name."""
    mmai.env["ANTHROPIC_BASE_URL"] = anthropic.url
    mmai.configure(PRICED.replace("URL", anthropic.url))
    anthropic.counted = 500
    return mmai


def test_a_provider_that_counts_is_exact_and_priced(beside: Mmai, anthropic: FakeAnthropic) -> None:
    result = beside(*CLAUDE, "--max-tokens", "100", "hi")
    assert result == (0, "500 tokens · input $0.002 · at most $0.0024 · anthropic:claude-opus-5-5\n", "")
    assert anthropic.journal.paths == ["POST /v1/messages/count_tokens"]


def test_json_has_every_promised_field(beside: Mmai) -> None:
    result = beside(*CLAUDE, "--json", "--max-tokens", "100", "hi")
    assert result.json["command"] == "run"
    assert result.json["data"] == {
        "model": "anthropic:claude-opus-5-5",
        "input_tokens": 500,
        "estimated": False,
        "input_cost_usd": pytest.approx(0.002),
        "worst_cost_usd": pytest.approx(0.0024),
    }


def test_the_longest_answer_is_the_models_own_where_none_is_asked_for(beside: Mmai) -> None:
    assert beside(*CLAUDE, "--json", "hi").json["data"]["worst_cost_usd"] == pytest.approx(0.006)


def test_a_price_nobody_knows_is_unknown(beside: Mmai) -> None:
    result = beside("run", "-m", "acme:claude-haiku-4-5", "--count-tokens", "hi")
    assert result.stdout == "500 tokens · input unknown · at most unknown · acme:claude-haiku-4-5\n"


def test_a_provider_that_does_not_count_is_estimated(on: Mmai, ollama: FakeOllama) -> None:
    result = on("run", "-m", "ollama:llama3.2:3b", "--count-tokens", "why is the sky blue?")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("~")
    assert result.stdout.endswith(" · ollama:llama3.2:3b\n")
    assert ollama.journal.paths == []


def test_an_automatic_choice_is_counted_for_what_it_chose(mmai: Mmai) -> None:
    result = mmai("run", "--count-tokens", "--local-only", "--json", "Summarise: The cat sat on the mat. It was warm.")
    data = result.json["data"]
    assert data["model"].startswith("builtin:")
    assert (data["estimated"], data["input_cost_usd"], data["worst_cost_usd"]) == (True, 0.0, 0.0)


def test_a_refusal_is_the_providers_own(beside: Mmai, anthropic: FakeAnthropic) -> None:
    anthropic.answers(401, error_body("authentication_error", "invalid x-api-key"), path="/v1/messages/count_tokens")
    result = beside(*CLAUDE, "hi", env={"ANTHROPIC_API_KEY": "sk-ant-secret-key"})
    assert (result.exit_code, result.stdout) == (4, "")
    assert "invalid x-api-key" in result.stderr
    assert "secret" not in result.stderr


def test_nothing_is_left_in_the_history(beside: Mmai) -> None:
    beside(*CLAUDE, "hi")
    assert not [path for path in beside.home.rglob("history.db*") if path.is_file()]


def test_the_sdk_is_imported_for_counting_alone(beside: Mmai) -> None:
    beside.command = [sys.executable, "-X", "importtime", "-m", "mmai"]
    counting, asking = (beside(*args, "hi").stderr.split() for args in (CLAUDE, CLAUDE[:-1]))
    assert "anthropic._client" in counting
    assert not {"anthropic", "openai", "google.genai", "httpx", "httpx2", "pydantic", "numpy", "rich", "jmespath"} & set(asking)
    assert "mmai.dialects.anthropic" in asking
