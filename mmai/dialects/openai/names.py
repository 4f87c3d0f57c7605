"""What the name of a model says of what it does, where nothing else does.

Source: OpenAI, "Models", and the names that servers give to open weights.
"""

import re

from mmai.dialects.openai.tuning import is_reasoning_name

SPECIAL = (
    (re.compile(r"embed|(?:^|[-/])(?:bge|gte|e5)-"), "embedding"),
    (re.compile(r"tts|-voice\b|kokoro"), "speech_synthesis"),
    (re.compile(r"whisper|transcri"), "speech_transcription"),
    (re.compile(r"(?:gpt|chatgpt)-image|dall-e|stable-diffusion|flux[.-]"), "image_generation"),
)
"""Parts of a name to the one thing such a model does."""
_UNUSABLE = re.compile(
    r"moderation|realtime|sora|^gpt-live|computer-use|deep-research|^(?:babbage|davinci)-00|-instruct-0914$|^gpt-3\.5-turbo-instruct"
)
"""Of OpenAI's own: what no protocol here can ask."""


def capability_of(name: str) -> str | None:
    """The capability the name speaks of, or None where it is like any that writes."""
    lower = name.lower()
    return next((capability for part, capability in SPECIAL if part.search(lower)), None)


def is_usable(name: str) -> bool:
    """Whether one of OpenAI's own can be asked through chats, responses, embeddings, images or sound."""
    return _UNUSABLE.search(name) is None


def capabilities_of(name: str, provider: str) -> tuple[str, ...]:
    """A guess of everything the model can do."""
    special = capability_of(name)
    if special:
        return (special,)
    thinks = provider == "openai" and is_reasoning_name(name)
    return ("text_generation", "thinking") if thinks else ("text_generation",)
