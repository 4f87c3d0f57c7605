"""What HTTP itself says of a failure, whichever provider it is: the class of a status, and when to come back."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from mmai.errors import AuthError, CallError, InvalidRequest, ProviderError, QuotaExceeded, RateLimited

MAX_BODY_CHARS = 2_000
STATUSES: dict[int, tuple[type[CallError], str]] = {
    400: (InvalidRequest, "Bad Request"),
    401: (AuthError, "Unauthorized"),
    402: (QuotaExceeded, "Payment Required"),
    403: (AuthError, "Forbidden"),
    404: (ProviderError, "Not Found"),
    405: (ProviderError, "Method Not Allowed"),
    408: (ProviderError, "Request Timeout"),
    409: (ProviderError, "Conflict"),
    410: (ProviderError, "Gone"),
    413: (InvalidRequest, "Content Too Large"),
    422: (InvalidRequest, "Unprocessable Content"),
    429: (RateLimited, "Too Many Requests"),
    500: (ProviderError, "Internal Server Error"),
    502: (ProviderError, "Bad Gateway"),
    503: (ProviderError, "Service Unavailable"),
    504: (ProviderError, "Gateway Timeout"),
    529: (ProviderError, "Overloaded"),
}
PAGE = "a web page"
"""What the dialects call an answer in HTML; a comma and what follows from it come behind."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def status_error(
    status: int, text: str, *, where: str, headers: Mapping[str, str], now: float, hint: str | None = None
) -> CallError:
    """The error of a response outside 200 to 299.

    `where` names who answered, `text` is what it said in words (or nothing), `headers` have lower-case names, `now` is Unix
    seconds. A 4xx that is not listed is the request's fault, anything else the provider's.
    """
    if status >= 500 and text.startswith(f"{PAGE}, "):
        # A gateway says so of an API that is down behind it: no sign that another server answers there.
        text = PAGE
    kind, phrase = STATUSES.get(status, (InvalidRequest if 400 <= status < 500 else ProviderError, ""))
    message = f"{where} answered {status} {phrase}".rstrip() + (f": {text}" if text else "")
    wait_s = retry_after_s(headers, now=now)
    if kind is RateLimited and wait_s and wait_s >= 1:
        message += f"; it asks to be left alone for {wait_s:.0f} s"
    return kind(message, hint=hint, status=status, retry_after_s=wait_s, body=text[:MAX_BODY_CHARS] or None)


def retry_after_s(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds the provider asks to be left alone, never negative; None where it does not say, or not in a form anyone knows.

    Reads `retry-after-ms` and `x-ms-retry-after-ms` (milliseconds), then `retry-after` (seconds, or an HTTP date, RFC 9110
    10.2.3). `now` is Unix seconds.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if (milliseconds := _number(headers.get(name))) is not None:
            return milliseconds / 1000
    text = headers.get("retry-after")
    if (seconds := _number(text)) is not None:
        return seconds
    moment = _http_date(text or "")
    return None if moment is None else max(0.0, moment - now)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _http_date(text: str) -> float | None:
    """Unix seconds of `Sun, 06 Nov 1994 08:49:37 GMT`. By hand: `email.utils` costs 13 ms, and `strptime` follows the locale."""
    try:
        _, day, month, year, clock, zone = text.split()
        hour, minute, second = map(int, clock.split(":"))
        moment = datetime(int(year), MONTHS.index(month) + 1, int(day), hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() if zone == "GMT" else None
