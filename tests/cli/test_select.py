"""`mmai select`: the choice, its reasons, and what a pipe gets."""

import csv
import io

import pytest
from command import Mmai
from fakes.ollama import FakeOllama, usual_models
from fakes.wall import refused
from specification import SYSTEM


def test_a_pipe_gets_the_reference_alone(on: Mmai) -> None:
    result = on("select", "what is 2+2?")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert result.stdout.startswith("ollama:")


def test_a_named_provider_gets_the_name_it_knows(on: Mmai, ollama: FakeOllama) -> None:
    name = on("select", "--provider", "ollama", "what is 2+2?").stdout.strip()
    assert name in ollama.models


def test_select_and_run_agree(on: Mmai) -> None:
    for prompt in ("what is 2+2?", "write a haiku", "def f(x): fix this", "summarise: it rained. we left. it was late."):
        choice = on("select", prompt).stdout.strip()
        assert on("run", prompt, "--json").json["data"]["model"] == choice


def test_json_has_every_promised_field(on: Mmai) -> None:
    data = on("select", "--json", "prove that 2 is prime").json["data"]
    assert {"choice", "analysis", "candidates"} <= set(data)
    promised = {
        "task_type",
        "task_probabilities",
        "complexity",
        "domain",
        "required_capabilities",
        "modality",
        "context_tokens",
    }
    assert promised <= set(data["analysis"])
    best = data["candidates"][0]
    assert best["model"] == data["choice"]
    assert set(best["terms"]) == {"performance", "cost", "reliability", "capability"}
    assert {row["model"] for row in data["candidates"] if row["excluded"]} >= {"ollama:nomic-embed-text:latest"}


def test_explain_gives_weights_terms_and_every_exclusion(on: Mmai) -> None:
    text = on("select", "--explain", "prove that 2 is prime", "-o", "table").stdout
    for word in ("performance", "cost", "reliability", "capability", "0.40", "excluded", "ollama:nomic-embed-text"):
        assert word in text


@pytest.mark.parametrize("wording", ["list the key words of this text", "what are its key phrases?", "extract the topics"])
def test_key_phrases_need_no_real_model(mmai: Mmai, wording: str) -> None:
    assert (
        mmai("select", wording, stdin=b"Rivers carry sand to the sea. Sand banks shift with the tide. " * 4).stdout
        == "builtin:keywords\n"
    )


def test_what_nothing_built_in_extracts_is_not_pretended(mmai: Mmai) -> None:
    result = mmai("select", "extract all email addresses as JSON", stdin=b"Write to a@example.com or b@example.com. " * 4)
    assert (result.exit_code, result.stdout) == (3, "")


def test_the_baseline_is_never_chosen(mmai: Mmai) -> None:
    result = mmai("select", "--json", "summarise in two sentences", stdin=b"It rained. We left. The road was long. " * 9)
    assert result.json["data"]["choice"] == "builtin:textrank"
    assert next(row for row in result.json["data"]["candidates"] if row["model"] == "builtin:lead")["excluded"]


def test_local_only_keeps_what_runs_elsewhere_out(on: Mmai, ollama: FakeOllama) -> None:
    ollama.models = {"glm:cloud": ollama.add("glm:cloud", remote_host="https://ollama.com", described=True)}
    on("discover")
    assert on("select", "what is 2+2?").stdout == "ollama:glm:cloud\n"
    result = on("select", "--local-only", "what is 2+2?")
    assert result.exit_code == 3


def test_a_declared_model_that_was_never_pulled_is_not_chosen(on: Mmai, ollama: FakeOllama) -> None:
    ollama.models.clear()
    on.configure("backends:\n  ollama:\n    models: [gemma3:4b]\n")
    result = on("select", "what is 2+2?")
    assert result.exit_code == 3
    assert "mmai pull ollama:gemma3:4b" in result.stderr


def test_csv_has_a_row_for_each_candidate(on: Mmai) -> None:
    rows = list(csv.DictReader(io.StringIO(on("select", "-o", "csv", "what is 2+2?").stdout)))
    assert rows[0]["model"].startswith("ollama:")


