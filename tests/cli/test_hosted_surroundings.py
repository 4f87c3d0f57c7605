"""Hosted providers on a machine whose own surroundings are wrong: certificates, proxies, a network that is not there, a key that is not right."""

import pytest
from command import Mmai
from fakes.openai import FakeOpenAI, usual_models


@pytest.fixture
def keyed(mmai: Mmai) -> Mmai:
    """The command with a key, and an address that nobody answers at and nothing is looked up for."""
    mmai.env |= {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": "https://192.0.2.1/v1"}
    return mmai


@pytest.mark.parametrize("content", [None, "no certificate\n"], ids=["missing", "garbage"])
def test_certificates_that_cannot_be_read_are_named_and_nothing_is_sent(keyed: Mmai, content: str | None) -> None:
    file = keyed.home / "authority.pem"
    if content is not None:
        file.write_text(content)
    result = keyed("run", "-m", "openai:gpt-5.6-luna", "hi", env={"SSL_CERT_FILE": str(file)})
    assert (result.exit_code, result.stdout) == (2, "")
    why = "No such file or directory" if content is None else "no certificate or crl found"
    assert result.stderr == (
        f"error: the certificates that `SSL_CERT_FILE` names cannot be read: {why}\nhint: unset SSL_CERT_FILE\n"
    )


def test_an_answer_over_plain_http_needs_no_certificates(mmai: Mmai, openai: FakeOpenAI) -> None:
    mmai.env |= {"OPENAI_BASE_URL": openai.base_url, "SSL_CERT_FILE": "/nowhere"}
    assert mmai("run", "-m", "openai:gpt-5.6-luna", "hi").exit_code == 0


@pytest.mark.parametrize("proxy", ["http://me:hunter2", "ftp://me:hunter2@127.0.0.1:1"])
def test_a_proxy_with_no_address_is_told_of_without_its_password(keyed: Mmai, proxy: str) -> None:
    result = keyed("run", "-m", "openai:gpt-5.6-luna", "hi", env={"HTTPS_PROXY": proxy})
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: the proxy that the environment names has no address mmai can use\nhint: env | grep -i _proxy\n"
    )


def test_a_proxy_that_is_not_there_is_said_to_be_in_between(keyed: Mmai, nowhere: str) -> None:
    result = keyed("run", "-m", "openai:gpt-5.6-luna", "hi", env={"HTTPS_PROXY": nowhere})
    assert result.exit_code == 7
    assert result.stderr.splitlines()[-1] == "error: cannot connect to `192.0.2.1:443` through a proxy: connection refused"


def test_pictures_need_the_certificates_as_text_does(keyed: Mmai) -> None:
    result = keyed("run", "-m", "openai:gpt-image-2", "hi", "--out", "cat.png", env={"SSL_CERT_FILE": "/nowhere"})
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, "hint: unset SSL_CERT_FILE")


def test_a_socks_proxy_says_what_it_needs(keyed: Mmai) -> None:
    result = keyed("run", "-m", "openai:gpt-5.6-luna", "hi", env={"ALL_PROXY": "socks5://127.0.0.1:1"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: the environment names a SOCKS proxy, and the package that speaks to one is not installed\n"
        "hint: pip install 'httpx[socks]'\n"
    )


def test_a_choice_without_a_model_tells_of_the_key_that_was_refused(mmai: Mmai) -> None:
    with FakeOpenAI(*usual_models(), key="sk-right") as server:
        mmai.env |= {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": server.base_url}
        result = mmai("run", "write a haiku")
    assert result.exit_code == 3
    error, hint = result.stderr.splitlines()
    assert error.startswith("error: no model here can do creative_writing; ")
    assert "; `openai` could not be asked: OpenAI at `127.0.0.1:" in error
    assert "401 Unauthorized" in error
    assert hint == "hint: mmai keys set openai"


def test_a_choice_without_a_model_tells_of_the_service_that_is_out_of_reach(mmai: Mmai, nowhere: str) -> None:
    mmai.env |= {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": "http://192.0.2.1/v1", "HTTP_PROXY": nowhere}
    result = mmai("run", "write a haiku")
    assert result.exit_code == 3
    assert "; `openai` could not be asked: cannot connect to `192.0.2.1:80`" in result.stderr
    assert result.stderr.endswith("hint: mmai status\n")


@pytest.mark.parametrize("limit", [("--local-only",), ("--provider", "builtin")])
def test_a_service_that_was_ruled_out_is_not_told_of(mmai: Mmai, limit: tuple[str, ...]) -> None:
    with FakeOpenAI(*usual_models(), key="sk-right") as server:
        mmai.env |= {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": server.base_url}
        result = mmai("run", "write a haiku", *limit)
    assert result.exit_code == 3
    assert "openai" not in result.stderr


@pytest.mark.parametrize("address", ["localhost:8000", "localhost:8000/v1", "api.corp/v1"])
def test_an_address_without_a_scheme_says_what_is_missing(keyed: Mmai, address: str) -> None:
    result = keyed("run", "-m", "openai:gpt-5.6-luna", "hi", env={"OPENAI_BASE_URL": address})
    assert result.exit_code == 2
    assert f"`{address}` needs `http://` or `https://` before it" in result.stderr
