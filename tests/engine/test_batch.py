"""A batch from its file to its answers: what is sent, how long it is waited for, and what comes of every row."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from builders import a_cloud_card, a_request
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.base import Batches
from mmai.engine.batch import (
    GRACE_S,
    Watch,
    outcomes,
    refused,
    run_record,
    submit,
    total_cost_usd,
    total_usage,
    verdict,
)
from mmai.engine.batch_estimate import estimate
from mmai.engine.batch_file import content_key, read_prompts, rows
from mmai.errors import (
    AuthError,
    CallError,
    CannotConnect,
    InvalidRequest,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    SchemaMismatch,
    TimedOut,
    UsageError,
)
from mmai.values.batch import BatchAnswer, BatchFault, BatchLine, BatchRecord, BatchRow, BatchStatus
from mmai.values.event import Usage
from mmai.values.model import ModelCard, Price

RUNNING, ENDED = BatchStatus(id="b1", state="running"), BatchStatus(id="b1", state="ended", total=1, succeeded=1)


class Provider:
    """A batch service that answers `batch_status` with `answers`, one after another, the last again and again."""

    batch_discount = 0.5
    batch_limit = 10

    def __init__(self, *answers: BatchStatus | MmaiError, rows: Sequence[BatchAnswer | MmaiError] = ()) -> None:
        self.answers = list(answers)
        self.rows = rows
        self.asked = 0
        self.taking: asyncio.Event | None = None

    async def submit_batch(self, model: ModelCard, rows: Sequence[BatchRow]) -> str:
        if self.taking is not None:
            await self.taking.wait()
        return "b1"

    async def batch_status(self, batch_id: str) -> BatchStatus:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, MmaiError):
            raise answer
        return answer

    async def batch_answers(self, batch_id: str) -> AsyncGenerator[BatchAnswer, None]:
        self.asked += 1
        for row in self.rows:
            if isinstance(row, MmaiError):
                self.rows = [row for row in self.rows if isinstance(row, BatchAnswer)]
                raise row
            yield row

    async def cancel_batch(self, batch_id: str) -> None:
        raise NotImplementedError


class Nap:
    """Takes the waits, and lets no time pass."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


def followed(provider: Provider, nap: Nap | None = None, **fields: Any) -> tuple[list[BatchStatus], list[MmaiError]]:
    """Every status and every notice of one watch."""

    async def watch() -> tuple[list[BatchStatus], list[MmaiError]]:
        notices: list[MmaiError] = []
        watching = Watch(provider, "b1", notice=notices.append, sleep=nap or Nap(), **fields)
        return [status async for status in watching.statuses()], notices

    return asyncio.run(watch())


def a_line(number: int = 1, **fields: Any) -> BatchLine:
    return BatchLine(name=f"line-{number}", number=number, **fields)


def a_record(*lines: BatchLine, **fields: Any) -> BatchRecord:
    """A batch of `openai:gpt-5.6-luna` at half of $1 in and $4 out per million tokens."""
    defaults: dict[str, Any] = {
        "id": "b1",
        "key": "k",
        "provider": "openai",
        "endpoint": None,
        "model": "gpt-5.6-luna",
        "submitted_at": 1_000.0,
        "lines": lines or (a_line(),),
        "source": "prompts.jsonl",
        "discount": 0.5,
        "price": Price(input_usd_per_mtok=1.0, output_usd_per_mtok=4.0),
    }
    return BatchRecord(**(defaults | fields))


def an_answer(number: int = 1, text: str = "Hello", **fields: Any) -> BatchAnswer:
    usage = fields.pop("usage", Usage(input_tokens=1_000_000, output_tokens=500_000))
    return BatchAnswer(id=f"line-{number}", text=text, usage=usage, **fields)


# The file.


def test_a_line_is_an_object_or_a_string() -> None:
    prompts = read_prompts(b'{"prompt": "a", "id": "x", "system": "s", "topic": [1]}\n"b"\n', source="f")
    assert [(each.prompt, each.system, each.line.id, each.line.carried) for each in prompts] == [
        ("a", "s", "x", {"topic": [1]}),
        ("b", None, None, {}),
    ]


