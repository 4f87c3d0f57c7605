"""One request answered by one of the models, whole and at once."""

from collections.abc import Sequence
from itertools import pairwise

from mmai.backends.builtin.asking import Asked, read_request, user_texts
from mmai.backends.builtin.cards import BYTES_PER_TOKEN, KINDS, MAX_TEXT_BYTES
from mmai.backends.builtin.document import Document, Sentence, read_document
from mmai.backends.builtin.embedding import embed
from mmai.backends.builtin.length import Length, asked_by, asked_in
from mmai.backends.builtin.phrases import key_phrases
from mmai.backends.builtin.summary import SEPARATOR_BYTES, Choice, Limits, choose, rank_sentences
from mmai.backends.builtin.words import count_words, is_spaceless, size_bytes
from mmai.errors import ContextOverflow, InvalidRequest
from mmai.values.event import Event, FinishedEvent, TextEvent, Usage, VectorEvent
from mmai.values.model import ModelRef
from mmai.values.request import Request


def answer(model: ModelRef, request: Request) -> list[Event]:
    """The events of the answer, at most seconds later.

    Raises:
        InvalidRequest: there is no text, an option is unknown or not a whole number, or no sentence is as short as was asked.
        ContextOverflow: the text is longer than `MAX_TEXT_BYTES`.
    """
    size = sum(map(size_bytes, user_texts(request)))
    if size > MAX_TEXT_BYTES:
        raise ContextOverflow(f"`{model}` reads at most {MAX_TEXT_BYTES:,} bytes of text, and this is {size:,}")
    options = asked_by(request.options.extra, KINDS[model.name].options, model=str(model))
    if model.name == "embed":
        return _embedded(model, request.prompt, size)
    asked = read_request(request)
    document = read_document(asked.document)
    if not document.sentences:
        raise _nothing_to_read(model, asked)
    length = options.over(asked_in(asked.instruction)).over(asked_in(request.system))
    max_bytes = None if request.options.max_tokens is None else request.options.max_tokens * BYTES_PER_TOKEN
    if model.name == "keywords":
        document, choice = _phrases(model, document, length, max_bytes)
    else:
        choice = _sentences(model, document, length, max_bytes)
    if not choice.sentences:
        raise _nothing_fits(model, document, length.words, request.options.max_tokens)
    pieces = _joined(choice.sentences, lines=model.name == "keywords", bullets=length.bullets)
    usage = Usage(input_tokens=_tokens(size), output_tokens=_tokens(sum(map(size_bytes, pieces))), estimated=True)
    return [*map(TextEvent, pieces), FinishedEvent(reason="length" if choice.cut else "stop", usage=usage)]


def _embedded(model: ModelRef, text: str, size: int) -> list[Event]:
    if not text.strip():
        raise _nothing_to_read(model, Asked("", ""))
    usage = Usage(input_tokens=_tokens(size), estimated=True)
    return [VectorEvent(tuple(embed(text).tolist())), FinishedEvent(usage=usage)]


def _phrases(model: ModelRef, document: Document, length: Length, max_bytes: int | None) -> tuple[Document, Choice]:
    """All key phrases as if they were a text, and those that fit."""
    wanted = length.phrases or length.sentences or length.words
    phrases = key_phrases(document, wanted)
    if not phrases:
        raise InvalidRequest(f"`{model}` found no key phrase in the text")
    listed = Document(tuple(map(Sentence, phrases)))
    choice = choose(listed, range(len(phrases)), Limits(sentences=len(phrases), size_bytes=max_bytes))
    return listed, choice if wanted else Choice(choice.sentences)


def _sentences(model: ModelRef, document: Document, length: Length, max_bytes: int | None) -> Choice:
    limits = Limits(sentences=length.sentences, words=length.words, size_bytes=max_bytes)
    return choose(document, rank_sentences(document) if model.name == "textrank" else range(len(document.sentences)), limits)


def _joined(sentences: Sequence[str], *, lines: bool, bullets: bool) -> list[str]:
    """One piece a sentence, each after the first with what goes between."""
    mark = "- " if bullets else ""
    between = "\n" if lines or bullets else " "
    pieces = [mark + sentences[0]]
    for before, sentence in pairwise(sentences):
        glued = between == " " and is_spaceless(before[-2:]) and is_spaceless(sentence[:2])
        pieces.append(("" if glued else between) + mark + sentence)
    return pieces


def _nothing_to_read(model: ModelRef, asked: Asked) -> InvalidRequest:
    if asked.document:
        return InvalidRequest(f"`{model}` found no words in the text")
    beside = " beside the instruction" if asked.instruction else ""
    return InvalidRequest(f"there is no text for `{model}` to read{beside}", hint=f"mmai run -m {model} -f FILE")


def _nothing_fits(model: ModelRef, document: Document, max_words: int | None, max_tokens: int | None) -> InvalidRequest:
    words = min(count_words(sentence.text) for sentence in document.sentences)
    if max_words and words > max_words and model.name != "keywords":
        message = f"no sentence of the text has at most {max_words} words; the shortest has {words}"
        return InvalidRequest(message, hint=f"mmai run -m {model} -O words={words}")
    tokens = _tokens(min(size_bytes(sentence.text) for sentence in document.sentences) + SEPARATOR_BYTES)
    message = f"`{model}` cuts nothing short, and the least it can say takes {tokens} tokens, not {max_tokens}"
    return InvalidRequest(message, hint=f"mmai run -m {model} --max-tokens {tokens}")


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)
