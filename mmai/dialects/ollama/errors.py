"""What Ollama says when it fails, as our errors."""

from collections.abc import Mapping
from typing import Any

from mmai.dialects.body import Decoder, error_of, words
from mmai.dialects.http import MAX_BODY_CHARS, PAGE, status_error
from mmai.errors import ContextOverflow, MmaiError, ProviderError, UnknownModel
from mmai.values.model import ModelRef

NO_API = f"{PAGE}, so it is not Ollama that answers there"


def failure(status: int, body: bytes, *, where: str, ref: ModelRef | None, headers: Mapping[str, str], now: float) -> MmaiError:
    """The error of a whole response outside 200 to 299. `where` names the server, `ref` the model that was asked for."""
    text = error_text(body)
    # The server sends where to sign in when it is the cloud behind it that wants to know who asks.
    wants_account = b'"signin_url"' in body
    hint = "ollama signin" if wants_account else f"mmai keys set {ref.provider}" if ref and status in (401, 403) else None
    return _told(text, where, ref, status) or status_error(status, text, where=where, headers=headers, now=now, hint=hint)


def told_error(error: Any, *, where: str, ref: ModelRef) -> MmaiError:
    """The error of what stands under `error` in an answer whose status was 200: a model that broke down, as 500 says it before."""
    text = words(error)
    return _told(text, where, ref, None) or ProviderError(f"{where} failed: {text}", status=500, body=text[:MAX_BODY_CHARS])


def error_text(body: bytes) -> str:
    """What a failing response says, in one line."""
    return words(error_of(body, page=NO_API))


decode = Decoder(error_text)


def check_done(body: bytes, ref: ModelRef, *, where: str) -> None:
    """Raise what a whole response says went wrong, where its status was 200 all the same."""
    answer = decode(body, dict[str, Any], where=where, what="a confirmation")
    if answer.get("error"):
        raise told_error(answer["error"], where=where, ref=ref)


def _told(text: str, where: str, ref: ModelRef | None, status: int | None) -> MmaiError | None:
    """The failures Ollama tells only in words."""
    lower = text.lower()
    if "context" in lower and ("exceed" in lower or "longer than" in lower):
        hint = "mmai run -O num_ctx=32768 widens the window; -O truncate=true drops the oldest part of the prompt"
        return ContextOverflow(f"{where}: {text}", status=status, body=text[:MAX_BODY_CHARS], hint=hint)
    if ref and status == 404 and "not found" in lower and "model" in lower:
        return UnknownModel(f"{where} has no model `{ref.name}`", hint=f"mmai pull {ref}")
    if ref and "pull model manifest" in lower and "does not exist" in lower:
        return UnknownModel(
            f"the Ollama library has no model `{ref.name}`", hint="https://ollama.com/library lists what it has"
        )
    return None
