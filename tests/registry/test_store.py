"""The registry file: nothing is lost to writers, readers, kills or damage."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from builders import Warnings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmai.errors import StorageError
from mmai.registry.store import Store
from mmai.values.health import Health, ProviderStatus
from mmai.values.model import ModelCard, Profile
from mmai.values.package import Function, Package, Roles
from mmai.values.registry import SCHEMA_VERSION, Registry, Slot


def a_card(name: str = "m", **facts: Any) -> ModelCard:
    return ModelCard(provider="ollama", name=name, endpoints=("http://localhost:11434",), **facts)


def a_registry(*cards: ModelCard, **fields: Any) -> Registry:
    return Registry(models={str(card.ref): card for card in cards}, **fields)


@pytest.fixture
def store(tmp_path: Path, warnings: Warnings) -> Store:
    return Store(tmp_path / "home" / "registry.json", warn=warnings)


def reopened(store: Store, warnings: Warnings) -> Store:
    """As the next process would: with no memory of what it has warned of."""
    return Store(store.path, warn=warnings)


def test_a_missing_file_is_an_empty_registry_and_no_warning(store: Store, warnings: Warnings) -> None:
    assert store.read() == Registry()
    assert warnings == []
    assert not store.path.parent.exists()


def test_an_update_is_read_back_one_generation_on(store: Store) -> None:
    written = store.update(lambda _: a_registry(a_card(), discovered_at=1.5))
    assert written.generation == 1
    assert store.read() == written
    assert store.update(lambda registry: msgspec.structs.replace(registry, discovered_at=2.5)).generation == 2


def test_the_file_and_its_copy_are_private(store: Store) -> None:
    store.update(lambda _: a_registry(a_card()))
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.copy.stat().st_mode & 0o777 == 0o600


def test_an_update_that_changes_nothing_writes_nothing(store: Store) -> None:
    store.update(lambda _: a_registry(a_card()))
    before = store.path.stat()
    assert store.update(lambda registry: registry).generation == 1
    after = store.path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_update_that_fails_changes_nothing_and_frees_the_lock(store: Store) -> None:
    store.update(lambda _: a_registry(a_card()))

    def fail(_: Registry) -> Registry:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.update(fail)
    assert store.read().generation == 1
    assert store.update(lambda _: Registry()).generation == 2


def test_what_could_not_be_read_again_is_refused(store: Store) -> None:
    store.update(lambda _: a_registry(a_card()))
    for bad in (a_registry(a_card("\ud800")), Registry(models={"x": "no card"}), Registry(experiments={"x": object()})):  # type: ignore[dict-item]
        with pytest.raises(StorageError, match="cannot be kept"):
            store.update(lambda _, bad=bad: bad)  # type: ignore[misc]
    assert store.read() == a_registry(a_card(), generation=1)


def finite(value: Any) -> Any:
    """JSON has no infinities; nothing here measures one."""
    return 0.5 if isinstance(value, float) and not abs(value) < 1e300 else value


def structs(kind: type[Any]) -> st.SearchStrategy[Any]:
    fields = {}
    for name, hint in get_type_hints(kind).items():
        if not name.startswith("_"):
            fields[name] = KNOWN[name] if name in KNOWN else st.from_type(hint).map(finite)
    return st.builds(kind, **fields)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
packages = st.builds(
    Package,
    path=st.text(),
    format=st.just("mlpackage"),
    type=st.text(),
    spec_version=st.integers(0, 99),
    functions=st.lists(st.builds(Function, name=st.text()), max_size=2).map(tuple),
    labels=st.lists(st.text(), max_size=2).map(tuple),
    metadata=st.dictionaries(st.text(), st.text(), max_size=2),
    roles=st.builds(
        Roles, inputs=st.dictionaries(st.text(), st.text(), max_size=2), options=st.dictionaries(st.text(), json_values)
    ),
)
KNOWN = {"package": st.none() | packages}
KNOWN["health"] = structs(Health)
"""Fields whose own would be nested where from_type reaches them with infinities, or with anything at all."""
# Prices and profiles are nested where from_type would reach them with infinities; `profiles` covers those structs.
cards = structs(ModelCard).map(lambda card: msgspec.structs.replace(card, price=None, profile=None))
registries = st.builds(
    Registry,
    discovered_at=st.none() | st.floats(0, 1e12),
    models=st.dictionaries(st.text(), cards, max_size=3),
    providers=st.dictionaries(st.text(), structs(ProviderStatus), max_size=3),
    profiles=st.dictionaries(st.text(), structs(Profile), max_size=3),
    slots=st.dictionaries(st.text(), structs(Slot), max_size=3),
    experiments=st.dictionaries(st.text(), json_values, max_size=3),
)


@given(registry=registries)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60)
def test_whatever_is_written_is_read_back(tmp_path: Path, registry: Registry) -> None:
    store = Store(tmp_path / "registry.json", warn=pytest.fail)
    written = store.update(lambda _: registry)
    assert store.read() == written == msgspec.structs.replace(registry, generation=written.generation)


def test_a_file_cut_off_at_any_byte_gives_its_last_good_copy_and_one_warning(store: Store, warnings: Warnings) -> None:
    written = store.update(lambda _: a_registry(a_card("gemma3:4b", context_tokens=8192)))
    whole = store.path.read_bytes()
    for size in range(len(whole)):
        store.path.write_bytes(whole[:size])
        warnings.clear()
        damaged = reopened(store, warnings)
        assert damaged.read() == damaged.read() == written
        assert len(warnings) == 1
        assert str(store.path) in warnings[0]
        assert "`mmai discover`" in warnings[0]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"null",
        b"[]",
        b'{"models": 3}',
        b'{"schema_version": "one"}',
        b'{"models": {"a:b": {"provider": "a"}}}',
        b'{"models": {"\xff": 1}}',
        b'{"experiments": ' + b'{"a":' * 100_000,
        b"\x00" * 4096,
    ],
    ids=["empty", "null", "list", "number", "version", "card", "utf8", "deep", "zeros"],
)
def test_damage_of_any_kind_gives_the_last_good_copy(store: Store, warnings: Warnings, damage: bytes) -> None:
    written = store.update(lambda _: a_registry(a_card()))
    store.path.write_bytes(damage)
    assert store.read() == written
    assert len(warnings) == 1


def test_damage_of_both_gives_an_empty_registry_and_says_how_to_fill_it(store: Store, warnings: Warnings) -> None:
    store.update(lambda _: a_registry(a_card()))
    store.path.write_bytes(b"{")
    store.copy.write_bytes(b"{")
    assert store.read() == Registry()
    assert warnings == [
        f"`{store.path}` is damaged (Input data was truncated), there is no good copy of it: `mmai discover` writes it anew"
    ]


def test_an_update_goes_on_from_the_last_good_copy(store: Store, warnings: Warnings) -> None:
    store.update(lambda _: a_registry(a_card("kept")))
    store.path.write_bytes(b"{")
    store.update(lambda registry: msgspec.structs.replace(registry, slots={"math": Slot(active="ollama:kept")}))
    warnings.clear()
    after = reopened(store, warnings).read()
    assert (after.generation, list(after.models), list(after.slots)) == (2, ["ollama:kept"], ["math"])
    assert warnings == []


def test_an_unreadable_file_gives_the_copy_but_is_not_written_over(store: Store, warnings: Warnings) -> None:
    written = store.update(lambda _: a_registry(a_card()))
    store.path.unlink()
    store.path.mkdir()  # Even root cannot read a folder as a file.
    assert store.read() == written
    assert warnings == [
        f"`{store.path}` cannot be read (Is a directory), its last good copy stands in: make it readable, or move it away"
    ]
    with pytest.raises(StorageError, match="cannot read"):
        store.update(lambda _: Registry())


def test_a_file_where_the_folder_should_be_reads_as_empty_and_is_for_the_writer_to_mention(
    tmp_path: Path, warnings: Warnings
) -> None:
    (tmp_path / "home").touch()
    assert Store(tmp_path / "home" / "registry.json", warn=warnings).read() == Registry()
    assert warnings == []


def test_reading_leaves_no_lock_file(store: Store) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"{}")
    store.read()
    assert [file.name for file in store.path.parent.iterdir()] == ["registry.json"]


@pytest.mark.parametrize("models", ["{}", '{"a:b": "in a form of tomorrow"}'])
def test_the_file_of_a_newer_mmai_is_neither_misread_nor_written_over(store: Store, models: str) -> None:
    store.path.parent.mkdir()
    newer = f'{{"schema_version": {SCHEMA_VERSION + 1}, "models": {models}}}'
    store.path.write_text(newer)
    with pytest.raises(StorageError, match="from a newer mmai") as refused:
        store.read()
    assert refused.value.hint == "pip install --upgrade mmai"
    with pytest.raises(StorageError, match="from a newer mmai"):
        store.update(lambda _: Registry())
    assert store.path.read_text() == newer


def test_fields_that_a_newer_mmai_added_survive_an_update(store: Store) -> None:
    store.path.parent.mkdir()
    store.path.write_text('{"schema_version": 1, "generation": 4, "tomorrow": {"a": [1, 2.50]}, "models": {}}')
    store.update(lambda _: a_registry(a_card()))
    document = json.loads(store.path.read_bytes())
    assert document["tomorrow"] == {"a": [1, 2.5]}
    assert (document["generation"], list(document["models"])) == (5, ["ollama:m"])


WRITER = """
import sys
from pathlib import Path
from msgspec.structs import replace
from mmai.registry.store import Store
from mmai.values.registry import Slot
store = Store(Path(sys.argv[1]), warn=lambda sentence: sys.exit(sentence))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    slot = {f"{sys.argv[2]}-{number}": Slot(active="a:b")}
    store.update(lambda registry: replace(registry, slots=registry.slots | slot))
