"""Which source wins, what the environment may say, and what a project file may not."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from mmai.errors import ConfigError
from mmai.paths import Paths
from mmai.settings import Settings, load
from mmai.settings.files import project_file
from mmai.settings.listing import listing
from mmai.values.decision import Weights


class Home:
    """A home folder, and a project below it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = root / "work" / "project"
        self.project.mkdir(parents=True)
        self.paths = Paths.find({"MMAI_HOME": str(root / ".mmai")})
        self.paths.config_dir.mkdir()

    def load(self, user: str = "", project: str = "", env: Mapping[str, str] | None = None) -> Settings:
        self.paths.config.write_text(user)
        (self.project / "mmai.yaml").write_text(project)
        return load(self.paths, env={"HOME": str(self.root), **(env or {})}, cwd=self.project)

    def refused(self, *, project: str) -> str:
        with pytest.raises(ConfigError) as caught:
            self.load(project=project)
        assert caught.value.hint == f"mmai config check {self.project / 'mmai.yaml'}"
        return caught.value.message.replace(str(self.project), "project")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_project_wins_over_user_and_environment_over_both(home: Home) -> None:
    user, project = "run: {model: 'ollama:user', timeout: 1s, stdin_timeout: 1s}", "run: {model: 'ollama:project', timeout: 2s}"
    run = home.load(user, project, env={"MMAI_MODEL": "ollama:env"}).run
    assert (run.model, run.timeout_s, run.stdin_timeout_s) == ("ollama:env", 2.0, 1.0)


def test_every_value_knows_where_it_came_from(home: Home) -> None:
    settings = home.load("run:\n  timeout: 1s\n", "\nrun:\n  model: 'ollama:a'\n", env={"MMAI_LOG": "0"})
    origins = {row.key: str(row.origin) for row in listing(settings) if row.key.startswith("run.")}
    assert origins == {
        "run.model": f"{home.project}/mmai.yaml line 3",
        "run.timeout": f"{home.paths.config} line 2",
        "run.stdin_timeout": "built-in",
        "run.log": "MMAI_LOG",
    }


def test_keys_of_one_provider_are_merged_from_both_files(home: Home) -> None:
    backend = home.load("ollama: {timeout_ms: 5, models: [a]}", "ollama: {models: [b]}").backends["ollama"]
    assert (backend.timeout_ms, [model.card.name for model in backend.models]) == (5.0, ["b"])


def test_the_nearest_project_file_above_is_taken(home: Home) -> None:
    (home.root / "work" / "mmai.yaml").write_text("")
    deep = home.project / "a" / "b"
    deep.mkdir(parents=True)
    env = {"HOME": str(home.root)}
    assert project_file(deep, env) == home.root / "work" / "mmai.yaml"
    (home.project / "mmai.yaml").write_text("")
    assert project_file(deep, env) == home.project / "mmai.yaml"


def test_nothing_above_the_home_folder_is_a_project_file(home: Home) -> None:
    (home.root / "mmai.yaml").write_text("")
    assert project_file(home.project, {"HOME": str(home.root / "work")}) is None


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_somebody_else_left_in_a_shared_folder_is_passed_over(home: Home) -> None:
    (home.project / "mmai.yaml").write_text("")
    os.chown(home.project / "mmai.yaml", 12345, 12345)
    assert project_file(home.project, {"HOME": str(home.root)}) is not None
    home.project.chmod(0o1777)
    assert project_file(home.project, {"HOME": str(home.root)}) is None


# The environment


def test_each_variable_reaches_its_setting(home: Home) -> None:
    env = {"MMAI_MODEL": "builtin:lead", "MMAI_TIMEOUT": "5m", "MMAI_STDIN_TIMEOUT": "3", "MMAI_LOG": "no", "MMAI_OFFLINE": "1"}
    settings = home.load(env=env)
    run = settings.run
    assert (run.model, run.timeout_s, run.stdin_timeout_s, run.log) == ("builtin:lead", 300.0, 3.0, False)
    assert settings.selection.constraints.local_only


