"""`mmai run --batch … --via-provider-batch`: what was paid for is never lost, and never paid for twice."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import PATIENCE_S, Mmai, Result
from fakes.anthropic import usual_models as claudes
from fakes.anthropic_batch import FakeAnthropicBatches
from fakes.openai import usual_models as gpts
from fakes.openai_batch import FakeOpenAIBatches
from fakes.wall import Gate
from screen import Screen

KEY = "sk-very-secret-indeed"
MODEL = "openai:gpt-4.1-mini"
CONFIG = """
backends:
  openai:
    models:
      - name: gpt-4.1-mini
        cost_per_token: 0.000001
        max_output_tokens: 1000
"""


@pytest.fixture
def openai() -> Iterator[FakeOpenAIBatches]:
    with FakeOpenAIBatches(*gpts(), key=KEY) as fake:
        fake.streams("Hello", usage=(100, 50))
        yield fake


@pytest.fixture
def on_openai(mmai: Mmai, openai: FakeOpenAIBatches) -> Mmai:
    """The command beside a fake OpenAI; a token of its model costs a millionth of a dollar, in and out."""
    mmai.configure(CONFIG)
    mmai.env |= {"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": KEY}
    return mmai


@pytest.fixture
def prompts(mmai: Mmai) -> Path:
    """Two prompts, with a blank line between them."""
    path = mmai.home / "prompts.jsonl"
    path.write_text('{"prompt": "a", "id": "x", "topic": "sky"}\n\n"b"\n')
    return path


def batch(mmai: Mmai, *args: str, **options: Any) -> Result:
    """Hand over `prompts.jsonl`."""
    return mmai("run", "-m", MODEL, "--batch", "prompts.jsonl", "--via-provider-batch", *args, **options)


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def submissions(openai: FakeOpenAIBatches) -> int:
    return openai.journal.paths.count("POST /v1/batches")


def runs(mmai: Mmai) -> list[tuple[Any, ...]]:
    with sqlite3.connect(mmai.home / "mmai" / "history.db") as connection:
        rows = connection.execute(
            "SELECT model, status, cost_usd, usage_input_tokens, usage_output_tokens FROM runs"
        ).fetchall()
    connection.close()
    return rows


def test_every_prompt_is_answered_in_the_order_of_the_file(on_openai: Mmai, prompts: Path) -> None:
    result = batch(on_openai)
    assert result.exit_code == 0
    first, second = lines(result.stdout)
    assert list(first) == ["id", "index", "text", "model", "finish_reason", "usage", "cost_usd", "error", "topic"]
    assert (first["id"], first["index"], first["text"], first["topic"]) == ("x", 0, "Hello", "sky")
    assert (second["id"], second["index"], second["text"]) == (None, 1, "Hello")
    assert (first["model"], first["finish_reason"], first["error"]) == (MODEL, "stop", None)
    assert (first["usage"]["input_tokens"], first["usage"]["output_tokens"]) == (100, 50)
    assert first["cost_usd"] == pytest.approx(0.000075)


def test_what_happens_is_said_on_stderr(on_openai: Mmai, prompts: Path) -> None:
    said = batch(on_openai, "--max-tokens", "1000").stderr.splitlines()
    assert said[0].startswith(f"2 rows for {MODEL} at half price: about $0.0")
    assert said[0].endswith("at most $0.001")
    assert said[1] == "submitted 2 rows as batch_000001: mmai run --resume batch_000001"
    assert said[2].startswith("batch_000001: 2 of 2 rows done after ")
    assert said[-1] == "2 rows answered · $0.00015"


def test_anthropic_answers_batches_too(mmai: Mmai, prompts: Path) -> None:
    with FakeAnthropicBatches(*claudes(), key=KEY) as fake:
        fake.streams("Bonjour", usage=(1_000_000, 0))
        mmai.env |= {"ANTHROPIC_BASE_URL": fake.url, "ANTHROPIC_API_KEY": KEY}
        where = ("--batch", "prompts.jsonl", "--via-provider-batch")
        result = mmai("run", "-m", "anthropic:claude-haiku-4-5", "-s", "In French.", "--max-tokens", "9", *where)
        sent = fake.batching.requests["msgbatch_000001"]
    assert result.exit_code == 0
    assert [row["text"] for row in lines(result.stdout)] == ["Bonjour", "Bonjour"]
    assert {row["params"]["max_tokens"] for row in sent} == {9}
    assert "In French." in json.dumps(sent[0]["params"]["system"])


def test_prompts_may_come_by_standard_input(on_openai: Mmai) -> None:
    result = on_openai("run", "-m", MODEL, "--batch", "-", "--via-provider-batch", stdin=b'"a"\n')
    assert [row["text"] for row in lines(result.stdout)] == ["Hello"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a"\n{"prompt": 1}', "line 2 of `prompts.jsonl` cannot be taken"),
        ('{"prompt": "a", "id": 1}\n{"prompt": "a", "id": "1"}', "line 2 of `prompts.jsonl` has the same id as line 1: `1`"),
        ("", "there are no prompts in `prompts.jsonl`"),
        ("{bad", "line 1 of `prompts.jsonl` is not JSON: object keys must be strings (byte 1)"),
    ],
)
def test_a_bad_file_is_refused_before_anything_is_sent(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path, text: str, said: str
) -> None:
    prompts.write_text(text)
    result = batch(on_openai)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert openai.journal.connections == 0


def test_a_file_that_is_not_there_is_named(on_openai: Mmai, openai: FakeOpenAIBatches) -> None:
    result = batch(on_openai)
    assert result.exit_code == 2
    assert "`prompts.jsonl` cannot be read: No such file or directory" in result.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-m", MODEL, "--via-provider-batch"), "`--via-provider-batch` goes with `--batch FILE`"),
        (("--batch", "prompts.jsonl", "--via-provider-batch"), "a batch goes to one model, which `-m` names"),
        (
            ("hi", "-m", MODEL, "--batch", "prompts.jsonl", "--via-provider-batch"),
            "a prompt does not go with a provider's batch, whose file has them all",
        ),
        (("-m", MODEL, "--batch", "p", "--via-provider-batch", "-x"), "`--extract` is for one prompt, not for a batch"),
        (
            ("-m", "builtin:lead", "--batch", "prompts.jsonl", "--via-provider-batch"),
            "`builtin` takes no batches: `openai` and",
        ),
        (("--resume", "../x"), "`../x` is not the id of a batch"),
    ],
)
def test_what_does_not_go_together_is_refused(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path, args: tuple[str, ...], said: str
) -> None:
    result = on_openai("run", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "hint: mmai run" in result.stderr
    assert openai.journal.connections == 0


def test_the_cost_limit_is_for_the_whole_batch(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    result = batch(on_openai, "--max-tokens", "1000", "--max-cost", "0.0009")
    assert result.exit_code == 11
    assert "nothing was sent: the whole batch may cost $0.001, above $0.0009" in result.stderr
    assert openai.journal.connections == 0
    assert batch(on_openai, "--max-tokens", "1000", "--max-cost", "0.0011").exit_code == 0


def test_an_unknown_price_is_not_below_a_limit(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    on_openai.configure("")
    openai.add("my-own")
    where = ("--batch", "prompts.jsonl", "--via-provider-batch")
    result = on_openai("run", "-m", "openai:my-own", *where, "--max-cost", "1")
    assert result.exit_code == 11
    assert "what the whole batch may cost is not known" in result.stderr
    free = on_openai("run", "-m", "openai:my-own", *where)
    assert free.stderr.splitlines()[0] == "2 rows for openai:my-own at half price: cost unknown"
    assert free.stderr.splitlines()[-1] == "2 rows answered · cost unknown"


def test_a_limit_of_the_settings_is_for_each_row(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    on_openai.configure(CONFIG + "selection:\n  constraints:\n    max_cost_per_request: 0.0004\n")
    result = batch(on_openai, "--max-tokens", "1000")
    assert result.exit_code == 11
    assert "one of its rows may cost $0.0005" in result.stderr
    assert submissions(openai) == 0
    assert batch(on_openai, "--max-tokens", "700").exit_code == 0


def test_a_budget_is_held_against_the_whole_batch_and_what_is_under_way_counts(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    expected_usd = batch(on_openai, "--dry-run", "--json").json["data"]["expected_cost_usd"]
    on_openai.configure(CONFIG + f"budget:\n  daily_usd: {expected_usd * 1.5:.9f}\n")
    process = waiting(on_openai, openai)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    prompts.write_text(prompts.read_text().replace("sky", "sea"))
    result = batch(on_openai)
    assert result.exit_code == 11
    assert "nothing was sent: the batch should cost about $" in result.stderr
    assert "is left of the daily budget of $" in result.stderr
    assert submissions(openai) == 1


def test_a_dry_run_says_the_cost_and_sends_nothing(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    result = batch(on_openai, "--dry-run", "--json", "--max-tokens", "1000")
    assert result.exit_code == 0
    assert result.json["data"]["rows"] == 2
    assert result.json["data"]["worst_cost_usd"] == pytest.approx(0.001, rel=0.1)
    assert openai.journal.connections == 0


def test_a_dry_run_collects_nothing_either(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    process = waiting(on_openai, openai)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    asked = len(openai.journal.requests)
    assert batch(on_openai, "--dry-run") == (0, "", batch(on_openai, "--dry-run").stderr)
    assert len(openai.journal.requests) == asked


def test_rows_that_failed_are_in_the_output_and_decide_the_exit_code(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    openai.answers(429, {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}, times=1)
    result = batch(on_openai)
    assert result.exit_code == 5
    failed, answered = lines(result.stdout)
    assert failed["error"]["code"] == "rate_limited"
    assert "slow down" in failed["error"]["message"]
    assert (failed["text"], failed["cost_usd"], failed["topic"]) == ("", None, "sky")
    assert (answered["text"], answered["error"]) == ("Hello", None)
    assert "1 of 2 rows answered, 1 failed · $0.000075" in result.stderr
    assert "error: 1 of 2 rows failed; line 1: " in result.stderr


def test_an_answer_that_breaks_the_schema_has_failed_and_is_paid_for(on_openai: Mmai, prompts: Path) -> None:
    result = batch(on_openai, "--schema", "name")
    assert result.exit_code == 10
    rows = lines(result.stdout)
    assert [row["error"]["code"] for row in rows] == ["schema_mismatch", "schema_mismatch"]
    assert [row["text"] for row in rows] == ["Hello", "Hello"]
    assert runs(on_openai) == [(MODEL, "error", pytest.approx(0.00015), 200, 100)]


def test_a_batch_that_expired_keeps_what_was_answered(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    openai.batching.ends_as, openai.batching.most = "expired", 1
    result = batch(on_openai)
    assert result.exit_code == 6
    answered, late = lines(result.stdout)
    assert answered["text"] == "Hello"
    assert late["error"] == {"code": "timeout", "message": "the batch expired before this row was answered"}


def test_a_batch_that_was_cancelled_elsewhere_keeps_what_was_answered(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    openai.batching.ends_as, openai.batching.most = "cancelled", 1
    result = batch(on_openai)
    assert result.exit_code == 8
    assert [row["text"] for row in lines(result.stdout)] == ["Hello", ""]


def test_a_refused_batch_says_why_and_may_be_submitted_again(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    openai.batching.ends_as = "failed"
    result = batch(on_openai)
    assert (result.exit_code, result.stdout) == (8, "")
    assert "`openai` refused batch `batch_000001`: Enqueued token limit reached." in result.stderr
    openai.batching.ends_as = "completed"
    assert batch(on_openai).exit_code == 0
    assert submissions(openai) == 2


def test_json_is_one_envelope(on_openai: Mmai, prompts: Path) -> None:
    result = batch(on_openai, "--json")
    data = result.json["data"]
    assert (data["batch"], data["model"], data["rows"]) == ("batch_000001", MODEL, 2)
    assert (data["succeeded"], data["failed"], data["cost_usd"]) == (2, 0, pytest.approx(0.00015))
    assert [row["text"] for row in data["answers"]] == ["Hello", "Hello"]


def test_json_of_a_failure_has_the_rows_and_the_error(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    openai.answers(500, "broken", times=1)
    result = batch(on_openai, "--json")
    assert result.exit_code == 8
    assert (result.json["status"], result.json["error"]["code"]) == ("error", "provider")
    assert [row["text"] for row in result.json["data"]["answers"]] == ["", "Hello"]
    assert (result.json["data"]["succeeded"], result.json["data"]["failed"]) == (1, 1)


def test_answers_go_into_a_file(on_openai: Mmai, prompts: Path) -> None:
    result = batch(on_openai, "--out", "answers.jsonl", "--json")
    out = on_openai.home / "answers.jsonl"
    assert result.json["data"]["files"] == [str(out)]
    assert [row["id"] for row in lines(out.read_text())] == ["x", None]
    assert batch(on_openai, "--out", "answers.jsonl").stdout == ""


def test_a_place_that_takes_no_file_is_known_before_anything_is_sent(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    result = batch(on_openai, "--out", "nowhere/answers.jsonl")
    assert result.exit_code == 2
    assert openai.journal.connections == 0


def test_answers_that_find_no_place_any_more_are_not_lost(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    folder = on_openai.home / "here"
    folder.mkdir()
    openai.batching.gate = gate = Gate()
    args = ("--batch", "prompts.jsonl", "--via-provider-batch", "--out", "here/answers.jsonl")
    process = on_openai.start("run", "-m", MODEL, *args)
    gate.wait_reached()
    folder.rmdir()
    folder.write_text("in the way")
    gate.open()
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert b"hint: mmai run --resume batch_000001 --out FILE" in stderr
    assert on_openai("run", "--resume", "batch_000001", "--out", "answers.jsonl").exit_code == 0
    assert len(lines((on_openai.home / "answers.jsonl").read_text())) == 2


def test_more_rows_than_the_provider_takes_at_once_are_refused(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    prompts.write_text('"a"\n' * 50_001)
    result = batch(on_openai)
    assert result.exit_code == 2
    assert "`prompts.jsonl` has 50001 rows, and `openai` takes 50000 at once" in result.stderr
    assert "hint: split -l 50000 prompts.jsonl" in result.stderr
    assert openai.journal.connections == 0


def test_quiet_says_nothing(on_openai: Mmai, prompts: Path) -> None:
    assert batch(on_openai, "-q").stderr == ""


def test_a_wrong_key_ends_it_and_is_not_shown(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    result = batch(on_openai, env={"OPENAI_API_KEY": "sk-some-other-key"})
    assert result.exit_code == 4
    assert "sk-some-other-key" not in result.stderr
    assert submissions(openai) == 0
    assert not list((on_openai.home / "mmai" / "batches").glob("*.json"))


# Nothing is lost, and nothing paid for twice.


def waiting(mmai: Mmai, openai: FakeOpenAIBatches, *args: str) -> subprocess.Popen[bytes]:
    """A command that waits for its batch, which does not end."""
    openai.batching.polls = 1_000
    process = mmai.start("run", "-m", MODEL, "--batch", "prompts.jsonl", "--via-provider-batch", *args)
    openai.journal.wait_requests(3)  # file, batch, and the first question
    return process


def test_ctrl_c_leaves_the_batch_running_and_says_how_to_go_on(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    process = waiting(on_openai, openai)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stdout) == (130, b"")
    assert b"batch_000001 goes on at openai: mmai run --resume batch_000001" in stderr
    assert b"Traceback" not in stderr
    openai.batching.polls = 0
    result = on_openai("run", "--resume", "batch_000001")
    assert (result.exit_code, len(lines(result.stdout))) == (0, 2)
    assert submissions(openai) == 1


def test_a_killed_process_loses_nothing(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    process = waiting(on_openai, openai, "--out", "answers.jsonl")
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    prompts.unlink()
    openai.batching.polls = 0
    result = on_openai("run", "--resume", "batch_000001")
    assert (result.exit_code, result.stdout) == (0, "")
    assert [row["topic"] for row in lines((on_openai.home / "answers.jsonl").read_text()) if "topic" in row] == ["sky"]


def test_ctrl_c_while_the_provider_takes_the_batch_still_records_it(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    openai.batching.gate = gate = Gate()
    process = on_openai.start("run", "-m", MODEL, "--batch", "prompts.jsonl", "--via-provider-batch")
    gate.wait_reached()
    process.send_signal(signal.SIGINT)
    gate.open()
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"submitted 2 rows as batch_000001" in stderr
    assert on_openai("run", "--resume", "batch_000001").exit_code == 0


def test_the_same_rows_again_go_on_with_the_batch_there_is(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    process = waiting(on_openai, openai)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    openai.batching.polls = 0
    result = batch(on_openai)
    assert result.exit_code == 0
    assert "the same rows were submitted before as batch_000001" in result.stderr
    assert len(lines(result.stdout)) == 2
    assert submissions(openai) == 1


@pytest.mark.parametrize("args", [("--temperature", "0"), ("-s", "Be brief.")])
def test_other_options_are_another_batch(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path, args: tuple[str, ...]
) -> None:
    process = waiting(on_openai, openai)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    openai.batching.polls = 0
    assert batch(on_openai, *args).exit_code == 0
    assert submissions(openai) == 2


def test_what_was_collected_may_be_submitted_again_and_collected_again(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    first, second = batch(on_openai), batch(on_openai)
    assert submissions(openai) == 2
    assert first.stdout == second.stdout
    assert on_openai("run", "--resume", "batch_000001").stdout == first.stdout


def test_a_batch_counts_once_in_the_history_however_often_it_is_collected(on_openai: Mmai, prompts: Path) -> None:
    batch(on_openai)
    on_openai("run", "--resume", "batch_000001")
    assert runs(on_openai) == [(MODEL, "ok", pytest.approx(0.00015), 200, 100)]


def test_without_a_log_no_trace_is_left_in_the_history(on_openai: Mmai, prompts: Path) -> None:
    assert batch(on_openai, "--no-log").exit_code == 0
    assert not (on_openai.home / "mmai" / "history.db").exists()


def test_the_time_limit_leaves_the_batch_running(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    openai.batching.polls = 1_000
    result = batch(on_openai, "--timeout", "0.2")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "error: batch `batch_000001` was not done within 0.2 s, and goes on" in result.stderr
    assert "hint: mmai run --resume batch_000001" in result.stderr
    openai.batching.polls = 0
    assert on_openai("run", "--resume", "batch_000001").exit_code == 0


def test_a_server_that_fails_for_a_while_is_waited_for_with_one_notice(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    openai.answers(500, "broken", path="/v1/batches/batch_000001", times=1)
    result = batch(on_openai)
    assert result.exit_code == 0
    assert result.stderr.count("asking again until it answers") == 1


def test_a_batch_may_be_cancelled_and_keeps_what_was_answered(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    openai.batching.polls, openai.batching.most = 1000, 1
    batch(on_openai, "--timeout", "0.2")
    result = on_openai("run", "--resume", "batch_000001", "--cancel")
    assert result.stderr.startswith("asked `openai` to answer no more of batch_000001\n")
    assert [row["error"] and row["error"]["code"] for row in lines(result.stdout)] == [None, "provider"]
    assert result.exit_code == 8
    assert on_openai("run", "--cancel").stderr.startswith("error: `--cancel` goes with `--resume ID`")


def test_without_its_record_a_batch_needs_its_model_and_its_file(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    answers = batch(on_openai).stdout
    for record in (on_openai.home / "mmai" / "batches").iterdir():
        record.unlink()
    lost = on_openai("run", "--resume", "batch_000001")
    assert lost.exit_code == 2
    assert "hint: mmai run --resume batch_000001 -m PROVIDER:MODEL --batch FILE" in lost.stderr
    assert on_openai("run", "--resume", "batch_000001", "-m", MODEL, "--batch", "prompts.jsonl").stdout == answers
    for record in (on_openai.home / "mmai" / "batches").iterdir():
        record.unlink()
    unpriced = lines(on_openai("run", "--resume", "batch_000001", "-m", "openai:", "--batch", "prompts.jsonl").stdout)
    assert [(row["text"], row["model"], row["cost_usd"]) for row in unpriced] == [("Hello", MODEL, None)] * 2


def test_answers_never_land_on_other_prompts(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    batch(on_openai)
    for record in (on_openai.home / "mmai" / "batches").iterdir():
        record.unlink()
    prompts.write_text('{"prompt": "changed", "id": "x"}\n\n"b"\n')
    result = on_openai("run", "--resume", "batch_000001", "-m", MODEL, "--batch", "prompts.jsonl")
    assert result.exit_code == 8
    assert [row["text"] for row in lines(result.stdout)] == ["", "Hello"]


def test_a_batch_is_asked_about_only_where_it_was_submitted(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    batch(on_openai)
    with FakeOpenAIBatches(*gpts()) as other:
        result = on_openai("run", "--resume", "batch_000001", env={"OPENAI_BASE_URL": other.base_url})
        assert other.journal.connections == 0
    assert result.exit_code == 2
    assert f"was submitted to `{openai.base_url}`, which is no endpoint of `openai` now" in result.stderr


def test_an_id_the_provider_forgot_is_told(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    batch(on_openai)
    openai.batching.batches.clear()
    result = on_openai("run", "--resume", "batch_000001")
    assert result.exit_code == 8
    assert "knows no batch `batch_000001`" in result.stderr


def test_only_a_provider_that_does_not_know_a_batch_closes_it(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    body = {"error": {"message": "try another way", "type": "invalid_request_error"}}
    openai.answers(400, body, path="/v1/batches/batch_000001", times=1)
    failed = batch(on_openai)
    assert failed.exit_code == 8
    assert failed.stderr.endswith("hint: mmai run --resume batch_000001\n")
    assert [row["text"] for row in lines(batch(on_openai).stdout)] == ["Hello", "Hello"]
    assert submissions(openai) == 1


def test_a_model_that_makes_images_takes_no_batch_and_none_is_priced(
    on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path
) -> None:
    for dry in ((), ("--dry-run",)):
        result = batch(on_openai, "-m", "openai:gpt-image-2", *dry)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("error: `openai:gpt-image-2` makes images, and a batch is for text\n")
    assert openai.journal.connections == 0


def test_the_file_is_named_that_the_answers_went_to(on_openai: Mmai, prompts: Path) -> None:
    assert (
        batch(on_openai, "--out", "answers.jsonl")
        .stderr.splitlines()[-1]
        .startswith("wrote answers.jsonl (application/jsonl, ")
    )
    there = Path(on_openai.home / "there")
    there.mkdir()
    on_openai.cwd = there
    resumed = on_openai("run", "--resume", "batch_000001").stderr.splitlines()[-1]
    assert resumed.startswith(f"wrote {on_openai.home / 'answers.jsonl'} (")


def test_a_small_limit_is_not_told_in_powers_of_ten(on_openai: Mmai, prompts: Path) -> None:
    assert batch(on_openai, "--max-cost", "0.00001").stderr.splitlines()[-1].endswith("above $0.00001")


def test_records_are_for_their_owner_alone_and_hold_neither_prompts_nor_keys(on_openai: Mmai, prompts: Path) -> None:
    prompts.write_text('{"prompt": "a secret prompt"}\n')
    batch(on_openai)
    (record,) = (on_openai.home / "mmai" / "batches").glob("*.json")
    assert record.stat().st_mode & 0o777 == 0o600
    assert "secret" not in record.read_text()


def test_without_a_place_for_records_nothing_is_paid_for(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    (on_openai.home / "mmai" / "batches").write_text("in the way")
    result = batch(on_openai)
    assert result.exit_code == 1
    assert openai.journal.connections == 0


# On a terminal.


def test_on_a_terminal_there_is_a_bar(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    openai.batching.polls = 1
    with Screen(on_openai, "run", "-m", MODEL, "--batch", "prompts.jsonl", "--via-provider-batch") as screen:
        assert screen.end() == 0
        assert "━" in screen.text
        assert "1 of 2 rows done" in screen.text
        assert "0:00:0" in screen.text
        assert screen.settings == screen.before


def test_ctrl_c_gives_the_terminal_back(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    openai.batching.polls = 1_000
    with Screen(on_openai, "run", "-m", MODEL, "--batch", "prompts.jsonl", "--via-provider-batch") as screen:
        screen.until("0 of 2")
        screen.press("\x03")
        assert screen.end() == 130
        assert "goes on at openai" in screen.text
        assert screen.settings == screen.before
        assert screen.text.rfind("\x1b[?25l") < screen.text.rfind("\x1b[?25h")


def test_a_reader_that_left_costs_no_answer(on_openai: Mmai, openai: FakeOpenAIBatches, prompts: Path) -> None:
    process = on_openai.start("run", "-m", MODEL, "--batch", "prompts.jsonl", "--via-provider-batch")
    assert process.stdout is not None
    process.stdout.close()
    process.wait(PATIENCE_S)
    assert process.stderr is not None
    process.stderr.close()
    assert process.returncode == 141
    assert len(lines(batch(on_openai).stdout)) == 2
    assert submissions(openai) == 1