"""


def test_twenty_processes_writing_at_once_lose_nothing_while_others_read(store: Store, warnings: Warnings) -> None:
    arguments = [sys.executable, "-c", WRITER, str(store.path)]
    writers = [
        subprocess.Popen([*arguments, str(number), "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in range(20)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    generations = []
    while any(writer.poll() is None for writer in writers):
        generations.append(store.read().generation)
    assert [writer.communicate()[1] for writer in writers] == [b""] * 20
    assert [writer.returncode for writer in writers] == [0] * 20
    assert generations == sorted(generations)
    registry = store.read()
    assert registry.generation == 100
    assert registry.slots.keys() == {f"{writer}-{number}" for writer in range(20) for number in range(5)}
    assert warnings == []


KILLED_AT_EVERY_LINE = """
import os, signal, sys
from pathlib import Path
from msgspec.structs import replace
from mmai import files
from mmai.registry import store as module
from mmai.registry.store import Store
from mmai.values.package import Function, Package, Roles
from mmai.values.model import Profile

def fail(sentence):
    raise SystemExit(sentence)

path = Path(sys.argv[1])
def grow(registry):
    return replace(registry, profiles=registry.profiles | {str(registry.generation): Profile(runs=1)})
Store(path, warn=fail).update(grow)

def killing_at(line):
    left = line
    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename not in (files.__file__, module.__file__):
            return None
        if event == "line":
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    return trace

