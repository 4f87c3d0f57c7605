"""What calls cost, and what keeps them from costing more, through the real command and a fake OpenAI."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from command import Mmai, Result
from fakes.openai import FakeOpenAI

LUNA = "openai:gpt-5.6-luna"
"""$0.20 for a million tokens in, $0.02 cached, $1.20 out; twice that and $1.80 above 272,000."""


@pytest.fixture
def hosted(mmai: Mmai, openai: FakeOpenAI) -> Mmai:
    """The command with a key for a fake OpenAI."""
    mmai.env |= {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": openai.base_url}
    return mmai


Run = Callable[..., Result]


@pytest.fixture
def run(hosted: Mmai, openai: FakeOpenAI) -> Run:
    """One run of Luna that uses so many tokens."""

    def run(*args: str, tokens: tuple[int, int] = (1000, 100), **told: Any) -> Result:
        openai.streams("Hello", usage=tokens, times=1, **told)
        return hosted("run", "hi", "-m", LUNA, *args)

    return run


def test_a_run_costs_what_its_tokens_do(run: Run) -> None:
    result = run("--json", tokens=(1000, 100), cached_tokens=400, reasoning_tokens=60)
    assert result.json["data"]["cost_usd"] == pytest.approx((600 * 0.2 + 400 * 0.02 + 100 * 1.2) / 1e6)
    assert run("-u").stderr.startswith("1000 in, 100 out · $0.00032 · ")


def test_a_long_run_costs_the_tier_of_long_ones(run: Run) -> None:
    assert run("--json", tokens=(300_000, 100)).json["data"]["cost_usd"] == pytest.approx((300_000 * 0.4 + 100 * 1.8) / 1e6)


def test_a_stream_that_was_cut_is_estimated_and_marked(hosted: Mmai, openai: FakeOpenAI) -> None:
    openai.streams("Hello there", done=False)
    result = hosted("run", "hi", "-m", LUNA, "-u")
    assert result.exit_code == 9
    assert "~5 in, ~2 out · ~$0.0000034" in result.stderr


def test_a_cost_that_could_be_above_the_limit_is_refused_before_sending(hosted: Mmai, openai: FakeOpenAI) -> None:
    result = hosted("run", "hi", "-m", LUNA, "--max-cost", "0.01")
    assert (result.exit_code, result.stdout) == (11, "")
    assert "may cost $0.1536 if it answers with 128000 tokens, above $0.01" in result.stderr
    assert openai.journal.requests == []


def test_an_automatic_choice_that_money_alone_prevents_is_refused_alike(hosted: Mmai, openai: FakeOpenAI) -> None:
    hosted("discover")
    for command in ("run", "select"):
        result = hosted(command, "hi", "--provider", "openai", "--max-cost", "0.00001")
        assert result.exit_code == 11
        assert "no model keeps to `--max-cost`" in result.stderr
    assert not any(seen.path.endswith(("completions", "responses")) for seen in openai.journal.requests)


def test_a_fallback_is_held_to_the_limit_too(hosted: Mmai) -> None:
    result = hosted("run", "summarise", "--fallback", LUNA, "--max-cost", "0.01", stdin=b"Bees make honey. Bees live in hives.")
    assert result.exit_code == 11
    assert LUNA in result.stderr


def test_a_budget_warns_and_then_refuses(hosted: Mmai, openai: FakeOpenAI, run: Run) -> None:
    hosted.configure("budget: {daily_usd: 0.01, monthly_usd: 5}\n")
    assert run(tokens=(1000, 6500)).stderr == ""  # $0.008, which is 0.8 of the day
    warned = run(tokens=(10, 1500))
    assert (warned.exit_code, warned.stderr) == (0, "warning: $0.008 of the daily budget of $0.01 is spent\n")
    asked = len(openai.journal.requests)
    refused = hosted("run", "write a long story", "-m", LUNA)
    assert refused.exit_code == 11
    assert "$0.000198 is left of the daily budget of $0.01 ($0.009802 spent)" in refused.stderr
    assert refused.stderr.endswith("hint: mmai config edit\n")
    assert len(openai.journal.requests) == asked


def test_a_choice_leaves_out_what_the_budget_no_longer_allows(hosted: Mmai, run: Run) -> None:
    hosted("discover")
    hosted.configure("budget: {monthly_usd: 0.0003}\n")
    run(tokens=(1000, 80))
    explained = hosted("select", "hi", "--provider", "openai", "--json")
    assert explained.exit_code == 11
    assert "no model keeps to the budget" in explained.json["error"]["message"]
    local = hosted("select", "summarise this", "--json", stdin=b"Bees make honey.")
    excluded = {each["model"]: each["excluded_by"] for each in local.json["data"]["candidates"]}
    assert excluded[LUNA] == "budget"


def test_free_models_run_whatever_is_spent(hosted: Mmai, run: Run) -> None:
    hosted.configure("budget: {daily_usd: 0.0001}\n")
    run(tokens=(0, 1000))
    result = hosted("run", "summarise", "-m", "builtin:textrank", stdin=b"Bees make honey. Bees live in hives.")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_model_of_unknown_price_runs_with_a_word(hosted: Mmai, openai: FakeOpenAI) -> None:
    hosted.configure("budget: {daily_usd: 0.0001}\n")
    openai.add("gpt-7")
    openai.streams("Hello")
    result = hosted("run", "hi", "-m", "openai:gpt-7")
    assert (result.exit_code, result.stdout) == (0, "Hello\n")
    assert result.stderr == "warning: the budget cannot see what `openai:gpt-7` costs: its price for this is not known\n"


def test_runs_that_are_not_logged_are_not_counted(hosted: Mmai, run: Run) -> None:
    hosted.configure("budget: {daily_usd: 0.001}\n")
    run("--no-log", tokens=(1000, 5000))
    assert run().exit_code == 0


def test_a_history_that_cannot_be_read_is_one_warning_and_the_run_goes_on(hosted: Mmai, run: Run) -> None:
    hosted.configure("budget: {daily_usd: 0.001}\n")
    (hosted.home / "mmai" / "history.db").mkdir()
    result = run()
    assert result.exit_code == 0
    assert result.stderr.count("warning:") == 1
    assert "no budget is held" in result.stderr


def test_the_status_says_what_is_spent(hosted: Mmai, run: Run) -> None:
    assert hosted("status", "--json").json["data"]["budget"] == []
    hosted.configure("budget: {daily_usd: 0.001}\n")
    run()
    (today,) = hosted("status", "--json").json["data"]["budget"]
    assert today == {
        "period": "daily",
        "limit_usd": 0.001,
        "spent_usd": pytest.approx(0.00032),
        "left_usd": pytest.approx(0.00068),
    }


def test_a_project_file_cannot_set_a_budget_or_prices(hosted: Mmai) -> None:
    for text in ("budget: {daily_usd: 1000}\n", "registry: {price_file: /tmp/prices.json}\n"):
        (hosted.home / "mmai.yaml").write_text(text)
        result = hosted("status")
        assert result.exit_code == 2
        assert "is not taken from a project file" in result.stderr


def test_a_relative_price_file_is_refused(hosted: Mmai) -> None:
    hosted.configure("registry: {price_file: prices.json}\n")
    assert "`prices.json` is not an absolute path, or one under `~`" in hosted("status").stderr


def test_a_price_file_under_home_is_what_a_run_is_charged_by(hosted: Mmai, run: Run) -> None:
    hosted.configure("registry: {price_file: ~/prices.json}\n")
    row = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}
    (hosted.home / "prices.json").write_text(json.dumps({"gpt-5.6-luna": row}))
    assert run("--json", tokens=(1000, 100)).json["data"]["cost_usd"] == pytest.approx(0.0012)
    assert f"{hosted.home}/prices.json" in hosted("models", "show", LUNA, "-o", "csv").stdout


def test_a_broken_price_file_is_one_warning_and_the_run_goes_on(hosted: Mmai, run: Run) -> None:
    hosted.configure("registry: {price_file: ~/prices.json}\n")
    (hosted.home / "prices.json").write_text("{")
    result = run("--json")
    assert result.json["data"]["cost_usd"] == pytest.approx(0.00032)
    (warning,) = result.json["warnings"]
    assert warning.startswith(f"prices in `{hosted.home}/prices.json` are not used: ")


def test_a_retired_model_still_runs_when_it_is_configured_and_says_so_once(hosted: Mmai, openai: FakeOpenAI) -> None:
    hosted.configure("backends: {openai: {models: [gpt-4-turbo]}}\n")
    openai.add("gpt-4-turbo")
    openai.streams("Hello", usage=(1000, 100))
    result = hosted("run", "hi", "-m", "gpt-4-turbo", "-u")
    warning, usage = result.stderr.splitlines()
    assert warning == "warning: `openai:gpt-4-turbo` is deprecated: retired on 2026-10-23"
    assert usage.startswith("1000 in, 100 out · $0.013 · ")


def test_stale_facts_are_listed_with_deprecated_models(hosted: Mmai) -> None:
    hosted.configure("registry: {price_file: ~/prices.yaml}\nbackends: {openai: {models: [{name: own, deprecated: soon}]}}\n")
    (hosted.home / "prices.yaml").write_text(
        "models:\n"
        "  openai:gpt-6-luna: {price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}, read_on: 2020-01-01}\n"
        "  elsewhere:model: {read_on: 2020-01-01}\n"
    )
    result = hosted("models", "--stale", "--json")
    rows = {row["model"]: row for row in result.json["data"]["models"]}
    assert rows["openai:gpt-6-luna"] == {
        "model": "openai:gpt-6-luna",
        "deprecated": None,
        "read_on": "2020-01-01",
        "source": f"{hosted.home}/prices.yaml",
    }
    assert rows["openai:dall-e-3"]["deprecated"] == "2026-05-12"
    assert rows["openai:own"]["deprecated"] == "soon"
    assert "anthropic:claude-3-opus" in rows
    assert rows.keys().isdisjoint({"elsewhere:model", "mistral:labs-leanstral-1-5", "openai:whisper-2"})


def test_stale_lists_come_in_every_form(hosted: Mmai) -> None:
    lines = hosted("models", "list", "--stale", "--provider", "anthropic", "-o", "csv").stdout.splitlines()
    assert lines[0] == "model,deprecated,read_on,source"
    source = "https://platform.claude.com/docs/en/about-claude/model-deprecations"
    assert f"anthropic:claude-3-opus,2026-01-05,2026-11-22,{source}" in lines
    assert all(line.startswith("anthropic:") for line in lines[1:])