def test_an_empty_variable_counts_as_not_set(home: Home) -> None:
    assert home.load(env={"MMAI_MODEL": "", "OLLAMA_HOST": " "}).origins == {}


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MMAI_LOG", "perhaps", "variable `MMAI_LOG`: `perhaps` is not `true` or `false`"),
        ("MMAI_OFFLINE", "2", "variable `MMAI_OFFLINE`: `2` is not `true` or `false`"),
        (
            "OLLAMA_HOST",
            "ftp://h",
            "variable `OLLAMA_HOST`: `ftp://h` cannot be reached: http and https are the schemes mmai speaks",
        ),
    ],
)
def test_a_malformed_variable_is_named(home: Home, variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        home.load(env={variable: value})
    assert (caught.value.message, caught.value.hint) == (message, f"unset {variable}")


def test_a_password_in_ollama_host_is_refused_without_being_shown(home: Home) -> None:
    with pytest.raises(ConfigError, match="holds a user name or password") as caught:
        home.load(env={"OLLAMA_HOST": "http://me:hunter2@host"})
    assert "hunter2" not in caught.value.message


def test_ollama_host_may_name_several_hosts(home: Home) -> None:
    endpoints = home.load("ollama: {endpoint: x}", env={"OLLAMA_HOST": "0.0.0.0, lab:80"}).backends["ollama"].endpoints
    assert endpoints == ("http://127.0.0.1:11434", "http://lab:80")


# A project file is somebody else's


@pytest.mark.parametrize("key", ["api_key", "key_cmd"])
def test_a_project_file_can_neither_hold_keys_nor_run_commands(home: Home, key: str) -> None:
    message = home.refused(project=f"backends: {{openai: {{{key}: 'steal'}}}}")
    assert message == (
        f"`{key}` is not taken from a project file; it belongs in your own settings "
        f"(project/mmai.yaml line 1, backends.openai.{key})"
    )


@pytest.mark.parametrize(
    "text",
    [
        "ollama: {endpoint: 'http://evil/${SECRET}'}",
        "ollama: {models: ['${SECRET:-x}']}",
        "ollama: {options: {a: [{b: '${SECRET}'}]}}",
    ],
)
def test_a_project_file_cannot_read_variables(home: Home, text: str) -> None:
    assert home.refused(project=text).startswith("`${SECRET}` is not filled in: a project file cannot read variables")


def test_a_project_file_can_keep_prompts_here_and_never_let_them_out(home: Home) -> None:
    assert home.load(project="selection: {constraints: {local_only: true}}").selection.constraints.local_only
    message = home.refused(project="selection: {constraints: {local_only: false}}")
    assert message.startswith("a project file can turn `local_only` on, never off")


def test_a_project_may_be_stricter_than_the_users_policy_and_never_laxer(home: Home) -> None:
    def policy(user: str, project: str, env: str = "") -> str:
        own, theirs = (f"selection: {{policy: {name}}}" for name in (user, project))
        return home.load(own, theirs, env={"MMAI_POLICY": env}).selection.policy

    assert policy("quality", "private") == "private"
    assert policy("private", "quality") == "private"
    assert policy("private", "local") == "private"
    assert policy("local", "private") == "private"
    assert policy("quality", "fast") == "fast"
    assert policy("private", "fast", env="cheap") == "cheap"


def test_weights_hold_beside_a_policy_of_the_same_file_and_not_under_a_nearer_one(home: Home) -> None:
    weights = "selection: {weights: {cost: 0.9}}"
    beside = home.load("selection: {policy: private, weights: {cost: 0.9}}").selection
    assert (beside.policy, beside.weights.cost) == ("private", 0.9)
    assert home.load(weights, "selection: {policy: quality}").selection.weights == Weights()
    assert home.load(weights, env={"MMAI_POLICY": "fast"}).selection.weights == Weights()
    assert home.load("selection: {policy: quality}", weights).selection.weights.cost == 0.9


def test_a_policy_that_there_is_not_is_refused_with_those_there_are(home: Home) -> None:
    message = home.refused(project="selection: {policy: best}")
    assert message.startswith("`best` is not `balanced` or `quality` or `fast` or `cheap` or `local` or `private`")


def test_a_project_cannot_make_the_user_pay_for_exploring(home: Home) -> None:
    assert "`exploration` is not taken from a project file" in home.refused(project="selection: {exploration: 1}")
    assert home.load("selection: {exploration: 0.1}").selection.exploration == 0.1
