"""Which settings files there are, and their text as nodes: parsed once, then kept in the cache until they change."""

import os
import re
import stat
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from mmai import files
from mmai.errors import ConfigError, StorageError
from mmai.paths import PROJECT_FILE, Paths
from mmai.settings.layers import FileSource, config_error
from mmai.settings.node import Node, Wrong

FORMAT = 1
"""Of the cache; a parser that would read a file otherwise needs another one."""

SETTLED_NS = 2_000_000_000
"""A file changed this recently is not cached: it could change again within the clock's tick, at the same size."""


_VARIABLE = re.compile(r"\$\{\w+\}")


class Stamp(Struct, frozen=True, array_like=True):
    """What changes whenever the content of a file does."""

    format: int
    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class Parsed(Struct, frozen=True, array_like=True):
    """One file in the cache. Nothing is filled in yet: variables are read anew each time."""

    stamp: Stamp
    root: Node | None


def user_file(paths: Paths, env: Mapping[str, str]) -> Path:
    """The file `config edit` opens: `MMAI_CONFIG`, or the one in the config folder."""
    chosen = env.get("MMAI_CONFIG", "").strip()
    return Path(chosen).expanduser() if chosen else paths.config


def project_file(cwd: Path, env: Mapping[str, str]) -> Path | None:
    """The nearest `mmai.yaml` from `cwd` upwards, as far as the home folder or the root.

    One that another user could have put there, in a folder anybody may write to, is passed over.
    """
    home = env.get("HOME")
    for folder in (cwd, *cwd.parents):
        candidate = folder / PROJECT_FILE
        with suppress(OSError):
            if stat.S_ISREG((found := candidate.stat()).st_mode) and _ours(found, folder):
                return candidate
        if home and str(folder) == home:
            return None
    return None


def _ours(found: os.stat_result, folder: Path) -> bool:
    return not hasattr(os, "getuid") or found.st_uid == os.getuid() or not folder.stat().st_mode & stat.S_IWOTH


def root_of(file: Path, *, source: FileSource, cache_dir: Path) -> Node | None:
    """The content of one file; None when it is empty.

    Raises:
        ConfigError: it cannot be read, or is not YAML that settings may be written in.
        FileNotFoundError, NotADirectoryError: there is none.
    """
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"`{file}` is not a file", hint="mmai config path")
        stamp = Stamp(FORMAT, str(file), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        cached = cache_dir / f"settings-{zlib.crc32(str(file).encode(errors='surrogateescape')):08x}.json"
        known = _recalled(cached, stamp)
        return known.root if known is not None else _parsed(file, stamp, cached, source=source)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as exc:
        raise ConfigError(f"`{file}` cannot be read: {exc.strerror or exc}", hint="mmai config path") from exc


def _recalled(cached: Path, stamp: Stamp) -> Parsed | None:
    try:
        parsed = msgspec.json.decode(cached.read_bytes(), type=Parsed)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None
    return parsed if parsed.stamp == stamp else None


def _parsed(file: Path, stamp: Stamp, cached: Path, *, source: FileSource) -> Node | None:
    from mmai.settings.document import parse  # noqa: PLC0415 YAML costs 9 ms, and the cache is there to save them

    try:
        root = parse(file.read_bytes())
    except Wrong as wrong:
        raise config_error(wrong, file=str(file), source=source) from wrong
    settled = time.time_ns() - max(stamp.mtime_ns, stamp.ctime_ns) > SETTLED_NS
    if settled and not (root is not None and _holds_secret(root)):
        with suppress(StorageError):
            files.replace(cached, msgspec.json.encode(Parsed(stamp, root)))
    return root


def _holds_secret(node: Node) -> bool:
    """Whether a key or a header is written out. Such a file is parsed every time, so that no copy of a key is ever made."""
    if not isinstance(node.value, dict):
        return False
    return any(_literal(item) if name in ("api_key", "headers") else _holds_secret(item) for name, item in node.value.items())


def _literal(node: Node) -> bool:
    if isinstance(node.value, dict):
        return any(_literal(item) for item in node.value.values())
    return isinstance(node.value, list) or _VARIABLE.fullmatch(node.value) is None
