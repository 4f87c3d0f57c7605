"""Keys of providers: found in the order people expect, kept where only their owner reads, and never shown."""

import os
import stat
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from mmai import files
from mmai.errors import AuthError, ConfigError, StorageError, UsageError
from mmai.values.endpoint import KeyRule, Secret, is_provider_name, key_variables

COMMAND_TIMEOUT_S = 10.0

SERVICE = "mmai"
"""Under which name the system's keyring files our keys."""


class FoundKey(Struct, frozen=True):
    """A key and where it came from: a variable's name, `settings`, `keyring`, a file, or `key_cmd`."""

    secret: Secret
    source: str
    warning: str | None = None


class StoredName(Struct, frozen=True):
    """A provider whose key is kept, and where; never the key."""

    provider: str
    place: str


class KeyFile(Struct, frozen=True):
    """The content of the key file. Keys in the system's keyring are named, so that it is opened only when it holds one."""

    version: int = 1
    keys: dict[str, str] = {}
    keyring: tuple[str, ...] = ()


def find(provider: str, rule: KeyRule, *, path: Path, env: Mapping[str, str]) -> FoundKey | None:
    """The key to send, or None: environment > settings > keyring > file > command, as far as `rule` allows.

    Raises:
        AuthError: a key was found that cannot be one, or the key command failed.
        ConfigError: the key file is corrupt.
    """
    if rule.environment:
        for variable in key_variables(provider):
            if value := env.get(variable, "").strip():
                return FoundKey(_secret(value, f"`{variable}`"), variable)
    if rule.configured is not None:
        return FoundKey(rule.configured, "settings")
    if rule.stored and (found := _stored(provider, path)) is not None:
        return found
    return FoundKey(_asked(provider, rule.command), "key_cmd") if rule.command else None


def store(provider: str, key: str, *, path: Path) -> str:
    """Keep a key in the system's keyring if there is one, else in the file (mode 0600); says where.

    Raises:
        UsageError: not a provider's name, or not a key.
        ConfigError: the key file is corrupt; it is left as it is.
        StorageError: it cannot be written.
    """
    _named(provider)
    try:
        value = _secret(key.strip(), "what was given").reveal()
    except AuthError as error:
        raise UsageError(error.message, hint=f"mmai keys set {provider}") from error
    with files.locked(path):
        kept = _read(path)
        in_keyring = _keyring_set(provider, value)
        keys = {name: other for name, other in kept.keys.items() if name != provider}
        names = tuple(name for name in kept.keyring if name != provider)
        if in_keyring:
            _write(path, KeyFile(keys=keys, keyring=(*names, provider)))
            return "keyring"
        _write(path, KeyFile(keys={**keys, provider: value}, keyring=names))
        return str(path)


def remove(provider: str, *, path: Path) -> bool:
    """Forget a key, wherever it is kept; False when there was none.

    Raises:
        ConfigError: the key file is corrupt.
        StorageError: the file cannot be written, or the keyring refuses.
    """
    _named(provider)
    if not path.exists():
        return False
    with files.locked(path):
        kept = _read(path)
        if provider not in kept.keys and provider not in kept.keyring:
            return False
        if provider in kept.keyring:
            _keyring_remove(provider)
        keys = {name: key for name, key in kept.keys.items() if name != provider}
        _write(path, KeyFile(keys=keys, keyring=tuple(name for name in kept.keyring if name != provider)))
        return True


def names(path: Path) -> tuple[StoredName, ...]:
    """Whose keys are kept, by name.

    Raises:
        ConfigError: the key file is corrupt.
    """
    kept = _read(path)
    rows = [StoredName(name, "keyring") for name in kept.keyring] + [StoredName(name, str(path)) for name in kept.keys]
    return tuple(sorted(rows, key=lambda row: row.provider))


def exposure(path: Path) -> str | None:
    """A warning when others on this machine may read the key file; the next write repairs it."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if os.name == "nt" or not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return None
    return f"others on this machine may read the keys in `{path}`: `chmod 600 {path}`"


def _named(provider: str) -> None:
    if not is_provider_name(provider):
        fits = "small letters, digits, `-` and `_`"
        raise UsageError(f"`{provider}` is not the name of a provider, which has {fits}", hint="mmai keys list")


def _secret(text: str, source: str) -> Secret:
    """The key in `text`; anything a header could not carry is refused before it is sent."""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise AuthError(f"{source} is not a key, which is one word of ASCII characters")
    return Secret(text)


def _stored(provider: str, path: Path) -> FoundKey | None:
    kept = _read(path)
    if provider in kept.keyring and (value := _keyring_get(provider)) is not None:
        return FoundKey(_secret(value, "what the keyring holds"), "keyring")
    if (value := kept.keys.get(provider)) is not None:
        return FoundKey(_secret(value, f"what `{path}` holds for `{provider}`"), str(path), exposure(path))
    return None


def _read(path: Path) -> KeyFile:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return KeyFile()
    except OSError as exc:
        raise ConfigError(f"the key file `{path}` cannot be read: {exc.strerror or exc}", hint="mmai keys path") from exc
    try:
        return msgspec.json.decode(data, type=KeyFile)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        # Neither the content nor the decoder's words: both could hold a key.
        raise ConfigError(
            f"the key file `{path}` is corrupt; move it away and set the keys again", hint="mmai keys path"
        ) from exc


def _write(path: Path, content: KeyFile) -> None:
    files.replace(path, msgspec.json.format(msgspec.json.encode(content)) + b"\n", mode=0o600)


def _asked(provider: str, command: str) -> Secret:
    # Only a key command needs them; together 9 ms.
    import shlex  # noqa: PLC0415 see above
    import subprocess  # noqa: PLC0415 see above

    problem = f"the `key_cmd` of `{provider}`"
    try:
        words = shlex.split(command)
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 the user's own command, without a shell
    except (OSError, ValueError, IndexError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not a command"
        raise AuthError(f"{problem} cannot be started: {reason}", hint="mmai config edit") from exc
    with process:
        try:
            output, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired as exc:
            process.kill()
            raise AuthError(f"{problem} gave no answer in {COMMAND_TIMEOUT_S:g} s", hint="mmai config edit") from exc
    if process.returncode != 0:
        raise AuthError(f"{problem} failed with exit code {process.returncode}", hint="mmai config edit")
    line = output.decode("utf-8", "replace").strip().split("\n", 1)[0].strip()
    return _secret(line, f"what {problem} prints")


def _keyring() -> Any:
    """The system's keyring where the extra is installed, else None. Importing it costs 60 ms."""
    try:
        return import_module("keyring")
    except ImportError:
        return None


def _keyring_get(provider: str) -> str | None:
    ring = _keyring()
    try:
        value = ring.get_password(SERVICE, provider) if ring else None
    except Exception:  # its back ends raise whatever their services do
        return None
    return value if isinstance(value, str) else None


def _keyring_set(provider: str, value: str) -> bool:
    ring = _keyring()
    if ring is None:
        return False
    try:
        ring.set_password(SERVICE, provider, value)
    except Exception:  # no service to keep it in: the file will
        return False
    return True


def _keyring_remove(provider: str) -> None:
    try:
        _keyring().delete_password(SERVICE, provider)
    except Exception as exc:
        if _keyring_get(provider) is not None:
            raise StorageError(f"the keyring does not let go of the key of `{provider}`") from exc
