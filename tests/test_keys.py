"""Keys: who wins, how they are kept, and that no message holds one."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mmai import keys
from mmai.errors import AuthError, ConfigError, StorageError, UsageError
from mmai.values.endpoint import NO_KEY, KeyRule, Secret

EVERY = KeyRule(configured=Secret("configured"), command="echo asked")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys.json"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the extra, whatever this one has."""
    monkeypatch.setitem(sys.modules, "keyring", None)


class Keyring(ModuleType):
    """What the tests need of the `keyring` package; `locked` makes every call fail as a missing service does."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, name: str) -> str | None:
        self._open()
        return self.held.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self._open()
        self.held[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        self._open()
        del self.held[service, name]

    def _open(self) -> None:
        if self.locked:
            raise RuntimeError("no service")


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    ring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", ring)
    yield ring


def found(path: Path, rule: KeyRule, *, env: dict[str, str] | None = None) -> tuple[str, str] | None:
    key = keys.find("openai", rule, path=path, env=env or {})
    return None if key is None else (key.secret.reveal(), key.source)


def python(code: str) -> str:
    """A key command that runs `code`."""
    return f"{sys.executable} -c '{code}'"


# Which one wins


def test_the_order_is_environment_settings_file_command(path: Path) -> None:
    keys.store("openai", "stored", path=path)
    env = {"OPENAI_API_KEY": "from-env"}
    assert found(path, EVERY, env=env) == ("from-env", "OPENAI_API_KEY")
    assert found(path, EVERY) == ("configured", "settings")
    assert found(path, KeyRule(command="echo asked")) == ("stored", str(path))
    keys.remove("openai", path=path)
    assert found(path, KeyRule(command="echo asked")) == ("asked", "key_cmd")
    assert found(path, KeyRule()) is None


def test_the_keyring_comes_before_the_file(path: Path, ring: Keyring) -> None:
    ring.locked = True
    assert keys.store("openai", "in-file", path=path) == str(path)
    ring.locked = False
    assert keys.store("openai", "in-ring", path=path) == "keyring"
    assert found(path, KeyRule()) == ("in-ring", "keyring")
    assert "in-" not in path.read_text()


def test_a_rule_can_keep_every_key_back(path: Path) -> None:
    keys.store("openai", "stored", path=path)
    assert found(path, NO_KEY, env={"OPENAI_API_KEY": "from-env"}) is None
    assert found(path, KeyRule(stored=False)) is None


@pytest.mark.parametrize(
    ("provider", "env", "source"),
    [
        ("google", {"GOOGLE_API_KEY": "a", "GEMINI_API_KEY": "b"}, "GOOGLE_API_KEY"),
        ("google", {"GEMINI_API_KEY": "b"}, "GEMINI_API_KEY"),
        ("google", {"GOOGLE_API_KEY": " ", "GEMINI_API_KEY": "b"}, "GEMINI_API_KEY"),
        ("anthropic", {"ANTHROPIC_API_KEY": "c"}, "ANTHROPIC_API_KEY"),
        ("my-lab", {"MY_LAB_API_KEY": "d"}, "MY_LAB_API_KEY"),
    ],
)
def test_each_provider_has_its_variable(path: Path, provider: str, env: dict[str, str], source: str) -> None:
    key = keys.find(provider, KeyRule(), path=path, env=env)
    assert key is not None
    assert key.source == source


def test_a_keyring_is_not_opened_for_a_key_it_does_not_hold(path: Path, ring: Keyring) -> None:
    ring.locked = True
    assert found(path, KeyRule()) is None
    keys.store("openai", "in-file", path=path)
    assert found(path, KeyRule()) == ("in-file", str(path))


# How they are kept


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    keys.store("openai", "sk-1", path=path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_others_may_read_is_warned_of_and_repaired_by_the_next_write(path: Path) -> None:
    keys.store("openai", "sk-1", path=path)
    path.chmod(0o644)
    key = keys.find("openai", KeyRule(), path=path, env={})
    assert key is not None
    assert key.warning == keys.exposure(path) == f"others on this machine may read the keys in `{path}`: `chmod 600 {path}`"
    keys.store("anthropic", "sk-2", path=path)
    assert keys.exposure(path) is None


def test_names_are_listed_without_their_keys(path: Path, ring: Keyring) -> None:
    keys.store("openai", "sk-1", path=path)
    ring.locked = True
    keys.store("anthropic", "sk-2", path=path)
    assert [(row.provider, row.place) for row in keys.names(path)] == [("anthropic", str(path)), ("openai", "keyring")]
    assert keys.names(path.with_name("none.json")) == ()


def test_removing_forgets_the_key_and_says_whether_there_was_one(path: Path, ring: Keyring) -> None:
    assert not keys.remove("openai", path=path)
    keys.store("openai", "sk-1", path=path)
    assert keys.remove("openai", path=path)
    assert ring.held == {}
    assert keys.names(path) == ()


def test_a_keyring_that_refuses_to_forget_is_an_error(path: Path, ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.store("openai", "sk-1", path=path)
    monkeypatch.setattr(Keyring, "delete_password", lambda *_: 1 / 0)
    with pytest.raises(StorageError, match="the keyring does not let go of the key of `openai`"):
        keys.remove("openai", path=path)
    assert [row.provider for row in keys.names(path)] == ["openai"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"keys": {"openai": 7}}', b'["sk-secret"]', b"\xff", b"[" * 100_000])
def test_a_corrupt_file_is_named_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for act in (lambda: keys.store("openai", "sk-1", path=path), lambda: found(path, KeyRule()), lambda: keys.names(path)):
        with pytest.raises(ConfigError, match=r"the key file `.*keys\.json` is corrupt") as caught:
            act()
        assert "secret" not in str(caught.value)
    assert path.read_bytes() == content


def test_twenty_processes_that_store_at_once_lose_none(path: Path) -> None:
    code = "import sys; from pathlib import Path; from mmai import keys; keys.store(sys.argv[1], 'sk', path=Path(sys.argv[2]))"
    started = [subprocess.Popen([sys.executable, "-c", code, f"lab{number}", str(path)]) for number in range(20)]
    assert [process.wait(30) for process in started] == [0] * 20
    assert {row.provider for row in keys.names(path)} == {f"lab{number}" for number in range(20)}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "flat").write_text("")
    with pytest.raises(StorageError, match="cannot"):
        keys.store("openai", "sk-1", path=tmp_path / "flat" / "keys.json")


# What is no key


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "ключ", "tab\there", "nul\0"])
def test_what_no_header_could_carry_is_refused_and_not_repeated(path: Path, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        keys.store("openai", key, path=path)
    assert caught.value.message == "what was given is not a key, which is one word of ASCII characters"
    assert not path.exists()


def test_a_variable_that_holds_no_key_is_named(path: Path) -> None:
    with pytest.raises(AuthError, match="`OPENAI_API_KEY` is not a key"):
        found(path, KeyRule(), env={"OPENAI_API_KEY": "two words"})


@pytest.mark.parametrize("name", ["Open AI", "", "../x", "a:b", "-x", "ÖPENAI"])
def test_what_cannot_be_a_provider_is_refused(path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a provider"):
        keys.store(name, "sk-1", path=path)


# The key command


def test_the_first_line_of_the_command_is_the_key(path: Path) -> None:
    rule = KeyRule(command=python('print("sk-1\\nuser: me")'))
    assert found(path, rule) == ("sk-1", "key_cmd")


def test_the_command_runs_without_a_shell(path: Path) -> None:
    assert found(path, KeyRule(command="echo $HOME;id")) == ("$HOME;id", "key_cmd")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (python('import sys; print("sk-secret"); sys.exit("sk-secret")'), "the `key_cmd` of `openai` failed with exit code 1"),
        ("/no/such/program sk-secret", "the `key_cmd` of `openai` cannot be started: No such file or directory"),
        ("'unclosed sk-secret", "the `key_cmd` of `openai` cannot be started: it is not a command"),
        (" ", "the `key_cmd` of `openai` cannot be started: it is not a command"),
        ("true", "what the `key_cmd` of `openai` prints is not a key, which is one word of ASCII characters"),
        ("echo sk-secret two", "what the `key_cmd` of `openai` prints is not a key, which is one word of ASCII characters"),
    ],
)
def test_a_command_that_fails_says_how_and_not_what_it_said(path: Path, command: str, message: str) -> None:
    with pytest.raises(AuthError) as caught:
        found(path, KeyRule(command=command))
    assert caught.value.message == message


def test_a_command_that_hangs_is_given_up_with_its_children_left_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "COMMAND_TIMEOUT_S", 0.1)
    with pytest.raises(AuthError, match=r"gave no answer in 0\.1 s"):
        found(path, KeyRule(command="sh -c 'sleep 5; echo late'"))


def test_a_found_key_does_not_print_itself(path: Path) -> None:
    keys.store("openai", "sk-secret", path=path)
    key = keys.find("openai", KeyRule(), path=path, env={})
    assert "sk-secret" not in f"{key!r} {key}"
