"""Compiled models on disk: found again by content, made room for, recovered, and never taken from under somebody."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from packages.children import MACHINE, asked, child

from mmai.backends.coreml.apple import content
from mmai.backends.coreml.apple.cache import COMPILED, NOTE, Cache
from mmai.backends.coreml.apple.content import Hashed, content_hash
from mmai.backends.coreml.apple.executor import open_apple
from mmai.backends.coreml.apple.hold import Hold, in_use
from mmai.backends.coreml.apple.ledger import Ledger
from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.setup import Setup
from mmai.errors import CannotRun, ProviderError
from mmai.values.package import Package

TESTS = Path(__file__).parents[2]

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def load(package: Package, cache: Path, *, build: str = "24F74", **settings: Any) -> Executor:
    """The executor, closed again."""

    async def work() -> Executor:
        executor = await open_apple(
            package,
            function=None,
            units="all",
            setup=Setup(cache_dir=cache, **settings),
            load_timeout_s=30.0,
            machine=replace(MACHINE, os_build=build),
        )
        await executor.aclose()
        return executor

    return asyncio.run(work())


def a_cache(folder: Path, *, key: str = "24F74-9.0", limit_bytes: int = 10**9) -> Cache:
    return Cache(folder, key=key, limit_bytes=limit_bytes)


def kept(cache: Cache, sha256: str, *, size_bytes: int = 100, used_s: float | None = None) -> Hold:
    """A compiled model that was put into the cache; `used_s` is when it was last used."""
    scratch = cache.scratch()
    (scratch.folder / COMPILED).mkdir()
    (scratch.folder / COMPILED / "weights").write_bytes(b"x" * size_bytes)
    hold = cache.keep(sha256, scratch.folder / COMPILED, source="/models/x.mlpackage")
    scratch.release()
    if used_s is not None:
        os.utime(hold.folder / ".in-use", (used_s, used_s))
    return hold


def test_a_model_is_compiled_once_for_its_content(tmp_path: Path) -> None:
    first, copy = child(tmp_path / "one", "fine"), child(tmp_path / "other", "fine")
    assert load(first, tmp_path / "cache").report.compile_ms == 3.0
    assert load(first, tmp_path / "cache").report.compile_ms is None
    assert load(copy, tmp_path / "cache").report.compile_ms is None
    assert asked(first) + asked(copy) == ["compile", "load", "plan", "load", "load"]


def test_a_changed_model_and_another_macos_are_compiled_anew(tmp_path: Path) -> None:
    package = child(tmp_path, "fine")
    load(package, tmp_path / "cache")
    (Path(package.path) / "Data" / "model").write_text("finer")
    assert load(package, tmp_path / "cache").report.compile_ms == 3.0
    assert load(package, tmp_path / "cache", build="25A1").report.compile_ms == 3.0


def test_a_compiled_model_is_loaded_where_it_lies(tmp_path: Path) -> None:
    compiled = tmp_path / "x.mlmodelc"
    compiled.mkdir()
    package = child(tmp_path, "fine")
    (compiled / "does.json").write_text(f'"{package.path}"')
    as_compiled = replace(package, path=str(compiled), format="mlmodelc")
    assert load(as_compiled, tmp_path / "cache").report.compile_ms is None
    assert asked(package) == ["load", "plan"]
    assert list((tmp_path / "cache").glob("*/*/model.mlmodelc")) == []


@pytest.mark.parametrize("damage", ["cut", "missing", "no note", "half a note"])
def test_a_damaged_entry_is_compiled_anew(tmp_path: Path, damage: str) -> None:
    package, cache = child(tmp_path, "fine"), tmp_path / "cache"
    load(package, cache)
    (entry,) = cache.glob("*/24F74-9.0")
    match damage:
        case "cut":
            (entry / COMPILED / "does.json").write_text("")
        case "missing":
            (entry / COMPILED / "does.json").unlink()
        case "no note":
            (entry / NOTE).unlink()
        case "half a note":
            (entry / NOTE).write_text('{"source": "/mod')
    assert load(package, cache).report.compile_ms == 3.0
    assert load(package, cache).report.compile_ms is None


def test_an_entry_that_core_ml_refuses_is_compiled_anew(tmp_path: Path) -> None:
    package = child(tmp_path, "refuses_the_cached")
    load(package, tmp_path / "cache")
    assert load(package, tmp_path / "cache").report.compile_ms == 3.0
    assert asked(package) == ["compile", "load", "plan", "load", "compile", "load"]


def test_what_a_worker_died_of_is_not_kept(tmp_path: Path) -> None:
    package = child(tmp_path, "exits_at_load")
    for _ in range(2):
        with pytest.raises(ProviderError):
            load(package, tmp_path / "cache")
    assert asked(package) == ["compile", "load"] * 2


def test_a_model_that_is_too_new_is_refused_with_the_macos_it_needs(tmp_path: Path) -> None:
    package = child(tmp_path, "is_too_new", spec_version=99, min_os="macOS 99")
    with pytest.raises(CannotRun) as caught:
        load(package, tmp_path / "cache")
    assert caught.value.message == (
        "`is_too_new` cannot be run: its specification version 99 is newer than this macOS takes, up to 9; it needs macOS 99"
    )


def test_the_least_recently_used_leave_first(tmp_path: Path) -> None:
    cache = a_cache(tmp_path, limit_bytes=250)
    for sha256, used_s in ((A, 2000.0), (B, 1000.0)):
        kept(cache, sha256, used_s=used_s).release()
    kept(cache, C).release()
    assert [cache.find(sha256) is not None for sha256 in (A, B, C)] == [True, False, True]
    assert not (tmp_path / B).exists()


def test_what_is_in_use_never_leaves(tmp_path: Path) -> None:
    cache = a_cache(tmp_path, limit_bytes=50)
    oldest = kept(cache, A, used_s=1000.0)
    newest = kept(cache, B)
    assert (tmp_path / A / "24F74-9.0" / COMPILED).exists()
    oldest.release()
    newest.release()
    kept(cache, C).release()
    assert not (tmp_path / A).exists()


def test_what_another_process_uses_is_in_use(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from mmai.backends.coreml.apple.hold import Hold
Hold(Path({str(tmp_path)!r}))
print("held", flush=True)
input()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert in_use(tmp_path)
        other.kill()
    assert not in_use(tmp_path)


def test_models_of_another_macos_leave_and_those_of_another_coremltools_stay(tmp_path: Path) -> None:
    for key in ("23A1-9.0", "24F74-8.1"):
        kept(a_cache(tmp_path, key=key), A).release()
    kept(a_cache(tmp_path), B).release()
    assert sorted(path.name for path in tmp_path.glob("*/*-*")) == ["24F74-8.1", "24F74-9.0"]


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    others = [tmp_path / "models" / "x.mlpackage", tmp_path / ("d" * 64) / "theirs", tmp_path / "scratch" / "mine"]
    for folder in others:
        folder.mkdir(parents=True)
    kept(a_cache(tmp_path, limit_bytes=0), A).release()
    assert all(folder.exists() for folder in others)


def test_of_two_who_compile_at_once_the_first_is_kept(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    first = kept(cache, A, size_bytes=1)
    second = kept(cache, A, size_bytes=2)
    assert first.folder == second.folder
    assert (second.folder / COMPILED / "weights").read_bytes() == b"x"


def test_folders_of_dead_compilers_are_cleared_and_those_of_living_ones_are_not(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    dead, living = cache.scratch(), cache.scratch()
    dead.release()
    cache.scratch()
    assert (dead.folder.exists(), living.folder.exists()) == (False, True)


def test_without_a_usable_cache_the_model_runs_and_the_report_says_so(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    package = child(tmp_path, "fine")
    report = load(package, tmp_path / "cache").report
    assert report.compile_ms == 3.0
    (note,) = report.notes
    assert note.startswith("the compiled model is not kept for the next time: cannot lock")
    assert asked(package) == ["compile", "load", "plan"]


def test_a_full_disk_leaves_the_model_where_it_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    report = load(child(tmp_path, "fine"), tmp_path / "cache").report
    assert report.load_ms == 2.0
    assert ["No space left on device" in note for note in report.notes] == [True]
    assert list((tmp_path / "cache" / ".compiling").iterdir()) == []


def test_a_hash_is_read_once_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, ledger = child(tmp_path, "fine"), Ledger(tmp_path / "hashes.json", Hashed)
    first = content_hash(package, ledger)
    with monkeypatch.context() as patched:
        patched.setattr(content, "_digest", None)
        assert content_hash(package, ledger) == first
    (Path(package.path) / "Data" / "model").write_text("finer")
    assert content_hash(package, ledger) != first


def test_a_hash_is_of_names_and_bytes_and_not_of_the_manifest(tmp_path: Path) -> None:
    package, ledger = child(tmp_path, "fine"), Ledger(tmp_path / "hashes.json", Hashed)
    first = content_hash(package, ledger)
    (Path(package.path) / "Manifest.json").write_text('{"a number": "that is new with every saving"}')
    assert content_hash(package, ledger) == first
    (Path(package.path) / "Data" / "model").rename(Path(package.path) / "Data" / "ledom")
    assert content_hash(package, ledger) != first


def test_a_model_whose_file_cannot_be_read_says_which(tmp_path: Path) -> None:
    gone = replace(child(tmp_path, "fine"), format="mlmodel", path=str(tmp_path / "gone.mlmodel"))
    with pytest.raises(CannotRun, match=r"`.*gone\.mlmodel` cannot be read: No such file or directory"):
        content_hash(gone, Ledger(tmp_path / "hashes.json", Hashed))


def test_the_ledger_forgets_the_oldest(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "rows.json", int, keep=2)
    for key, row in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        ledger.put(key, row)
    assert [ledger.get(key) for key in "abc"] == [3, None, 4]


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2, "rows": {"a": 1}}', '{"version": 1, "rows": {"a": "b"}}', "\0" * 9])
def test_a_ledger_that_cannot_be_read_is_empty_and_is_written_anew(tmp_path: Path, text: str) -> None:
    ledger = Ledger(tmp_path / "rows.json", int)
    ledger.path.write_text(text)
    assert ledger.get("a") is None
    ledger.put("a", 7)
    assert ledger.get("a") == 7