def test_a_server_that_was_started_since_the_last_look_is_found(mmai: Mmai) -> None:
    mmai.configure("registry:\n  health_check_interval: 1ms\n")
    with refused() as url:
        mmai.env["OLLAMA_HOST"] = url
        assert mmai("select", "what is 2+2?").exit_code == 3
    with FakeOllama(*usual_models(), port=int(url.rpartition(":")[2])):
        assert mmai("select", "what is 2+2?").stdout.startswith("ollama:")


def test_the_specifications_own_settings_choose_and_run(on: Mmai) -> None:
    on.configure(SYSTEM)
    assert on("select", "what is 2+2?").stdout.startswith("ollama:")
    assert on("run", "what is 2+2?").exit_code == 0
    states = {row["name"]: row["state"] for row in on("discover", "--json").json["data"]["providers"]}
    assert states["ollama"] == "healthy"
    assert set(states) == {"builtin", "ollama", "coreml", "openai", "anthropic", "google"}
    assert states["openai"] == "unauthorized"


def test_explain_begins_with_two_sentences_and_json_has_them_and_their_figures(on: Mmai) -> None:
    text = on("select", "--explain", "prove that 2 is prime").stdout
    data = on("select", "prove that 2 is prime", "--json").json["data"]
    assert text.splitlines()[1] == data["why"]
    assert data["why"].startswith(f"`{data['choice']}` ")
    best = data["candidates"][0]
    assert best["quality"]["low"] <= best["expected_quality"] == best["quality"]["mean"] <= best["quality"]["high"]
    assert {"prior", "observations", "basis", "source"} <= set(best["quality"])


def test_why_not_tells_rank_reason_and_change(on: Mmai) -> None:
    ranked = on("select", "write a haiku", "--json").json["data"]["candidates"]
    last = [row["model"] for row in ranked if row["score"] is not None and not row["model"].startswith("builtin:")][-1]
    data = on("select", "write a haiku", "--why-not", last, "--json").json["data"]["why_not"]
    assert data["model"] == last
    assert data["rank"] > 1
    assert f"`{last}` is number {data['rank']}" in data["sentence"]
    assert on("select", "write a haiku", "--why-not", last).stdout == data["sentence"] + "\n"


def test_why_not_of_a_model_that_may_not_take_the_prompt_is_the_filter(on: Mmai) -> None:
    result = on("select", "write a haiku", "--why-not", "nomic-embed-text")
    assert result.exit_code == 0
    assert "`ollama:nomic-embed-text:latest` may not take this prompt: cannot do `text_generation`" in result.stdout


def test_why_not_of_nobody_is_a_usage_error(on: Mmai) -> None:
    result = on("select", "write a haiku", "--why-not", "nobody")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no model `nobody` is known here" in result.stderr


def test_pareto_draws_the_models_that_are_worth_their_price(on: Mmai) -> None:
    result = on("select", "write a haiku", "--pareto")
    data = on("select", "write a haiku", "--pareto", "--json").json["data"]
    assert result.exit_code == 0
    assert result.stdout.startswith("quality\n")
    assert data["pareto"]
    for ref in data["pareto"]:
        assert f"● {ref}" in result.stdout
    assert all(len(line) <= 100 for line in result.stdout.splitlines())


def test_limits_in_the_wording_count_only_when_that_is_asked(on: Mmai) -> None:
    prompt = "Name three rivers. Answer within 1 ms."
    assert on("select", prompt).exit_code == 0
    refused = on("select", prompt, "--infer-constraints", "--json")
    assert refused.exit_code in (0, 3)
    read = on("select", "Name three rivers. Keep it local.", "--infer-constraints", "--json").json["data"]["analysis"]
    assert (read["constraints"]["local_only"], read["inferred"]) == (True, {"local_only": "keep it local"})
    plain = on("select", "Name three rivers. Keep it local.", "--json").json["data"]["analysis"]
    assert (plain["constraints"]["local_only"], plain["inferred"]) == (False, {})