def test_blank_lines_are_skipped_and_numbers_are_those_of_the_file() -> None:
    assert [each.line.number for each in read_prompts(b'\xef\xbb\xbf\r\n"a"\r\n  \n\n"b"', source="f")] == [2, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"prompt": "a"', "line 2 of `f` is not JSON"),
        ("\xff", "line 2 of `f` is not JSON"),
        ("[1]", "line 2 of `f` is neither an object nor a string"),
        ("7", "line 2 of `f` is neither an object nor a string"),
        ('{"text": "a"}', "line 2 of `f` cannot be taken: object missing required field `prompt`"),
        ('{"prompt": 5}', "line 2 of `f` cannot be taken: expected `str`, got `int` - at `$.prompt`"),
        ('{"prompt": " "}', "line 2 of `f` has an empty prompt"),
        ('""', "line 2 of `f` has an empty prompt"),
        ('{"prompt": "a", "id": [1]}', "line 2 of `f` cannot be taken: expected `int | str | null`, got `array` - at `$.id`"),
        ('{"prompt": "a", "id": "x"}', "line 2 of `f` has the same id as line 1: `x`"),
        ('{"prompt": "a", "model": "m"}', "line 2 of `f` has a field `model`, which every answer has of its own"),
    ],
)
def test_a_bad_line_is_named_with_its_number(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_prompts(b'{"prompt": "a", "id": "x"}\n' + text.encode("latin-1"), source="f")
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_a_file_without_prompts_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="there are no prompts in `f`"):
        read_prompts(data, source="f")


def test_each_row_has_its_own_instructions_or_those_for_all() -> None:
    prompts = read_prompts(b'{"prompt": "a", "system": "own"}\n{"prompt": "b"}\n{"prompt": "c", "system": ""}', source="f")
    sent = list(rows(prompts, a_request("x", max_tokens=9), system="all"))
    assert [(row.request.system, row.request.prompt) for row in sent] == [("own", "a"), ("all", "b"), ("", "c")]
    assert {row.request.options.max_tokens for row in sent} == {9}


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=20))
def test_every_row_has_a_name_of_its_own_that_providers_take(texts: list[str]) -> None:
    names = [each.line.name for each in read_prompts("\n".join(map(json.dumps, texts)).encode(), source="f")]
    assert len(set(names)) == len(texts)
    assert all(len(name) <= 64 and name.replace("-", "").isalnum() and name.isascii() for name in names)


def test_a_name_tells_the_content_so_that_an_answer_never_lands_on_another_prompt() -> None:
    first, changed = (read_prompts(text, source="f")[0].line.name for text in (b'"a"', b'"b"'))
    assert first != changed


@pytest.mark.parametrize("other", [b'"b"', b'{"prompt": "a", "id": 1}', b'{"prompt": "a", "topic": 1}', b'"a"\n"a"'])
def test_only_the_same_content_has_the_same_key(other: bytes) -> None:
    def key(data: bytes, *, to: str = "openai", **options: Any) -> str:
        prompts = read_prompts(data, source="f")
        return content_key([each.line for each in prompts], list(rows(prompts, a_request("x", **options))), to=(to, None, "m"))

    assert key(b'"a"') == key(b'"a"\n')
    assert len({key(b'"a"'), key(other), key(b'"a"', to="azure"), key(b'"a"', max_tokens=5)}) == 4


# What it will cost.


def test_the_worst_case_is_the_sum_of_all_rows_at_the_price_of_a_batch() -> None:
    row = BatchRow("a", a_request("hi", max_tokens=1_000))
    card = a_cloud_card(usd_per_mtok=1.0)
    one, ten = estimate(card, [row], discount=0.5), estimate(card, [row] * 10, discount=0.5)
    full = estimate(card, [row], discount=0.0)
    assert one.worst_usd is not None
    assert full.worst_usd is not None
    assert one.worst_usd == pytest.approx(full.worst_usd / 2)
    assert ten.worst_usd == pytest.approx(one.worst_usd * 10)
    assert ten.dearest_usd == pytest.approx(one.worst_usd)
    assert 1_000 * 4 / 1e6 / 2 <= one.worst_usd <= 1_100 * 4 / 1e6 / 2


def test_what_is_expected_is_never_above_the_worst() -> None:
    sent = [BatchRow(str(number), a_request(f"Explain {number} " * (number % 9 + 1))) for number in range(500)]
    costs = estimate(a_cloud_card(usd_per_mtok=1.0), sent, discount=0.5)
    assert costs.expected_usd is not None
    assert costs.worst_usd is not None
    assert 0 < costs.expected_usd <= costs.worst_usd


def test_an_unknown_price_is_an_unknown_cost() -> None:
    costs = estimate(a_cloud_card(usd_per_mtok=None), [BatchRow("a", a_request())], discount=0.5)
    assert (costs.expected_usd, costs.worst_usd, costs.dearest_usd) == (None, None, None)


