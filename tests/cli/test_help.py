"""Help and usage errors."""

import pytest
from command import Mmai

COMMANDS = (
    "run",
    "chat",
    "select",
    "rate",
    "history",
    "history list",
    "history show",
    "history search",
    "history rm",
    "history name",
    "history export",
    "discover",
    "models",
    "models list",
    "models show",
    "models rm",
    "pull",
    "preload",
    "status",
    "selftest",
    "selftest coreml",
    "config",
    "config show",
    "config path",
    "config init",
    "config check",
    "config edit",
    "keys",
    "keys set",
    "keys list",
    "keys remove",
    "keys path",
    "paths",
)


def commands_of(help_text: str) -> list[str]:
    """The names below `Commands:`."""
    return [
        line.split()[0]
        for line in help_text.partition("\nCommands:\n")[2].splitlines()
        if line.startswith("  ") and line[2] != " "
    ]


def test_every_command_is_in_this_list(mmai: Mmai) -> None:
    top = commands_of(mmai("--help").stdout)
    groups = {name: commands_of(mmai(name, "--help").stdout) for name in ("history", "models", "selftest", "config", "keys")}
    assert set(COMMANDS) == {*top, *(f"{group} {name}" for group, names in groups.items() for name in names)}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_and_h_is_short_for_it(mmai: Mmai, command: str) -> None:
    long, short = (mmai(*command.split(), flag) for flag in ("--help", "-h"))
    assert long == short
    assert (long.exit_code, long.stderr) == (0, "")
    assert "Example" in long.stdout
    assert f"mmai {command}" in long.stdout.partition("Example")[2]


def test_help_alone_is_for_people_who_type_nothing(mmai: Mmai) -> None:
    assert "Commands:" in mmai("-h").stdout
    assert mmai("--help").stdout == mmai("-h").stdout


def test_version(mmai: Mmai) -> None:
    assert mmai("--version").stdout.startswith("mmai ")
    assert mmai("-V") == mmai("--version")


WRONG = (
    ("models", "show"),
    ("models", "rm"),
    ("pull",),
    ("keys", "set"),
    ("run", "--nope", "hi"),
    ("discover", "--nope"),
    ("models", "--nope"),
    ("status", "extra"),
    ("run", "--task", "cooking", "hi"),
    ("run", "-t", "warm", "hi"),
    ("discover", "-o", "xml"),
    ("select", "--max-cost", "-1", "hi"),
    ("nope",),
    ("models", "nope"),
    ("run",),
    ("select",),
    ("rate",),
    ("rate", "6"),
    ("rate", "good"),
    ("select", "--reset-learning", "hi"),
)


@pytest.mark.parametrize("words", WRONG)
def test_a_usage_error_is_an_envelope_where_json_was_asked_for(mmai: Mmai, words: tuple[str, ...]) -> None:
    result = mmai(*words, "--json")
    assert result.exit_code == 2
    assert (result.json["version"], result.json["status"]) == (1, "error")
    assert (result.json["error"]["code"], result.json["error"]["exit_code"]) == ("usage", 2)
    assert result.json["error"]["message"]
    assert result.json["error"]["hint"]
    assert result.stderr == ""


@pytest.mark.parametrize("words", WRONG)
def test_a_usage_error_is_an_error_line_and_a_hint(mmai: Mmai, words: tuple[str, ...]) -> None:
    result = mmai(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("error: ")
    assert second.startswith("hint: mmai")


@pytest.mark.parametrize("form", [("-o", "json"), ("-ojson",), ("--output", "json"), ("--output=json",)])
def test_every_way_to_ask_for_json_counts(mmai: Mmai, form: tuple[str, ...]) -> None:
    assert mmai("models", "show", *form).json["error"]["code"] == "usage"


def test_a_prompt_that_says_json_does_not_ask_for_it(mmai: Mmai) -> None:
    assert mmai("run", "--nope", "--", "--json").stdout == ""


def test_nothing_typed_is_answered_with_the_help(mmai: Mmai) -> None:
    assert mmai() == mmai("--help")
    assert mmai("config").stdout == mmai("config", "--help").stdout


def test_every_line_of_a_list_of_commands_is_a_whole_sentence(mmai: Mmai) -> None:
    for group in ((), ("models",), ("selftest",), ("config",), ("keys",)):
        listed = mmai(*group, "--help").stdout.partition("Commands:\n")[2]
        assert all(line.endswith(".") and not line.endswith("...") for line in listed.splitlines())
