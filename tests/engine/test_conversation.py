"""What a model gets to read of a conversation."""

from builders import a_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.engine.conversation import LONGEST_SUMMARY, UNFINISHED, carried, plainly, to_summarise
from mmai.selection.tokens import request_tokens
from mmai.values.conversation import Conversation, Turn
from mmai.values.record import RunStatus
from mmai.values.request import ImagePart, Message, Options, Request, TextPart

CAT = ImagePart(b"png", "image/png", "cat.png")


def a_turn(asked: str, said: str | None = "Well.", *, status: RunStatus = "ok", image: bool = False) -> Turn:
    parts = (*((CAT,) if image else ()), TextPart(asked))
    answer = None if said is None else Message("assistant", (TextPart(said),))
    return Turn(run_id=asked, at=0.0, user=Message("user", parts), answer=answer, status=status)


def a_talk(*turns: Turn) -> Conversation:
    return Conversation(id="1", turns=turns)


def asking(text: str = "And now?", *, system: str = "Be brief.", max_tokens: int | None = None) -> Request:
    messages = (Message("system", (TextPart(system),)), Message("user", (TextPart(text),)))
    return Request(messages=messages, options=Options(max_tokens=max_tokens))


def said(request: Request) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in request.messages]


def test_what_was_said_stands_between_the_instructions_and_the_question() -> None:
    found = carried(a_talk(a_turn("One?", "Two."), a_turn("Three?", "Four.")), asking(), a_card())
    assert said(found.request) == [
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", "Two."),
        ("user", "Three?"),
        ("assistant", "Four."),
        ("user", "And now?"),
    ]
    assert (found.dropped, found.left_out) == ((), ())


def test_a_question_without_an_answer_is_not_carried() -> None:
    found = carried(a_talk(a_turn("One?", None, status="error"), a_turn("Two?")), asking(), a_card())
    assert "One?" not in [text for _, text in said(found.request)]


def test_an_answer_that_was_cut_says_so() -> None:
    found = carried(a_talk(a_turn("One?", "Once upon", status="incomplete")), asking(), a_card())
    assert ("assistant", f"Once upon {UNFINISHED}") in said(found.request)


def test_the_oldest_turns_go_first_and_whole() -> None:
    turns = [a_turn(f"Question {number} " + "word " * 200) for number in range(10)]
    found = carried(a_talk(*turns), asking(max_tokens=100), a_card(context_tokens=1000))
    assert 0 < len(found.dropped) < 10
    assert found.dropped == tuple(turns[: len(found.dropped)])
    assert said(found.request)[0] == ("system", "Be brief.")
    assert said(found.request)[1][1].startswith(f"Question {len(found.dropped)} ")
    assert said(found.request)[-1] == ("user", "And now?")


def test_a_window_nobody_knows_takes_everything() -> None:
    turns = [a_turn("word " * 5000) for _ in range(10)]
    assert carried(a_talk(*turns), asking(), a_card(context_tokens=None)).dropped == ()


def test_a_smaller_window_that_was_asked_for_counts() -> None:
    request = Request(messages=asking().messages, options=Options(extra={"num_ctx": 600}))
    found = carried(a_talk(a_turn("word " * 1000), a_turn("Two?")), request, a_card(context_tokens=32_000))
    assert (len(found.dropped), found.window_tokens) == (1, 600)


def test_images_go_to_whoever_sees_and_are_named_for_others() -> None:
    talk = a_talk(a_turn("What is it?", "A cat.", image=True))
    blind = carried(talk, asking(), a_card())
    assert blind.left_out == ("`cat.png`",)
    assert not any(isinstance(part, ImagePart) for message in blind.request.messages for part in message.parts)
    seeing = carried(talk, asking(), a_card(capabilities=("text_generation", "vision")))
    assert seeing.left_out == ()
    assert CAT in seeing.request.messages[1].parts


def test_whoever_is_chosen_needs_no_eyes_for_what_was_seen_before() -> None:
    whole = plainly(a_talk(a_turn("What is it?", "A cat.", image=True)), asking())
    assert [text for _, text in said(whole)] == ["Be brief.", "What is it?", "A cat.", "And now?"]
    assert not any(isinstance(part, ImagePart) for message in whole.messages for part in message.parts)


def test_a_summary_stands_with_the_instructions_where_turns_were_dropped() -> None:
    turns = [a_turn(f"Question {number} " + "word " * 200) for number in range(10)]
    found = carried(a_talk(*turns), asking(), a_card(context_tokens=2000), summary="They spoke of lighthouses.")
    assert found.dropped
    assert said(found.request)[0][1].endswith("They spoke of lighthouses.")
    assert "Be brief." in said(found.request)[0][1]
    whole = carried(a_talk(a_turn("One?")), asking(), a_card(), summary="Never needed.")
    assert "Never needed." not in str(said(whole.request))


def test_what_is_summarised_is_what_was_said() -> None:
    text = to_summarise([a_turn("One?", "Two.")])
    assert "User: One?" in text
    assert "Assistant: Two." in text


def test_one_text_of_a_conversation_says_who_said_what() -> None:
    found = carried(a_talk(a_turn("One?", "Two.")), asking(), a_card())
    assert found.request.prompt == "User: One?\n\nAssistant: Two.\n\nUser: And now?"
    assert found.request.latest == "And now?"


@given(
    lengths=st.lists(st.integers(1, 400), max_size=12),
    window=st.integers(300, 4000),
    summary=st.sampled_from([None, "Short.", LONGEST_SUMMARY]),
)
def test_what_is_kept_fits_the_latest_always_goes_and_order_stays(lengths: list[int], window: int, summary: str | None) -> None:
    turns = [a_turn(f"{number}: " + "word " * length) for number, length in enumerate(lengths)]
    request = asking(max_tokens=50)
    found = carried(a_talk(*turns), request, a_card(context_tokens=window), summary=summary)
    kept = [message.text for message in found.request.messages if message.role == "user"]
    assert kept[-1] == "And now?"
    assert kept[:-1] == [turn.user.text for turn in turns[len(found.dropped) :]]
    if len(kept) > 1:
        assert request_tokens(found.request) + 50 <= window
