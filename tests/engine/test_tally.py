"""What a run adds up to, event by event."""

import pytest
from builders import a_card, a_cloud_card, a_request

from mmai.clock import Clock
from mmai.engine.session import Route
from mmai.engine.tally import Tally
from mmai.errors import CannotConnect, IncompleteAnswer, MmaiError, SchemaMismatch
from mmai.selection.tokens import request_tokens, text_tokens
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event, ExecutionEvent, FinishedEvent, ImageEvent, LabelsEvent, ReasoningEvent, TextEvent, Usage
from mmai.values.execution import Execution
from mmai.values.model import ModelCard, Price
from mmai.values.record import RunRecord, RunStatus

REQUEST = a_request("Why is the sky blue?")
LUNA = a_cloud_card(usd_per_mtok=1.0)


def after(*events: Event, card: ModelCard = LUNA) -> RunRecord:
    tally = Tally(REQUEST, run_id="1", clock=Clock())
    tally.sending(Route(card, Endpoint(provider=card.provider, kind="openai")))
    for event in events:
        tally.take(event)
    tally.close("ok", None)
    return tally.record


def test_what_the_provider_counted_is_what_it_costs() -> None:
    record = after(TextEvent("Hello"), FinishedEvent(usage=Usage(input_tokens=1000, output_tokens=100)))
    assert record.usage == Usage(input_tokens=1000, output_tokens=100)
    assert record.cost_usd == pytest.approx(0.001 + 0.0004)


def test_tokens_nobody_told_are_estimated_from_what_was_sent_and_what_came() -> None:
    record = after(ReasoningEvent("Light scatters. "), TextEvent("Because of "), TextEvent("air."), FinishedEvent())
    wrote = text_tokens("Light scatters. Because of air.")
    assert record.usage == Usage(input_tokens=request_tokens(REQUEST), output_tokens=wrote, estimated=True)
    assert record.cost_usd == pytest.approx((request_tokens(REQUEST) + 4 * wrote) / 1e6)


def test_an_answer_that_was_cut_has_cost_something_too() -> None:
    record = after(TextEvent("Because"))
    assert record.usage.estimated
    assert record.cost_usd is not None
    assert record.cost_usd > 0


def test_a_count_that_was_told_is_kept_where_the_other_is_estimated() -> None:
    record = after(TextEvent("Because"), FinishedEvent(usage=Usage(input_tokens=1000)))
    assert record.usage == Usage(input_tokens=1000, output_tokens=text_tokens("Because"), estimated=True)


def test_an_unknown_price_stays_unknown_whatever_is_estimated() -> None:
    assert after(TextEvent("Because"), card=a_cloud_card(usd_per_mtok=None)).cost_usd is None


def test_a_call_that_failed_before_it_answered_has_no_cost() -> None:
    tally = Tally(REQUEST, run_id="1", clock=Clock())
    route = Route(LUNA, Endpoint(provider="openai", kind="openai"))
    tally.sending(route)
    tally.end_attempt(route, CannotConnect("refused"))
    tally.close("error", CannotConnect("refused"))
    assert (tally.record.usage, tally.record.cost_usd) == (Usage(), None)


def test_sound_that_is_billed_by_the_second_needs_no_tokens() -> None:
    card = a_cloud_card("openai:whisper-1", price=Price(audio_usd_per_s=0.0001))
    record = after(TextEvent("The quick brown fox."), FinishedEvent(usage=Usage(audio_s=30.0)), card=card)
    assert record.usage == Usage(audio_s=30.0)
    assert record.cost_usd == pytest.approx(0.003)


def test_images_are_counted_where_the_provider_does_not() -> None:
    card = a_cloud_card("openai:dall-e-3", price=Price(image_usd=0.04))
    record = after(ImageEvent(b"1", "image/png"), ImageEvent(b"2", "image/png"), FinishedEvent(), card=card)
    assert record.usage == Usage(images=2)
    assert record.cost_usd == pytest.approx(0.08)


def test_what_runs_here_is_free_even_uncounted() -> None:
    assert after(LabelsEvent(()), FinishedEvent(), card=a_card()).cost_usd == 0.0


def test_what_ran_a_model_that_failed_is_known_and_is_no_content() -> None:
    tally = Tally(REQUEST, run_id="1", clock=Clock())
    route = Route(LUNA, Endpoint(provider="coreml", kind="coreml"))
    tally.sending(route)
    tally.take(ExecutionEvent(Execution(executor="reference")))

    assert tally.end_attempt(route, CannotConnect("no")).executor == "reference"
    assert not tally.content
    tally.sending(route)
    assert tally.record.execution is None


@pytest.mark.parametrize("events", [(), (TextEvent(" \n"),), (ReasoningEvent("Hm."), TextEvent(""))])
def test_an_answer_of_nothing_or_of_white_space_is_judged_empty(events: tuple[Event, ...]) -> None:
    assert after(*events, FinishedEvent()).judgement == "empty"


@pytest.mark.parametrize("event", [TextEvent("4"), LabelsEvent(()), ImageEvent(b"1", "image/png")])
def test_an_answer_of_any_kind_says_nothing_of_itself(event: Event) -> None:
    assert after(event, FinishedEvent()).judgement is None


@pytest.mark.parametrize(
    ("status", "error", "judgement"),
    [
        ("ok", None, "schema_kept"),
        ("error", SchemaMismatch("no JSON"), "schema_broken"),
        ("error", CannotConnect("refused"), None),
        ("incomplete", IncompleteAnswer("cut", reason="cut"), None),
        ("cancelled", None, None),
    ],
)
def test_a_schema_judges_only_answers(status: RunStatus, error: MmaiError | None, judgement: str | None) -> None:
    tally = Tally(a_request(schema={"type": "object"}), run_id="1", clock=Clock())
    tally.close(status, error)
    assert tally.record.judgement == judgement
