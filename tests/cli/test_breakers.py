"""What one run learned of a server, the next one knows: who is left alone, who is called instead, and how a server comes back."""

import json
from collections.abc import Iterator

import pytest
from command import Mmai
from fakes.ollama import FakeOllama, usual_models
from fakes.wall import CLOSE, SILENCE, Gate, refused, whole

MAIN, SPARE = "ollama:llama3.2:3b", "spare:llama3.2:3b"


@pytest.fixture
def spare() -> Iterator[FakeOllama]:
    with FakeOllama(*usual_models()) as server:
        server.streams("spare")
        yield server


@pytest.fixture
def two(on: Mmai, ollama: FakeOllama, spare: FakeOllama) -> Mmai:
    """Beside two servers: one for the model that is asked for, one for its fallback."""
    ollama.streams("main")
    on.configure(f"backends: {{ollama: {{first_token_timeout_ms: 200}}, spare: {{kind: ollama, endpoint: '{spare.url}'}}}}")
    return on


def ask(mmai: Mmai, *more: str, env: dict[str, str] | None = None) -> tuple[str, list[tuple[str, str | None]]]:
    """The text, and whom it called with what came of it."""
    result = mmai("run", "hi", "-m", MAIN, "--fallback", SPARE, "--json", *more, env=env)
    data = json.loads(result.stdout)["data"]
    return data["text"], [(attempt["model"], attempt["class"]) for attempt in data["attempts"]]


def test_a_dead_server_is_paid_for_once(two: Mmai, ollama: FakeOllama) -> None:
    with refused() as nowhere:
        elsewhere = {"OLLAMA_HOST": nowhere}
        assert ask(two, env=elsewhere) == (
            "spare",
            [(MAIN, "cannot_connect"), (MAIN, "cannot_connect"), (SPARE, None)],
        )
        assert ask(two, env=elsewhere) == ("spare", [(SPARE, None)])
    assert ask(two) == ("main", [(MAIN, None)])  # Another address, of which nothing bad is known.


def test_a_silent_server_is_waited_for_once(two: Mmai, ollama: FakeOllama) -> None:
    ollama.says(SILENCE)
    assert ask(two) == ("spare", [(MAIN, "timeout"), (SPARE, None)])
    assert ask(two) == ("spare", [(SPARE, None)])
    assert len(ollama.journal.of("/api/chat")) == 1


def test_whoever_is_left_alone_is_named(two: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "busy"})
    ask(two)
    result = two("run", "hi", "-m", MAIN, "--fallback", SPARE)
    assert result.stdout == "spare\n"
    assert result.stderr.startswith(f"{MAIN} is left alone for ")
    assert "503 Service Unavailable" in result.stderr


def test_a_limit_is_kept_by_the_next_run(two: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(429, {"error": "slow down"}, headers={"Retry-After": "60"})
    assert ask(two) == ("spare", [(MAIN, "rate_limited"), (SPARE, None)])
    assert ask(two) == ("spare", [(SPARE, None)])


def test_without_a_way_around_it_the_server_is_asked_again(two: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "busy"})
    ask(two)
    ollama.streams("well again")
    result = two("run", "hi", "-m", MAIN)
    assert (result.exit_code, result.stdout) == (0, "well again\n")


def test_a_server_that_answers_again_is_first_again(two: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "busy"}, times=2)
    ask(two)
    two("run", "hi", "-m", MAIN)
    assert ask(two) == ("main", [(MAIN, None)])


def test_without_a_log_nothing_is_told_to_the_next_run(two: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "busy"}, times=2)
    ask(two, "--no-log")
    assert ask(two) == ("main", [(MAIN, None)])


def test_a_stream_that_opens_and_is_cut_counts_as_a_failure(two: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", CLOSE, done=False)
    for _ in range(2):
        assert ask(two)[0] == "Hel"
    assert ask(two) == ("spare", [(SPARE, None)])


def test_two_hosts_of_one_server_share_the_calls_and_one_stands_in_for_the_other(
    mmai: Mmai, ollama: FakeOllama, spare: FakeOllama
) -> None:
    mmai.configure("balance: {strategy: round_robin}")
    mmai.env["OLLAMA_HOST"] = f"{ollama.url},{spare.url}"
    ollama.streams("main")
    said = [mmai("run", "hi", "-m", MAIN).stdout for _ in range(4)]
    assert sorted(said) == ["main\n", "main\n", "spare\n", "spare\n"]
    spare.answers(500, {"error": "no"})
    assert {mmai("run", "hi", "-m", MAIN).stdout for _ in range(4)} == {"main\n"}
    assert len(spare.journal.of("/api/chat")) == 4


def test_an_answer_that_is_cut_begins_anew_elsewhere_where_that_is_wished(two: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Once upon", CLOSE, done=False)
    result = two("run", "hi", "-m", MAIN, "--fallback", SPARE, "--restart-on-cut")
    assert (result.exit_code, result.stdout) == (0, "spare\n")
    assert f"the answer of {MAIN} was cut" in result.stderr
    assert f"{SPARE} begins anew" in result.stderr
    text, attempts = ask(two, "--restart-on-cut")
    assert (text, attempts) == ("spare", [(MAIN, "incomplete"), (SPARE, None)])


def test_a_silent_server_leaves_half_of_the_time_to_the_others(two: Mmai, ollama: FakeOllama) -> None:
    two.configure((two.home / "mmai" / "config.yaml").read_text().replace("first_token_timeout_ms: 200", "max_parallel: 4"))
    ollama.says(SILENCE)
    result = two("run", "hi", "-m", MAIN, "--fallback", SPARE, "--timeout", "2", "-v")
    assert (result.exit_code, result.stdout) == (0, "spare\n")
    assert "no first token within 1 s" in result.stderr


def test_a_model_has_its_own_times(on: Mmai, ollama: FakeOllama) -> None:
    on.configure("backends: {ollama: {models: [{name: 'llama3.2:3b', first_token_timeout_ms: 150, total_timeout_ms: 400}]}}")
    ollama.says(SILENCE)
    silent = on("run", "hi", "-m", MAIN)
    assert (silent.exit_code, silent.stdout) == (6, "")
    assert "0.15 s" in silent.stderr
    never = Gate()
    ollama.streams("Hel", never, "lo")
    long = on("run", "hi", "-m", MAIN)
    assert (long.exit_code, long.stdout) == (9, "Hel\n")
    assert "0.4 s" in long.stderr
    ollama.journal.wait_hangups(2)


def test_several_keys_stand_in_for_each_other(mmai: Mmai, ollama: FakeOllama) -> None:
    mmai.configure(
        f"""
backends:
  house:
    kind: ollama
    endpoint: '{ollama.url}'
    api_keys: [first-key-123456, second-key-123456]
"""
    )
    ollama.when(lambda seen: "first-key-123456" in str(seen.headers), lambda seen: [whole(401, {"error": "invalid key"})])
    for _ in range(6):
        result = mmai("run", "hi", "-m", "house:llama3.2:3b", "--json")
        assert result.exit_code == 0, result.stderr
        assert "key-123456" not in result.stdout + result.stderr
    refusals = [seen for seen in ollama.journal.of("/api/chat") if "first-key" in str(seen.headers)]
    assert len(refusals) <= 1