def test_an_embedding_has_no_answer_to_pay_for() -> None:
    card = a_cloud_card(capabilities=("embedding",), price=Price(input_usd_per_mtok=1.0), max_output_tokens=None)
    costs = estimate(card, [BatchRow("a", a_request("word " * 1_000))], discount=0.5)
    assert costs.worst_usd is not None
    assert 0 < costs.worst_usd < 0.001


# Submitting.


def test_the_id_is_handed_on_at_once() -> None:
    taken: list[str] = []
    asyncio.run(submit(Provider(ENDED), a_cloud_card(), [], taken=taken.append))
    assert taken == ["b1"]


def test_somebody_who_stops_while_the_provider_takes_the_batch_still_learns_its_id() -> None:
    async def stop() -> list[str]:
        provider, taken = Provider(ENDED), list[str]()
        provider.taking = asyncio.Event()
        submitting = asyncio.create_task(submit(provider, a_cloud_card(), [], taken=taken.append))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        submitting.cancel()
        await asyncio.sleep(0)
        provider.taking.set()
        with pytest.raises(asyncio.CancelledError):
            await submitting
        return taken

    assert GRACE_S > 0
    assert asyncio.run(stop()) == ["b1"]


# Waiting.


def test_a_provider_is_a_batch_service() -> None:
    assert isinstance(Provider(ENDED), Batches)


def test_it_is_asked_until_it_has_ended() -> None:
    statuses, notices = followed(Provider(RUNNING, RUNNING, ENDED))
    assert [status.state for status in statuses] == ["running", "running", "ended"]
    assert notices == []


def test_the_waits_grow_from_one_second_to_a_minute() -> None:
    nap = Nap()
    followed(Provider(*[RUNNING] * 15, ENDED), nap)
    assert nap.waits[:3] == [1.0, 1.5, 2.25]
    assert nap.waits == sorted(nap.waits)
    assert nap.waits[-1] == 60.0


@pytest.mark.parametrize(
    "error",
    [
        CannotConnect("down"),
        TimedOut("silent", phase="first_token"),
        RateLimited("busy", status=429),
        ProviderError("broken", status=500),
    ],
)
def test_a_failure_that_passes_is_waited_out_with_one_notice(error: CallError) -> None:
    statuses, notices = followed(Provider(RUNNING, error, error, error, ENDED))
    assert [status.state for status in statuses] == ["running", "ended"]
    assert notices == [error]


def test_a_second_outage_has_a_notice_of_its_own() -> None:
    first, second = CannotConnect("one"), CannotConnect("two")
    assert followed(Provider(first, RUNNING, second, ENDED))[1] == [first, second]


def test_the_provider_may_ask_for_a_longer_pause() -> None:
    nap = Nap()
    followed(Provider(RateLimited("busy", retry_after_s=30.0), ENDED), nap)
    assert nap.waits == [30.0]


@pytest.mark.parametrize("error", [AuthError("revoked"), InvalidRequest("no such batch"), QuotaExceeded("empty")])
def test_a_failure_that_waiting_does_not_mend_is_raised(error: MmaiError) -> None:
    with pytest.raises(type(error)) as caught:
        followed(Provider(RUNNING, error))
    assert caught.value is error


def test_the_time_limit_ends_the_waiting() -> None:
    async def forever(_: float) -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(TimedOut, match="batch `b1` was not done within 0 s, and goes on"):
        followed(Provider(RUNNING), forever, timeout_s=0.0)  # type: ignore[arg-type]  # any sleep will do


def collected(provider: Provider) -> dict[str, BatchAnswer]:
    async def collect() -> dict[str, BatchAnswer]:
        return await Watch(provider, "b1", notice=lambda _: None, sleep=Nap()).answers()

    return asyncio.run(collect())


def test_answers_come_by_name_and_a_break_among_them_begins_anew() -> None:
    provider = Provider(ENDED, rows=[an_answer(2), CannotConnect("cut"), an_answer(1)])
    assert sorted(collected(provider)) == ["line-1", "line-2"]
    assert provider.asked == 2


# What came of it.


def test_answers_are_put_in_the_order_of_the_file() -> None:
    record = a_record(a_line(1), a_line(2), a_line(3))
    answers = {f"line-{number}": an_answer(number, str(number)) for number in (3, 1, 2)}
    results = outcomes(record, answers, "ended")
    assert [each.answer.text for each in results] == ["1", "2", "3"]
    assert verdict(results) is None


def test_a_row_costs_its_usage_at_the_price_of_a_batch() -> None:
    results = outcomes(a_record(), {"line-1": an_answer()}, "ended")
    assert results[0].cost_usd == pytest.approx((1.0 + 2.0) / 2)
    assert total_cost_usd(results) == pytest.approx(1.5)


