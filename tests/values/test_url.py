from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.errors import UsageError
from mmai.values.url import Address, is_loopback, ollama_endpoint, quoted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.2.3.4",
        ":56789",
        "1.2.3.4:56789",
        "http://1.2.3.4",
        "https://1.2.3.4",
        "https://1.2.3.4:56789",
        "example.com",
        "example.com:56789",
        "http://example.com",
        "https://example.com",
        "https://example.com:56789",
        "example.com/",
        "example.com:56789/",
        "example.com/path",
        "example.com:56789/path",
        "https://example.com:56789/path",
        "example.com:56789/path/",
        "EXAMPLE.com:80",
        "[0001:002:003:0004::1]",
        "[0001:002:003:0004::1]:56789",
        "http://[0001:002:003:0004::1]",
        "https://[0001:002:003:0004::1]:56789/path",
        "user:pass@example.com:1",
        "example.com:",
    ],
)
def test_an_address_is_read_as_the_ollama_client_reads_it(text: str) -> None:
    # Its parser is private and the only statement of its rules.
    from ollama._client import _parse_host

    assert ollama_endpoint(text) == _parse_host(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("http://0.0.0.0:8080/x/", "http://127.0.0.1:8080/x"),
        ("[::]:1234", "http://[::1]:1234"),
        ("::", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("fe80::1", "http://[fe80::1]:11434"),
        (' "box:1" ', "http://box:1"),
        ("'box'", "http://box:11434"),
        ("HTTP://box", "http://box:80"),
        ("ollama.com", "https://ollama.com:443"),
        ("box:99999", "http://box:11434"),
        ("https://box:none", "https://box:443"),
        ("box:0", "http://box:11434"),
        ("box:-1", "http://box:11434"),
    ],
)
def test_where_the_python_client_fails_the_servers_own_rules_hold(text: str, url: str) -> None:
    assert ollama_endpoint(text) == url


@pytest.mark.parametrize("text", ["ftp://box", "unix:///run/ollama.sock", "two words", "büro:1"])
def test_what_cannot_be_an_address_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        ollama_endpoint(text)
    assert f"`{text}`" in raised.value.message


@given(st.from_regex(r"(https?://)?[a-z0-9.]{1,12}(:[0-9]{1,5})?(/[a-z]{0,5})?", fullmatch=True))
def test_a_normal_address_stays_as_it_is(text: str) -> None:
    once = ollama_endpoint(text)
    assert ollama_endpoint(once) == once


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://127.8.9.1", "https://localhost/x", "http://[::1]:2", "http://[0:0:0:0:0:0:0:1]"]
)
def test_this_machine_is_known_by_name_and_number(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1.example.com", "http://box:1", "http://[fe80::1]", "http://10.0.0.1", "http://localhost.example.com"],
)
def test_another_machine_is_not_taken_for_this_one(url: str) -> None:
    assert not is_loopback(url)


def test_an_address_comes_apart_and_together_again() -> None:
    address = Address.parse("HTTPS://[::1]/v1/")
    assert address == Address("https", "::1", 443, "/v1")
    assert (address.authority, str(address)) == ("[::1]:443", "https://[::1]:443/v1")


@given(st.text())
def test_quoted_text_is_read_as_it_was(text: str) -> None:
    sent = quoted(text)
    assert unquote(sent, errors="strict") == text
    assert sent.isascii()
    assert set(sent) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%")


def test_what_may_stay_as_it_is_stays() -> None:
    assert quoted("models/a b@é", also="/@") == "models/a%20b@%C3%A9"
