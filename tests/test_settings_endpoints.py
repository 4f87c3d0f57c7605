"""From settings to endpoints: addresses, waiting times, and above all which keys go where."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mmai.paths import Paths
from mmai.settings import endpoints, load
from mmai.settings.endpoints import locality
from mmai.settings.hosts import proxied
from mmai.values.endpoint import NO_KEY, Endpoint, Timeouts

OPENAI = "https://api.openai.com/v1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "project").mkdir()
    return tmp_path


def places(home: Path, user: str = "", project: str = "", env: Mapping[str, str] | None = None) -> dict[str, list[Endpoint]]:
    (home / "home" / "config.yaml").write_text(user)
    (home / "project" / "mmai.yaml").write_text(project)
    env = {"MMAI_HOME": str(home / "home"), **(env or {})}
    found: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints(load(Paths.find({"MMAI_HOME": str(home / "home")}), env=env, cwd=home / "project"), env=env):
        found.setdefault(endpoint.provider, []).append(endpoint)
    return found


def test_builtin_ollama_and_the_well_known_services_are_always_there(home: Path) -> None:
    found = places(home)
    assert {name: [endpoint.url for endpoint in rows] for name, rows in found.items()} == {
        "builtin": [None],
        "ollama": ["http://127.0.0.1:11434"],
        "openai": ["https://api.openai.com/v1"],
        "anthropic": ["https://api.anthropic.com"],
        "google": ["https://generativelanguage.googleapis.com"],
        "coreml": [None],
    }
    assert found["builtin"][0].key_rule == NO_KEY


def test_each_address_of_a_provider_is_an_endpoint_with_all_its_models(home: Path) -> None:
    rows = places(home, "ollama: {endpoints: ['http://a:1', 'b'], models: [m]}")["ollama"]
    assert [(row.url, row.models[0].endpoints) for row in rows] == [
        ("http://a:1", ("http://a:1",)),
        ("http://b:11434", ("http://b:11434",)),
    ]


def test_ollama_addresses_are_completed_as_its_own_client_does(home: Path) -> None:
    assert places(home, "ollama: {endpoint: '0.0.0.0'}")["ollama"][0].url == "http://127.0.0.1:11434"
    assert places(home, "ollama: {endpoint: 'http://h/base/'}")["ollama"][0].url == "http://h:80/base"


def test_any_name_may_stand_for_a_kind(home: Path) -> None:
    row = places(home, "backends: {lab: {kind: ollama, endpoint: 'gpu.lan', keep_alive: 10m, options: {num_ctx: 8192}}}")[
        "lab"
    ][0]
    assert (row.kind, row.url, row.options) == ("ollama", "http://gpu.lan:11434", {"num_ctx": 8192, "keep_alive": "10m"})


def test_timeouts_are_the_longest_silence_in_seconds(home: Path) -> None:
    row = places(home, "ollama: {timeout_ms: 30000, connect_timeout_ms: 250}")["ollama"][0]
    assert row.timeouts == Timeouts(connect_s=0.25, first_token_s=30.0, stall_s=30.0)


def test_each_wait_may_have_a_time_of_its_own_and_so_may_a_model(home: Path) -> None:
    row = places(
        home,
        "ollama: {timeout_ms: 9000, first_token_timeout_ms: 1000, total_timeout_ms: 5000, models: [{name: m, stall_timeout_ms: 2}]}",
    )["ollama"][0]
    assert row.timeouts == Timeouts(first_token_s=1.0, stall_s=9.0, total_s=5.0)
    assert row.model_timeouts == {"m": Timeouts(first_token_s=1.0, stall_s=0.002, total_s=5.0)}


def test_a_server_that_may_load_a_model_is_waited_for_longer_than_a_service(home: Path) -> None:
    found = places(home)
    assert (found["ollama"][0].timeouts.first_token_s, found["openai"][0].timeouts.first_token_s) == (300.0, 120.0)


def test_each_of_several_keys_is_an_endpoint_and_so_is_each_region(home: Path) -> None:
    rows = places(
        home,
        "backends: {lab: {kind: openai, endpoints: ['http://a/v1', 'http://b/v1'], regions: [eu, us], costs: [1, 2.5], api_keys: [k1, k2]}}",
    )["lab"]
    assert [row.cost for row in rows] == [1.0, 1.0, 2.5, 2.5]
    told = [(row.url, row.region, row.credential, row.key_rule.configured.reveal()) for row in rows if row.key_rule.configured]
    assert told == [
        ("http://a/v1", "eu", 0, "k1"),
        ("http://a/v1", "eu", 1, "k2"),
        ("http://b/v1", "us", 0, "k1"),
        ("http://b/v1", "us", 1, "k2"),
    ]


def test_several_keys_of_which_one_is_not_set_are_none_and_say_so(home: Path) -> None:
    rows = places(home, "backends: {lab: {kind: openai, endpoint: 'http://a/v1', api_keys: ['${NOT_SET_ANYWHERE}', k2]}}")[
        "lab"
    ]
    assert [row.key_rule.configured for row in rows] == [None]
    assert "NOT_SET_ANYWHERE" in (rows[0].key_rule.missing or "")


@pytest.mark.parametrize(("value", "most"), [("4", 4), ("", None), ("0", None), ("many", None)])
def test_ollama_on_this_machine_is_given_as_many_calls_as_its_own_variable_says(
    home: Path, value: str, most: int | None
) -> None:
    env = {"OLLAMA_NUM_PARALLEL": value}
    assert places(home, env=env)["ollama"][0].max_parallel == most
    assert places(home, "ollama: {endpoint: 'http://gpu.lan'}", env=env)["ollama"][0].max_parallel is None


def test_adapter_keys_and_files_of_models_travel_in_the_options(home: Path) -> None:
    row = places(home, "coreml: {compute_units: cpu_only, directories: [/m], models: [a/b.mlpackage]}")["coreml"][0]
    assert row.options == {
        "compute_units": "cpu_only",
        "directories": ("/m",),
        "named": True,
        "cache_dir": str(home / "home" / "cache" / "coreml"),
        "files": {"b": {"path": str(home / "home" / "a" / "b.mlpackage"), "input_shape": (), "output_shape": ()}},
    }
    assert row.models[0].locality == "local"


def test_models_in_files_are_looked_for_in_a_folder_of_mmais_own(home: Path) -> None:
    assert places(home)["coreml"][0].options["directories"] == (str(home / "home" / "models"),)


def test_relative_places_are_meant_from_the_settings_file(home: Path) -> None:
    row = places(home, project="coreml: {directories: [m, ~/n], cache_dir: c}")["coreml"][0]
    assert row.options["directories"] == (str(home / "project" / "m"), str(Path("~/n").expanduser()))
    assert row.options["cache_dir"] == str(home / "project" / "c")


def test_the_home_of_nobody_is_the_name_of_a_folder(home: Path) -> None:
    row = places(home, project="coreml: {directories: [~nobody-of-this-name/m], models: [~nobody-of-this-name/a.mlpackage]}")
    assert row["coreml"][0].options["directories"] == (str(home / "project" / "~nobody-of-this-name" / "m"),)


def test_a_model_named_by_its_file_is_also_found_in_the_directories(home: Path) -> None:
    (home / "m" / "a.mlpackage").mkdir(parents=True)
    row = places(home, f"coreml: {{directories: ['{home}/m'], models: [a.mlpackage]}}")["coreml"][0]
    assert row.options["files"]["a"]["path"] == str(home / "m" / "a.mlpackage")


@pytest.mark.parametrize(
    ("url", "where"),
    [
        (None, "local"),
        ("http://localhost:1", "local"),
        ("http://[::1]:1", "local"),
        ("http://192.168.1.9", "network"),
        ("http://172.31.0.1:1", "network"),
        ("http://172.32.0.1", "cloud"),
        ("http://gpu:1", "network"),
        ("http://gpu.local", "network"),
        ("http://[fd00::1]:80", "network"),
        ("http://10.evil.com", "cloud"),
        (OPENAI, "cloud"),
    ],
)
def test_an_address_tells_where_the_weights_run(url: str | None, where: str) -> None:
    assert locality("mine", url) == where


# Keys


def test_a_provider_at_home_may_use_every_key(home: Path) -> None:
    rule = places(home, "backends: {openai: {key_cmd: 'pass openai'}}")["openai"][0].key_rule
    assert (rule.environment, rule.stored, rule.command) == (True, True, "pass openai")


@pytest.mark.parametrize("url", ["https://api.openai.com.evil.com/v1", "http://api.openai.com/v1", "https://proxy.corp/v1"])
def test_a_key_stored_for_a_well_known_provider_never_leaves_it(home: Path, url: str) -> None:
    rule = places(home, f"backends: {{openai: {{endpoint: '{url}', api_key: mine}}}}")["openai"][0].key_rule
    assert rule.configured is not None
    assert not rule.stored


def test_a_provider_of_ones_own_gets_the_key_stored_for_it(home: Path) -> None:
    assert places(home, "backends: {lab: {kind: openai, endpoint: 'https://lab.corp/v1'}}")["lab"][0].key_rule.stored


def test_no_key_goes_where_a_project_file_sends_calls(home: Path) -> None:
    user = "backends: {openai: {api_key: mine, key_cmd: c, headers: {authorization: mine}}}"
    row = places(home, user, "backends: {openai: {endpoint: 'https://evil.com/v1'}}", env={"OPENAI_API_KEY": "sk"})["openai"][0]
    rule = row.key_rule
    assert (rule.configured, rule.command, rule.environment, rule.stored) == (None, None, False, False)
    assert rule.missing == "a project file chose where calls to `openai` go, so no key of yours is sent there"
    assert row.headers == {}


def test_no_key_goes_to_a_kind_a_project_file_chose(home: Path) -> None:
    row = places(home, "backends: {lab: {endpoint: 'https://lab'}}", "backends: {lab: {kind: openai}}")["lab"][0]
    assert not row.key_rule.environment


def test_headers_of_the_project_file_itself_are_sent(home: Path) -> None:
    row = places(home, "", "backends: {lab: {endpoint: 'https://lab', headers: {x-team: a}}}")["lab"][0]
    assert row.headers == {"x-team": "a"}


def test_a_project_file_may_send_calls_to_this_machine_but_not_with_the_keys_of_a_service(home: Path) -> None:
    user, project = "backends: {openai: {api_key: mine}}", "backends: {openai: {endpoint: 'http://127.0.0.1:4000/v1'}}"
    assert not places(home, user, project)["openai"][0].key_rule.environment
    rule = places(home, "", "backends: {lab: {endpoint: 'http://127.0.0.1:4000/v1'}}")["lab"][0].key_rule
    assert (rule.environment, rule.stored) == (True, True)


def test_a_service_whose_key_is_set_needs_no_setting(home: Path) -> None:
    found = places(home, env={"GROQ_API_KEY": "gsk", "MISTRAL_API_KEY": " "})
    assert [row.url for row in found["groq"]] == ["https://api.groq.com/openai/v1"]
    assert (found["groq"][0].kind, found["groq"][0].locality) == ("openai", "cloud")
    assert "mistral" not in found


def test_a_local_server_of_a_known_name_needs_no_address(home: Path) -> None:
    row = places(home, "backends: {lmstudio: }")["lmstudio"][0]
    assert (row.kind, row.url, row.locality) == ("openai", "http://127.0.0.1:1234/v1", "local")
    assert not row.key_rule.required


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "https://api.openai.com.evil.net/v1", "http://api.openai.com/v1"])
def test_a_key_kept_for_a_service_goes_to_its_own_site_alone(home: Path, url: str) -> None:
    rule = places(home, env={"OPENAI_BASE_URL": url})["openai"][0].key_rule
    assert (rule.stored, rule.required, rule.environment) == (False, False, True)
    assert rule.missing == f"keys kept for `openai` are not sent to `{url.split('/')[2].split(':')[0]}`"
    own = places(home)["openai"][0].key_rule
    assert (own.stored, own.required) == (True, True)


def test_a_key_of_the_settings_goes_to_the_address_of_the_settings_and_to_no_variables(home: Path) -> None:
    user = "backends: {openai: {endpoint: 'https://proxy.example/v1', api_key: mine, key_cmd: pass openai}}"
    rule = places(home, user)["openai"][0].key_rule
    assert (rule.configured is not None, rule.command) == (True, "pass openai")
    rule = places(home, user, env={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})["openai"][0].key_rule
    assert (rule.configured, rule.command) == (None, None)


def test_a_service_stays_one_behind_a_proxy_on_this_machine(home: Path) -> None:
    found = places(home, env={"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "GOOGLE_GEMINI_BASE_URL": "http://localhost:8"})
    assert [(found[name][0].url, found[name][0].locality) for name in ("anthropic", "google")] == [
        ("http://127.0.0.1:9", "cloud"),
        ("http://localhost:8", "cloud"),
    ]


def test_an_address_of_the_environment_takes_the_place_of_the_projects(home: Path) -> None:
    row = places(home, "", "ollama: {endpoint: 'http://evil'}", env={"OLLAMA_HOST": "https://mine"})["ollama"][0]
    assert (row.url, row.key_rule.environment) == ("https://mine:443", True)


def test_the_reason_for_a_missing_key_reaches_the_endpoint(home: Path) -> None:
    missing = places(home, "backends: {openai: {api_key: '${K}'}}")["openai"][0].key_rule.missing
    assert missing is not None
    assert missing.startswith("`K` is not set (")


@pytest.mark.parametrize(
    ("url", "env", "applies"),
    [
        ("http://h", {}, False),
        ("http://h", {"http_proxy": "http://p"}, True),
        ("http://h", {"HTTP_PROXY": "http://p"}, True),
        ("https://h", {"http_proxy": "http://p"}, False),
        ("https://h", {"ALL_PROXY": "socks5://p"}, True),
        ("http://127.0.0.1:11434", {"all_proxy": "http://p"}, False),
        ("http://localhost", {"http_proxy": "http://p"}, False),
        ("http://h", {"http_proxy": "http://p", "no_proxy": "*"}, False),
        ("http://a.corp:8", {"http_proxy": "http://p", "NO_PROXY": "x, .corp"}, False),
        ("http://a.corp", {"http_proxy": "http://p", "no_proxy": "corp"}, False),
        ("http://acorp", {"http_proxy": "http://p", "no_proxy": "corp"}, True),
        ("http://h", {"http_proxy": "http://p", "no_proxy": ","}, True),
        ("http://h", {"http_proxy": ""}, False),
    ],
)
def test_a_proxy_of_the_environment_applies_unless_spared(url: str, env: dict[str, str], applies: bool) -> None:
    assert proxied(url, env) is applies
