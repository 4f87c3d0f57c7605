"""Models, providers, decisions and the status, as a person and as a script reads them."""

import json
from typing import Any

import pytest
from inline_snapshot import snapshot
from msgspec.structs import replace

from mmai.render.envelope import envelope
from mmai.render.models import discovery_data, discovery_table, model_data, model_table, parameters
from mmai.render.selection import explanation_table, normalised, selection_data, selection_table
from mmai.render.show import show
from mmai.render.status import Status, next_step, status_data, status_table
from mmai.values.budget import Spending
from mmai.values.decision import Candidate, Decision, Terms, Weights
from mmai.values.health import Health, Loaded, ProviderStatus
from mmai.values.model import FREE, ModelCard, Price, Profile
from mmai.values.output import Output
from mmai.values.registry import Slot
from mmai.values.task import TaskAnalysis, TaskType

OLLAMA = "http://127.0.0.1:11434"
QWEN = ModelCard(
    provider="ollama",
    name="qwen3:8b",
    endpoints=(OLLAMA,),
    locality="local",
    capabilities=("text_generation", "tools", "thinking"),
    context_tokens=40960,
    size_bytes=5_200_000_000,
    parameter_count=8_190_735_360,
    price=FREE,
    loaded=True,
)
LUNA = ModelCard(provider="openai", name="gpt-5.6-luna", endpoints=("https://api.openai.com/v1",), price=Price(0.25, 1.25))
LEAD = ModelCard(
    provider="builtin", name="lead", locality="embedded", tasks=(TaskType.SUMMARIZATION,), only_tasks=True, price=FREE
)
CARDS = (QWEN, LUNA, LEAD)
PROVIDERS = (
    ProviderStatus(provider="builtin", endpoint=None, health=Health(state="healthy", latency_ms=0.2), models=4),
    ProviderStatus(
        provider="ollama", endpoint=OLLAMA, health=Health(state="healthy", latency_ms=12.0, version="0.33.0"), models=1
    ),
    ProviderStatus(
        provider="ollama", endpoint="http://10.0.0.7:11434", health=Health(state="unreachable", reason="connection refused")
    ),
    ProviderStatus(
        provider="openai",
        endpoint="https://api.openai.com/v1",
        health=Health(state="unauthorized", reason="no key"),
        models=None,
    ),
)
DECISION = Decision(
    analysis=TaskAnalysis(
        task_type=TaskType.SUMMARIZATION,
        task_probabilities={"summarization": 0.92},
        complexity=0.2,
        required_capabilities=("text_generation", "json_schema"),
        context_tokens=812,
        output_tokens=120,
        language="English",
    ),
    weights=Weights(performance=4, cost=3, reliability=2, capability=1),
    ranked=(
        Candidate(
            card=QWEN,
            score=0.81,
            terms=Terms(performance=0.7, cost=1.0, reliability=0.9, capability=0.5),
            reasons={"performance": "41 tokens/s over 12 runs", "cost": "free: runs on this machine"},
            cost_usd=0.0,
            latency_ms=3400.0,
        ),
        Candidate(card=LUNA, score=0.77, terms=Terms(performance=0.8, cost=0.6, reliability=0.9, capability=0.8)),
    ),
    excluded=(Candidate(card=LEAD, excluded="it only summarizes", excluded_by="task"),),
)
LOADED = {
    "ollama:qwen3:8b": Loaded(
        name="qwen3:8b",
        size_bytes=5_600_000_000,
        vram_bytes=2_800_000_000,
        context_tokens=4096,
        expires_at="2026-11-22T20:00:00Z",
    )
}
SLOTS = {"summarization": Slot(active="ollama:qwen3:8b", previous="builtin:textrank", generation=3)}

CHOSEN = {
    TaskType.SUMMARIZATION: "ollama:llama3.2:3b",
    TaskType.MATH: "ollama:llama3.2:3b",
    TaskType.REASONING: "ollama:llama3.2:3b",
    TaskType.SPEECH_SYNTHESIS: None,
}


def through_json(data: Any) -> Any:
    return json.loads(envelope("x", data))["data"]


