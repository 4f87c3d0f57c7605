"""What an answer counts and measures, as our usage and timings."""

from msgspec import Struct

from mmai.values.event import ServerTimings, Usage


class _InputDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class _OutputDetails(Struct):
    reasoning_tokens: int | None = None


class Counts(Struct):
    """`usage` of a chat completion, an embedding or a response, which name the same in two ways."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek's name for the cached ones."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None

    def usage(self) -> Usage:
        """What was counted."""
        spent = self.prompt_tokens_details or self.input_tokens_details or _InputDetails()
        thought = (self.completion_tokens_details or self.output_tokens_details or _OutputDetails()).reasoning_tokens
        asked = _first(self.prompt_tokens, self.input_tokens)
        return Usage(
            input_tokens=asked,
            output_tokens=self._output(asked, thought),
            cached_tokens=_first(spent.cached_tokens, self.prompt_cache_hit_tokens),
            cache_write_tokens=spent.cache_write_tokens,
            reasoning_tokens=thought,
            audio_tokens=spent.audio_tokens,
        )

    def _output(self, asked: int | None, thought: int | None) -> int | None:
        """xAI counts thinking beside the completion; the total tells."""
        said = _first(self.completion_tokens, self.output_tokens)
        if said is None or asked is None or not thought or self.total_tokens != asked + said + thought:
            return said
        return said + thought


class Timings(Struct):
    """What llama.cpp's server measures, in its own words: milliseconds, and tokens that were not in its cache."""

    cache_n: int | None = None
    prompt_n: int | None = None
    prompt_ms: float | None = None
    prompt_per_second: float | None = None
    predicted_n: int | None = None
    predicted_ms: float | None = None
    predicted_per_second: float | None = None

    def server(self) -> ServerTimings:
        """As our timings."""
        return ServerTimings(
            prompt_ms=self.prompt_ms,
            decode_ms=self.predicted_ms,
            prompt_tokens_per_second=self.prompt_per_second,
            decode_tokens_per_second=self.predicted_per_second,
        )

    def usage(self) -> Usage:
        """The tokens, where nothing else counts them."""
        asked = None if self.prompt_n is None else self.prompt_n + (self.cache_n or 0)
        return Usage(input_tokens=asked, output_tokens=self.predicted_n, cached_tokens=self.cache_n)


def _first(one: int | None, other: int | None) -> int | None:
    return other if one is None else one
