"""Whole files or none, whoever writes and however they die."""

import os
import resource
import runpy
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from mmai import files
from mmai.errors import StorageError


def modes(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def in_a_process(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_replace_makes_the_folder_and_the_file_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.json"
    files.replace(path, b"one")
    assert path.read_bytes() == b"one"
    assert (modes(path), modes(path.parent)) == ("0o600", "0o700")


def test_the_mode_is_exact_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.replace(tmp_path / "shared", b"", mode=0o644)
    finally:
        os.umask(before)
    assert modes(tmp_path / "shared") == "0o644"


def test_a_reader_that_opened_the_old_file_keeps_the_old_bytes(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    files.replace(path, b"old")
    with path.open("rb") as reader:
        files.replace(path, b"new and longer")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new and longer"


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    link, target = tmp_path / "link.json", tmp_path / "dotfiles" / "state.json"
    link.symlink_to(target)
    files.replace(link, b"one")
    assert link.is_symlink()
    assert target.read_bytes() == b"one"


def test_two_names_of_one_file_share_one_lock(tmp_path: Path) -> None:
    link, target = tmp_path / "link.json", tmp_path / "state.json"
    link.symlink_to(target)
    with files.locked(target), pytest.raises(StorageError, match="another mmai has held"), files.locked(link, timeout_s=0):
        pass


def test_threads_replacing_at_once_leave_one_of_the_contents_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    contents = [bytes([letter]) * 50_000 for letter in b"abcdefgh"]
    together = threading.Barrier(len(contents))

    def write(content: bytes) -> None:
        together.wait()
        for _ in range(10):
            files.replace(path, content)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_lock_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_bytes(b"0")

    def count() -> None:
        for _ in range(20):
            with files.locked(path):
                files.replace(path, b"%d" % (int(path.read_bytes()) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == b"80"


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from mmai import files
with files.locked(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "state.json"
    assert in_a_process(script, path).returncode == -signal.SIGKILL
    with files.locked(path, timeout_s=0):
        pass


def test_what_a_killed_writer_left_is_cleared_by_the_next_holder_of_the_lock(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from mmai import files
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
with files.locked(Path(sys.argv[1])):
    files.replace(Path(sys.argv[1]), b"half")
"""
    path, other = tmp_path / "state.json", tmp_path / ".other.json.0a.tmp"
    other.touch()
    assert in_a_process(script, path).returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".state.json.*.tmp"))) == 1
    with files.locked(path):
        pass
    assert sorted(file.name for file in tmp_path.iterdir()) == [".other.json.0a.tmp", "state.json.lock"]


def test_a_full_disk_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    script = """
import resource, signal, sys
from pathlib import Path
from mmai import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
files.replace(Path(sys.argv[1]), b"x" * 100_000)
"""
    path = tmp_path / "state.json"
    files.replace(path, b"old")
    assert f"StorageError: cannot write `{path}`: File too large" in in_a_process(script, path).stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_descriptors_left_is_a_storage_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(StorageError, match="Too many open files"):
            files.replace(tmp_path / "state.json", b"")
        with pytest.raises(StorageError, match="Too many open files"), files.locked(tmp_path / "state.json"):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_where_the_folder_should_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "folder").touch()
    with pytest.raises(StorageError, match="cannot write") as writing:
        files.replace(tmp_path / "folder" / "state.json", b"")
    assert writing.value.hint == "mmai paths"
    with pytest.raises(StorageError, match="cannot lock"), files.locked(tmp_path / "folder" / "state.json"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_a_storage_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="Permission denied"):
        files.replace(tmp_path / "state.json", b"")


def test_an_error_under_the_lock_is_not_taken_for_one_of_the_lock(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mine") as raised, files.locked(tmp_path / "state.json"):
        raise OSError("mine")
    assert not isinstance(raised.value, StorageError)


def test_the_module_works_where_there_is_no_fcntl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows, as far as its absence here allows: the branch for it runs on a stand-in for its locking."""
    held: list[int] = []
    msvcrt = ModuleType("msvcrt")
    monkeypatch.setattr(msvcrt, "LK_NBLCK", 2, raising=False)
    monkeypatch.setattr(msvcrt, "locking", lambda descriptor, *_: held.append(descriptor), raising=False)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(sys, "platform", "win32")
    there = runpy.run_path(str(files.__file__))
    path = tmp_path / "state.json"
    with there["locked"](path):
        there["replace"](path, b"one")
    assert path.read_bytes() == b"one"
    assert len(held) == 1
