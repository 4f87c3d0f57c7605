"""`mmai keys` through the real command: a key goes in, and never comes out."""

import os
import pty
import select
import subprocess

from command import PATIENCE_S, Mmai

KEY = "sk-very-secret"


def test_a_key_is_read_from_standard_input_and_stored_privately(mmai: Mmai) -> None:
    result = mmai("keys", "set", "OpenAI", stdin=f"{KEY}\n".encode())
    file = mmai.home / "mmai" / "keys.json"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"stored the key of openai in {file}\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert KEY in file.read_text()


def test_a_key_typed_at_a_terminal_is_not_shown(mmai: Mmai) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*mmai.command, "keys", "set", "openai"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=mmai.env,
        start_new_session=True,
    )
    os.close(slave)
    shown = read_until(master, b"Key of openai: ")
    os.write(master, f"{KEY}\n".encode())
    shown += read_until(master, b"stored the key")
    assert process.wait(PATIENCE_S) == 0
    os.close(master)
    assert KEY.encode() not in shown
    assert KEY in (mmai.home / "mmai" / "keys.json").read_text()


def read_until(terminal: int, words: bytes) -> bytes:
    shown = b""
    while words not in shown:
        assert select.select([terminal], [], [], PATIENCE_S)[0], shown
        shown += os.read(terminal, 1000)
    return shown


def test_a_key_on_the_command_line_is_refused_and_not_repeated(mmai: Mmai) -> None:
    result = mmai("keys", "set", "openai", KEY)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: a key on the command line can be seen by others")
    assert KEY not in result.stderr + result.stdout


def test_no_key_at_all_is_said(mmai: Mmai) -> None:
    result = mmai("keys", "set", "openai", stdin=b" \n")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: standard input holds no key\nhint: mmai keys set openai < key.txt\n",
    )


def test_a_variable_that_wins_over_the_stored_key_is_warned_of(mmai: Mmai) -> None:
    result = mmai("keys", "set", "openai", "--json", stdin=KEY.encode(), env={"OPENAI_API_KEY": "other"})
    assert result.json["warnings"] == ["`OPENAI_API_KEY` is set, and wins over the stored key"]
    assert result.json["data"] == {"provider": "openai", "place": f"{mmai.home}/mmai/keys.json"}


def test_no_output_of_any_form_holds_a_key(mmai: Mmai) -> None:
    mmai("keys", "set", "openai", stdin=KEY.encode())
    for command in (
        ["keys", "list"],
        ["keys", "path"],
        ["config", "show", "--origin"],
        ["paths"],
        ["keys", "remove", "openai"],
    ):
        for form in ("table", "json"):
            result = mmai(*command, "-o", form)
            assert KEY not in result.stdout + result.stderr


def test_list_names_providers_and_places(mmai: Mmai) -> None:
    assert mmai("keys", "list", "--json").json["data"] == {"keys": []}
    mmai("keys", "set", "openai", stdin=KEY.encode())
    rows = [{"provider": "openai", "place": f"{mmai.home}/mmai/keys.json"}]
    assert mmai("keys", "list", "--json").json["data"] == {"keys": rows}
    assert mmai("keys", "list", "-o", "csv").stdout == f"provider,place\r\nopenai,{mmai.home}/mmai/keys.json\r\n"


def test_list_warns_of_a_file_others_may_read(mmai: Mmai) -> None:
    mmai("keys", "set", "openai", stdin=KEY.encode())
    (mmai.home / "mmai" / "keys.json").chmod(0o604)
    assert mmai("keys", "list").stderr.startswith("warning: others on this machine may read the keys in")


def test_remove_says_whether_there_was_a_key(mmai: Mmai) -> None:
    mmai("keys", "set", "openai", stdin=KEY.encode())
    assert mmai("keys", "remove", "openai").stderr == "removed the key of openai\n"
    again = mmai("keys", "remove", "openai")
    assert (again.exit_code, again.stderr) == (2, "error: no key of `openai` is stored\nhint: mmai keys list\n")


def test_path_alone_is_printed(mmai: Mmai) -> None:
    assert mmai("keys", "path").stdout == f"{mmai.home}/mmai/keys.json\n"


def test_paths_names_every_place(mmai: Mmai) -> None:
    home = f"{mmai.home}/mmai"
    assert mmai("paths", "--json").json["data"] == {
        "config": f"{home}/config.yaml",
        "registry": f"{home}/registry.json",
        "history": f"{home}/history.db",
        "keys": f"{home}/keys.json",
        "cache": f"{home}/cache",
        "models": f"{home}/models",
    }
