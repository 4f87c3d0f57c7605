"""`mmai config` through the real command."""

import shlex
import sys
from pathlib import Path

from command import Mmai

FILE = "mmai/config.yaml"


def editor(code: str) -> str:
    """An editor that runs `code` with the text of the file in `text` and writes what it leaves there."""
    script = f"import sys, pathlib\np = pathlib.Path(sys.argv[1])\ntext = p.read_text()\n{code}\np.write_text(text)"
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(script)}"


def test_show_gives_every_setting_with_its_origin(mmai: Mmai) -> None:
    mmai.configure("run:\n  timeout: 90s\n")
    result = mmai("config", "show", "--origin", "-o", "csv", env={"MMAI_MODEL": "builtin:lead"})
    lines = result.stdout.splitlines()
    assert lines[0] == "key,value,origin"
    assert "run.model,builtin:lead,MMAI_MODEL" in lines
    assert f"run.timeout,90s,{mmai.home}/{FILE} line 2" in lines
    assert "selection.weights.cost,0.3,built-in" in lines
    assert result.stderr == ""


def test_show_masks_keys_and_headers(mmai: Mmai) -> None:
    mmai.configure("backends:\n  openai:\n    api_key: sk-secret\n    headers: {x-token: sk-secret}\n")
    for form in ("table", "json", "jsonl", "csv", "md", "plain"):
        result = mmai("config", "show", "--origin", "-o", form)
        assert "sk-secret" not in result.stdout + result.stderr
        assert "****" in result.stdout


def test_show_in_json_keeps_types(mmai: Mmai) -> None:
    settings = {row["key"]: row["value"] for row in mmai("config", "show", "--json").json["data"]["settings"]}
    assert settings["run.log"] is True
    assert settings["selection.constraints.max_latency_ms"] is None
    assert settings["selection.constraints.excluded_models"] == []
    assert settings["registry.cache_ttl"] == "1h"


def test_a_mistake_ends_with_exit_code_2_in_the_envelope_too(mmai: Mmai) -> None:
    mmai.configure("run:\n  modle: x\n")
    result = mmai("config", "show", "--json")
    assert result.exit_code == 2
    assert result.json["error"] == {
        "code": "config",
        "exit_code": 2,
        "message": f"`modle` is not a key here; `model` is ({mmai.home}/{FILE} line 2, run.modle)",
        "hint": "mmai config edit",
    }


def test_path_alone_is_printed_and_need_not_exist(mmai: Mmai) -> None:
    result = mmai("config", "path")
    assert (result.stdout, result.stderr) == (f"{mmai.home}/{FILE}\n", "")
    assert mmai("config", "path", "--json").json["data"] == {"path": f"{mmai.home}/{FILE}", "exists": False, "project": None}


def test_path_names_the_project_file_in_json(mmai: Mmai) -> None:
    (mmai.home / "mmai.yaml").write_text("")
    assert mmai("config", "path", "--json").json["data"]["project"] == f"{mmai.home}/mmai.yaml"


def test_init_writes_a_private_file_that_changes_nothing_and_never_replaces_one(mmai: Mmai) -> None:
    before = mmai("config", "show").stdout
    first = mmai("config", "init")
    assert (first.exit_code, first.stdout, first.stderr) == (0, f"{mmai.home}/{FILE}\n", f"wrote {mmai.home}/{FILE}\n")
    assert (mmai.home / FILE).stat().st_mode & 0o777 == 0o600
    assert mmai("config", "show").stdout == before
    mmai.configure("run: {model: mine}")
    again = mmai("config", "init")
    assert again.exit_code == 2
    assert again.stderr == f"error: `{mmai.home}/{FILE}` exists\nhint: mmai config init --force\n"
    assert (mmai.home / FILE).read_text() == "run: {model: mine}"
    assert mmai("config", "init", "--force").exit_code == 0


def test_check_names_the_files_and_the_keys_that_are_not_set(mmai: Mmai) -> None:
    mmai.configure("backends: {openai: {api_key: '${OPENAI_API_KEY}'}}\n")
    result = mmai("config", "check", "--json")
    assert result.exit_code == 0
    assert result.json["data"] == {"files": [f"{mmai.home}/{FILE}"], "providers": ["ollama", "openai", "anthropic", "google"]}
    reason = f"`OPENAI_API_KEY` is not set ({mmai.home}/{FILE} line 1, backends.openai.api_key)"
    assert result.json["warnings"] == [reason]


def test_check_holds_a_file_called_mmai_yaml_to_the_rules_of_a_project(mmai: Mmai, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "mmai.yaml"
    file.parent.mkdir()
    file.write_text("backends: {openai: {api_key: x}}")
    result = mmai("config", "check", str(file))
    assert result.exit_code == 2
    assert "is not taken from a project file" in result.stderr


def test_check_of_a_file_that_is_not_there_says_so(mmai: Mmai) -> None:
    result = mmai("config", "check", "nowhere.yaml")
    assert (result.exit_code, result.stderr) == (2, "error: there is no settings file `nowhere.yaml`\nhint: mmai config init\n")


def test_edit_makes_the_file_opens_it_and_checks_it(mmai: Mmai) -> None:
    change = editor("text = text.replace('#model: auto', 'model: builtin:lead')")
    result = mmai("config", "edit", env={"EDITOR": change})
    assert (result.exit_code, result.stderr) == (0, "")
    settings = {row["key"]: row["value"] for row in mmai("config", "show", "--json").json["data"]["settings"]}
    assert settings["run.model"] == "builtin:lead"


def test_edit_tells_a_mistake_and_keeps_what_was_written(mmai: Mmai) -> None:
    result = mmai("config", "edit", env={"VISUAL": editor("text = 'run: 1'"), "EDITOR": "false"})
    assert result.exit_code == 2
    assert "`1` stands where keys belong" in result.stderr
    assert (mmai.home / FILE).read_text() == "run: 1"


def test_edit_opens_a_file_that_is_wrong_already(mmai: Mmai) -> None:
    mmai.configure("run: 1")
    assert mmai("config", "edit", env={"EDITOR": editor("text = ''")}).exit_code == 0


def test_edit_names_an_editor_that_is_not_there_or_fails(mmai: Mmai) -> None:
    missing = mmai("config", "edit", env={"EDITOR": "/no/editor"})
    assert (missing.exit_code, missing.stderr.splitlines()[0]) == (2, "error: the editor `/no/editor` cannot be started")
    failed = mmai("config", "edit", env={"EDITOR": "false"})
    assert (failed.exit_code, "the editor `false` ended with exit code 1" in failed.stderr) == (2, True)


def test_check_reads_the_price_file(mmai: Mmai) -> None:
    prices = mmai.home / "prices.json"
    mmai.configure(f"registry: {{price_file: {prices}}}\n")
    missing = mmai("config", "check")
    assert missing.stderr == f"warning: prices in `{prices}` are not used: No such file or directory\nno mistakes\n"
    prices.write_text('{"models": {"openai:gpt-5": {"input_cost": "dear"}}}')
    assert f"warning: prices in `{prices}` are not used: " in mmai("config", "check").stderr
    prices.write_text('{"gpt-5": {"litellm_provider": "openai", "input_cost_per_token": 0.1}}')
    assert mmai("config", "check").stderr == "no mistakes\n"