def test_discovery_shows_models_then_the_endpoints_with_something_wrong(pipe: Any) -> None:
    show(discovery_table(PROVIDERS, CARDS), Output.TABLE, pipe.terminal)
    assert pipe.text == snapshot("""\
model                             provider    where           size    context  capabilities                      price              health                           loaded
--------------------------------  ----------  ------------  ------  ---------  --------------------------------  -----------------  -------------------------------  --------
ollama:qwen3:8b                   ollama      this machine  5.2 GB        40k  text_generation, tools, thinking  free               healthy                          yes
openai:gpt-5.6-luna               openai      cloud              –    unknown  text_generation                   $0.25/$1.25 per M  unauthorized                     –
builtin:lead                      builtin     built in           –    unknown  text_generation                   free               healthy                          –
ollama@http://10.0.0.7:11434      ollama                                                                                            unreachable: connection refused
openai@https://api.openai.com/v1  openai                                                                                            unauthorized: no key
""")


def test_discovery_on_80_columns(a_screen: Any) -> None:
    screen = a_screen()
    show(discovery_table(PROVIDERS, CARDS), Output.TABLE, screen.terminal)
    assert screen.text == snapshot("""\
model                               size  context  health
────────────────────────────────────────────────────────────────────────────────
ollama:qwen3:8b                   5.2 GB      40k  healthy
openai:gpt-5.6-luna                    –  unknown  unauthorized
builtin:lead                           –  unknown  healthy
ollama@http://10.0.0.7:11434                       unreachable: connection
                                                   refused
openai@https://api.openai.com/v1                   unauthorized: no key

too narrow for provider, where, capabilities, price, loaded; `-o plain` shows
them
""")


def test_discovery_as_csv_has_numbers_and_no_words_for_unknown(pipe: Any) -> None:
    show(discovery_table(PROVIDERS, CARDS), Output.CSV, pipe.terminal)
    assert pipe.text == snapshot("""\
model,provider,where,size_bytes,context_tokens,capabilities,price,health,loaded\r
ollama:qwen3:8b,ollama,local,5200000000,40960,text_generation tools thinking,free,healthy,yes\r
openai:gpt-5.6-luna,openai,cloud,,,text_generation,$0.25/$1.25 per M,unauthorized,\r
builtin:lead,builtin,embedded,,,text_generation,free,healthy,\r
,ollama,,,,,,unreachable: connection refused,\r
,openai,,,,,,unauthorized: no key,\r
""")


def test_an_endpoint_that_answers_with_nothing_says_so(pipe: Any) -> None:
    empty = ProviderStatus(provider="ollama", endpoint=OLLAMA, health=Health(state="healthy"), models=0)
    show(discovery_table([empty], []), Output.CSV, pipe.terminal)
    assert pipe.text.splitlines()[1] == ",ollama,,,,,,healthy: no models,"


def test_a_model_at_two_endpoints_is_as_healthy_as_the_better_one() -> None:
    twice = ModelCard(provider="ollama", name="a", endpoints=("http://10.0.0.7:11434", OLLAMA))
    assert discovery_data(PROVIDERS, [twice])["models"][0]["health"] == "healthy"


def test_discovery_as_json_has_the_promised_keys() -> None:
    data = through_json(discovery_data(PROVIDERS, CARDS))
    assert data["providers"][2] == {
        "name": "ollama", "endpoint": "http://10.0.0.7:11434", "state": "unreachable", "reason": "connection refused",
        "ms": None, "models": None, "version": None,
    }  # fmt: skip
    luna = data["models"][1]
    assert luna["model"] == "openai:gpt-5.6-luna"
    assert luna["context_tokens"] is None
    assert luna["price"]["output_usd_per_mtok"] == 1.25
    assert luna["health"] == "unauthorized"


