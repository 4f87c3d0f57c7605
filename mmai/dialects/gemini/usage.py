"""What an answer took, as Gemini counts it."""

from msgspec import Struct

from mmai.values.event import Usage


class _Count(Struct, rename="camel"):
    modality: str | None = None
    token_count: int | None = None


class UsageMetadata(Struct, rename="camel"):
    """`usageMetadata`: counts of the whole request so far, never of a chunk alone."""

    prompt_token_count: int | None = None
    """Cached ones included."""
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    """Thoughts not included."""
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    """Read from tools that Google itself runs, beside the prompt."""
    prompt_tokens_details: list[_Count] | None = None


def usage(told: UsageMetadata, *, images: int = 0) -> Usage:
    """Its counts under our definitions; `images` were generated."""
    sound = [count.token_count or 0 for count in told.prompt_tokens_details or () if count.modality == "AUDIO"]
    return Usage(
        input_tokens=_sum(told.prompt_token_count, told.tool_use_prompt_token_count),
        output_tokens=_sum(told.candidates_token_count, told.thoughts_token_count),
        cached_tokens=told.cached_content_token_count,
        reasoning_tokens=told.thoughts_token_count,
        audio_tokens=sum(sound) if sound else None,
        images=images or None,
    )


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