line = 0
while True:
    line += 1
    before = Store(path, warn=fail).read().generation
    child = os.fork()
    if not child:
        sys.settrace(killing_at(line))
        Store(path, warn=fail).update(grow)
        sys.settrace(None)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    after = Store(path, warn=fail).read()
    assert len(after.profiles) == after.generation, after
    assert after.generation - before in (0, 1), (before, after.generation)
    copy = Store(path.with_name(path.name + ".bak"), warn=fail).read().generation
    assert 0 < copy <= after.generation, (copy, after.generation)
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
Store(path, warn=fail).update(grow)
print(line, sorted(file.name for file in path.parent.iterdir()))
"""


def test_kill_9_at_any_line_of_an_update_leaves_the_old_content_or_the_new(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_AT_EVERY_LINE, str(tmp_path / "registry.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    lines, names = done.stdout.strip().split(" ", 1)
    assert int(lines) > 50
    assert names == "['registry.json', 'registry.json.bak', 'registry.json.lock']"


KEEPS_WRITING = """
import sys
from pathlib import Path
from msgspec.structs import replace
from mmai.registry.store import Store
from mmai.values.package import Function, Package, Roles
from mmai.values.model import ModelCard
cards = {f"a:{n}": ModelCard(provider="a", name=str(n)) for n in range(500)}
store = Store(Path(sys.argv[1]), warn=lambda sentence: sys.exit(sentence))
while True:
    print(store.update(lambda registry: replace(registry, models=dict(cards))).generation, flush=True)
"""


def test_kill_9_of_a_busy_writer_loses_nothing_it_reported_as_written(store: Store, warnings: Warnings) -> None:
    seen = 0
    for round_ in range(8):
        command = [sys.executable, "-c", KEEPS_WRITING, str(store.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stderr is not None
            reported = [int(writer.stdout.readline()) for _ in range(1 + round_ * 3)]
            writer.kill()
            reported += map(int, writer.stdout.read().split())
            assert writer.stderr.read() == b""
        registry = store.read()
        assert seen < reported[-1] <= registry.generation <= reported[-1] + 1
        assert len(registry.models) == 500
        seen = registry.generation
    assert warnings == []


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from msgspec.structs import replace
from mmai.registry.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
Store(Path(sys.argv[1]), warn=print).update(lambda registry: replace(registry, experiments={"a": "x" * 5000}))
"""


def test_a_full_disk_leaves_the_registry_as_it_was(store: Store, warnings: Warnings) -> None:
    written = store.update(lambda _: a_registry(a_card()))
    command = [sys.executable, "-c", FULL_DISK, str(store.path)]
    failed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "StorageError: cannot write" in failed.stderr
    assert store.read() == written
    assert warnings == []