def test_a_model_is_shown_with_all_that_is_known(a_screen: Any) -> None:
    screen = a_screen()
    profile = Profile(ttft_ms=310.0, tokens_per_second=41.2, runs=12, failures=1)
    show(model_table(QWEN, providers=PROVIDERS, profile=profile), Output.TABLE, screen.terminal)
    assert screen.text == snapshot("""\
what            value
────────────────────────────────────────────────
model           ollama:qwen3:8b
where           this machine
endpoints       http://127.0.0.1:11434
health          healthy
loaded          yes
capabilities    text_generation, tools, thinking
inputs          text
good at         –
context         40k tokens
longest answer  unknown
size            5.2 GB
parameters      8.2B
quantization    –
family          –
price           free
first token     0.3 s
speed           41 tokens/s
cold start      unknown
measured over   12 runs, 1 failed
digest          –
""")
    assert model_data(QWEN, providers=PROVIDERS, profile=profile)["profile"]["runs"] == 12


@pytest.mark.parametrize(
    ("count", "text"), [(None, "unknown"), (8_190_735_360, "8.2B"), (270_000_000, "270M"), (70_000_000_000, "70B")]
)
def test_parameters(count: int | None, text: str) -> None:
    assert parameters(count) == text


def test_a_ranking_on_80_columns(a_screen: Any) -> None:
    screen = a_screen()
    show(selection_table(DECISION), Output.TABLE, screen.terminal)
    assert screen.text == snapshot("""\
summarization 0.92 · complexity 0.20 · needs json_schema · general · English ·
about 812 tokens in, 120 out

model                score  performance  cost  reliability  capability   charge
───────────────────────────────────────────────────────────────────────────────
ollama:qwen3:8b       0.81         0.70  1.00         0.90        0.50       $0
openai:gpt-5.6-luna   0.77         0.80  0.60         0.90        0.80  unknown

1 excluded; `mmai select --explain` says why
too narrow for time; `-o plain` shows them
""")


def test_an_explanation_gives_every_term_its_weight_and_reason(pipe: Any) -> None:
    show(explanation_table(DECISION), Output.TABLE, pipe.terminal)
    assert pipe.text == snapshot("""\
summarization 0.92 · complexity 0.20 · needs json_schema · general · English · about 812 tokens in, 120 out

model                term           value    weight    adds  why
-------------------  -----------  -------  --------  ------  ------------------------------
ollama:qwen3:8b      score           0.81                    expected: $0, 3.4 s
                     performance     0.70      0.40    0.28  41 tokens/s over 12 runs
                     cost            1.00      0.30    0.30  free: runs on this machine
                     reliability     0.90      0.20    0.18  –
                     capability      0.50      0.10    0.05  –
openai:gpt-5.6-luna  score           0.77                    expected cost and time unknown
                     performance     0.80      0.40    0.32  –
                     cost            0.60      0.30    0.18  –
                     reliability     0.90      0.20    0.18  –
                     capability      0.80      0.10    0.08  –
builtin:lead         excluded                                it only summarizes
""")


def test_what_the_terms_add_is_the_score() -> None:
    rows = [row for row in explanation_table(DECISION).cells if row[0].value == "ollama:qwen3:8b"]
    total, *terms = rows
    assert sum(float(row[4].value or 0) for row in terms) == pytest.approx(0.28 + 0.30 + 0.18 + 0.05)
    assert total[4].value == pytest.approx(sum(float(row[4].value or 0) for row in terms))


def test_a_decision_as_json_has_the_promised_keys() -> None:
    data = through_json(selection_data(DECISION))
    assert data["choice"] == "ollama:qwen3:8b"
    assert data["analysis"]["task_type"] == "summarization"
    assert data["analysis"]["constraints"]["local_only"] is False
    assert data["weights"] == {"performance": 0.4, "cost": 0.3, "reliability": 0.2, "capability": 0.1}
    assert [candidate["model"] for candidate in data["candidates"]] == [
        "ollama:qwen3:8b",
        "openai:gpt-5.6-luna",
        "builtin:lead",
    ]
    assert data["candidates"][2] == {
        "model": "builtin:lead", "score": None, "terms": None, "reasons": {}, "excluded": "it only summarizes", "excluded_by": "task",
        "cost_usd": None, "latency_ms": None, "expected_quality": None, "quality": None,
    }  # fmt: skip


def test_no_choice_is_null() -> None:
    nothing = Decision(analysis=DECISION.analysis, weights=Weights(), ranked=())
    assert selection_data(nothing)["choice"] is None


def test_weights_that_are_all_zero_stay_so() -> None:
    none = Weights(performance=0, cost=0, reliability=0, capability=0)
    assert normalised(none) == none


