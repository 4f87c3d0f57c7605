"""Which keys go where: each to whom it is meant for, none to anybody else, and none into anything that is shown or kept."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Mmai, Result
from fakes.wall import Wall
from voices import KEY, VOICES, Fake, Voice

OTHER = "sk-other-9876543210fedcba"
HOSTED = ("openai", "anthropic", "google")


@pytest.fixture(params=HOSTED)
def voice(request: pytest.FixtureRequest) -> Voice:
    return VOICES[request.param]


@pytest.fixture
def server(voice: Voice) -> Iterator[Fake]:
    """Lets `KEY` in, and nobody else."""
    with voice.fake() as server:
        server.streams("Hello")
        yield server


def sent(server: Fake, voice: Voice) -> list[str | None]:
    """The key of each request."""
    return [seen.headers.get(voice.header) for seen in server.journal.requests]


def asked(mmai: Mmai, voice: Voice, *options: str) -> Result:
    return mmai("run", "-m", voice.ref, "hi", *options)


def test_a_key_of_the_environment_goes_where_the_environment_says(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai.env |= voice.at(server)
    assert asked(mmai, voice)[:2] == (0, "Hello\n")
    assert sent(server, voice) == [voice.credential(KEY)]


def test_a_kept_key_does_not_follow_an_address_of_the_environment(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai("keys", "set", voice.provider, stdin=KEY.encode())
    mmai.env |= voice.at(server, key=None)
    result = asked(mmai, voice)
    assert (result.exit_code, result.stdout) == (4, "")
    assert sent(server, voice) == [None]
    assert f"keys kept for `{voice.provider}` are not sent to `127.0.0.1`" in result.stderr


def test_a_kept_key_does_not_follow_an_address_of_the_settings(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai("keys", "set", voice.provider, stdin=KEY.encode())
    mmai.configure(voice.settings(server))
    result = asked(mmai, voice)
    assert result.exit_code == 4
    assert sent(server, voice) == [None]
    assert f"keys kept for `{voice.provider}` are not sent to `127.0.0.1`" in result.stderr


def test_a_key_of_the_settings_goes_to_the_address_of_the_settings(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai.configure(voice.settings(server, api_key=KEY))
    assert asked(mmai, voice)[:2] == (0, "Hello\n")
    assert sent(server, voice) == [voice.credential(KEY)]


def test_a_key_of_the_settings_does_not_follow_an_address_of_the_environment(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai.configure(f"backends: {{{voice.provider}: {{api_key: {KEY}}}}}\n")
    mmai.env |= voice.at(server, key=None)
    assert asked(mmai, voice).exit_code == 4
    assert sent(server, voice) == [None]


def test_without_a_key_nothing_is_sent(mmai: Mmai, voice: Voice, wall: Wall) -> None:
    mmai.env["HTTPS_PROXY"] = wall.url
    result = asked(mmai, voice)
    assert (result.exit_code, result.stdout) == (4, "")
    assert f"`{voice.variable}` is not set" in result.stderr
    assert result.stderr.endswith(f"hint: mmai keys set {voice.provider}\n")
    assert wall.journal.connections == 0


def test_a_kept_key_goes_to_its_own_site_under_tls(mmai: Mmai, voice: Voice, wall: Wall) -> None:
    mmai("keys", "set", voice.provider, stdin=KEY.encode())
    mmai.env["HTTPS_PROXY"] = wall.url
    # A wall in place of the proxy, which sees whom it is to connect to, and nothing that is meant for them.
    assert asked(mmai, voice).exit_code == 7
    (seen, *_) = wall.journal.requests
    assert (seen.method, seen.path.endswith(":443")) == ("CONNECT", True)
    assert KEY not in str(seen.headers)


def test_a_provider_of_ones_own_has_a_key_of_its_own(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai.configure(f"backends: {{lab: {{kind: {voice.provider}, endpoint: '{server.url}{voice.base}'}}}}\n")
    mmai("keys", "set", "lab", stdin=KEY.encode())
    mmai("keys", "set", voice.provider, stdin=OTHER.encode())
    mmai.env[voice.variable] = OTHER
    assert mmai("run", "-m", f"lab:{voice.model}", "hi")[:2] == (0, "Hello\n")
    assert sent(server, voice) == [voice.credential(KEY)]
    assert mmai("run", "-m", f"lab:{voice.model}", "hi", env={"LAB_API_KEY": OTHER}).exit_code == 4


def test_a_service_known_by_name_at_another_address_gets_the_key_of_its_variable(mmai: Mmai) -> None:
    with VOICES["openai"].fake() as server:
        server.streams("Hello")
        mmai.configure(f"backends: {{groq: {{endpoint: '{server.url}/v1'}}}}\n")
        mmai("keys", "set", "groq", stdin=OTHER.encode())
        run = ("run", "-m", "groq:gpt-4.1-mini", "hi")
        assert mmai(*run).exit_code == 4
        assert mmai(*run, env={"OPENAI_API_KEY": KEY}).exit_code == 4
        assert mmai(*run, env={"GROQ_API_KEY": KEY})[:2] == (0, "Hello\n")
    assert sent(server, VOICES["openai"]) == [None, None, f"Bearer {KEY}"]


def test_a_project_does_not_choose_where_keys_go(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai("keys", "set", voice.provider, stdin=KEY.encode())
    mmai.env[voice.variable] = KEY
    (mmai.cwd / "mmai.yaml").write_text(voice.settings(server))
    result = asked(mmai, voice)
    assert result.exit_code == 4
    assert sent(server, voice) == [None]
    assert "a project file chose where calls" in result.stderr


def test_no_output_and_no_file_holds_the_key(mmai: Mmai, voice: Voice, server: Fake) -> None:
    mmai.env |= voice.at(server)
    refused = voice.said(401)
    calls: list[Callable[[], None]] = [
        lambda: None,
        lambda: server.answers(refused.status, refused.body, times=1),
        lambda: server.streams(voice.failing, done=False, times=2),
        lambda: server.streams("Hel", voice.failing, done=False, times=1),
        lambda: server.streams(voice.malformed, voice.malformed, done=False, times=1),
    ]
    said: list[Result] = []
    for prepare in calls:
        for options in (["-v"], ["--json"], ["--usage", "-o", "jsonl"]):
            prepare()
            said.append(asked(mmai, voice, *options))
    assert {result.exit_code for result in said} == {0, 4, 8, 9}
    said += [asked(mmai, voice, "--dry-run"), asked(mmai, voice, "--dry-run", "--json")]
    for command in (["discover"], ["models"], ["status"], ["config", "show", "--origin"], ["keys", "list"], ["paths"]):
        said += [mmai(*command), mmai(*command, "--json")]
    assert [result for result in said if KEY in result.stdout + result.stderr] == []
    assert {file.name for file in files(mmai.home)} >= {"history.db", "registry.json"}
    assert [file for file in files(mmai.home) if KEY.encode() in file.read_bytes()] == []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_key_that_was_just_set_counts_at_once_for_an_automatic_choice(mmai: Mmai, nowhere: str) -> None:
    before = mmai("select", "write a haiku")
    assert (before.exit_code, "could not be asked" in before.stderr) == (3, False)
    assert "hint: ollama serve, or mmai keys set openai" in before.stderr
    after = mmai("select", "write a haiku", env={"OPENAI_API_KEY": KEY, "HTTPS_PROXY": nowhere})
    assert after.exit_code == 3
    assert "`openai` could not be asked: cannot connect to `api.openai.com:443` through a proxy" in after.stderr
