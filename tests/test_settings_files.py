"""Files of settings: what they may say, where they are looked for, and what a mistake in them reads like."""

import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from mmai.errors import ConfigError
from mmai.paths import Paths
from mmai.settings import Settings, load
from mmai.settings.template import default_config


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "home").mkdir()
    return Paths.find({"MMAI_HOME": str(tmp_path / "home")})


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "src"
    folder.mkdir(parents=True)
    return folder


def loaded(paths: Paths, cwd: Path, text: str | bytes, *, env: Mapping[str, str] | None = None) -> Settings:
    paths.config.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(paths, env=env or {}, cwd=cwd)


def values(settings: Settings) -> Settings:
    return replace(settings, files=(), origins={})


def complaint(paths: Paths, cwd: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(paths, cwd, text)
    assert caught.value.hint == "mmai config edit"
    return caught.value.message.replace(str(paths.config), "config.yaml")


def test_without_any_file_the_built_in_values_hold(paths: Paths, cwd: Path) -> None:
    assert load(paths, env={}, cwd=cwd) == Settings()


def test_without_any_file_yaml_is_not_imported(paths: Paths, cwd: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mmai.paths import Paths; from mmai.settings import load, endpoints\n"
        f"endpoints(load(Paths.find({{'MMAI_HOME': {str(paths.config_dir)!r}}}), env={{}}, cwd=Path({str(cwd)!r})), env={{}})\n"
        "sys.exit(any(name in sys.modules for name in ('yaml', 'difflib', 'subprocess', 'shlex')))"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0


def test_an_empty_file_changes_nothing(paths: Paths, cwd: Path) -> None:
    assert loaded(paths, cwd, "# nothing yet\n") == Settings(files=(str(paths.config),))


def test_the_model_system_key_may_be_left_out(paths: Paths, cwd: Path) -> None:
    bare = loaded(paths, cwd, "registry: {cache_ttl: 2h}\n")
    assert bare.registry.cache_ttl_s == 7200
    assert loaded(paths, cwd, "model_system:\n  registry: {cache_ttl: 2h}\n").registry == bare.registry


def test_null_means_not_set(paths: Paths, cwd: Path) -> None:
    assert values(loaded(paths, cwd, "registry:\nrun:\n  model: null\n  timeout: ~\n")) == Settings()


def test_what_yaml_takes_for_numbers_and_booleans_can_be_a_name(paths: Paths, cwd: Path) -> None:
    settings = loaded(paths, cwd, "backends: {lab: {endpoint: 'http://lab', models: [no, 1e3, 2024-01-01]}}\n")
    assert [model.card.name for model in settings.backends["lab"].models] == ["no", "1e3", "2024-01-01"]


def test_provider_blocks_may_stand_in_every_place_of_the_specification(paths: Paths, cwd: Path) -> None:
    text = "ollama: {timeout_ms: 5}\napi_backends: {openai: {timeout_ms: 6}}\nmodel_system: {backends: {ollama: {keep_alive: 5m}}}\n"
    backends = loaded(paths, cwd, text).backends
    assert (backends["ollama"].timeout_ms, backends["ollama"].keep_alive, backends["openai"].timeout_ms) == (5, "5m", 6)


def test_the_same_key_in_two_places_is_refused_with_both_lines(paths: Paths, cwd: Path) -> None:
    text = "ollama:\n  endpoint: a\nbackends:\n  ollama:\n    endpoints: [b]\n"
    assert complaint(paths, cwd, text) == (
        "`endpoints` is given twice, first on line 2 (config.yaml line 5, backends.ollama.endpoints)"
    )


def test_a_provider_without_keys_is_configured_all_the_same(paths: Paths, cwd: Path) -> None:
    assert "openai" in loaded(paths, cwd, "backends:\n  openai:\n").backends


MISTAKES = {
    "registry:\n  cache_tll: 1h": "`cache_tll` is not a key here; `cache_ttl` is (config.yaml line 2, registry.cache_tll)",
    "zzz: 1": "`zzz` is not a key here; those are `model_system`, `run`, `registry`, `backends`, `selection`, `hot_swap` …, "
    "and providers stand under `backends` (config.yaml line 1, zzz)",
    "model_system:\n  registry:\n    cache_ttl: soon": "`soon` is not a duration above 0, such as `30s`, `500ms`, `2m`, `1h` or a "
    "number of seconds (config.yaml line 3, model_system.registry.cache_ttl)",
    "run: {log: maybe}": "`maybe` is not `true` or `false` (config.yaml line 1, run.log)",
    "selection:\n  constraints: {min_reliability: 2}": "`2` is not a number from 0 to 1 "
    "(config.yaml line 2, selection.constraints.min_reliability)",
    "selection: {weights: {cost: .nan}}": "`.nan` is not a number of 0 or more (config.yaml line 1, selection.weights.cost)",
    "backends:\n  ollama:\n    models:\n    - a\n    - name: b\n      context_window: wide": "`wide` is not a whole number of 1 or more "
    "(config.yaml line 6, backends.ollama.models[1].context_window)",
    "ollama: {models: [{context_window: 5}]}": "a model needs a `name` (config.yaml line 1, ollama.models[0])",
    "ollama: {models: gemma3}": "`gemma3` is not a list, such as `[one, two]` (config.yaml line 1, ollama.models)",
    "hot_swap: yes": "`yes` stands where keys belong: `enabled`, `grace_period_ms`, `validation_timeout_ms` "
    "(config.yaml line 1, hot_swap)",
    "backends: {Open AI: {}}": "`Open AI` cannot be the name of a provider: small letters, digits, `-` and `_`; `builtin` has no "
    "settings (config.yaml line 1, backends.Open AI)",
    "backends: {lab: {endpoint: lab}}": "`lab` needs `http://` or `https://` before it (config.yaml line 1, backends.lab.endpoints)",
    "ollama: {compute_units: all}": "`compute_units` is a key of `coreml` backends, and this one is `ollama` "
    "(config.yaml line 1, backends.ollama.compute_units)",
    "selection: {weights: {performance: 0, cost: 0, reliability: 0, capabilities: 0}}": "all four weights are 0, which ranks nothing "
    "(config.yaml line 1, selection.weights)",
    "backends: {openai: {headers: {X: '${NOPE}'}}}": "`NOPE` is not set (config.yaml line 1, backends.openai.headers)",
    "run: {model: '${'}": "`${` begins a variable that does not end, which is `${NAME}` or `${NAME:-default}`; `$$` is a dollar "
    "(config.yaml line 1, run.model)",
    "- a": "settings are keys with values, not a list (config.yaml line 1)",
    "registry:\n\tcache_ttl: 3": "a tab indents this line, where YAML takes only spaces (config.yaml line 2)",
    "run: 1\nrun: 2": "`run` stands twice, first on line 1 (config.yaml line 2)",
    "a: &x [1]\nb: *x": "`*x` is an alias, which settings do not take: write the value again (config.yaml line 2)",
    "a: &x {b: 1}\nc:\n  <<: *x": "`<<` merges mappings, which settings do not take: write the keys again (config.yaml line 3)",
    "a: !!python/name:os.system x": "`tag:yaml.org,2002:python/name:os.system` is a tag, which settings do not take (config.yaml line 1)",
    "---\nrun:\n---\nrun:": "a second document begins here, and settings are one (config.yaml line 3)",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_key(paths: Paths, cwd: Path, text: str) -> None:
    assert complaint(paths, cwd, text + "\n") == MISTAKES[text]


def test_what_is_not_yaml_is_told_with_its_line_in_the_parsers_own_words(paths: Paths, cwd: Path) -> None:
    message = complaint(paths, cwd, "run:\n  model: a: b\n")
    assert message.startswith("not YAML: mapping values are not allowed")
    assert message.endswith("(config.yaml line 2)")


def test_bytes_that_are_not_utf_8_name_their_line(paths: Paths, cwd: Path) -> None:
    assert complaint(paths, cwd, b"run:\n  model: caf\xe9\n") == "byte 0xe9 is not UTF-8 (config.yaml line 2)"


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? "])
def test_a_megabyte_of_nesting_is_refused_at_once(paths: Paths, cwd: Path, opening: str) -> None:
    assert "line 1" in complaint(paths, cwd, opening * (900_000 // len(opening)))


def test_a_file_of_more_than_a_megabyte_is_refused(paths: Paths, cwd: Path) -> None:
    assert complaint(paths, cwd, "#" * 1_000_001) == "1000001 bytes are too much for settings, which take 1000000 (config.yaml)"


def test_a_password_in_an_address_is_refused_without_being_shown(paths: Paths, cwd: Path) -> None:
    message = complaint(paths, cwd, "ollama: {endpoint: 'http://me:hunter2@host'}")
    assert message.startswith("an address with a user name or password in it is not taken")
    assert "hunter2" not in message


def test_a_message_shows_the_variable_and_not_what_it_held(paths: Paths, cwd: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(paths, cwd, "run: {timeout: '${TOKEN}'}", env={"TOKEN": "sk-very-secret"})
    assert caught.value.message.startswith("`${TOKEN}` is not a duration")


def test_numbers_and_durations_may_come_from_variables(paths: Paths, cwd: Path) -> None:
    settings = loaded(paths, cwd, "run: {timeout: '${T:-90s}', log: '${L}'}", env={"L": "no"})
    assert (settings.run.timeout_s, settings.run.log) == (90.0, False)


def test_a_key_whose_variable_is_not_set_is_absent_with_the_reason(paths: Paths, cwd: Path) -> None:
    backend = loaded(paths, cwd, "backends:\n  openai:\n    api_key: ${OPENAI_API_KEY}\n").backends["openai"]
    assert backend.api_key is None
    assert backend.api_key_missing == f"`OPENAI_API_KEY` is not set ({paths.config} line 3, backends.openai.api_key)"


def test_a_key_from_a_variable_is_filled_in_and_never_printed(paths: Paths, cwd: Path) -> None:
    settings = loaded(paths, cwd, "backends: {openai: {api_key: '${K}'}}", env={"K": "sk-1"})
    key = settings.backends["openai"].api_key
    assert key is not None
    assert key.reveal() == "sk-1"
    assert "sk-1" not in repr(settings)


def test_the_settings_file_can_be_another_one(paths: Paths, cwd: Path, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("run: {model: 'ollama:a'}")
    settings = load(paths, env={"MMAI_CONFIG": str(tmp_path / "other.yaml")}, cwd=cwd)
    assert settings.run.model == "ollama:a"


def test_a_settings_file_that_was_asked_for_must_exist(paths: Paths, cwd: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no settings file `/nowhere/x\.yaml`"):
        load(paths, env={"MMAI_CONFIG": "/nowhere/x.yaml"}, cwd=cwd)


def test_a_folder_in_place_of_the_file_is_named(paths: Paths, cwd: Path) -> None:
    paths.config.mkdir()
    with pytest.raises(ConfigError, match="is not a file"):
        load(paths, env={}, cwd=cwd)


# The cache


def cache_files(paths: Paths) -> list[Path]:
    return sorted(paths.cache_dir.glob("settings-*.json"))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file was written a minute ago."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60_000_000_000)


@pytest.mark.usefixtures("later")
def test_a_parsed_file_is_read_from_the_cache_until_it_changes(
    paths: Paths, cwd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = loaded(paths, cwd, "run: {model: 'ollama:a'}")
    assert cache_files(paths)
    monkeypatch.setattr("mmai.settings.document.parse", lambda _: pytest.fail("parsed again"))
    assert load(paths, env={}, cwd=cwd) == first
    monkeypatch.undo()
    assert loaded(paths, cwd, "run: {model: 'ollama:b'}").run.model == "ollama:b"


@pytest.mark.usefixtures("later")
def test_variables_are_filled_in_after_the_cache(paths: Paths, cwd: Path) -> None:
    text = "run: {model: '${M}'}"
    assert loaded(paths, cwd, text, env={"M": "ollama:a"}).run.model == "ollama:a"
    assert load(paths, env={"M": "ollama:b"}, cwd=cwd).run.model == "ollama:b"
    assert "ollama:" not in cache_files(paths)[0].read_text()


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("row", ["api_key: sk-written-out", "api_key: '${K:-sk-written-out}'", "headers: {X: sk-written-out}"])
def test_a_key_written_into_the_file_is_never_copied_to_the_cache(paths: Paths, cwd: Path, row: str) -> None:
    assert loaded(paths, cwd, f"backends: {{openai: {{{row}}}}}").backends["openai"]
    assert cache_files(paths) == []


@pytest.mark.usefixtures("later")
def test_a_corrupt_cache_is_parsed_over(paths: Paths, cwd: Path) -> None:
    loaded(paths, cwd, "run: {model: 'ollama:a'}")
    cache_files(paths)[0].write_bytes(b'["half')
    assert load(paths, env={}, cwd=cwd).run.model == "ollama:a"


@pytest.mark.usefixtures("later")
def test_a_cache_that_cannot_be_written_is_no_error(paths: Paths, cwd: Path, tmp_path: Path) -> None:
    (tmp_path / "flat").write_text("")
    full = replace(paths, cache_dir=tmp_path / "flat" / "cache")
    assert loaded(full, cwd, "run: {model: 'ollama:a'}").run.model == "ollama:a"


def test_a_file_of_this_moment_is_not_cached(paths: Paths, cwd: Path) -> None:
    loaded(paths, cwd, "run: {model: 'ollama:a'}")
    assert cache_files(paths) == []


# The file `config init` writes


def test_the_default_file_changes_nothing(paths: Paths, cwd: Path) -> None:
    assert values(loaded(paths, cwd, default_config())) == Settings()


def test_every_default_in_the_default_file_is_the_real_one(paths: Paths, cwd: Path) -> None:
    uncommented = re.sub(r"^( *)#(?=\w)", r"\1", default_config(), flags=re.MULTILINE)
    settings = loaded(paths, cwd, uncommented)
    assert len(settings.origins) > 15
    assert values(settings) == Settings()


def test_the_example_in_the_default_file_loads(paths: Paths, cwd: Path) -> None:
    lines = default_config().splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "# openai:")
    block = "\n".join(line.replace("# ", "", 1) for line in lines[start : start + 6])
    names = [model.card.name for model in loaded(paths, cwd, f"backends:\n{block}").backends["openai"].models]
    assert names == ["gpt-4-turbo", "dall-e-3"]