def test_the_status_on_80_columns(a_screen: Any) -> None:
    screen = a_screen()
    show(status_table(Status(providers=PROVIDERS, loaded=LOADED, slots=SLOTS, chosen=CHOSEN)), Output.TABLE, screen.terminal)
    assert screen.text == snapshot("""\
kind      name                              state         detail
────────────────────────────────────────────────────────────────────────────────
provider  builtin                           healthy       4 models
provider  ollama@http://127.0.0.1:11434     healthy       1 model, version
                                                          0.33.0, answered in 12
                                                          ms
provider  ollama@http://10.0.0.7:11434      unreachable   connection refused
provider  openai@https://api.openai.com/v1  unauthorized  no key
model     ollama:qwen3:8b                   loaded        5.6 GB, 50% on the
                                                          accelerator, context
                                                          4k, until
                                                          2026-11-22T20:00:00Z
task      summarization                     active        ollama:qwen3:8b,
                                                          before it
                                                          builtin:textrank
tasks     ollama:llama3.2:3b                automatic     math, reasoning
tasks     –                                 no model      speech_synthesis
""")


def test_the_status_as_json() -> None:
    data = through_json(status_data(Status(providers=PROVIDERS, loaded=LOADED, slots=SLOTS, chosen=CHOSEN, next_step="`x`")))
    assert data["active"] == [
        {"task": "summarization", "model": "ollama:qwen3:8b", "generation": 3},
        {"task": "math", "model": "ollama:llama3.2:3b", "generation": None},
        {"task": "reasoning", "model": "ollama:llama3.2:3b", "generation": None},
        {"task": "speech_synthesis", "model": None, "generation": None},
    ]
    assert data["loaded"][0]["vram_bytes"] == 2_800_000_000
    assert data["next"] == "`x`"


@pytest.mark.parametrize(
    ("provider", "state", "models", "command"),
    [
        ("ollama", "healthy", 3, None),
        ("ollama", "healthy", 0, "`mmai pull"),
        ("ollama", "unreachable", None, "`ollama serve`"),
        ("openai", "unauthorized", None, "`mmai keys set openai`"),
        ("vllm", "unreachable", None, "`mmai config init`"),
    ],
)
def test_the_next_step_is_a_command_for_the_state_of_things(
    provider: str, state: Any, models: int | None, command: str | None
) -> None:
    built_in = ProviderStatus(provider="builtin", endpoint=None, health=Health(state="healthy"), models=4)
    step = next_step(
        [built_in, ProviderStatus(provider=provider, endpoint="http://x", health=Health(state=state), models=models)]
    )
    assert step is None if command is None else step is not None and step.startswith(command)


def test_a_budget_is_shown_with_what_is_spent() -> None:
    budget = (
        Spending(period="daily", limit_usd=5.0, spent_usd=5.5),
        Spending(period="monthly", limit_usd=50.0, spent_usd=5.5),
    )
    seen = Status(providers=(), loaded={}, slots={}, chosen={}, budget=budget)
    rows = [[cell.shown for cell in row] for row in status_table(seen).cells]
    assert rows == [
        ["budget", "today", "spent", "$5.50 of $5.00 spent"],
        ["budget", "this month", "within", "$5.50 of $50.00 spent"],
    ]
    assert through_json(status_data(seen))["budget"][0] == {
        "period": "daily",
        "limit_usd": 5.0,
        "spent_usd": 5.5,
        "left_usd": 0.0,
    }


def test_a_price_says_where_it_was_read() -> None:
    price = Price(1.25, 10.0, source="https://example.org", read_on="2026-11-22", reason="as for `openai:gpt-5`")
    shown = {row[0].shown: row[1].shown for row in model_table(replace(LUNA, price=price), providers=(), profile=None).cells}
    assert shown["price"] == "$1.25/$10.00 per M"
    assert (shown["price from"], shown["price as"]) == ("https://example.org, read on 2026-11-22", "as for `openai:gpt-5`")
    own = {row[0].shown for row in model_table(LUNA, providers=(), profile=None).cells}
    assert own.isdisjoint({"price from", "price as", "further prices"})