def test_what_was_not_answered_costs_nothing_and_what_nobody_knows_is_unknown() -> None:
    failed = BatchAnswer(id="line-2", error=ProviderError("x"))
    record = a_record(a_line(1), a_line(2))
    assert total_cost_usd(outcomes(record, {"line-1": an_answer(), "line-2": failed}, "ended")) == pytest.approx(1.5)
    unpriced = a_record(a_line(1), a_line(2), price=None)
    assert total_cost_usd(outcomes(unpriced, {"line-1": an_answer(), "line-2": failed}, "ended")) is None


@pytest.mark.parametrize(
    ("state", "kind", "exit_code"), [("ended", ProviderError, 8), ("expired", TimedOut, 6), ("cancelled", ProviderError, 8)]
)
def test_a_row_without_an_answer_has_failed(state: Any, kind: type[MmaiError], exit_code: int) -> None:
    results = outcomes(a_record(a_line(1), a_line(2)), {"line-1": an_answer()}, state)
    assert [type(each.error) for each in results] == [type(None), kind]
    assert results[1].cost_usd is None
    error = verdict(results)
    assert error is not None
    assert error.exit_code == exit_code


@pytest.mark.parametrize("reason", ["length", "filter"])
def test_an_answer_that_was_stopped_counts_as_failed_and_is_kept(reason: Any) -> None:
    results = outcomes(a_record(), {"line-1": an_answer(text="Hel", finish_reason=reason)}, "ended")
    assert results[0].error is not None
    assert (results[0].error.code, results[0].answer.text) == ("incomplete", "Hel")
    assert results[0].cost_usd is not None


def test_an_answer_that_is_not_what_the_schema_asks_for_has_failed() -> None:
    def check(text: str) -> None:
        if text != "{}":
            raise SchemaMismatch("not JSON")

    results = outcomes(
        a_record(a_line(1), a_line(2)), {"line-1": an_answer(1, "{}"), "line-2": an_answer(2, "no")}, "ended", check=check
    )
    assert [each.error and each.error.code for each in results] == [None, "schema_mismatch"]


def test_the_verdict_is_the_first_failure_in_the_order_of_the_file() -> None:
    answers = {
        "line-1": an_answer(1),
        "line-2": BatchAnswer(id="line-2", error=RateLimited("busy")),
        "line-3": BatchAnswer(id="line-3", error=AuthError("no")),
    }
    error = verdict(outcomes(a_record(a_line(1), a_line(2), a_line(3)), answers, "ended"))
    assert error is not None
    assert (error.exit_code, error.code) == (5, "rate_limited")
    assert error.message == "2 of 3 rows failed; line 2: busy"


def test_usage_is_added_up_and_what_no_row_tells_stays_unknown() -> None:
    answers = {
        "line-1": an_answer(1, usage=Usage(input_tokens=1, output_tokens=2)),
        "line-2": an_answer(2, usage=Usage(input_tokens=3)),
    }
    total = total_usage(outcomes(a_record(a_line(1), a_line(2)), answers, "ended"))
    assert total == Usage(input_tokens=4, output_tokens=2)


def test_a_refused_batch_names_the_lines_of_the_users_own_file() -> None:
    faults = (BatchFault("bad model", row=1), BatchFault("too long", row=0), BatchFault("quota"))
    error = refused(a_record(a_line(2), a_line(7)), BatchStatus(id="b1", state="failed", faults=faults))
    assert error.message == "`openai` refused batch `b1`: line 7: bad model; line 2: too long; quota"
    assert error.exit_code == 8


def test_many_faults_are_not_all_shown() -> None:
    faults = tuple(BatchFault("bad", row=row) for row in range(9))
    message = refused(a_record(*map(a_line, range(1, 10))), BatchStatus(id="b1", state="failed", faults=faults)).message
    assert message.endswith("line 5: bad; and 4 more")


@pytest.mark.parametrize(("answered", "status"), [((1, 2), "ok"), ((1,), "incomplete"), ((), "error")])
def test_a_batch_is_one_run_of_the_history_with_what_it_cost(answered: tuple[int, ...], status: str) -> None:
    record = a_record(a_line(1), a_line(2))
    results = outcomes(record, {f"line-{number}": an_answer(number) for number in answered}, "ended")
    run = run_record(record, "r1", results, verdict(results))
    assert (run.id, run.started_at, run.status, run.model) == ("r1", 1_000.0, status, "openai:gpt-5.6-luna")
    assert run.cost_usd == pytest.approx(1.5 * len(answered))
    assert run.timings.total_ms is None
    assert run.prompt == "batch b1: 2 prompts of prompts.jsonl"
