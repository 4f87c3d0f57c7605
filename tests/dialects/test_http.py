import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.http import retry_after_s, status_error
from mmai.errors import AuthError, CallError, InvalidRequest, ProviderError, QuotaExceeded, RateLimited

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "86400"}, 86_400.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"x-ms-retry-after-ms": "40"}, 0.04),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"}, 30.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Sun, 99 Nov 1994 08:50:07 GMT"}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 CET"}, None),
        ({}, None),
    ],
)
def test_the_wish_of_a_provider_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, now=NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_the_reading(text: str) -> None:
    wish = retry_after_s({"retry-after": text}, now=NOW)
    assert wish is None or wish >= 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthError),
        (402, QuotaExceeded),
        (403, AuthError),
        (404, ProviderError),
        (418, InvalidRequest),
        (429, RateLimited),
        (499, InvalidRequest),
        (500, ProviderError),
        (529, ProviderError),
        (599, ProviderError),
    ],
)
def test_a_status_has_its_class_and_keeps_its_number(status: int, kind: type[CallError]) -> None:
    error = status_error(status, "", where="`box`", headers={}, now=NOW)
    assert type(error) is kind
    assert error.status == status


def test_the_message_says_who_what_and_why() -> None:
    error = status_error(503, "server busy", where="`box`", headers={"retry-after": "2"}, now=NOW)
    assert error.message == "`box` answered 503 Service Unavailable: server busy"
    assert error.retry_after_s == 2.0
    assert status_error(418, "", where="`box`", headers={}, now=NOW).message == "`box` answered 418"
