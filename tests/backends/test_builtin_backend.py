"""The embedded models through the adapter's own door."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai import __version__
from mmai.backends import load
from mmai.backends.base import Backend
from mmai.errors import CallError, ContextOverflow, InvalidRequest, UnknownModel
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event, FinishedEvent, TextEvent, Usage, VectorEvent
from mmai.values.model import ModelCard
from mmai.values.request import ImagePart, Message, Options, Part, Request, TensorPart, TextPart, Tool
from mmai.values.task import TaskType

TEXT = """The river floods the valley every spring. Farmers in the valley wait for the flood of the river.
The flood leaves rich mud on the fields of the farmers. Without the flood the fields would be poor."""


def backend() -> Backend:
    return load(Endpoint(provider="builtin", kind="builtin"))


CARDS = {model.name: model for model in asyncio.run(backend().list_models())}


def card(name: str) -> ModelCard:
    return CARDS[name]


def request(*texts: str, system: str = "", **options: Any) -> Request:
    turns = [Message("system", (TextPart(system),))] if system else []
    return Request(messages=(*turns, Message("user", tuple(map(TextPart, texts)))), options=Options(**options))


def run(name: str, *texts: str, system: str = "", **options: Any) -> list[Event]:
    async def collect() -> list[Event]:
        return [event async for event in backend().infer(card(name), request(*texts, system=system, **options))]

    return asyncio.run(collect())


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextEvent))


def test_the_cards_say_what_the_models_are() -> None:
    cards = asyncio.run(backend().list_models())
    assert [str(model.ref) for model in cards] == ["builtin:textrank", "builtin:lead", "builtin:keywords", "builtin:embed"]
    assert {model.locality for model in cards} == {"embedded"}
    assert all(model.only_tasks and model.loaded and not model.endpoints for model in cards)
    assert {model.price.reason for model in cards if model.price} == {"ships inside mmai"}
    assert all(model.price is not None and model.price.input_usd_per_mtok == 0.0 for model in cards)
    assert card("textrank").tasks == (TaskType.SUMMARIZATION, TaskType.INFORMATION_EXTRACTION)
    assert card("embed").capabilities == ("embedding",)


def test_listing_the_models_imports_no_numpy() -> None:
    code = (
        "import asyncio, sys; from mmai.backends import load; from mmai.values.endpoint import Endpoint;"
        "asyncio.run(load(Endpoint(provider='builtin', kind='builtin')).list_models()); print('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_an_answer_is_a_sentence_an_event_and_ends_with_finished() -> None:
    events = run("lead", TEXT, "in two sentences")
    assert events == [
        TextEvent("The river floods the valley every spring."),
        TextEvent(" Farmers in the valley wait for the flood of the river."),
        FinishedEvent(usage=Usage(input_tokens=53, output_tokens=24, estimated=True)),
    ]


def test_textrank_answers_with_sentences_of_the_text() -> None:
    assert text_of(run("textrank", TEXT, extra={"sentences": "1"})) == "The river floods the valley every spring."


def test_bullets_are_lines_with_a_dash() -> None:
    assert text_of(run("lead", TEXT, "give me 2 bullet points")) == (
        "- The river floods the valley every spring.\n- Farmers in the valley wait for the flood of the river."
    )


def test_an_option_wins_over_the_prompt_and_the_prompt_over_the_system_message() -> None:
    assert len(run("lead", TEXT, "in two sentences", extra={"sentences": 3})) == 4
    assert len(run("lead", TEXT, "in two sentences", system="Answer in 3 sentences.")) == 3
    assert len(run("lead", TEXT, system="Answer in 3 sentences.")) == 4


def test_han_sentences_are_joined_without_spaces() -> None:
    assert text_of(run("lead", "今天天气很好。我们去公园吧。她同意了。", "用两句话总结")) == "今天天气很好。我们去公园吧。"


def test_a_single_sentence_is_its_own_summary() -> None:
    assert text_of(run("textrank", "Just this one.")) == "Just this one."


def test_keywords_come_one_a_line() -> None:
    assert text_of(run("keywords", TEXT, "3 keywords")).count("\n") == 2
    assert len(text_of(run("keywords", TEXT, extra={"phrases": 2})).split("\n")) == 2


def test_max_tokens_is_a_bound_that_cuts_no_sentence() -> None:
    events = run("lead", TEXT, "in 3 sentences", max_tokens=12)
    assert text_of(events) == "The river floods the valley every spring."
    assert isinstance(events[-1], FinishedEvent)
    assert events[-1].reason == "length"
    assert (events[-1].usage.output_tokens or 0) <= 12


def test_a_default_length_that_max_tokens_shortens_is_whole() -> None:
    events = run("lead", TEXT, max_tokens=12)
    assert isinstance(events[-1], FinishedEvent)
    assert events[-1].reason == "stop"


def test_tuning_that_means_nothing_here_is_dropped() -> None:
    assert (
        text_of(run("lead", TEXT, "one sentence", temperature=0.3, seed=1, think=True))
        == "The river floods the valley every spring."
    )


def test_embed_yields_one_vector() -> None:
    vector, finished = run("embed", "some words", "and more")
    assert isinstance(vector, VectorEvent)
    assert sum(value * value for value in vector.values) == pytest.approx(1.0)
    assert isinstance(finished, FinishedEvent)


@pytest.mark.parametrize(
    ("name", "texts", "options", "message"),
    [
        ("textrank", ("summarise this",), {}, "there is no text for `builtin:textrank` to read beside the instruction"),
        ("lead", ("",), {}, "there is no text for `builtin:lead` to read"),
        ("embed", (" \n",), {}, "there is no text for `builtin:embed` to read"),
        ("keywords", ("...!", "keywords"), {}, "`builtin:keywords` found no words in the text"),
        ("textrank", (TEXT,), {"extra": {"words": 3}}, "no sentence of the text has at most 3 words; the shortest has 7"),
        (
            "textrank",
            (TEXT,),
            {"max_tokens": 2},
            "`builtin:textrank` cuts nothing short, and the least it can say takes 11 tokens, not 2",
        ),
        ("textrank", (TEXT,), {"extra": {"sentences": "x"}}, "`sentences` is `x`; it must be a whole number from 1"),
        ("embed", (TEXT,), {"extra": {"words": 3}}, "`builtin:embed` has no option `words`; it takes none"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    name: str, texts: tuple[str, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(name, *texts, **options)
    assert caught.value.message == message


def test_the_hint_of_a_limit_too_small_is_the_smallest_that_works() -> None:
    with pytest.raises(InvalidRequest) as caught:
        run("textrank", TEXT, max_tokens=2)
    assert caught.value.hint == "mmai run -m builtin:textrank --max-tokens 11"
    assert text_of(run("textrank", TEXT, max_tokens=11))


def test_a_text_of_function_words_has_no_keywords() -> None:
    with pytest.raises(InvalidRequest) as caught:
        run("keywords", "It is what it is, and that is all of it.")
    assert caught.value.message == "`builtin:keywords` found no key phrase in the text"


def test_more_text_than_the_bound_overflows() -> None:
    with pytest.raises(ContextOverflow) as caught:
        run("lead", "word " * 800_001)
    assert caught.value.message == "`builtin:lead` reads at most 4,000,000 bytes of text, and this is 4,000,005"


def test_a_name_that_is_none_of_the_four_is_unknown() -> None:
    async def first() -> Event:
        return await anext(backend().infer(ModelCard(provider="builtin", name="gpt"), request(TEXT)))

    with pytest.raises(UnknownModel) as caught:
        asyncio.run(first())
    assert "`builtin:textrank`, `builtin:lead`" in caught.value.message


@pytest.mark.parametrize(
    ("part", "more", "reason"),
    [
        (ImagePart(b"", "image/png"), {}, "`builtin:textrank` reads text alone"),
        (TensorPart("x", b""), {}, "`builtin:textrank` reads text alone"),
        (TextPart("a"), {"tools": (Tool("t", "", {}),)}, "`builtin:textrank` calls no tools"),
        (TextPart("a"), {"schema": {}}, "`builtin:textrank` answers in sentences of the text, not in JSON"),
        (
            TextPart("a"),
            {"task": TaskType.TRANSLATION},
            "`builtin:textrank` does summarization and information_extraction, not translation",
        ),
        (TextPart("a"), {"task": TaskType.SUMMARIZATION}, None),
        (TextPart("a"), {}, None),
    ],
)
def test_what_it_can_handle_shows_in_the_request(part: Part, more: dict[str, Any], reason: str | None) -> None:
    asked = Request(messages=(Message("user", (part,)),), **more)
    assert backend().can_handle(card("textrank"), asked) == reason


def test_what_it_cannot_handle_is_refused_before_any_text() -> None:
    async def first() -> Event:
        asked = Request(messages=(Message("user", (TextPart(TEXT),)),), task=TaskType.MATH)
        return await anext(backend().infer(card("lead"), asked))

    with pytest.raises(InvalidRequest) as caught:
        asyncio.run(first())
    assert caught.value.message == "`builtin:lead` does summarization, not math"


def test_it_is_healthy_and_closes_twice() -> None:
    async def look() -> tuple[str, str | None]:
        opened = backend()
        health = await opened.health_check()
        await opened.aclose()
        await opened.aclose()
        return health.state, health.version

    assert asyncio.run(look()) == ("healthy", __version__)


def test_the_event_loop_goes_on_while_a_text_is_ranked() -> None:
    async def race() -> list[str]:
        done: list[str] = []

        async def other() -> None:
            await asyncio.sleep(0)
            done.append("other")

        async def summarise() -> None:
            async for _ in backend().infer(card("textrank"), request("Many words stand here. " * 20_000)):
                pass
            done.append("summary")

        await asyncio.gather(summarise(), other())
        return done

    assert asyncio.run(race()) == ["other", "summary"]


@given(st.sampled_from(["textrank", "lead", "keywords", "embed"]), st.lists(st.text(), max_size=3))
def test_any_unicode_is_answered_or_refused_by_an_error_of_our_own(name: str, texts: list[str]) -> None:
    try:
        events = run(name, *texts)
    except CallError as error:
        assert error.message
    else:
        assert isinstance(events[-1], FinishedEvent)
        assert all(event.text for event in events if isinstance(event, TextEvent))


def test_the_same_text_gives_the_same_answer() -> None:
    assert run("textrank", TEXT) == run("textrank", TEXT)
